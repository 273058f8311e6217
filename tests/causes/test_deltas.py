"""One number that changed: its difference, its percentage, and the units to which it can have been rounded."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.causes.deltas import MOST_DIGITS, is_multiple, measure, shown_amount

UNITS = [float(f"{digit}e{power}") for power in range(-3, 5) for digit in (1, 5)]


@given(
    number=st.decimals(min_value=-99_999, max_value=99_999, places=3).filter(bool),
    unit=st.sampled_from(UNITS),
)
def test_a_multiple_is_told_by_the_last_digit(number: Decimal, unit: float) -> None:
    """As division says, for units of 1 and 5 with zeros."""
    move = measure(0, number, number)
    assert move is not None
    assert is_multiple(move.before, unit) is ((Fraction(number) / Fraction(str(unit))).denominator == 1)


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        (1234, 1230, (5.0, 10.0)),
        (1236, 1235, (5.0,)),
        (1234, 1200, (50.0, 100.0)),
        (1250, 1300, (100.0,)),
        (12.34, 12.3, (0.05, 0.1)),
        (1200, 1234, ()),
        (1230, 1220, ()),
        (0.4, 0, ()),
        (1234, 1234, ()),
    ],
)
def test_a_rounding_goes_to_a_unit_that_the_new_value_has_and_the_old_has_not(
    before: Any, after: Any, units: tuple[float, ...]
) -> None:
    """The change is less than the unit; what became 0 or more exact was not rounded."""
    move = measure(3, before, after, "carveout")
    assert move is not None
    assert move.units == units
    assert (move.place, move.deal_type) == (3, "carveout")


@given(before=st.integers(-(10**6), 10**6), after=st.integers(-(10**6), 10**6))
def test_the_difference_is_exact_and_the_percentage_is_of_the_magnitude(before: int, after: int) -> None:
    """From 0 there is no percentage; what a ratio explains leaves no residue."""
    move = measure(0, before, after)
    assert move is not None
    assert move.difference == after - before
    assert (move.size, move.amount) == (abs(before), after - before)
    percent = move.percent
    if percent is None:
        assert before == 0
        assert move.residue(50.0, float(after)) == 0
    else:
        assert percent == pytest.approx(100 * (after - before) / abs(before))
        assert move.residue(percent, 0.0) == pytest.approx(0, abs=1e-6)
        assert move.residue(percent, 7.0) == pytest.approx(-7, abs=1e-6)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, Decimal("1e400"), Decimal("NaN")])
def test_what_cannot_be_measured_is_no_move(value: Any) -> None:
    """Neither from it nor to it."""
    assert measure(0, value, 1) is None
    assert measure(0, 1, value) is None


def test_a_percentage_beyond_a_float_is_none() -> None:
    """From almost nothing to very much, the amount is still told."""
    move = measure(0, Decimal("1e-300"), Decimal("1e300"))
    assert move is not None
    assert move.percent is None
    assert move.amount == 1e300


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Decimal("1234567.50"), "+1,234,567.5"),
        (Decimal("-0.05"), "-0.05"),
        (Decimal(50_000), "+50,000"),
        (Decimal(f"1e{MOST_DIGITS - 1}"), "+10,000,000,000,000,000,000"),
        (Decimal(f"1e{MOST_DIGITS}"), "+1e+20"),
        (Decimal(f"1e-{MOST_DIGITS}"), "+1e-20"),
    ],
)
def test_an_amount_is_shown_with_all_its_digits_unless_it_is_very_long(amount: Decimal, text: str) -> None:
    """Grouped, with a sign, without zeros at its end."""
    assert shown_amount(amount) == text


@pytest.mark.parametrize(
    ("before", "after", "counts"),
    [
        (3, 2, True),
        (30, 20, False),
        (3.5, 2, False),
        (3, 2.5, False),
        (9, 19, True),
        (9, 20, False),
        (10, 11, False),
        (0, 10, True),
    ],
)
def test_counts_are_whole_and_small(before: Any, after: Any, counts: bool) -> None:
    """Both numbers are whole, the old one is below ten, and the new one below twice that."""
    move = measure(0, before, after)
    assert move is not None
    assert move.is_count(10) is counts


def test_a_move_is_shown_before_its_family_is_known() -> None:
    """As a failed assertion shows it."""
    assert "carveout" in repr(measure(0, 1, 2, "carveout"))
