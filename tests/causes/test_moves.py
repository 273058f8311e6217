"""The sizes of one metric's changes: which changes are one size, and which only lie near each other."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from pytest_dealsnap.causes.deltas import Move, measure
from pytest_dealsnap.causes.moves import group_moves


def moved(*pairs: tuple[int | Decimal, int | Decimal]) -> list[Move]:
    """Return the moves from one number to another, each."""
    found = [measure(place, before, after) for place, (before, after) in enumerate(pairs)]
    return [move for move in found if move is not None]


def sizes(moves: Sequence[Move]) -> list[tuple[str, float, int]]:
    """Return kind, size and number of moves of each group."""
    groups, _ = group_moves(moves)
    return [(group.kind, group.value, len(group.moves)) for group in groups]


def test_whole_amounts_that_differ_by_one_are_two_sizes() -> None:
    """A whole number is known exactly: half a unit beside it is another amount."""
    starts = [1011, 1492, 2201, 3304, 4502, 5901, 7413, 9235, 11_111, 12_342]
    pairs = [(start, start + 777 + place % 2) for place, start in enumerate(starts)]
    assert sorted(sizes(moved(*pairs))) == [("amount", 777.0, 5), ("amount", 778.0, 5)]


ROUNDED = [(1234, 1230), (2341, 2340), (3456, 3460), (4568, 4570), (5683, 5680), (6789, 6790)]
NEAR = [(1231, 1238), (2342, 2336), (3453, 3461), (4564, 4555)]


def test_a_change_of_a_whole_unit_says_nothing_against_a_rounding() -> None:
    """Six of ten changes below ten end at a ten; a change by ten itself is none of them."""
    assert sizes(moved(*ROUNDED, *NEAR, (1234, 1244))) == [("rounding", 10.0, 6)]


def test_too_many_smaller_changes_that_end_anywhere_are_no_rounding() -> None:
    """Three of seven may end at a ten by chance."""
    assert sizes(moved(*ROUNDED[:3], *NEAR)) == []


@pytest.mark.parametrize("amount", ["0.25", "-0.25"])
def test_an_amount_below_one_is_a_size(amount: str) -> None:
    """Up and down; neither it nor its percentages have to reach 1."""
    starts = [Decimal(text) for text in ("101.13", "149.27", "220.39", "330.41", "450.57", "590.63", "741.79")]
    pairs = [(start, start + Decimal(amount)) for start in starts]
    assert sizes(moved(*pairs)) == [("amount", float(amount), 7)]


@pytest.mark.parametrize("percent", ["0.5", "-0.5"])
def test_a_ratio_below_one_percent_is_a_size(percent: str) -> None:
    """Up and down."""
    starts = [Decimal(text) for text in ("10113", "14927", "22039", "33041", "45057", "59063", "74179")]
    pairs = [(start, start + start * Decimal(percent) / 100) for start in starts]
    assert sizes(moved(*pairs)) == [("ratio", float(percent), 7)]


def test_only_a_ratio_with_an_amount_on_top_has_an_amount() -> None:
    """One ratio alone has none."""
    groups, left = group_moves(moved(*((start, start * 3) for start in (1011, 1492, 2201, 3304, 4502))))
    assert [(group.kind, group.value, group.amount) for group in groups] == [("ratio", 200.0, 0.0)]
    assert left == []
