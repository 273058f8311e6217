"""A saved report that contradicts itself is refused, by every command that reads one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.cli import main
from pytest_dealsnap.reporting.json_reading import ReportError, read_json
from pytest_dealsnap.reporting.json_report import render_json
from tests.reporting.runs import large_run, small_run

Forge = Callable[[dict[str, Any]], None]


def of(found: str, **values: Any) -> Forge:
    """Give the first deal of a status other values."""

    def forge(document: dict[str, Any]) -> None:
        next(entry for entry in document["deals"] if entry["status"] == found).update(values)

    return forge


def at(*path: str, value: Any) -> Forge:
    """Set one value of the document."""

    def forge(document: dict[str, Any]) -> None:
        place = document
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return forge


def twice(document: dict[str, Any]) -> None:
    """Let a matched deal stand there a second time, and count it."""
    document["deals"].append(document["deals"][-1])
    document["run"]["selected"] += 1
    document["run"]["total"] += 1


def without_entry(document: dict[str, Any]) -> None:
    """Take away the entry of the ledger by which a deal is accepted."""
    document["ledger"] = []


def expired_entry(document: dict[str, Any]) -> None:
    """Let the entry by which a deal is accepted be expired."""
    document["ledger"][0]["expired"] = True


FORGERIES: dict[str, tuple[Forge, str]] = {
    "matched": (of("regressed", status="matched"), "deal 1 is matched beside a finding that fails it (cost_total)"),
    "changed": (of("regressed", status="changed"), "deal 1 is changed beside a finding that fails it"),
    "new": (of("regressed", status="new", compared=False), "deal 1 is new beside a finding that fails it"),
    "accepted": (of("errored", status="accepted"), "deal 4 is accepted"),
    "not compared": (of("regressed", compared=False), "deal 1 is regressed, and said not to be compared"),
    "errored": (of("errored", status="matched"), "deal 4 is matched"),
    "no error": (of("errored", error=None), "deal 4 is errored without an error"),
    "missing": (of("missing", status="changed", findings=[]), "the summary says"),
    "missing that matched": (of("missing", status="matched"), "deal 5 is matched"),
    "not corrupt": (of("missing", corrupt=None), "deal 5 is gone, and its finding and its corruption disagree"),
    "without its finding": (of("regressed", findings=[]), "deal 1 is regressed without a finding that fails it"),
    "matched with a report": (of("changed", status="matched"), "deal 6 is matched beside a finding (synergy_types)"),
    "twice": (twice, "deal 30 stands there twice"),
    "no entry": (without_entry, "deal 7 is accepted, and no live entry of the ledger has matched cost_total"),
    "expired entry": (expired_entry, "deal 7 is accepted, and no live entry of the ledger has matched cost_total"),
    "counts": (at("summary", "regressed", value=0), "the summary says regressed: 0, and the deals come to 3"),
    "percent": (at("summary", "affected_percent", value=0), "the summary says that 0 % are affected"),
    "verdict": (at("verdict", "action", value="proceed"), "the verdict says proceed, and the deals come to roll_back"),
    "no verdict": (at("verdict", value=None), "the verdict says nothing, and the deals come to roll_back"),
    "thresholds": (at("judging", "missing", value="report"), "the summary says compared"),
    "selected": (at("run", "selected", value=7), "7 deals were selected, and 30 are named"),
    "whole": (at("run", "total", value=99), "30 of 99 deals were selected, and the run is said to be a whole one"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_report_that_contradicts_itself_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """`report`, `merge`, `accept`, `reject` and `review` refuse it in one sentence, and nothing is written."""
    forge, words = FORGERIES[name]
    document = json.loads(render_json(small_run()))
    forge(document)
    (tmp_path / "forged.json").write_text(json.dumps(document), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    cause = document["causes"][0]["id"]
    for command in (
        ["report", "forged.json"],
        ["report", "forged.json", "--format", "markdown"],
        ["merge", "forged.json"],
        ["accept", "forged.json", "--cause", cause, "--into", "ledger", "--reason", "x", "--yes"],
        ["reject", "forged.json", "--cause", cause],
        ["review", "forged.json"],
    ):
        assert main(command) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert f"forged.json contradicts itself: {words}" in shown.err
        assert len(shown.err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["forged.json"]


def test_what_a_run_wrote_agrees_with_itself(tmp_path: Path) -> None:
    """A report of every status, and one of many causes, are read."""
    for run in (small_run(), large_run(300)):
        path = tmp_path / "report.json"
        path.write_text(render_json(run), encoding="utf-8")
        assert read_json(path).verdict == run.verdict


def test_a_report_whose_every_failure_was_taken_out_by_hand_is_refused(tmp_path: Path) -> None:
    """All failing deals flipped to `matched`, with a summary and a verdict to suit: their findings still say it."""
    document = json.loads(render_json(large_run(30)))
    for entry in document["deals"]:
        entry["status"] = "matched"
    counts = {"regressed": 0, "changed": 0, "matched": 30, "affected_percent": 0.0}
    document["summary"].update(counts)
    document["verdict"] = {"action": "proceed", "reason": "none of 30 compared deals is affected"}
    (tmp_path / "report.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ReportError, match="is matched beside a finding that fails it"):
        read_json(tmp_path / "report.json")
