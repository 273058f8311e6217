"""Two accepted changes on top of each other: what two causes together explain in a deal that shows both.

Only entries that name a cause and say narrowly how far it moves a number are held together: of a wide
range, more would be taken than whoever accepted it has seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal, localcontext
from itertools import permutations, product

from pytest_dealsnap.baseline.acceptance import Acceptance, Look, Range
from pytest_dealsnap.judging.values import exact, is_number, working_context
from pytest_dealsnap.model.results import DealResult, Finding

__all__ = ["stacked"]

# A range that is wider, as a part of its bound, is the spread of many changes, and not the size of one.
NARROW = Decimal("0.05")


def stacked(
    entries: Iterable[tuple[int, Acceptance]], result: DealResult, finding: Finding, look: Look | None = None
) -> tuple[int, int] | None:
    """Return the numbers of two *entries* that accept *finding* together, in either order; ``None`` if there are none.

    Each must be about the deal by itself; their causes must not be the same.
    """
    if not (is_number(finding.baseline) and is_number(finding.current)):
        return None
    before, after = exact(finding.baseline), exact(finding.current)
    if not (before.is_finite() and after.is_finite()):
        return None
    sized = [(number, entry) for number, entry in entries if _is_sized(entry) and entry.concerns(result, finding, look)]
    for (number, one), (second, other) in permutations(sized, 2):
        if one.cause != other.cause and _explain(one, other, before, after):
            return number, second
    return None


def _is_sized(entry: Acceptance) -> bool:
    if entry.cause is None or entry.condition not in ("change_percent", "change_amount"):
        return False
    low, high = entry.taken
    return bool(low.is_finite() and high.is_finite() and high - low <= NARROW * max(abs(low), abs(high)))


def _explain(one: Acceptance, other: Acceptance, before: Decimal, after: Decimal) -> bool:
    """Whether the first change and then the other lead from *before* to *after*."""
    bounds: tuple[Range, Range] = one.taken, other.taken
    with localcontext(working_context(before, before, after, *bounds[0], *bounds[1])):
        ends = list(_ends(one, other, before))
        return min(ends) <= after <= max(ends)


def _ends(one: Acceptance, other: Acceptance, before: Decimal) -> Iterator[Decimal]:
    for first, second in product(one.taken, other.taken):
        yield _moved(other, _moved(one, before, first), second)


def _moved(entry: Acceptance, number: Decimal, by: Decimal) -> Decimal:
    return number + (abs(number) * by / 100 if entry.condition == "change_percent" else by)
