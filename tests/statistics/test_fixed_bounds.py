"""The bound of a sample of fixed size: its coverage by exact sums, and SciPy as the oracle."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import comb

import pytest
from scipy.stats import hypergeom

from pytest_dealsnap.judging.bounds import Stratum, lower_bound, upper_bound

ALPHA = Fraction(1, 20)
SIZES = [(12, range(13)), (30, range(31)), (300, (3, 28, 60, 150))]


def exactly(deals: int, affected: int, drawn: int, k: int) -> Fraction:
    """Return the probability of *k* affected deals in a sample."""
    return Fraction(comb(affected, k) * comb(deals - affected, drawn - k), comb(deals, drawn))


@pytest.mark.parametrize(("deals", "sizes"), SIZES, ids=["12", "30", "300"])
def test_each_bound_fails_at_most_once_in_twenty(deals: int, sizes: range) -> None:
    """For each number of affected deals, all samples that contradict it have together at most 5 %, exactly summed."""
    worst = Fraction(0)
    for drawn in sizes:
        upper = [upper_bound([Stratum(deals, drawn, x)]) for x in range(drawn + 1)]
        lower = [lower_bound([Stratum(deals, drawn, x)]) for x in range(drawn + 1)]
        for affected in range(deals + 1):
            drawable = range(max(0, drawn - (deals - affected)), min(drawn, affected) + 1)
            for bounds, wrong in ((upper, int.__lt__), (lower, int.__gt__)):
                missed = sum(
                    (exactly(deals, affected, drawn, x) for x in drawable if wrong(bounds[x], affected)), Fraction(0)
                )
                assert missed <= ALPHA
                worst = max(worst, missed)
    assert worst > Fraction(1, 25)  # no bound is wider than it must be


@pytest.mark.parametrize(("deals", "sizes"), SIZES, ids=["12", "30", "300"])
def test_scipy_gives_the_same_bound(deals: int, sizes: range) -> None:
    """The bound is the largest number that leaves the sample, or one with fewer affected deals, more than 5 %."""
    for drawn in sizes:
        for x in range(0, drawn + 1, 1 if deals < 300 else 7):
            possible = range(x, deals - drawn + x + 1)
            expected = max((k for k in possible if hypergeom.cdf(x, deals, k, drawn) > 0.05 + 1e-12), default=x)
            assert upper_bound([Stratum(deals, drawn, x)]) == expected


def splits(sample: tuple[tuple[int, int], ...]) -> Iterator[tuple[int, ...]]:
    """Yield each split of affected deals over the strata."""
    return product(*(range(deals + 1) for deals, _ in sample))


@pytest.mark.parametrize("sample", [((6, 2), (6, 4)), ((9, 5), (3, 1)), ((4, 2), (4, 2), (4, 3))], ids=str)
def test_the_bound_over_strata_holds_for_every_split(sample: tuple[tuple[int, int], ...]) -> None:
    """However the affected deals of 12 lie in the types, the stratified bounds miss them in at most 5 % of samples."""
    seen = list(product(*(range(drawn + 1) for _, drawn in sample)))
    strata = {xs: [Stratum(deals, drawn, x) for (deals, drawn), x in zip(sample, xs, strict=True)] for xs in seen}
    bounds = {xs: (lower_bound(one), upper_bound(one)) for xs, one in strata.items()}
    for split in splits(sample):
        missed = [Fraction(0), Fraction(0)]
        for xs in seen:
            chance = Fraction(1)
            for (deals, drawn), affected, x in zip(sample, split, xs, strict=True):
                chance *= exactly(deals, affected, drawn, x)
            low, high = bounds[xs]
            missed[0] += chance * (low > sum(split))
            missed[1] += chance * (high < sum(split))
        assert max(missed) <= ALPHA
