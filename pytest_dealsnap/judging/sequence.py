"""How many deals of all may be affected, where deals begin in a random order and the run may stop at any of them.

The bounds of a sample of fixed size are false there: who looks after every deal stops where chance helps. The
prior-posterior-ratio confidence set of Waudby-Smith and Ramdas (arXiv 2006.04347) holds for all numbers of deals at
once. Of N deals, K are affected, and x of the n that were judged are: K is left out where the ratio

    R = [B(a + x, b + n - x) / B(a, b)] / [(K)_x (N - K)_(n - x) / (N)_n]

is at least 1 / alpha. If K is the truth, R is a martingale of mean 1, so that it ever gets there with a probability of
at most alpha.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from pytest_dealsnap.config import VerdictConfig
from pytest_dealsnap.judging.bounds import alpha_of, sure
from pytest_dealsnap.judging.sample import decide_bounds
from pytest_dealsnap.model.looked import Looked
from pytest_dealsnap.model.verdicts import Verdict

__all__ = ["bounds_so_far", "confidence_set", "decide_looked", "is_decided", "words_so_far"]

# The prior of PAID runs: most code changes affect few deals. Quarters, so that whole numbers hold the ratio.
A, B = Fraction(1, 4), Fraction(5)
_NEAR = 1e-6  # of a logarithm: nearer to the limit, whole numbers decide
WHENEVER = ", whenever the run stops"


def confidence_set(deals: int, drawn: int, affected: int, *, alpha: Fraction) -> tuple[int, int]:
    """Return the least and the largest number of affected deals that the deals judged so far do not contradict.

    Args:
        deals: All deals, in a random order.
        drawn: How many of them were judged, from the first on.
        affected: How many of those are affected.
        alpha: The probability of an error.
    """
    sound = drawn - affected
    limit = math.log(alpha) + _log_marginal(affected, sound)

    def possible(number: int) -> bool:
        over = _log_likelihood(deals, number, affected, sound) - limit
        return over > 0 if abs(over) > _NEAR else _exactly_possible(deals, number, affected, sound, alpha)

    likeliest = min(max((deals + 1) * affected // drawn, affected), deals - sound) if drawn else 0
    return _first(affected, likeliest, possible), -_first(sound - deals, -likeliest, lambda number: possible(-number))


def _first(low: int, high: int, possible: Callable[[int], bool]) -> int:
    """Return the first number from *low* on that is possible; *high* is, and so is all between the two."""
    while low < high:
        middle = (low + high) // 2
        if possible(middle):
            high = middle
        else:
            low = middle + 1
    return high


def _log_marginal(affected: int, sound: int) -> float:
    a, b, n = float(A), float(B), affected + sound
    made = math.lgamma(a + affected) + math.lgamma(b + sound) - math.lgamma(a + b + n)
    return made - (math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b))


def _log_likelihood(deals: int, number: int, affected: int, sound: int) -> float:
    return _log_falling(number, affected) + _log_falling(deals - number, sound) - _log_falling(deals, affected + sound)


def _log_falling(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(n - k + 1)


def _exactly_possible(deals: int, number: int, affected: int, sound: int, alpha: Fraction) -> bool:
    """Whether the likelihood is more than *alpha* times the marginal one, without rounding."""
    n = affected + sound
    likelihood = Fraction(math.perm(number, affected) * math.perm(deals - number, sound), math.perm(deals, n))
    rising = math.prod(A + i for i in range(affected)) * math.prod(B + i for i in range(sound))
    return likelihood > alpha * rising / math.prod(A + B + i for i in range(n))


def bounds_so_far(looked: Looked, *, confidence: float, deal_type: str | None = None) -> tuple[int, int]:
    """Return how many deals are affected, at the least and at the most; of one type, where it is given.

    Deals that were begun and could not be judged may be affected or not.
    """
    parts = [one for one in looked.types if deal_type in (None, one.deal_type)]
    deals, judged = sum(one.deals for one in parts), sum(one.judged for one in parts)
    affected, unknown = sum(one.affected for one in parts), sum(one.unknown for one in parts)
    alpha = alpha_of(confidence)
    least, most = confidence_set(deals, judged, affected, alpha=alpha)
    if unknown:
        most = confidence_set(deals, judged, affected + unknown, alpha=alpha)[1]
    return least, most


def decide_looked(looked: Looked, thresholds: VerdictConfig, *, affected: int, sound: int, certain: int = 0) -> Verdict:
    """Return the verdict of a run that stopped before all deals were judged.

    Args:
        looked: What was seen of the random order.
        thresholds: The thresholds and the confidence.
        affected: How many deals are affected for sure, also beyond the order's first ones.
        sound: How many deals are not, for sure.
        certain: How many deals outside of the order are affected for sure: they need no call.
    """
    least, most = bounds_so_far(looked, confidence=thresholds.confidence)
    deals = looked.deals + certain
    bounds = max(least + certain, affected), min(most + certain, deals - sound)
    return decide_bounds(deals, affected + sound, affected, bounds, thresholds, told=WHENEVER)


def is_decided(looked: Looked, thresholds: VerdictConfig, *, certain: int = 0) -> bool:
    """Whether no further deal can change the verdict, but for an error of the confidence."""
    affected = sum(one.affected for one in looked.types)
    judged = sum(one.judged - one.unknown for one in looked.types)
    verdict = decide_looked(looked, thresholds, affected=affected + certain, sound=judged - affected, certain=certain)
    if verdict.action != "disable_flag":
        return verdict.action != "inconclusive"
    most = bounds_so_far(looked, confidence=thresholds.confidence)[1] + certain
    return 100 * most <= thresholds.roll_back_above * (looked.deals + certain)


def words_so_far(looked: Looked, confidence: float) -> str:
    """Return what the bounds say of all deals, in words."""
    least, most = bounds_so_far(looked, confidence=confidence)
    least_words = f"at least {least:,} and " if least else ""
    percent = 100 * most / looked.deals if looked.deals else 0.0
    return f"{least_words}at most {most:,} of {looked.deals:,} ({percent:.1f} %) affected {sure(confidence)}{WHENEVER}"
