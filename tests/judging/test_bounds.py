"""What a sample says of all deals: exact bounds, held against the sums over every possible split."""

from __future__ import annotations

from itertools import product
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_dealsnap.config import VerdictConfig
from pytest_dealsnap.judging.bounds import Stratum, _at_most, _exactly_at_most, _greedy, lower_bound, upper_bound
from pytest_dealsnap.judging.sample import decide_sample

THRESHOLDS = VerdictConfig(10.0, 50.0, 100.0)


@st.composite
def strata(draw: st.DrawFn) -> list[Stratum]:
    """Draw up to three small strata."""
    found = []
    for _ in range(draw(st.integers(1, 3))):
        deals = draw(st.integers(1, 9))
        drawn = draw(st.integers(0, deals))
        found.append(Stratum(deals, drawn, draw(st.integers(0, min(drawn, 3)))))
    return found


def by_counting(sample: list[Stratum]) -> int:
    """Return the upper bound by whole numbers: every split of every number of affected deals."""
    found = sum(one.affected for one in sample)
    most = 0
    for split in product(*(range(one.at_least, one.at_most + 1) for one in sample)):
        ways = 0
        for seen in product(*(range(min(found, one.drawn) + 1) for one in sample)):
            if sum(seen) <= found:
                chance = 1
                for one, affected, k in zip(sample, split, seen, strict=True):
                    chance *= comb(affected, k) * comb(one.deals - affected, one.drawn - k)
                ways += chance
        whole = 1
        for one in sample:
            whole *= comb(one.deals, one.drawn)
        if 20 * ways > whole:
            most = max(most, sum(split))
    return most


@given(sample=strata())
@settings(max_examples=60, deadline=None)
def test_the_upper_bound_is_that_of_the_worst_split(sample: list[Stratum]) -> None:
    """The bound is the one that counting all samples of all splits gives, and the lower one is its mirror."""
    assert upper_bound(sample) == by_counting(sample)
    assert lower_bound(sample) <= sum(one.deals for one in sample) - sum(one.drawn - one.affected for one in sample)
    assert sum(one.affected for one in sample) <= upper_bound(sample)


@pytest.mark.parametrize(
    ("sample", "most"),
    [
        ([Stratum(300, 28, 0)], 29),
        ([Stratum(30, 3, 0)], 18),
        ([Stratum(30, 30, 0)], 0),
        ([Stratum(30, 0, 0)], 30),
        ([Stratum(30, 30, 4)], 4),
    ],
)
def test_known_bounds(sample: list[Stratum], most: int) -> None:
    """28 clean deals of 300 leave 29 that may be affected; a whole run leaves what it found."""
    assert upper_bound(sample) == most


@pytest.mark.parametrize(
    ("sample", "action", "words"),
    [
        (Stratum(300, 28, 0), "inconclusive", "none of 28 affected; at most 29 of 300 (9.7 %) with 95 % confidence"),
        (
            Stratum(30, 3, 1),
            "inconclusive",
            "1 of 3 affected; at least 1 and at most 25 of 30 (83.3 %), each with 95 % confidence",
        ),
        (Stratum(300, 150, 2), "fix_forward", "under 10 %"),
        (Stratum(300, 100, 30), "disable_flag", "10 % to 50 %"),
        (Stratum(300, 28, 14), "disable_flag", "10 % or more"),
        (Stratum(300, 28, 28), "roll_back", "over 50 %"),
    ],
)
def test_a_sample_decides_only_what_its_bounds_allow(sample: Stratum, action: str, words: str) -> None:
    """A clean sample is inconclusive; one with affected deals names an action where both bounds agree on it."""
    verdict = decide_sample([sample], THRESHOLDS)
    assert verdict.action == action
    assert words in verdict.reason


