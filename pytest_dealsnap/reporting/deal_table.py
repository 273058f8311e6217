"""The columns of the table of deals, and a deal's row in it. A column is added here, and nowhere else.

The page's script shows a column that it has no special form for as the text of the row's field of that name.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from pytest_dealsnap.judging.values import is_number
from pytest_dealsnap.model.record import Record, always
from pytest_dealsnap.model.results import STATUSES, DealResult, Finding, Kind
from pytest_dealsnap.reporting.wording import finding_cells, type_name
from pytest_dealsnap.text import printable

__all__ = ["COLUMNS", "Column", "DealRow", "FindingRow", "deal_row"]

FINDING_WIDTH = 160

# Gives a word that repeats its number.
Numbered = Callable[[str], int]


class Column(Record, frozen=True):
    """A column of the table: the field of the row, its title, whether it sorts, and its style.

    ``key`` is one of the page's special columns, or a field of :class:`DealRow`. ``css`` is the style of its cells;
    ``wide`` columns are hidden on a narrow screen.
    """

    key: str
    title: str
    sorts: bool = True
    css: str = ""

    @property
    def head_css(self) -> str:
        """The style of the column's head: that of its cells but for what concerns their text."""
        return " ".join(word for word in self.css.split() if word in ("wide", "number"))


COLUMNS = (
    Column("id", "deal", css="id"),
    Column("name", "name", css="wide name"),
    Column("type", "type", css="wide what"),
    Column("status", "status"),
    Column("what", "what changed", sorts=False, css="wide what"),
    Column("change", "change", css="number"),
)


class FindingRow(Record, frozen=True):
    """A finding in words. ``metric``, ``label`` and ``rule`` are numbers of words.

    ``move`` is what the plot draws where there is no percentage: a value ``lost``, or one that came ``from 0``.
    ``before`` and ``after`` are what it draws of two finite numbers.
    """

    metric: int
    label: int
    rule: int
    baseline: str = always("")
    current: str = always("")
    change: str = always("")
    gates: bool = False
    percent: float | None = None
    move: str = ""
    before: float | None = None
    after: float | None = None


class DealRow(Record, frozen=True):
    """A deal in the table: what is absent is left out, as most deals of most runs matched.

    ``type`` is the number of a word, ``status`` a place in ``STATUSES``. ``types`` says in words which type the deal
    has and which one is stored, where these differ. The worst finding stands first.
    """

    id: str
    name: str | None
    type: int
    status: int
    seconds: float = 0
    types: str = ""
    findings: tuple[FindingRow, ...] = ()
    reason: str = ""
    corrupt: str = ""
    error: str = ""


def deal_row(result: DealResult, number: Numbered) -> DealRow:
    """Return the row of *result*; *number* gives the number of a word."""
    ordered = sorted(result.findings, key=lambda finding: not finding.gates)
    return DealRow(
        id=result.id,
        name=result.name,
        type=number(result.deal_type),
        status=STATUSES.index(result.status),
        seconds=round(result.seconds, 6) or 0,
        types=type_name(result) if result.stored_type != result.deal_type else "",
        findings=tuple(_finding(finding, number) for finding in ordered),
        reason=_text(result.reason),
        corrupt=_text(result.corrupt),
        error=_text(result.error),
    )


def _text(value: Any) -> str:
    return printable(str(value)) if value else ""


def _finding(finding: Finding, number: Numbered) -> FindingRow:
    cells = finding_cells(finding, FINDING_WIDTH)
    return FindingRow(
        metric=number(finding.metric),
        label=number(cells.metric),
        rule=number(cells.allowed),
        baseline=cells.baseline,
        current=cells.current,
        change=cells.change,
        gates=finding.gates,
        percent=finding.change_percent,
        move=_move(finding),
        before=_drawn(finding.baseline, finding.current),
        after=_drawn(finding.current, finding.baseline),
    )


def _drawn(value: Any, other: Any) -> float | None:
    """Return *value* for a plot, where both values of the finding are numbers that a plot can place."""
    if not (is_number(value) and is_number(other)):
        return None
    try:
        places = float(value), float(other)
    except OverflowError:
        return None
    return places[0] if all(map(math.isfinite, places)) else None


def _move(finding: Finding) -> str:
    if finding.kind is Kind.LOST:
        return "lost"
    return "from 0" if is_number(finding.baseline) and is_number(finding.current) else ""
