"""One wording for all reports: values, findings, counts and verdicts in words."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from pytest_dealsnap.judging.differences import ABSENT
from pytest_dealsnap.judging.templates import path_form
from pytest_dealsnap.judging.values import exact, is_number
from pytest_dealsnap.model.record import Record
from pytest_dealsnap.model.results import DealResult, Finding, Kind
from pytest_dealsnap.text import cut, plural, printable

__all__ = [
    "VERDICT_WORDS",
    "FindingCells",
    "finding_cells",
    "show_both",
    "show_change",
    "show_percent",
    "show_value",
    "type_name",
    "worst_finding",
]

VERDICT_WORDS = {
    "proceed": "PROCEED",
    "fix_forward": "FIX FORWARD",
    "disable_flag": "DISABLE THE FLAG",
    "roll_back": "ROLL BACK",
    "inconclusive": "INCONCLUSIVE",
}

# A fraction of this many digits is shown whole; what is longer is nearly always a binary rounding.
WHOLE_FRACTION = 6


def show_value(value: Any, width: int = 28) -> str:
    """Return a canonical value for a table cell: grouped digits, cut texts, safe for a terminal."""
    if value is ABSENT:
        return "absent"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_number(value):
        return _show_number(value)
    if isinstance(value, str):
        return cut(printable(value) or '""', width)
    return cut(printable(_json(value)), width)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _show_number(value: int | float | Decimal, decimals: int | None = None) -> str:
    """Return a number with grouped digits; a long fraction is cut and marked, as ``3,044.84…``.

    Args:
        value: The number.
        decimals: How many digits of a long fraction stay; six significant digits and two decimals by default.
    """
    number = exact(value)
    if not number.is_finite():
        return str(number)
    exponent = number.as_tuple().exponent
    if abs(number.adjusted()) > 20:
        return str(number)
    if isinstance(exponent, int) and exponent < 0:
        text = f"{number:,f}".rstrip("0").rstrip(".")
        whole, _, fraction = text.partition(".")
        kept = max(2, 5 - number.adjusted()) if decimals is None else decimals
        if len(fraction) > max(kept, WHOLE_FRACTION):
            return f"{whole}.{fraction[:kept]}…"
        return text or "0"
    return f"{number:,f}"


def show_percent(percent: float) -> str:
    """Return a change in percent."""
    return f"{percent:+,.2f} %"


def show_change(finding: Finding) -> str:
    """Return the size of a change: percent, amount, or how many paths."""
    if finding.count is not None:
        return plural(finding.count, "path")
    if finding.change_percent is not None:
        return show_percent(finding.change_percent)
    if is_number(finding.baseline) and is_number(finding.current):
        difference = exact(finding.current) - exact(finding.baseline)
        return f"{difference:+,f}" if difference.is_finite() else ""
    return ""


class FindingCells(Record, frozen=True):
    """A finding in words, value by value."""

    metric: str
    baseline: str
    current: str
    change: str
    allowed: str

    def row(self) -> tuple[str, ...]:
        """Return the values in the order of a terminal's table: metric, baseline, current, change, allowed."""
        return self.metric, self.baseline, self.current, self.change, self.allowed


def finding_cells(finding: Finding, width: int = 28) -> FindingCells:
    """Return *finding* in words.

    Args:
        finding: What to show.
        width: The most characters of a value; the default is for a terminal.
    """
    metric = printable(finding.metric)
    if finding.kind is Kind.LOST:
        metric += " (lost)"
    if finding.kind is Kind.NO_EFFECT:
        shown = cut(printable(", ".join(map(str, finding.current))), 40)
        return FindingCells(metric, "", shown, "no effect", finding.allowed)
    if finding.count is not None:
        shown = _paths(finding)
        metric = "rest of the output" if finding.kind is Kind.OUTPUT else metric
        return FindingCells(metric, "", cut(printable(shown), width), show_change(finding), printable(finding.allowed))
    if finding.kind is Kind.GONE:
        return FindingCells("deal", show_value(finding.baseline, width), "gone", "", finding.allowed)
    allowed = f"{finding.allowed} ({finding.note})" if finding.note else finding.allowed
    baseline, current = show_both(finding.baseline, finding.current, width)
    return FindingCells(metric, baseline, current, show_change(finding), printable(allowed))


def _paths(finding: Finding) -> str:
    """Return the first changed paths; lists in another order by themselves, where nothing else changed."""
    lists = finding.reordered
    if lists and all(path_form(path).startswith(tuple(f"{one}[]" for one in lists)) for path in finding.paths):
        return f"{', '.join(lists[:2])}{' …' if len(lists) > 2 else ''}: another order"
    return ", ".join(finding.paths[:2]) + (" …" if (finding.count or 0) > 2 else "")


def show_both(baseline: Any, current: Any, width: int = 28) -> tuple[str, str]:
    """Return both values so that they look different: long ones are cut before their first difference."""
    if all(isinstance(value, (dict, list)) for value in (baseline, current)):
        baseline, current = _json(baseline), _json(current)
    if isinstance(baseline, str) and isinstance(current, str) and max(len(baseline), len(current)) > width:
        same = next((i for i, (a, b) in enumerate(zip(baseline, current, strict=False)) if a != b), None)
        start = max((min(len(baseline), len(current)) if same is None else same) - 8, 0)
        lead = "…" if start else ""
        return show_value(lead + baseline[start:], width), show_value(lead + current[start:], width)
    shown = show_value(baseline, width), show_value(current, width)
    if is_number(baseline) and is_number(current) and shown[0] == shown[1] and exact(baseline) != exact(current):
        digits = range(WHOLE_FRACTION, 1100)
        pairs = ((_show_number(baseline, count), _show_number(current, count)) for count in digits)
        return next((pair for pair in pairs if pair[0] != pair[1]), shown)
    return shown


def type_name(result: DealResult) -> str:
    """Return a deal's effective type, and the stored one where that is another."""
    if result.stored_type == result.deal_type:
        return printable(result.deal_type)
    stored = "NULL" if result.stored_type is None else repr(result.stored_type)
    return printable(f"{result.deal_type}, stored {stored}")


def worst_finding(result: DealResult) -> str:
    """Return the one line that says why a deal failed: by its largest change in percent, where several do."""
    if result.status == "errored" and result.error is not None:
        return cut(printable(str(result.error)), 120)
    gating = result.gating
    if not gating:
        return result.reason
    if gating[0].kind is Kind.GONE:
        return "in the baseline, not in the database"
    largest = max(gating, key=lambda finding: abs(finding.change_percent or 0.0))
    cells = finding_cells(largest)
    size = f" ({cells.change})" if cells.change else ""
    more = f" and {len(gating) - 1} more" if len(gating) > 1 else ""
    arrow = f" {cells.baseline} → {cells.current}" if cells.baseline or cells.current else ""
    return f"{cells.metric}{arrow}{size}, allowed: {cells.allowed}{more}"
