"""A failed deal as a person reads it in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_dealsnap.causes.list_items import ANOTHER_ORDER
from pytest_dealsnap.judging.differences import explain
from pytest_dealsnap.model.results import DealResult, Finding, Kind
from pytest_dealsnap.reporting.wording import finding_cells, show_both, show_value, type_name, worst_finding
from pytest_dealsnap.text import cut, plural, printable, table

__all__ = ["brief_text", "deal_text"]

SHOWN_DIFFERENCES = 12
HEADER = ("metric", "baseline", "current", "change", "allowed")


def deal_text(
    result: DealResult,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    trace: str = "",
) -> str:
    """Return the deal, the table of its findings, and what else changed between two outputs.

    *before* and *after* are the recorded and the current output, where both are known; *trace* is
    the traceback of a reasoner that raised, where the result does not hold it.
    """
    # The first line is what pytest's short summary shows beside the test's id.
    lines = [worst_finding(result), "", _title(result)]
    trace = trace or (result.details.traceback if result.details is not None else "")
    if trace:
        lines += ["", *(printable(line) for line in trace.rstrip().splitlines())]
    if result.error is not None and (trace or len(result.error.message) > 80):
        lines += [*([] if trace else [""]), f"{result.error.type}: {printable(result.error.message)}"]
    rows = [_row(finding) for finding in _shown(result)]
    if rows:
        lines += ["", *table(HEADER, rows, right=(1, 2, 3))]
    if result.miss:
        lines += ["", "the first request that differs from the recorded ones:"]
        lines += [f"  {printable(line)}" for line in result.miss.splitlines()]
    if before is not None and after is not None:
        lines += _difference(*_rows(result, before, after))
    return "\n".join(lines)


def brief_text(result: DealResult) -> str:
    """Return the deal and what weighs most in it, for one of many that are not shown in full."""
    return f"{worst_finding(result)}\n\n{_title(result)}"


def _title(result: DealResult) -> str:
    name = f" {cut(printable(result.name), 80)}" if result.name else ""
    return f"deal {printable(result.id)}{name} ({type_name(result)}): {result.status}"


def _shown(result: DealResult) -> list[Finding]:
    shown = [finding for finding in result.findings if finding.kind is not Kind.FAILED or not result.error]
    return sorted(shown, key=lambda finding: not finding.gates)


def _row(finding: Finding) -> tuple[str, ...]:
    metric, *others = finding_cells(finding).row()
    return ("! " if finding.gates else "  ") + metric, *others


def _rows(
    result: DealResult, before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[list[tuple[str, str, Any, Any]], int]:
    """Return the first differences, as the report has them where it holds the deal in full, and their total."""
    if result.details is None:
        return explain(before, after, limit=SHOWN_DIFFERENCES)
    kept = result.details.differences[:SHOWN_DIFFERENCES]
    return [(one.path, one.move, one.baseline, one.current) for one in kept], result.details.total


def _difference(rows: Sequence[tuple[str, str, Any, Any]], total: int) -> list[str]:
    if not rows:
        return []
    lines = ["", f"{plural(total, 'difference')} in the output:"]
    for path, move, old, new in rows:
        arrow = {
            "added": f"+ {show_value(new, 60)}",
            "removed": f"- {show_value(old, 60)}",
            "reordered": f"{ANOTHER_ORDER}: {show_value(new, 40)}",
        }
        change = arrow.get(move, " → ".join(show_both(old, new, 40)))
        lines.append(f"  {printable(path)}: {change}")
    if total > len(rows):
        lines.append(f"  … and {total - len(rows)} more")
    return lines
