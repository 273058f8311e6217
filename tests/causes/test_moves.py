"""The sizes of one metric's changes: which changes are one size, and which only lie near each other."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from decimal import Decimal

import pytest

from pytest_dealsnap.causes.deltas import Move, measure
from pytest_dealsnap.causes.moves import MOST_GROUPS, group_moves


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


def test_two_ratios_each_with_an_amount_on_top() -> None:
    """What the first one explains is taken away, and nothing else is."""
    starts = [10_111 + 7_919 * place for place in range(10)]
    pairs = [(start, start * 2) for start in starts]
    pairs += [(start + 1, (start + 1) * 3) for start in starts[:8]]
    pairs += [(start + 2, start + 2 + 777) for start in starts[:9]]
    pairs += [(start + 3, (start + 3) * 2 + 777) for start in starts[:6]]
    pairs += [(start + 4, (start + 4) * 3 + 777) for start in starts[:5]]
    assert sizes(moved(*pairs)) == [
        ("ratio", 100.0, 10),
        ("amount", 777.0, 9),
        ("ratio", 200.0, 8),
        ("both", 100.0, 6),
        ("both", 200.0, 5),
    ]


def test_an_amount_that_came_before_a_ratio_is_on_top_of_it() -> None:
    """Twice what was raised by 777 is 100 % and 1,554: the amount that is found elsewhere explains it."""
    starts = [10_111 + 7_919 * place for place in range(10)]
    pairs = [(start, start * 2) for start in starts]
    pairs += [(start + 2, start + 2 + 777) for start in starts[:9]]
    pairs += [(start + 3, (start + 3 + 777) * 2) for start in starts[:6]]
    found, _ = group_moves(moved(*pairs))
    assert [(group.kind, group.value, group.amount, len(group.moves)) for group in found] == [
        ("ratio", 100.0, 0.0, 10),
        ("amount", 777.0, 0.0, 9),
        ("both", 100.0, 777.0, 6),
    ]


def test_three_changes_that_end_at_thousands_are_a_rounding() -> None:
    """Chance hardly brings them there; two may."""
    pairs = [(123_456, 123_000), (234_567, 235_000), (345_678, 346_000)]
    assert sizes(moved(*pairs)) == [("rounding", 1000.0, 3)]
    assert sizes(moved(*pairs[:2])) == []


def test_one_amount_is_no_rounding() -> None:
    """Though every new number ends at a ten."""
    assert sizes(moved(*((start, start - 4) for start in (1234, 2344, 3454, 4564, 5674, 6784)))) == []


def test_fifty_sizes_are_found_and_no_more() -> None:
    """Each costs a look at all that is left; the others are left over."""
    pairs = [
        (100_003 + 7_919 * place + 13 * size, 100_003 + 7_919 * place + 13 * size + 1_000_003 * (size + 1))
        for size in range(52)
        for place in range(4)
    ]
    groups, left = group_moves(moved(*pairs))
    assert (len(groups), len(left)) == (MOST_GROUPS, 8)


def test_two_ratios_near_each_other_are_two_and_three_are_pieces_of_one() -> None:
    """Three within a twentieth of a percentage point of the next are taken for one whose parts were rounded."""
    starts = [1_000_003 + 77_191 * place for place in range(6)]

    def by(*percents: str) -> list[tuple[str, float, int]]:
        pairs = [(start, start + Decimal(start) * Decimal(one) / 100) for one in percents for start in starts]
        return sorted(sizes(moved(*pairs)))

    assert by("12", "12.02") == [("ratio", 12.0, 6), ("ratio", 12.02, 6)]
    assert by("12", "12.04", "12.08") == [("nearly", 12.04, 18)]
    assert by("12", "12.06", "12.12") == [("ratio", 12.0, 6), ("ratio", 12.06, 6), ("ratio", 12.12, 6)]


def fewest_that_agree(kind: str, number: int, seed: int) -> int:
    """Return how many of *number* changes have to be one *kind* of change until they are found to be.

    Numbers are so small that a whole one says little of its change: chance brings many together.
    """
    drawn = random.Random(f"{kind} {number} {seed}")
    before = [10 * drawn.randint(20, 99) + drawn.randint(1, 9) for _ in range(number)]
    after: Callable[[int], int] = {
        "ratio": lambda start: round(start * 1.17),
        "amount": lambda start: start + 41,
        "rounding": lambda start: round(start, -1),
        "coarse ratio": lambda start: 10 * round(start * 0.817),
        "coarse amount": lambda start: 10 * round((start + 2_345) / 10),
        "ratio in fives": lambda start: 50 * round(start * 0.4317),
    }[kind]
    unit, spread = {"rounding": (1, 9), "ratio": (1, 400), "amount": (1, 400)}.get(
        kind, (50 if "fives" in kind else 10, 9_000)
    )
    others = [unit * round((start + drawn.choice([-1, 1]) * drawn.randint(unit, spread)) / unit) for start in before]
    for agreeing in range(3, number + 1):
        pairs = [
            (start, after(start) if place < agreeing else other)
            for place, (start, other) in enumerate(zip(before, others, strict=True))
        ]
        if any(size[0] in kind and size[2] >= agreeing for size in sizes(moved(*pairs))):
            return agreeing
    return 0


@pytest.mark.parametrize(
    ("kind", "fewest"),
    [
        ("ratio", [[4, 5, 4, 4, 4, 4], [5, 5, 5, 5, 5, 5], [7, 5, 8, 7, 7, 6]]),
        ("amount", [[5, 5, 5, 5, 5, 5], [6, 6, 6, 6, 6, 6], [7, 9, 9, 9, 9, 9]]),
        ("rounding", [[5, 6, 5, 6, 6, 5], [6, 6, 8, 7, 7, 8], [11, 7, 12, 7, 11, 11]]),
        ("coarse ratio", [[3, 4, 4, 4, 4, 4], [4, 5, 4, 5, 5, 4], [6, 6, 6, 6, 6, 6]]),
        ("coarse amount", [[4, 4, 4, 4, 4, 4], [5, 5, 5, 5, 5, 5], [7, 7, 7, 7, 7, 7]]),
        ("ratio in fives", [[4, 4, 4, 4, 4, 4], [5, 5, 5, 5, 5, 5], [7, 7, 7, 8, 7, 7]]),
    ],
)
def test_the_more_changes_there_are_the_more_have_to_agree(kind: str, fewest: list[list[int]]) -> None:
    """Of 8, 16 and 40 changes, in six draws: what chance brings about more than once in a hundred is no group."""
    assert [[fewest_that_agree(kind, number, seed) for seed in range(6)] for number in (8, 16, 40)] == fewest


def test_sums_of_parts_rounded_up_are_no_rounding_of_their_own() -> None:
    """All end at thousands, so that every fifth ends at five thousands: no change did that."""
    drawn = random.Random(12)
    pairs = []
    for _ in range(200):
        parts = [drawn.randint(2_000, 300_000) for _ in range(7)]
        pairs.append((sum(parts), sum(-(-part // 1000) * 1000 for part in parts)))
    assert [size for size in sizes(moved(*pairs)) if size[0] == "rounding"] == []
