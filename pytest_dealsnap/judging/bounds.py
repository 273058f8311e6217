"""How many deals of all may be affected, from a sample: exact bounds, by the hypergeometric distribution.

A sample is drawn without replacement from each stratum (a deal type). Nobody knows how the affected deals that
were not drawn are spread over the strata, so each bound takes the split that is worst for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import permutations

__all__ = ["CONFIDENCE", "Stratum", "alpha_of", "lower_bound", "sure", "upper_bound"]

CONFIDENCE = 95.0
# Floats are off by less than that part of a probability; nearer to the limit, whole numbers decide.
_NEAR = 1e-9


def alpha_of(confidence: float) -> Fraction:
    """Return the probability of an error that *confidence*, in percent, allows."""
    return 1 - Fraction(str(confidence)) / 100


def sure(confidence: float) -> str:
    """Return ``with 95 % confidence``."""
    return f"with {confidence:.10g} % confidence"


@dataclass(frozen=True, slots=True)
class Stratum:
    """*drawn* of *deals* were judged, and *affected* of the drawn ones are affected."""

    deals: int
    drawn: int
    affected: int

    @property
    def at_least(self) -> int:
        """How many deals are affected at the least, for sure."""
        return self.affected

    @property
    def at_most(self) -> int:
        """How many deals are affected at the most, for sure: all that were not drawn may be."""
        return self.deals - self.drawn + self.affected


def upper_bound(strata: Sequence[Stratum], *, confidence: float = CONFIDENCE) -> int:
    """Return the largest number of affected deals that the sample does not contradict.

    With a probability of *confidence* percent or more, no more deals than that are affected. A number is contradicted
    where a sample with so few affected deals, or fewer, is as unlikely as an error may be, under every split.
    """
    alpha = alpha_of(confidence)
    low, high = sum(one.at_least for one in strata), sum(one.at_most for one in strata)
    found = sum(one.affected for one in strata)
    while low < high:
        middle = (low + high + 1) // 2
        if _is_possible(tuple(strata), middle, found, alpha):
            low = middle
        else:
            high = middle - 1
    return low


def lower_bound(strata: Sequence[Stratum], *, confidence: float = CONFIDENCE) -> int:
    """Return the smallest number of affected deals that the sample does not contradict.

    It is the upper bound of the deals that are not affected, seen from the other side.
    """
    sound = [Stratum(one.deals, one.drawn, one.drawn - one.affected) for one in strata]
    return sum(one.deals for one in strata) - upper_bound(sound, confidence=confidence)


def _is_possible(strata: tuple[Stratum, ...], affected: int, found: int, alpha: Fraction) -> bool:
    """Whether at most *found* affected deals in the sample are likelier than *alpha* under some split of *affected*.

    For none found, the logarithm is a sum of concave functions of the parts, so that the greedy split is the best;
    for more, the split is improved from there by moving deals between two strata, while that helps.
    """

    @cache
    def chance(split: tuple[int, ...]) -> float:
        return _at_most(strata, split, found)

    def exceeds(split: tuple[int, ...]) -> bool:
        about, limit = chance(split), float(alpha)
        if abs(about - limit) > _NEAR * limit:
            return about > limit
        return _exactly_at_most(strata, split, found) > alpha

    best = _greedy(strata, affected)
    step = max(affected // 4, 1)
    while step and not exceeds(best):
        moves = _moved(strata, best, step)
        better = max(moves, key=chance, default=best)
        if any(chance(split) >= float(alpha) * (1 - _NEAR) and exceeds(split) for split in moves):
            return True
        if chance(better) > chance(best) * (1 + 1e-12):
            best = better
        else:
            step //= 2
    return exceeds(best)


def _greedy(strata: Sequence[Stratum], affected: int) -> tuple[int, ...]:
    """Return the split under which a sample most likely holds none beyond those that were found."""
    split = [one.at_least for one in strata]
    for _ in range(affected - sum(split)):
        open_ones = [index for index, one in enumerate(strata) if split[index] < one.at_most]
        # The part of a stratum's deals that are not drawn, of those not affected yet: the chance to miss one more.
        best = max(open_ones, key=lambda index: _missed(strata[index], split[index]))
        split[best] += 1
    return tuple(split)


def _missed(stratum: Stratum, affected: int) -> float:
    return 1 - stratum.drawn / max(stratum.deals - affected, 1)


def _moved(strata: Sequence[Stratum], split: tuple[int, ...], step: int) -> list[tuple[int, ...]]:
    """Return the splits in which *step* deals are moved from one stratum to another."""
    found = []
    for giver, taker in permutations(range(len(split)), 2):
        moved = list(split)
        moved[giver] -= step
        moved[taker] += step
        if moved[giver] >= strata[giver].at_least and moved[taker] <= strata[taker].at_most:
            found.append(tuple(moved))
    return found


def _at_most(strata: Sequence[Stratum], split: Sequence[int], found: int) -> float:
    """Return the probability that the sample holds at most *found* affected deals, under *split*."""
    chances = [1.0]
    for one, affected in zip(strata, split, strict=True):
        drawn = [_exactly(one.deals, affected, one.drawn, k) for k in range(min(found, one.drawn, affected) + 1)]
        both = [0.0] * min(len(chances) + len(drawn) - 1, found + 1)
        for first, chance in enumerate(chances):
            for second, another in enumerate(drawn[: found + 1 - first]):
                both[first + second] += chance * another
        chances = both
    return math.fsum(chances)


def _exactly_at_most(strata: Sequence[Stratum], split: Sequence[int], found: int) -> Fraction:
    """Return what :func:`_at_most` returns, without rounding."""
    ways = [1]
    for one, affected in zip(strata, split, strict=True):
        both = [0] * min(len(ways) + one.drawn, found + 1)
        for k in range(min(found, one.drawn, affected) + 1):
            drawn = math.comb(affected, k) * math.comb(one.deals - affected, one.drawn - k)
            for first, count in enumerate(ways[: found + 1 - k]):
                both[first + k] += count * drawn
        ways = both
    return Fraction(sum(ways), math.prod(math.comb(one.deals, one.drawn) for one in strata))


def _exactly(deals: int, affected: int, drawn: int, k: int) -> float:
    """Return the hypergeometric probability of *k* affected deals among the *drawn* ones."""
    if k > affected or drawn - k > deals - affected:
        return 0.0
    return math.exp(_log_comb(affected, k) + _log_comb(deals - affected, drawn - k) - _log_comb(deals, drawn))


@cache
def _log_comb(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
