"""What an entry of the ledger was made for: how many deals, which change, and how much money it was then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from pytest_dealsnap.judging.values import exact, is_number, working_context
from pytest_dealsnap.model.results import Finding

__all__ = ["MadeFor", "made_for", "read_made_for", "total"]

_KEYS = ("deals", "pattern", "baseline", "current")


@dataclass(frozen=True, slots=True)
class MadeFor:
    """What an entry was made for: the number of deals, the change in words, and the totals of its metric.

    ``baseline`` and ``current`` are ``None`` where the metric is no number in every deal.
    """

    deals: int
    pattern: str
    baseline: Decimal | None = None
    current: Decimal | None = None


def total(values: Iterable[Any]) -> Decimal | None:
    """Return the exact sum of *values*; ``None`` where one of them is no finite number."""
    numbers = []
    for value in values:
        if not is_number(value) or not exact(value).is_finite():
            return None
        numbers.append(exact(value))
    with localcontext(working_context(*numbers, Decimal(10) ** 6)):
        return sum(numbers, Decimal(0))


def made_for(pattern: str, findings: Iterable[Finding]) -> dict[str, Any]:
    """Return the table that an entry holds: it accepts *findings*, one a deal; *pattern* says what they are."""
    found = list(findings)
    table: dict[str, Any] = {"deals": len(found), "pattern": pattern}
    before, after = (total(getattr(f, side) for f in found) for side in ("baseline", "current"))
    if before is not None and after is not None:
        table |= {"baseline": _plain(before), "current": _plain(after)}
    return table


def _plain(number: Decimal) -> int | Decimal:
    return int(number) if number == number.to_integral_value() and abs(number.adjusted()) < 18 else number


def read_made_for(table: Any, need: Callable[[bool, str], None]) -> MadeFor | None:
    """Return what *table* of an entry says, ``None`` where there is none; *need* refuses what is wrong."""
    if table is None:
        return None
    need(isinstance(table, Mapping), 'made_for must be a table, such as made_for = { deals = 3, pattern = "+12.0%" }')
    unknown = next((key for key in table if key not in _KEYS), None)
    need(unknown is None, f"made_for has no key {unknown!r}. Valid: {', '.join(_KEYS)}")
    count, pattern = table.get("deals"), table.get("pattern", "")
    need(type(count) is int and count > 0, "made_for.deals must be a number of deals")
    need(isinstance(pattern, str), "made_for.pattern must be a text")
    totals = [table.get(side) for side in ("baseline", "current")]
    need(all(one is None or is_number(one) for one in totals), "made_for.baseline and current must be numbers")
    before, after = (None if one is None else exact(one) for one in totals)
    return MadeFor(count, pattern, before, after)
