"""The audit for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_dealsnap.deals.log_counts import LONGEST_LINE, LogComparison
from pytest_dealsnap.deals.type_audit import KINDS
from pytest_dealsnap.reporting.audit_facts import AuditReport, show_stored
from pytest_dealsnap.reporting.checklist import CheckItem
from pytest_dealsnap.text import cut, plural, printable, table

__all__ = ["audit_lines"]

ROWS_SHOWN = 50
TYPES_SHOWN = 30
WORDS_SHOWN = 30
_KIND_WORDS = {"valid": "valid", "alias": "alias", "null": "NULL", "blank": "blank", "invalid": "invalid"}
_MARKS = {"passed": "passed", "failed": "FAILED", "question": "?"}


def audit_lines(report: AuditReport) -> Iterator[str]:
    """Yield the lines: what is stored, what the backfill would change, the log, the list, what needs a person."""
    yield from _stored(report)
    yield from _backfill(report)
    if report.logs is not None:
        yield from _logs(report.logs)
    if report.checklist is not None:
        yield from _checklist(report.checklist)
    yield ""
    problems = report.problems
    yield from (f"needs a person: {problem}" for problem in problems)
    if not problems:
        yield "nothing needs a person" + (", but the questions are still open" if _questions(report.checklist) else "")


def _stored(report: AuditReport) -> Iterator[str]:
    audit = report.audit
    outside = audit.rows - audit.deals
    note = f", {outside:,} of them outside of deals.where ({printable(report.where)})" if report.where else ""
    yield f"{printable(report.source)}, {printable(report.table)}: {plural(audit.rows, 'row')}{note}"
    yield ""
    shown = audit.stored[:TYPES_SHOWN]
    rows = [
        (
            show_stored(value.stored_type),
            _KIND_WORDS[value.kind],
            value.counts_as,
            f"{value.rows:,}",
            f"{value.deals:,}",
        )
        for value in shown
    ]
    yield from table(("stored type", "is", "counts as", "rows", "deals"), rows, right=(3, 4))
    yield from _more(len(audit.stored) - len(shown), "value")
    yield ", ".join(f"{_KIND_WORDS[kind]}: {audit.of_kind(kind):,}" for kind in KINDS)


def _backfill(report: AuditReport) -> Iterator[str]:
    backfill = report.audit.backfill
    yield ""
    if not backfill:
        yield "The backfill would change nothing."
        return
    yield f"The backfill would change {plural(len(backfill), 'row')} of {report.audit.rows:,}:"
    rows = [
        (
            _KIND_WORDS[row.kind],  # first, because a line that begins with "::" is a command to GitHub
            "NULL" if row.id is None else printable(row.id),
            "" if row.name is None else cut(printable(row.name), 40),
            show_stored(row.stored_type),
            row.becomes,
            "" if row.is_deal else "outside of deals.where",
        )
        for row in backfill[:ROWS_SHOWN]
    ]
    yield from table(("is", "id", "name", "stored type", "becomes", ""), rows)
    yield from _more(len(backfill) - len(rows), "row")


def _logs(logs: LogComparison) -> Iterator[str]:
    counts = logs.counts
    what = "cost calculations" if counts.calculations else "mentions of a deal type"
    count = counts.calculations or counts.mentions
    yield ""
    yield f"{plural(len(counts.files), 'log file')}, {plural(counts.lines, 'line')}, {count:,} {what}:"
    deals = sum(word.deals or 0 for word in logs.words)
    rows = [
        (
            f"deal_type={printable(cut(word.word, 60)) or '(blank)'}",
            f"{word.lines:,}",
            _percent(word.lines, counts.mentions),
            "" if word.deals is None else f"{word.deals:,}",
            "" if word.deals is None else _percent(word.deals, deals),
            "unknown" if word.deal_type is None else "" if word.deal_type == word.word else f"is {word.deal_type}",
        )
        for word in logs.words[:WORDS_SHOWN]
    ]
    yield from table(("in the log", "lines", "share", "deals", "share", ""), rows, right=(1, 2, 3, 4))
    yield from _more(len(logs.words) - len(rows), "word")
    if counts.long_lines:
        yield f"note: of {plural(counts.long_lines, 'line')} only the first {LONGEST_LINE:,} bytes were read"


def _checklist(items: tuple[CheckItem, ...]) -> Iterator[str]:
    yield ""
    yield "30 days after the rollout:"
    for item in items:
        yield f"{_MARKS[item.status]:6}  {item.check}"
        yield f"        {item.evidence}"
    if questions := _questions(items):
        yield f"{plural(questions, 'question')} (?) left open; by themselves they do not fail the audit."


def _questions(items: tuple[CheckItem, ...] | None) -> int:
    return sum(item.status == "question" for item in items or ())


def _more(count: int, noun: str) -> Iterator[str]:
    if count > 0:
        yield f"… and {plural(count, f'more {noun}')} (--json lists all)"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""