def test_a_bound_at_a_threshold_is_within_it() -> None:
    """As for a whole run: fix forward is under its threshold, a rollback over its own, and both belong to between."""
    sample = [Stratum(300, 100, 30)]
    least, most = (100 * bound(sample) / 300 for bound in (lower_bound, upper_bound))
    assert decide_sample(sample, VerdictConfig(least, most, 100.0)).action == "disable_flag"
    assert f"{least:g} % to {most:g} %" in decide_sample(sample, VerdictConfig(least, most, 100.0)).reason
    assert decide_sample(sample, VerdictConfig(least / 2, least, 100.0)).action == "disable_flag"
    assert decide_sample(sample, VerdictConfig(most, 99.0, 100.0)).action == "inconclusive"


@pytest.mark.parametrize(
    ("sample", "proceed_below", "action", "words"),
    [
        (
            Stratum(300, 28, 0),
            10.0,
            "proceed",
            "none of 28 affected; at most 29 of 300 (9.7 %) with 95 % confidence: under 10 %",
        ),
        (
            Stratum(300, 27, 0),
            10.0,
            "inconclusive",
            "none of 27 affected; at most 30 of 300 (10.0 %) with 95 % confidence",
        ),
        (Stratum(300, 150, 1), 10.0, "fix_forward", "1 of 150 affected; at least 1 and at most 7 of 300 (2.3 %)"),
        (Stratum(300, 300, 0), 0.0, "inconclusive", "at most 0 of 300 (0.0 %)"),
    ],
)
def test_a_sample_proceeds_only_below_a_bound(sample: Stratum, proceed_below: float, action: str, words: str) -> None:
    """``proceed_below`` lets a clean sample proceed; one with an affected deal never does."""
    verdict = decide_sample([sample], VerdictConfig(10.0, 50.0, 100.0, proceed_below=proceed_below))
    assert verdict.action == action
    assert words in verdict.reason


def test_the_confidence_is_configured() -> None:
    """Another confidence gives another bound, and is named as it is written."""
    verdict = decide_sample([Stratum(300, 28, 0)], VerdictConfig(10.0, 50.0, 100.0, confidence=99.5))
    assert verdict.reason == "none of 28 affected; at most 49 of 300 (16.3 %) with 99.5 % confidence"
    assert upper_bound([Stratum(20, 19, 0)]) == 0  # 1 of 20 is just 5 %, which is as unlikely as an error may be
    assert upper_bound([Stratum(20, 19, 0)], confidence=95.1) == 1
    assert upper_bound([Stratum(20, 10, 0), Stratum(2, 1, 0)]) == by_counting([Stratum(20, 10, 0), Stratum(2, 1, 0)])


@given(
    sizes=st.lists(st.tuples(st.integers(1, 12), st.integers(0, 12)), min_size=1, max_size=3),
    affected=st.integers(0, 20),
)
@settings(max_examples=60)
def test_the_split_that_a_search_starts_at_hides_affected_deals_best(
    sizes: list[tuple[int, int]], affected: int
) -> None:
    """No other split makes it likelier that a sample holds none of them."""
    strata = [Stratum(deals, min(drawn, deals), 0) for deals, drawn in sizes]
    affected = min(affected, sum(one.at_most for one in strata))
    splits = product(*(range(one.at_most + 1) for one in strata))
    best = max(_at_most(strata, split, 0) for split in splits if sum(split) == affected)
    assert _at_most(strata, _greedy(strata, affected), 0) == pytest.approx(best)


def test_the_exact_chance_is_that_of_counting() -> None:
    """Of ten deals five are drawn: none of two affected ones in 56 of 252 draws, at most one in 196."""
    one = [Stratum(10, 5, 0)]
    assert [_exactly_at_most(one, (2,), found) * 252 for found in (0, 1, 2)] == [56, 196, 252]
    two = [Stratum(10, 5, 0), Stratum(4, 1, 0)]
    assert _exactly_at_most(two, (2, 1), 0) * 252 * 4 == 56 * 3
    assert _exactly_at_most(two, (2, 1), 1) * 252 * 4 == 196 * 3 + 56
