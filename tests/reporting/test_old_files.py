"""Files of format 1, written before reports were made from structs, are still read, rendered and merged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_dealsnap.baseline.codec import decode, encode
from pytest_dealsnap.cli import main
from pytest_dealsnap.cli.decisions import read_decisions
from pytest_dealsnap.model.results import Kind
from pytest_dealsnap.reporting.json_reading import read_json
from pytest_dealsnap.reporting.json_report import report_document

SAMPLES = Path(__file__).parents[1] / "samples" / "format1"


@pytest.mark.parametrize("name", ["gate", "hostile", "capture"])
def test_an_old_report_says_what_it_said(name: str) -> None:
    """Deals, counts and verdict are the same when it is read and written again."""
    path = SAMPLES / f"{name}.json"
    before, after = json.loads(path.read_text(encoding="utf-8")), report_document(read_json(path))
    for key in ("deals", "compared", "regressed", "affected_percent"):
        value = (
            getattr(after["summary"], key, None) if not isinstance(after["summary"], dict) else after["summary"][key]
        )
        assert value == before["summary"][key]
    assert after["verdict"] == before["verdict"]
    assert [(one["id"], one["status"]) for one in after["deals"]] == [(d["id"], d["status"]) for d in before["deals"]]
    assert after["run"]["started_at"] == before["run"]["started_at"]


@pytest.mark.parametrize("name", ["gate", "hostile", "capture", "rehearsal"])
@pytest.mark.parametrize("format_name", ["html", "json", "markdown"])
def test_an_old_report_is_rendered(name: str, format_name: str, tmp_path: Path) -> None:
    """The command writes it in another format."""
    to = tmp_path / "report"
    assert main(["report", str(SAMPLES / f"{name}.json"), "--format", format_name, "--output", str(to)]) == 0
    assert to.stat().st_size > 100


def test_old_shards_are_merged(tmp_path: Path) -> None:
    """Two shards make one whole run."""
    to = tmp_path / "whole.json"
    shards = [str(SAMPLES / f"shard-{number}.json") for number in (1, 2)]
    assert main(["merge", *shards, "--report", f"json:{to}"]) == 0
    assert read_json(to).summary.deals == 6


def test_old_decisions_are_read() -> None:
    """They belong to the report beside them."""
    run = read_json(SAMPLES / "gate.json")
    [decision] = read_decisions(SAMPLES / "gate.decisions.json", run)
    assert (decision.decision, decision.into, decision.who) == ("accept", "ledger", "Ana")


@pytest.mark.parametrize("path", sorted((SAMPLES / "snapshots" / "deals").iterdir()), ids=lambda path: path.name)
def test_an_old_snapshot_is_written_byte_for_byte(path: Path) -> None:
    """Read and written again, it is the same file."""
    data = path.read_bytes()
    assert encode(decode(data, deal_id=path.stem, path=path.name)) == data


def test_the_findings_of_an_old_report_are_of_the_kind_that_their_names_say() -> None:
    """Format 1 had no ``kind`` at first; a new report says it, and is read by it."""
    run = read_json(SAMPLES / "gate.json")
    kinds = {finding.issue: finding.kind for result in run.results for finding in result.findings}
    assert kinds["reasoning_failed"] is Kind.FAILED
    assert kinds["missing_from_database"] is Kind.GONE
    assert kinds["cost_changed"] is Kind.METRIC
    assert {cause.issue: cause.kind for cause in run.causes}["reasoning_failed"] is Kind.FAILED
