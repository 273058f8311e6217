"""Finished runs for the tests of reports: small ones told deal by deal, and large ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_dealsnap.config import VerdictConfig
from pytest_dealsnap.model.details import Details, Difference, MetricRow
from pytest_dealsnap.model.finished_run import FinishedRun, JudgingFacts, LedgerFact, RunFacts
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import DealResult, Failure, Finding, Kind, changed_issue
from pytest_dealsnap.reporting.conclusion import conclude
from pytest_dealsnap.reporting.json_reading import kind_by_name, read_json
from pytest_dealsnap.reporting.json_report import render_json

__all__ = [
    "HOSTILE",
    "details",
    "facts",
    "finding",
    "finished",
    "hostile_run",
    "large_run",
    "result",
    "saved",
    "small_run",
]

TYPES = ("acquisition", "carveout", "divestiture")
NARRATIVE = "The two are integrated in a hundred days. Savings of {} dollars are within reach in Finance."
# What a deal may be called, or an output hold, that some report's reader would obey.
HOSTILE = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=document.title='owned'>",
    "</script><script>document.title='owned'</script>",
    "--><svg onload=document.title='owned'>",
    "::error::owned",
    "a|b`c*d_e",
    "@octocat #1 https://example.com [x](javascript:alert)",
    "two\nlines\r\n::warning title=x::owned",
    "esc\x1b[31m\u202eevil\x00\x9b",
    "100%25,%0A:",
    'quote"back\\slash',
    "{{ 7 * 7 }} ${7 * 7}",
    "../../x",
    "\ud800",
)


def facts(selected: int, **changes: Any) -> RunFacts:
    """Return the facts of a gate over *selected* deals."""
    judging = JudgingFacts(VerdictConfig(10.0, 50.0, 100.0), "fail", "skip", TYPES, "acquisition", True)
    whole = RunFacts(
        mode="gate",
        started_at=datetime(2026, 3, 1, 8, 30, 0, 123456, tzinfo=UTC),
        seconds=12.3456789,
        database="sqlite:///deals.db",
        reasoner="myapp.analysis:run",
        git_commit="0123456789abcdef",
        partial=False,
        shard=None,
        total=selected,
        selected=selected,
        not_judged=(),
        baseline={
            "captured_at": "2026-02-27T17:00:00+00:00",
            "git": {"commit": "fedcba9876543210"},
            "format": 1,
            "ids_sha256": 32 * "ab",
        },
        snapshots="snapshots",
        judging=judging,
    )
    return replace(whole, **changes)


def finding(metric: str, old: Any, new: Any, percent: float | None = None, **more: Any) -> Finding:
    """Return a finding that gates, unless told otherwise."""
    issue = more.pop("issue", changed_issue(metric))
    more.setdefault("kind", kind_by_name(metric, issue))
    return Finding(metric, issue, old, new, percent, more.pop("allowed", "equal"), **more)


def details(*, savings: tuple[int, int] = (496_000, 375_000)) -> Details:
    """Return the details of a deal whose cost and narrative changed."""
    old, new = (NARRATIVE.format(f"{amount:,}") for amount in savings)
    return Details(
        metrics=(
            MetricRow("cost_total", 100, 112, 12.0, "within 5%", "fails"),
            MetricRow("synergy_count", 2, 2, 0.0, "equal", "same"),
        ),
        differences=(
            Difference("cost_estimate.total_cost", "changed", 100, 112),
            Difference("narrative", "changed", old, new),
            Difference("synergies[1]", "removed", {"type": "license"}, None),
        ),
        total=5,
    )


def result(deal_id: str, status: str = "matched", *findings: Finding, **more: Any) -> DealResult:
    """Return one deal's result."""
    deal_type = more.pop("deal_type", "acquisition")
    values = {"name": f"Deal {deal_id}", "stored_type": deal_type, "seconds": 0.0123456789, **more}
    return DealResult(
        deal_id, values.pop("name"), deal_type, values.pop("stored_type"), status, findings=findings, **values
    )


def finished(results: Sequence[DealResult], **changes: Any) -> FinishedRun:
    """Return the run that *results* conclude."""
    return conclude(facts(len(results), **changes), results)


