"""The confidence set of a run that may stop at any deal: against whole numbers, and its coverage by simulation."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from math import log, sqrt

import pytest
from scipy.special import betaln
from scipy.stats import hypergeom

from pytest_dealsnap.config import VerdictConfig
from pytest_dealsnap.judging.bounds import Stratum, upper_bound
from pytest_dealsnap.judging.sequence import bounds_so_far, confidence_set, decide_looked, is_decided
from pytest_dealsnap.model.looked import Looked, LookedType

ALPHA = Fraction(1, 20)
THRESHOLDS = VerdictConfig(10.0, 50.0, 100.0, proceed_below=10.0)


def looked(deals: int, judged: int, affected: int, unknown: int = 0) -> Looked:
    """Return what was seen of one type."""
    return Looked(0, (LookedType("a", deals, judged, affected, unknown),))


def by_scipy(deals: int, drawn: int, affected: int) -> list[int]:
    """Return the set by SciPy: the marginal probability over that of each number, both of any order of the draws."""
    sound = drawn - affected
    marginal = betaln(0.25 + affected, 5 + sound) - betaln(0.25, 5)
    found = []
    for number in range(affected, deals - sound + 1):
        # The probability of the draws in one order: that of the count, over the number of orders.
        orders = -betaln(affected + 1, sound + 1)
        ordered = hypergeom.logpmf(affected, deals, number, drawn) + log(drawn + 1) - orders
        if marginal - ordered < -log(0.05):
            found.append(number)
    return found


@pytest.mark.parametrize("deals", [1, 7, 12, 30])
def test_scipy_gives_the_same_set(deals: int) -> None:
    """For each sample; the set has no hole."""
    for drawn in range(1, deals + 1):
        for affected in range(drawn + 1):
            numbers = by_scipy(deals, drawn, affected)
            assert numbers == list(range(numbers[0], numbers[-1] + 1))
            assert confidence_set(deals, drawn, affected, alpha=ALPHA) == (numbers[0], numbers[-1])


Bounds = Callable[[int, int], tuple[int, int]]


def ever_wrong(deals: int, affected: int, bounds: Bounds, *, until: int | None = None) -> float:
    """Return the probability that *bounds* leave the truth out at any deal, summed over all orders."""
    right, wrong = {0: 1.0}, 0.0  # by how many affected deals were found, the probability of never having been wrong
    for drawn in range(until or deals):
        following: dict[int, float] = {}
        for found, chance in right.items():
            one_more = (affected - found) / (deals - drawn)
            for now, part in ((found + 1, chance * one_more), (found, chance * (1 - one_more))):
                if part > 0:
                    low, high = bounds(drawn + 1, now)
                    if low <= affected <= high:
                        following[now] = following.get(now, 0.0) + part
                    else:
                        wrong += part
        right = following
    return wrong


def sequence_of(deals: int) -> Bounds:
    """Return the confidence sets of so many deals, each computed once."""
    return cache(lambda drawn, found: confidence_set(deals, drawn, found, alpha=ALPHA))


@pytest.mark.parametrize("deals", [12, 30, pytest.param(300, marks=pytest.mark.slow)])
def test_who_looks_after_every_deal_is_wrong_at_most_once_in_twenty(deals: int) -> None:
    """For every number of affected deals, the runs that are ever wrong have together at most 5 %, by exact sums."""
    bounds = sequence_of(deals)
    assert max(ever_wrong(deals, affected, bounds) for affected in range(deals + 1)) <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("affected", [0, 1, 3, 30, 150, 299])
def test_simulated_runs_say_the_same(affected: int) -> None:
    """Of 300 deals: the simulated share of runs that are ever wrong, and three standard errors, are at most 5 %."""
    bounds, chance, runs, missed = sequence_of(300), random.Random(affected), 30_000, 0
    for _ in range(runs):
        order, found = [1] * affected + [0] * (300 - affected), 0
        chance.shuffle(order)
        for drawn, one in enumerate(order, 1):
            found += one
            low, high = bounds(drawn, found)
            if not low <= affected <= high:
                missed += 1
                break
    share = missed / runs
    assert share + 3 * sqrt(share * (1 - share) / runs) <= 0.05
    assert share == pytest.approx(ever_wrong(300, affected, bounds), abs=3 * sqrt(0.05 * 0.95 / runs))


@pytest.mark.slow
def test_the_fixed_bound_would_be_wrong_too_often() -> None:
    """Looked at after every deal, the bound of a fixed sample misses 30 of 300 in far more than 5 % of runs."""
    fixed = cache(lambda drawn, found: (0, upper_bound([Stratum(300, drawn, found)])))
    assert ever_wrong(300, 30, fixed, until=100) > 0.12


def test_what_could_not_be_judged_may_be_affected() -> None:
    """It widens the bound as an affected deal would, and narrows none."""
    assert bounds_so_far(looked(300, 32, 0), confidence=95.0) == (0, 29)
    low, high = bounds_so_far(looked(300, 32, 0, 1), confidence=95.0)
    assert (low, high) == (0, confidence_set(300, 32, 1, alpha=ALPHA)[1])
    both = Looked(0, (LookedType("a", 200, 20, 0), LookedType("b", 100, 12, 0)))
    assert bounds_so_far(both, confidence=95.0) == (0, 29)
    assert bounds_so_far(both, confidence=95.0, deal_type="b") == confidence_set(100, 12, 0, alpha=ALPHA)


@pytest.mark.parametrize(
    ("seen", "decided", "action"),
    [
        (looked(300, 31, 0), False, "inconclusive"),
        (looked(300, 32, 0), True, "proceed"),
        (looked(300, 24, 24), True, "roll_back"),
        (looked(300, 23, 23), False, "disable_flag"),  # it may still become a rollback
        (looked(300, 150, 50), True, "disable_flag"),
        (looked(300, 200, 2), True, "fix_forward"),
    ],
)
def test_when_it_is_decided(seen: Looked, decided: bool, action: str) -> None:
    """Where no threshold lies within the set; a rollback that may still come is waited for."""
    [one] = seen.types
    verdict = decide_looked(seen, THRESHOLDS, affected=one.affected, sound=one.judged - one.affected)
    assert (is_decided(seen, THRESHOLDS), verdict.action) == (decided, action)


def test_what_is_known_for_sure_bounds_the_set() -> None:
    """Affected deals beyond the first ones, and deals that are gone, count as they are."""
    verdict = decide_looked(looked(30, 10, 0), THRESHOLDS, affected=4, sound=20, certain=2)
    assert "4 of 24 affected; at least 4 and at most 9 of 32" in verdict.reason
