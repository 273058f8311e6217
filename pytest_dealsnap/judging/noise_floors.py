"""How far pairs of runs of the same code lie apart, and what that says of the next pair.

If nothing changed, a deal's baseline and its current output are one more pair. Of m + 1 pairs each is as likely as any
other to be the farthest apart, so the next one lies beyond the floor of m pairs with a chance of at most 1/(m + 1).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal, localcontext
from fractions import Fraction
from typing import Any

from rapidfuzz.distance import Indel

from pytest_dealsnap.judging.values import exact, is_number, is_present, normal, same, working_context
from pytest_dealsnap.model.noise import MetricNoise, TypeNoise

__all__ = ["Pair", "chance_beyond", "chance_of_more", "covered", "difference", "tally"]

# A floor is rounded up to that many digits, so that the pair that it was measured by lies within.
DIGITS = 12
_UP = Context(prec=DIGITS, rounding=ROUND_CEILING)


@dataclass(frozen=True, slots=True)
class Pair:
    """The metrics of two runs of one deal; ``None`` for a run without an output."""

    first: Mapping[str, Any] | None
    second: Mapping[str, Any] | None


def difference(first: Any, second: Any) -> tuple[str, Decimal | None]:
    """Return of what kind two values are, and how far they lie apart.

    Numbers lie apart by a part of the first one's magnitude, texts by 1 - similarity, and anything else by 0 or 1. The
    distance is rounded up. It is ``None`` for numbers where no part of the first is enough.
    """
    if is_number(first) and is_number(second):
        return "number", _relative(first, second)
    if isinstance(first, str) and isinstance(second, str):
        total = len(first) + len(second)
        apart = 0 if first == second else Indel.distance(first, second)
        return "text", _UP.divide(Decimal(apart), Decimal(total)) if total else Decimal(0)
    return "other", Decimal(not same(first, second))


def _relative(first: Any, second: Any) -> Decimal | None:
    if same(first, second):
        return Decimal(0)
    before, after = exact(first), exact(second)
    if not before or not (before.is_finite() and after.is_finite()):
        return None
    with localcontext(working_context(before, after)):
        apart, whole = abs(after - before), abs(before)
    return _UP.divide(apart, whole)


def tally(pairs: Sequence[Pair], metrics: Sequence[str]) -> TypeNoise:
    """Return what the pairs of one deal type come to; a pair whose first run had no output says nothing."""
    begun = [pair for pair in pairs if pair.first is not None]
    whole = [pair for pair in begun if pair.second is not None]
    found = {name: _metric(name, whole) for name in metrics}
    measured = {name: noise for name, noise in found.items() if noise.pairs or noise.errors}
    return TypeNoise(len(begun), len(begun) - len(whole), measured)


def _metric(name: str, pairs: Sequence[Pair]) -> MetricNoise:
    values = [((pair.first or {}).get(name), (pair.second or {}).get(name)) for pair in pairs]
    both = [(first, second) for first, second in values if is_present(first) and is_present(second)]
    lost = sum(is_present(first) and not is_present(second) for first, second in values)
    apart = [difference(first, second) for first, second in both]
    kinds = {kind for kind, _ in apart}
    sizes = [size for _, size in apart]
    known = [size for size in sizes if size is not None]
    bounded = len(known) == len(sizes) and len(kinds) == 1
    ties = sum(same(first, second) for first, second in both)
    return MetricNoise(
        kinds.pop() if len(kinds) == 1 else "other",
        len(both),
        max(known, default=None) if bounded else None,
        ties,
        lost,
        sum(_reordered(first, second) for first, second in both),
    )


def _reordered(first: Any, second: Any) -> bool:
    lists = isinstance(first, list) and isinstance(second, list)
    return lists and not same(first, second) and Counter(map(normal, first)) == Counter(map(normal, second))


def chance_beyond(pairs: int) -> Fraction:
    """Return the largest chance that one more pair of unchanged code lies beyond the floor of *pairs*."""
    return Fraction(1, pairs + 1)


def covered(pairs: int, *, confidence: float = 0.95) -> float:
    """Return the part of all pairs of unchanged code that lies within the floor of *pairs*, at the least (Wilks).

    >>> [round(covered(pairs), 2) for pairs in (20, 59)]
    [0.86, 0.95]
    """
    return float((1 - confidence) ** (1 / pairs)) if pairs else 0.0


def chance_of_more(events: int, trials: int, *, known_events: int, known_trials: int) -> Fraction:
    """Return the chance of *events* or more among *trials*, where all trials have one rate (Fisher's exact test).

    Args:
        events: How often it happened in this run.
        trials: How often it could have.
        known_events: The same of the pairs of unchanged code.
        known_trials: How many of them there are.
    """
    whole, happened = trials + known_trials, events + known_events
    ways = sum(
        math.comb(happened, count) * math.comb(whole - happened, trials - count)
        for count in range(events, min(happened, trials) + 1)
    )
    return Fraction(ways, math.comb(whole, trials))
