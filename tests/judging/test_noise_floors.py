"""Floors of noise: what the largest difference of m pairs says of the next one, and the exact tests of rates."""

from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.judging.noise_floors import Pair, chance_beyond, chance_of_more, covered, difference, tally
from pytest_dealsnap.judging.noise_rules import with_floor
from pytest_dealsnap.judging.rules import parse_rule
from pytest_dealsnap.model.noise import MetricNoise


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        (100, 108, ("number", Decimal("0.08"))),
        (-3, -2, ("number", Decimal("0.333333333334"))),  # rounded up
        (0, 0.0, ("number", Decimal(0))),
        (0, 1, ("number", None)),
        (1, float("inf"), ("number", None)),
        ("abcd", "abed", ("text", Decimal("0.25"))),
        ("", "", ("text", Decimal(0))),
        ([1, 2], [2, 1], ("other", Decimal(1))),
        (True, True, ("other", Decimal(0))),
        (5, "5", ("other", Decimal(1))),
    ],
)
def test_a_difference_is_of_its_values_kind(first: Any, second: Any, found: tuple[str, Decimal | None]) -> None:
    """Relative for numbers, 1 - similarity for texts, broken or not for the rest."""
    assert difference(first, second) == found


def test_a_type_is_tallied_by_metric() -> None:
    """Failed runs and lost values are counted apart, and a metric that no pair has is left out."""
    pairs = [
        Pair({"cost": 100, "risks": [1, 2]}, {"cost": 103, "risks": [2, 1]}),
        Pair({"cost": 100, "risks": [1]}, {"cost": 100, "risks": [2]}),
        Pair({"cost": 50, "risks": None}, {"cost": None, "risks": None}),
        Pair({"cost": 50, "risks": []}, None),
        Pair(None, {"cost": 50, "risks": []}),
    ]
    found = tally(pairs, ["cost", "risks", "other"])
    assert (found.pairs, found.errors, list(found.metrics)) == (4, 1, ["cost", "risks"])
    assert found.metrics["cost"] == MetricNoise("number", 2, Decimal("0.03"), 1, 1, 0)
    assert found.metrics["risks"] == MetricNoise("other", 2, Decimal(1), 0, 0, 1)


def test_values_of_several_kinds_have_no_floor() -> None:
    """Nor has a number that came from 0."""
    mixed = tally([Pair({"m": 1}, {"m": 2}), Pair({"m": "a"}, {"m": "b"})], ["m"]).metrics["m"]
    assert (mixed.kind, mixed.floor, mixed.ties) == ("other", None, 0)
    assert tally([Pair({"m": 0}, {"m": 2}), Pair({"m": 1}, {"m": 1})], ["m"]).metrics["m"].floor is None


@pytest.mark.parametrize(("pairs", "part"), [(20, 0.86), (59, 0.95)])
def test_coverage_is_that_of_wilks(pairs: int, part: float) -> None:
    """With 95 % confidence 20 pairs cover 86 % of all pairs, and 59 cover 95 %."""
    assert round(covered(pairs), 2) == part
    assert covered(pairs) ** pairs == pytest.approx(0.05)
    assert covered(0) == 0


@given(st.integers(0, 4), st.integers(1, 4), st.integers(0, 4), st.integers(1, 4))
def test_rates_are_held_by_fishers_exact_test(events: int, trials: int, known: int, pairs: int) -> None:
    """One-sided: the part of all ways to deal out what happened that gives this run as much or more."""
    events, known = min(events, trials), min(known, pairs)
    whole, happened = trials + pairs, events + known
    ways = [sum(place < happened for place in mine) for mine in combinations(range(whole), trials)]
    oracle = Fraction(sum(count >= events for count in ways), len(ways))
    assert chance_of_more(events, trials, known_events=known, known_trials=pairs) == oracle


def test_more_events_are_less_likely() -> None:
    """6 of 28 against 1 of 20 may be chance, 14 of 28 hardly."""
    few, many = (chance_of_more(n, 28, known_events=1, known_trials=20) for n in (6, 14))
    assert 0.1 < few < 0.13
    assert many < 0.002


def draws(kind: str, seed: int) -> Any:
    """Return a simulated reasoner: a draw of the cost of a deal whose true cost is 1000, each time another."""
    source = random.Random(f"{kind}:{seed}")
    return {
        "normal": lambda: 1000 * (1 + source.gauss(0, 0.05)),
        "lognormal": lambda: 1000 * source.lognormvariate(0, 0.3),
        "heavy": lambda: 1000 + 10 * source.gauss(0, 1) / (abs(source.gauss(0, 1)) + 1e-3),
        "ties": lambda: 1000.0 if source.random() < 0.7 else 1000.0 + source.choice((-50, 50, 100)),
        "modes": lambda: source.choice((1000.0, 1400.0)) + source.gauss(0, 5),
        "exact": lambda: 1000.0,
    }[kind]


@pytest.mark.parametrize("kind", ["normal", "lognormal", "heavy", "ties", "modes", "exact"])
def test_the_next_pair_exceeds_a_floor_once_in_m_plus_1(kind: str) -> None:
    """Whatever the distribution; within three standard errors of 1/(m + 1), and never above where values tie."""
    pairs, gates, rule = 9, 1500, parse_rule("within 0% or noise", place="here", root=None)  # type: ignore[arg-type]
    draw, beyond = draws(kind, 1), 0
    for _ in range(gates):
        measured = tally([Pair({"cost": draw()}, {"cost": draw()}) for _ in range(pairs)], ["cost"]).metrics["cost"]
        beyond += not with_floor(rule, measured).holds(draw(), draw())
    chance = float(chance_beyond(pairs))
    error = 3 * (chance * (1 - chance) / gates) ** 0.5
    assert beyond / gates <= chance + error
    if kind not in ("ties", "exact"):
        assert beyond / gates >= chance - error
    assert chance_beyond(20) == Fraction(1, 21)