def small_run() -> FinishedRun:
    """Return a run with one deal of every status, two causes that fail and one that is accepted."""
    twelve = [
        result(str(n), "regressed", finding("cost_total", 100, 112, 12.0, allowed="within 5%"), details=details())
        for n in (1, 2, 3)
    ]
    error = Failure("ZeroDivisionError", "division by zero")
    failed = finding("output", None, str(error), issue="reasoning_failed", allowed="no new errors")
    gone = finding("deal", "Deal 5", None, issue="missing_from_database", allowed="every deal of the baseline")
    reported = finding("synergy_types", ["a"], ["b"], allowed="report", gates=False)
    accepted = finding("cost_total", 100, 300, 200.0, allowed="ratio 1.5..2.5")
    results = [
        *twelve,
        result("4", "errored", failed, error=error),
        result("5", "missing", gone, corrupt="it is in the baseline and not in the database", seconds=0.0),
        result("6", "changed", reported, deal_type="carveout", stored_type="carve-out"),
        result("7", "accepted", accepted, deal_type="carveout", reason="twelve months of TSA"),
        result("8", "new", compared=False, reason="not in the baseline", stored_type=None),
        *(result(str(n)) for n in range(9, 31)),
    ]
    terms = ("twelve months of TSA", "Ana", "2027-01-31")
    entry = LedgerFact("snapshots/accepted.toml, entry 1", *terms, expired=False, matched=True, metric="cost_total")
    return finished(results, ledger=(entry,))


def large_run(count: int = 10_000) -> FinishedRun:
    """Return a run of *count* deals, of which every second failed, by three causes of their own sizes."""
    return finished([_one_of_many(number) for number in range(1, count + 1)])


def _one_of_many(number: int) -> DealResult:
    deal_type, deal_id, name = TYPES[number % 3], str(number), f"Company {number} Holdings"
    if number % 2:
        return result(deal_id, name=name, deal_type=deal_type)
    percent = float(number % 3 * 10 + 6)
    cost = finding("cost_total", 1000, 1000 + percent * 10, percent, allowed="within 5%")
    rest = Finding(
        "output",
        "output_changed",
        allowed="report",
        gates=False,
        count=3,
        paths=("narrative", "a", "b"),
        kind=Kind.OUTPUT,
    )
    kept = details() if number <= 120 else None
    return result(deal_id, "regressed", cost, rest, name=name, deal_type=deal_type, details=kept)


def hostile_run() -> FinishedRun:
    """Return a run in which everything that a user's system can name is hostile."""
    results = []
    for number, text in enumerate(HOSTILE):
        rows = (MetricRow(text, text, f"{text} ", None, text, "fails"),)
        long = text * 40
        differences = (
            Difference(text, "changed", long, f"{long} now"),
            Difference(text, "added", None, {text: text}),
        )
        gates = finding(text, text, f"{text} now", note=text, allowed=text)
        kept = Details(rows, differences, 2)
        results.append(result(text, "regressed", gates, name=text, deal_type=text, stored_type=text, details=kept))
        error = Failure("ValueError", text)
        failed = finding("output", None, str(error), issue="reasoning_failed")
        crash = Details(traceback=text)
        results.append(
            result(f"{number}", "errored", failed, name=text, error=error, reason=text, corrupt=text, details=crash)
        )
    return finished(
        results,
        database=HOSTILE[0],
        reasoner=HOSTILE[1],
        baseline={"captured_at": HOSTILE[0], "git": HOSTILE[0], "deals": [HOSTILE[2]], "database": HOSTILE[3]},
        strangers=HOSTILE[:5],
        snapshots=HOSTILE[5],
        git_commit="abc",
    )


def saved(run: FinishedRun, folder: Path) -> FinishedRun:
    """Return *run* after it was saved as JSON and read again, as if from where the run itself wrote it."""
    path = folder / "saved.json"
    path.write_text(render_json(run), encoding="utf-8")
    read = read_json(path)
    assert read.facts.report == str(path)
    return conclude(replace(read.facts, report=run.facts.report), read.results)
