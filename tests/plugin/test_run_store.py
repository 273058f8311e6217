"""The run store in whole runs: the same command goes on, says so, and stops at the budget without failing a deal."""

from __future__ import annotations

import json

import pytest

from tests.cli.console import dealsnap
from tests.plugin.project import CONFIG, Project, deals

PAID = """
import random


def value(transaction):
    with open("paid.txt", "a") as file:
        file.write(f"{transaction.id}\\n")
    return {"offer": {"price": random.randint(100, 10_000)}, "risks": [], "memo": "x", "usd": 0.5}
"""
SETTINGS = """
[tool.dealsnap.calls]
cost = "usd"
"""
POOL = """
import multiprocessing, os
from concurrent.futures import ProcessPoolExecutor


def pool():
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
"""


@pytest.fixture
def paid(project: Project) -> Project:
    """A reasoner whose answers are noise, and cost money."""
    found = project.with_deals(*deals(6)).with_reasoner(PAID).with_config(CONFIG + SETTINGS).with_file("pool.py", POOL)
    assert found.capture().code == 0
    return found


def made(project: Project) -> int:
    """Return how many calls were made so far."""
    return len((project.folder / "paid.txt").read_text().splitlines())


def test_a_gate_goes_on_after_its_budget(paid: Project) -> None:
    """Judged again, by other rules too, it calls nothing; in processes of xdist it shares one budget."""
    stopped = paid.gate("--dealsnap-budget", "1.2")
    assert made(paid) == 8
    assert stopped.action == "inconclusive"
    assert "4 skipped" in stopped.closing
    assert "4 deals not judged, which is no failure of the reasoner: the budget of 1.2 USD allows no" in stopped.text
    assert stopped.report["run"]["spending"]["spent"] == "1.0"
    assert "spent: 1.0 USD of a budget of 1.2 in 2 calls" in stopped.text
    whole = paid.gate("--dealsnap-budget", "100", "-n", "2")
    assert made(paid) == 12
    assert "the run store has 2 outputs of this run, to be reused" in whole.text
    assert "(2 of 6 reused; 4 asked anew)" in whole.text
    looser = paid.with_config(CONFIG.replace("within 5%", "report") + SETTINGS).gate()
    assert made(paid) == 12
    assert looser.action == "proceed"
    assert "6 outputs reused from the run store (--dealsnap-fresh computes anew)" in looser.text
    assert {one["evidence"] for one in looser.report["deals"]} == {"reused"}
    paid.gate("--dealsnap-fresh")
    assert made(paid) == 18
    newer = paid.with_file("more.py", "").gate()
    words = "the run store has outputs that are not reused: 6 of a run by another version of the code (calls.version)"
    assert words in newer.text
    assert made(paid) == 24


def test_the_judged_output_is_what_is_accepted(paid: Project) -> None:
    """A noisy reasoner would give another one; status and store tell of the run."""
    outcome = paid.gate()
    red = next(deal_id for deal_id, status in outcome.statuses.items() if status == "regressed")
    price = outcome.deal(red)["findings"][0]["current"]
    before = made(paid)
    done = dealsnap(paid.folder, "accept", "report.json", "--deal", red, "--yes")
    assert done.code == 0, done.err
    assert made(paid) == before
    assert paid.snapshot(red)["metrics"]["price"] == price
    status = dealsnap(paid.folder, "status")
    assert "done: 6 of 6 deals, 0 under way" in status.out
    assert "spent: 3.0 USD in 6 calls" in status.out
    assert json.loads(dealsnap(paid.folder, "status", "--json").out)[0]["mode"] == "gate"
    assert "capture" in dealsnap(paid.folder, "store", "list").out
    assert dealsnap(paid.folder, "store", "prune").code == 1
    assert "removed 2 runs" in dealsnap(paid.folder, "store", "prune", "--yes").out
    assert "there is nothing to prune" in dealsnap(paid.folder, "store", "prune").out
    assert "the run store is empty" in dealsnap(paid.folder, "store", "list").out
    assert dealsnap(paid.folder, "status").code == 1


def test_a_budget_needs_a_cost(paid: Project) -> None:
    """And, before any output was recorded, something to hold back; its cost may be a number."""
    unknown = paid.with_config(CONFIG).gate("--dealsnap-budget", "5")
    assert unknown.code == 4
    assert "what a call costs is not known" in unknown.text
    nowhere = paid.with_config(CONFIG + SETTINGS.replace("usd", "eur")).gate("--dealsnap-budget", "5")
    assert nowhere.code == 4
    assert "no recorded output says what a call costs" in nowhere.text
    fixed = paid.with_config(CONFIG + SETTINGS.replace('"usd"', "2")).gate("--dealsnap-budget", "5")
    assert "spent: 4 USD of a budget of 5.0 in 2 calls" in fixed.text


@pytest.mark.slow
def test_a_process_that_dies_has_spent_its_call(paid: Project) -> None:
    """It is lost, told, and not made again."""
    killing = PAID.replace(
        "    return", "    import os\n    if transaction.id == 'd3':\n        os.kill(os.getpid(), 9)\n    return"
    )
    project = paid.with_reasoner(killing)
    before = made(paid)
    outcome = project.gate("--dealsnap-executor", "pool:pool")
    assert "the call of deal d3 was lost with its process, and is paid" in outcome.text
    assert outcome.action == "inconclusive"
    assert outcome.report["run"]["spending"]["lost"] >= 1
    assert made(paid) - before >= 1
    lines = (paid.folder / "paid.txt").read_text().splitlines()[before:]
    assert lines.count("d3") == 1


def test_a_portfolio_rule_is_judged_over_all_deals(project: Project) -> None:
    """Each deal is within its tolerance, and all of them together are not; a part of them judges no such rule."""
    rules = '\n[tool.dealsnap.portfolio]\n"sum(price)" = "within 1%"\n'
    found = project.with_deals(*deals(12, amount=1000)).with_config(CONFIG + rules).captured()
    dearer = found.with_deals(*deals(12, amount=1049))
    outcome = dearer.gate()
    assert outcome.code == 1
    assert outcome.action == "fix_forward"
    assert "portfolio: sum(price) 12,000 → 12,588, +4.90 %; rule: within 1%" in outcome.verdict
    assert "price moved up in 12 of 12 deals of acquisition, by +4.90 % in the median: not noise" in outcome.text
    assert len(outcome.report["run"]["portfolio"]) == 2
    assert dearer.gate("--dealsnap-id", "d1").code == 0
    bad = found.with_config(CONFIG + rules.replace("price", "prize")).gate()
    assert bad.code == 4
    assert "[tool.dealsnap.portfolio], 'sum(prize)': unknown metric. Did you mean \"price\"?" in bad.text
