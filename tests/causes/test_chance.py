"""The two tests by which causes are made: numbers that can be counted by hand."""

from __future__ import annotations

import math

import pytest

from pytest_dealsnap.causes.chance import UNLIKELY, agreement, fisher_exact


@pytest.mark.parametrize(
    ("deals", "others", "tests", "chance"),
    [(3, 17, 1, 1 / 1140), (3, 17, 12, 12 / 1140), (1, 1, 1, 0.5), (2, 2, 3, 0.5), (1, 1, 7, 1.0), (5, 0, 1, 1.0)],
)
def test_a_feature_of_just_these_deals(deals: int, others: int, tests: int, chance: float) -> None:
    """One of all ways to choose so many deals, times the features looked at, and never more than certain."""
    assert fisher_exact(deals, others, tests=tests) == pytest.approx(chance)


@pytest.mark.parametrize(
    ("shares", "count", "tests", "groups"),
    [
        ([0.1, 0.1], 2, 1, 0.1),
        ([0.1, 0.2], 2, 1, 0.2),
        ([0.2, 0.1], 10, 5, 5 * 45 * 0.2),
        ([0.5, 0.1, 0.2], 6, 1, 20 * 0.2 * 0.5),
        ([1.0, 1.0, 1.0], 3, 2, 2.0),
    ],
)
def test_how_many_groups_chance_makes(shares: list[float], count: int, tests: int, groups: float) -> None:
    """Ways to choose them, times the places, times what each but the most exact one agrees at."""
    assert agreement(shares, count, tests=tests) == pytest.approx(groups)


def test_very_many_groups_are_infinitely_many() -> None:
    """Beyond what a float can tell."""
    assert agreement([1.0] * 5_000, 10_000, tests=1) == math.inf
    assert 0.0 <= agreement([1e-9] * 5_000, 10_000, tests=1) < UNLIKELY
