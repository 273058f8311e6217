"""Fresh runs confirm a change where all of one side lie beyond all of the other and the medians break the rule."""

from __future__ import annotations

import random
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.judging.confirmation import chance_of_separation, confirmed_finding, is_suspect, separated
from pytest_dealsnap.judging.rules import Rule, parse_rule
from pytest_dealsnap.model.results import Finding


def rule(text: str = "within 5% or noise") -> Rule:
    """Return a rule."""
    return parse_rule(text, place="here", root=Path())


def finding(baseline: Any = 100, current: Any = 120) -> Finding:
    """Return a finding beyond its floor."""
    return Finding("cost", "cost_changed", baseline, current, allowed="within 5% or noise", noise="beyond")


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ((100, 101, 99, 100), (118, 120, 122, 119), True),
        ((100, 101, 99, 118), (118, 120, 122, 119), False),  # a tie is not beyond
        ((100, 101, 99, 119), (118, 120, 122, 119), False),
        ((118, 120, 122, 119), (100, 101, 99, 100), False),  # beyond, the other way
        ((100, 101, 99, 100), (102, 103, 104, 102), False),  # apart, and the medians keep the rule
    ],
)
def test_all_runs_lie_beyond_all_others(old: tuple[int, ...], new: tuple[int, ...], found: bool) -> None:
    """In the suspected direction, strictly; and the medians break the rule without its noise."""
    assert separated(finding(), old, new, rule(), None) is found


def test_a_fall_is_confirmed_by_falls() -> None:
    """The direction is that of the suspect."""
    assert separated(finding(100, 80), (100, 101, 99, 100), (80, 82, 81, 79), rule(), None)
    assert not separated(finding(100, 80), (80, 82, 81, 79), (100, 101, 99, 100), rule(), None)


def test_texts_are_measured_from_the_baseline() -> None:
    """By 1 - similarity."""
    suspect, words = finding("aaaaaaaaaa", "bbbbbbbbbb"), rule("similar 0.9 or noise")
    old, new = ["aaaaaaaaaa", "aaaaaaaaab"], ["bbbbbbbbbb", "abbbbbbbbb"]
    assert separated(suspect, old, new, words, None)
    assert not separated(suspect, [*old, "bbbbbbbbbb"], [*new, "bbbbbbbbbb"], words, None)


def test_other_values_are_broken_or_not() -> None:
    """All fresh runs of the new side are, and none of the old."""
    suspect, items = finding([1, 2], [3]), rule("same items or noise")
    assert separated(suspect, [[2, 1], [1, 2]], [[3], [4]], items, None)
    assert not separated(suspect, [[2, 1], [5]], [[3], [4]], items, None)


def test_what_fresh_runs_say_stands_in_the_finding() -> None:
    """Confirmed and red, noise and allowed, or red because a run has no value."""
    red = confirmed_finding(finding(), [100, 101, 99, 100], [118, 120, 122, 119], rule(), None, old_side="NEW=off")
    assert (red.gates, red.noise) == (True, "confirmed")
    assert red.note == "confirmed by 4 + 4 fresh runs: all of one side lie beyond the other's (by chance 1.4 %)"
    green = confirmed_finding(finding(), [100, 101, 99, 121], [118, 120, 122, 119], rule(), None, old_side="NEW=off")
    assert (green.gates, green.noise) == (False, "not confirmed")
    assert green.note == "4 + 4 fresh runs do not confirm it beside NEW=off: it is noise"
    lost = confirmed_finding(finding(), [100, None, 99, 121], [118, 120, 122, 119], rule(), None, old_side="NEW=off")
    assert (lost.gates, lost.noise) == (True, "beyond")
    assert lost.note == "not confirmed: 1 of 4 + 4 fresh runs have no value"


def test_only_a_deal_that_fails_by_noise_alone_is_a_suspect() -> None:
    """A deal that fails otherwise, too, is red whatever fresh runs say."""
    other = Finding("risks", "risks_changed", 1, 2)
    assert is_suspect([finding()])
    assert not is_suspect([finding(), other])
    assert not is_suspect([Finding("cost", "cost_changed", 1, 2, gates=False, noise="floor")])


@pytest.mark.parametrize("runs", [1, 2, 3, 4])
def test_the_chance_is_that_of_one_split_of_all(runs: int) -> None:
    """Of unchanged code, counted over all orders of distinct values."""
    values = list(range(100, 100 + 40 * runs, 20))
    splits = list(combinations(values, runs))
    found = []
    for new in splits:
        old = [value for value in values if value not in new]
        found.append(separated(finding(), old, list(new), rule("within 0% or noise"), None))
    assert sum(found) == 1
    assert float(chance_of_separation(runs)) == 1 / len(splits)


def test_the_suspect_run_would_raise_false_alarms() -> None:
    """With the run that was chosen for lying far off among the new ones, noise is confirmed much more often."""
    dice, fair, biased, suspects = random.Random(3), 0, 0, 0
    while suspects < 1500:
        draws = [1000 * (1 + dice.gauss(0, 0.1)) for _ in range(10)]
        baseline, current, old, new = draws[0], draws[1], draws[2:6], draws[6:10]
        if current < 1.15 * baseline:
            continue
        suspects += 1
        suspect = finding(baseline, current)
        fair += separated(suspect, old, new, rule("within 0% or noise"), None)
        biased += separated(suspect, [baseline, *old[1:]], [current, *new[1:]], rule("within 0% or noise"), None)
    chance = float(chance_of_separation(4))
    assert abs(fair / suspects - chance) <= 3 * (chance * (1 - chance) / suspects) ** 0.5
    assert biased / suspects > 2 * chance
