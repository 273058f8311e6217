"""A deal beyond rule and floor is reasoned anew on both sides: not confirmed it is noise, without runs it is red."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.project import CONFIG, Project, deals

pytestmark = pytest.mark.slow  # both sides start processes of their own

# The price of a deal is 100 times what stands in its file, line by line; then 100.
SCRIPTED = """
import os
from pathlib import Path

HERE = Path(__file__).parent
ON = os.environ.get("NEW_ENGINE") == "on"


def value(transaction):
    side = "on" if ON else "off"
    log = HERE / f"{transaction.id}.{side}.log"
    with log.open("a") as file:
        file.write("call\\n")
    call = len(log.read_text().splitlines())
    plan = HERE / f"{transaction.id}.{side}.plan"
    factors = plan.read_text().split() if plan.exists() else []
    factor = factors[call - 1] if call <= len(factors) else "1"
    if factor == "fail":
        raise RuntimeError("overloaded")
    return {"offer": {"price": 100 * float(factor)}, "risks": [], "usd": 1}
"""
SETTINGS = """
[tool.dealsnap.rules.acquisition]
price = "within 5% or noise"

[tool.dealsnap.calls]
version = "v1"
cost = "usd"

[tool.dealsnap.rehearsal]
flag = "NEW_ENGINE"
flag_off = "off"
flag_on = "on"
"""
TYPES = {"acquisition": {"pairs": 20, "metrics": {"price": {"kind": "number", "pairs": 20, "floor": 0.1, "ties": 0}}}}
NOISE = json.dumps({"format": 1, "calls_version": "v1", "types": TYPES})


def plan(project: Project, **factors: str) -> None:
    """Have the calls of a deal's side give these factors: `d1_on="1.2 1.3"`."""
    for log in project.folder.glob("*.log"):
        log.unlink()
    for name, text in factors.items():
        (project.folder / f"{name.replace('_', '.')}.plan").write_text(text, encoding="utf-8")


def calls(project: Project, side: str, deal_id: str = "d1") -> int:
    """Return how many calls one side of a deal made."""
    log = project.folder / f"{deal_id}.{side}.log"
    return len(log.read_text().splitlines()) if log.exists() else 0


@pytest.fixture
def flagged(project: Project) -> Project:
    """Three deals, captured with the flag off; gates run with the flag on."""
    config = CONFIG.split("[tool.dealsnap.rules")[0] + SETTINGS
    found = project.with_deals(*deals(3)).with_config(config).with_reasoner(SCRIPTED)
    found.with_environment(NEW_ENGINE="off").captured()
    (found.folder / "snapshots" / "noise.json").write_text(NOISE, encoding="utf-8")
    return found.with_environment(NEW_ENGINE="on")


def price(outcome: Any, deal_id: str = "d1") -> Any:
    """Return the finding of a deal's price."""
    return next(found for found in outcome.deal(deal_id)["findings"] if found["metric"] == "price")


def test_a_change_is_confirmed_by_fresh_runs_and_paid(flagged: Project) -> None:
    """Four runs a side; the suspect run is not among them, and the same command makes none again."""
    plan(flagged, d1_on="1.3 1.2 1.21 1.19 1.2", d1_off="1 1.02 0.99 1.01")
    outcome = flagged.gate()
    assert outcome.statuses == {"d1": "regressed", "d2": "matched", "d3": "matched"}
    assert price(outcome)["note"].startswith("confirmed by 4 + 4 fresh runs")
    assert (calls(flagged, "on"), calls(flagged, "off")) == (5, 4)
    assert outcome.report["run"]["spending"]["calls"] == 11
    words = "1 deal beyond rule and floor of noise: 1 confirmed by fresh runs of both sides; 0 not confirmed: noise"
    assert words in outcome.report["notes"]
    again = flagged.gate()
    assert price(again)["noise"] == "confirmed"
    assert (calls(flagged, "on"), calls(flagged, "off")) == (5, 4)


def test_an_outlier_is_noise(flagged: Project) -> None:
    """Its fresh runs do not lie apart: the deal is not affected, and the gate proceeds; also under xdist."""
    plan(flagged, d1_on="1.3 1 1.2 0.98 1.01", d1_off="1 1.02 0.99 1.01")
    outcome = flagged.gate("-n", "2")
    assert outcome.action == "proceed", outcome.text
    assert outcome.statuses["d1"] == "changed"
    assert price(outcome)["note"] == "4 + 4 fresh runs do not confirm it beside NEW_ENGINE=off: it is noise"


def test_what_cannot_be_confirmed_stays_red(flagged: Project) -> None:
    """A failed run, the end of the budget, no old side, none wanted: each says why."""
    plan(flagged, d1_on="1.3 1.2 fail 1.19 1.2")
    assert price(flagged.gate())["note"] == "not confirmed: 1 of 4 + 4 fresh runs have no value"
    cases: list[tuple[Project, tuple[str, ...], str]] = [
        (flagged, ("--dealsnap-budget", "5"), "a fresh run was not made: the budget of 5.0 USD allows no further call"),
        (flagged, ("--dealsnap-noise-confirm", "0"), "noise.confirm = 0"),
        (flagged.with_environment(NEW_ENGINE="off"), (), "NEW_ENGINE=off already, so that it makes no old side"),
        (
            flagged.with_config(flagged.config.replace('flag = "NEW_ENGINE"', "")),
            (),
            "there is no old side: name the flag (rehearsal.flag)",
        ),
    ]
    for project, arguments, why in cases:
        plan(flagged, d1_on="1.3", d1_off="1.3")
        outcome = project.gate("--dealsnap-fresh", *arguments)
        assert outcome.statuses["d1"] == "regressed", outcome.text
        assert price(outcome)["note"].startswith(f"not confirmed: {why}")
        assert calls(flagged, "off") <= 4


def git(folder: Path, *arguments: str) -> None:
    """Run git there."""
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_the_code_of_another_commit_is_an_old_side(project: Project, workers: tuple[str, ...]) -> None:
    """Beside `--dealsnap-against` no flag is needed; the old runs are made anew and kept."""
    config = CONFIG.split("[tool.dealsnap.rules")[0] + SETTINGS.split("[tool.dealsnap.rehearsal]")[0]
    scripted = SCRIPTED.replace("HERE = Path(__file__).parent", f"HERE = Path({str(project.folder)!r})")
    old = project.with_deals(*deals(3)).with_config(config)
    old = old.with_reasoner(scripted.replace('ON = os.environ.get("NEW_ENGINE") == "on"', "ON = False")).write()
    for words in (("init", "-q"), ("add", "pyproject.toml", "valuation.py"), ("commit", "-qm", "old")):
        git(old.folder, *words)
    new = old.with_reasoner(scripted.replace('ON = os.environ.get("NEW_ENGINE") == "on"', "ON = True"))
    new = new.with_file("snapshots/noise.json", NOISE)
    plan(new, d1_on="1.3 1.2 1.21 1.19 1.2", d2_on="1.3 1 1 1 1")
    outcome = new.gate("--dealsnap-against", "HEAD", *workers)
    assert outcome.statuses == {"d1": "regressed", "d2": "changed", "d3": "matched"}, outcome.text
    assert price(outcome)["noise"] == "confirmed"
    assert calls(new, "off") == 5
