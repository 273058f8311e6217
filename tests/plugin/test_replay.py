"""Recorded calls in whole runs: a capture pays, a gate of the same requests does not."""

from __future__ import annotations

import json

import pytest

from tests.cli.console import dealsnap
from tests.plugin.project import CONFIG, Project, deal

AGENT = """
import random
from pathlib import Path

from llm import ask


def value(transaction):
    answer = ask(f"{transaction.deal_type}: what is {transaction.id} worth?")
    return {"offer": {"price": answer["price"]}, "risks": [], "memo": answer["text"]}
"""
LLM = """
import os, random


def ask(prompt):
    with open("paid.txt", "a") as file:
        file.write(f"{prompt}\\n")
    return {"price": random.randint(100, 10_000), "text": str(random.random()), "usd": 0.5}
"""
POOL = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor


def pool():
    return ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))
"""
SETTINGS = """
[tool.dealsnap.replay]
calls = ["llm:ask"]
cost = "usd"
"""


@pytest.fixture
def agent(project: Project) -> Project:
    """A reasoner that asks a model, whose answers are noise."""
    rows = [deal("a1"), deal("a2"), deal("c1", kind="carveout"), deal("c2", kind="carveout")]
    found = project.with_deals(*rows).with_reasoner(AGENT).with_config(CONFIG + SETTINGS)
    found = found.with_file("llm.py", LLM).with_file("cluster.py", POOL)
    assert found.capture().code == 0
    return found


def paid(project: Project) -> list[str]:
    """Return the requests that were made, and forget them."""
    file = project.folder / "paid.txt"
    made = file.read_text().splitlines() if file.exists() else []
    file.unlink(missing_ok=True)
    return sorted(made)


def test_a_gate_of_the_same_requests_pays_nothing(agent: Project) -> None:
    """And says that it is a replay; a change after the model is found without a call, and shared by all processes."""
    assert len(paid(agent)) == 4
    outcome = agent.gate("--dealsnap-replay", "only")
    assert "PROCEED - none of 4 compared deals is affected (4 of 4 replayed)" in outcome.text
    assert outcome.report["summary"]["evidence"] == {"replayed": 4, "reused": 0, "computed": 0}
    assert {one["evidence"] for one in outcome.report["deals"]} == {"replayed"}
    dearer = agent.with_reasoner(AGENT.replace('answer["price"]}', 'answer["price"] * 1.12}'))
    assert set(dearer.gate("-n", "2").statuses.values()) == {"regressed", "changed"}
    assert paid(agent) == []


def test_another_prompt_asks_anew_only_where_it_differs(agent: Project) -> None:
    """With the first request that differs; "only" makes no call, and such a deal is not judged."""
    paid(agent)
    inserted = "{'as carve-out, ' if transaction.deal_type == 'carveout' else ''}what is"
    changed = agent.with_reasoner(AGENT.replace("what is", inserted))
    only = changed.gate("--dealsnap-replay", "only")
    assert paid(agent) == []
    assert only.code == 1
    assert "inconclusive" in only.text.lower()
    assert "+prompt: carveout: as carve-out, what is c1 worth?" in only.text
    outcome = changed.gate()
    assert [line.partition(":")[0] for line in paid(agent)] == ["carveout", "carveout"]
    assert "(2 of 4 replayed; 2 asked anew)" in outcome.text
    assert "first request that differs: llm:ask | -prompt: carveout: what is c1 worth?" in outcome.text
    off = changed.gate("--dealsnap-replay", "off")
    assert len(paid(agent)) == 4
    assert "replayed" not in off.text


def test_an_output_of_recorded_calls_alone_is_no_answer_of_today(agent: Project) -> None:
    """Without replay it is not reused; status counts the deals of the newest run alone."""
    paid(agent)
    agent.gate("--dealsnap-store", "--dealsnap-replay", "only")
    assert paid(agent) == []
    chosen = ("--dealsnap-id", "a1", "--dealsnap-id", "c1")
    anew = agent.gate("--dealsnap-store", "--dealsnap-replay", "off", *chosen)
    assert len(paid(agent)) == 2
    assert "reused" not in anew.verdict
    assert "done: 2 of 2 deals" in dealsnap(agent.folder, "status").out
    agent.gate("--dealsnap-store", "--dealsnap-replay", "off", *chosen)
    assert paid(agent) == []


@pytest.mark.slow
def test_an_executor_replays_too(agent: Project) -> None:
    """Its processes import the application anew, record and replay the calls there."""
    paid(agent)
    outcome = agent.gate("--dealsnap-executor", "cluster:pool", "--dealsnap-replay", "only")
    assert "(4 of 4 replayed)" in outcome.text
    assert paid(agent) == []
    assert agent.capture("--dealsnap-executor", "cluster:pool").code == 0
    assert len(paid(agent)) == 4
    assert "(4 of 4 replayed)" in agent.gate("--dealsnap-workers", "3").text


def test_a_damaged_recording_keeps_its_deal_from_being_judged(agent: Project) -> None:
    """One sentence names the file; the other deals are judged. A capture without recording leaves none behind."""
    file = agent.folder / "snapshots" / "calls" / "a1.jsonl"
    file.write_bytes(file.read_bytes().replace(b"usd", b"eur"))
    outcome = agent.gate()
    assert "were edited. Restore the file from git" in outcome.text
    assert "INCONCLUSIVE" in outcome.text
    assert set(outcome.statuses) == {"a2", "c1", "c2"}
    agent.capture("--dealsnap-replay", "off")
    assert not list(file.parent.iterdir())


def test_wrong_uses_are_refused(agent: Project) -> None:
    """Before the first deal."""
    assert "--dealsnap-replay only is for gates" in agent.run("--dealsnap-update", "--dealsnap-replay", "only").text
    matrix = agent.run("--dealsnap", "--dealsnap-matrix", "--dealsnap-replay", "only")
    assert "a matrix replays no calls" in matrix.text
    bad = agent.with_config(CONFIG + SETTINGS.replace("llm:ask", "llm:aks")).gate()
    assert bad.code == 4
    assert "[tool.dealsnap.replay] calls = 'llm:aks': llm has no 'aks'. Did you mean \"ask\"?" in bad.text
    without = agent.with_config(CONFIG).gate("--dealsnap-replay", "only")
    assert "no calls are named in [tool.dealsnap.replay]" in without.text


def test_a_decorated_function_needs_no_setting(project: Project) -> None:
    """The application imports the decorator, and nothing else of dealsnap's comes with it."""
    llm = "from pytest_dealsnap import replayable\n" + LLM.replace("def ask", "@replayable\ndef ask")
    found = project.with_deals(deal("a1"), deal("a2")).with_reasoner(AGENT).with_file("llm.py", llm)
    assert found.capture().code == 0
    assert len(paid(found)) == 2
    assert "(2 of 2 replayed)" in found.gate("--dealsnap-replay", "only").text
    line = (found.folder / "snapshots" / "calls" / "a1.jsonl").read_text().splitlines()[1]
    assert json.loads(line)["call"] == "llm:ask"
