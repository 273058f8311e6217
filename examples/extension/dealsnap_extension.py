"""A rule, ``rounds to 2``, and a report format, ``csv``."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import TYPE_CHECKING, Any

from pytest_dealsnap import Rule

if TYPE_CHECKING:
    from pytest_dealsnap.hookspecs import FinishedRun, Rehearsal, Writer

LONGEST_NUMBER = 400  # digits, more than a float has


def pytest_dealsnap_rules() -> dict[str, Any]:
    """Add the rule ``rounds to 2``: both values are the same number at two decimal places."""
    return {"rounds to {digits}": rounds_to}


def rounds_to(digits: str) -> Rule:
    """Return the rule for *digits* decimal places; a negative number rounds to tens, hundreds and so on."""
    try:
        unit = Decimal(1).scaleb(-int(digits))
    except ValueError:
        raise ValueError(f"{digits!r} is not a whole number of digits") from None

    def check(baseline: Any, current: Any, deal: Any) -> bool:
        if baseline == current:
            return True
        if not (is_number(baseline) and is_number(current)):
            return False
        with localcontext(prec=LONGEST_NUMBER):
            before, after = (Decimal(str(value)).quantize(unit, ROUND_HALF_EVEN) for value in (baseline, current))
        return before == after

    return Rule(f"rounds to {digits}", check)


def is_number(value: Any) -> bool:
    """Whether *value* is a finite number; True and False are none."""
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) and Decimal(str(value)).is_finite()


def pytest_dealsnap_report_writers() -> list[Writer]:
    """Add the report format ``csv``."""
    return [CsvWriter()]


class CsvWriter:
    """One line a finding; one a deal where it has none."""

    name = "csv"

    def render(self, run: FinishedRun) -> str:
        """Return the deals of a run."""
        rows: list[tuple[Any, ...]] = []
        for result in run.results:
            for finding in result.findings or (None,):
                about = () if finding is None else (finding.metric, finding.issue, finding.baseline, finding.current)
                rows.append((result.id, result.deal_type, result.status, *about))
        return lines(("deal", "type", "status", "metric", "issue", "baseline", "current"), rows)

    def render_rehearsal(self, rehearsal: Rehearsal) -> str:
        """Return the phases of a rehearsal."""
        rows = [(phase.name, phase.status, phase.seconds, phase.headline) for phase in rehearsal.phases]
        return lines(("phase", "status", "seconds", "headline"), rows)


def lines(header: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    """Return CSV; a text that a spreadsheet would take for a formula begins with an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([*map(cell, row), *("" for _ in header[len(row) :])])
    return text.getvalue()


def cell(value: Any) -> Any:
    """Return what stands for *value* in its cell."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value
