"""Planted partitions: mixtures of known changes are taken apart into those changes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from math import comb
from typing import Any

import pytest

from pytest_dealsnap.causes.clustering import find_causes
from pytest_dealsnap.judging.values import percent_change
from pytest_dealsnap.model.results import DealResult, Finding, changed_issue
from pytest_dealsnap.reporting.json_reading import kind_by_name

DEALS, SAMPLE = 200, 10
KINDS = ("acquisition", "carveout", "divestiture")
MESSAGES = ("KeyError: 'users'", "KeyError: 'sites'", "ValueError: no price for {}", "TypeError: {} is no number")
Change = Callable[[random.Random], tuple[str, Any, Any]]
# What tells two changes apart, and what the change makes of a deal.
Planted = tuple[tuple[object, ...], Change]


def ratio(drawn: random.Random) -> Planted:
    """Return a change of costs by one ratio, in whole numbers or in cents."""
    percent, digits = drawn.choice([-35, -20, -8, -2.5, 3, 4.5, 7, 12, 30, 95]), drawn.choice([None, 2])

    def change(deal: random.Random) -> tuple[str, Any, Any]:
        before = deal.randint(50_000, 5_000_000)
        return "cost_total", before, round(before * (1 + percent / 100), digits)

    return ("ratio", percent), change


def amount(drawn: random.Random) -> Planted:
    """Return a change of costs by one amount."""
    more = drawn.choice([-25_000, -7_777, 1_234, 12_000, 50_000, 640_000])

    def change(deal: random.Random) -> tuple[str, Any, Any]:
        before = deal.randint(50_000, 5_000_000)
        return "cost_total", before, before + more

    return ("amount", more), change


def rounding(drawn: random.Random) -> Planted:
    """Return a rounding to the nearest unit of another number."""
    unit = drawn.choice([100, 1000, 10_000])

    def change(deal: random.Random) -> tuple[str, Any, Any]:
        before = deal.randint(50_000, 5_000_000) * 10 + deal.randint(1, 9)
        return "fee", before, round(before / unit) * unit

    return ("rounding", unit), change


def count(drawn: random.Random) -> Planted:
    """Return counts that fall, or rise, by little."""
    sign = drawn.choice([-1, 1])

    def change(deal: random.Random) -> tuple[str, Any, Any]:
        before = deal.randint(4, 12)
        return "synergy_count", before, before + sign * deal.randint(1, 3)

    return ("count", sign), change


def text(drawn: random.Random) -> Planted:
    """Return one word that became another."""
    before, after = drawn.sample(["low", "medium", "high", "none"], 2)
    return ("risk", before, after), lambda deal: ("risk", before, after)


def error(drawn: random.Random) -> Planted:
    """Return one error, which may name what is the deal's own."""
    message = drawn.choice(MESSAGES)
    return ("error", message), lambda deal: ("output", None, message.format(deal.randint(100, 999)))


PLANTS = (ratio, amount, rounding, count, text, error)


def noise(deal: random.Random) -> tuple[str, Any, Any]:
    """Return a change of its own."""
    before = deal.randint(50_000, 5_000_000)
    return "cost_total", before, round(before * deal.uniform(0.3, 3))


def planted(seed: int, share: float) -> tuple[list[DealResult], list[int]]:
    """Return deals of three to six changes, two of them of ratios or amounts, and which change each deal has.

    Two plants that draw the same change are one. Noise, in *share* of the deals, is no change: each is its own.
    """
    drawn = random.Random(seed)
    plants = [*drawn.sample(PLANTS, drawn.randint(3, 6)), drawn.choice([ratio, amount])]
    changes = [(*plant(drawn), KINDS[place % 3]) for place, plant in enumerate(plants)]
    results, truth = [], []
    numbers: dict[tuple[object, ...], int] = {}
    for number in range(DEALS):
        key, change, kind = drawn.choice(changes)
        if drawn.random() < share:
            key, change = ("noise", number), noise
        metric, before, after = change(drawn)
        if before != after:
            issue = "reasoning_failed" if metric == "output" else changed_issue(metric)
            finding = Finding(
                metric, issue, before, after, percent_change(before, after), kind=kind_by_name(metric, issue)
            )
            results.append(DealResult(str(number), None, kind, kind, "regressed", findings=(finding,)))
            truth.append(numbers.setdefault(key, len(numbers)))
    return results, truth


def rand_index(truth: Sequence[int], found: Sequence[int]) -> float:
    """Return the adjusted Rand index of two partitions."""

    def pairs(counts: Counter[Any]) -> int:
        return sum(comb(count, 2) for count in counts.values())

    both, one, other = pairs(Counter(zip(truth, found, strict=True))), pairs(Counter(truth)), pairs(Counter(found))
    chance = one * other / comb(len(truth), 2)
    most = (one + other) / 2
    return 1.0 if most == chance else (both - chance) / (most - chance)


def index_of(seed: int, share: float) -> float:
    """Return how well the causes of one mixture are its changes."""
    results, truth = planted(seed, share)
    causes = find_causes(results)
    place = {deal: number for number, cause in enumerate(causes) for deal in cause.deals}
    return rand_index(truth, [place[result.id] for result in results])


@pytest.mark.parametrize("share", [0.0, 0.02])
def test_planted_changes_are_found(share: float) -> None:
    """A sample of the mixtures, so that every run asks."""
    assert min(index_of(seed, share) for seed in range(SAMPLE)) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.0, 0.02])
def test_planted_changes_are_found_in_five_hundred_mixtures(share: float) -> None:
    """Ratios, amounts, roundings, counts, texts and errors: none of the mixtures is taken apart wrongly."""
    found = {seed: index_of(seed, share) for seed in range(500)}
    assert {seed: index for seed, index in found.items() if index < 0.95} == {}
