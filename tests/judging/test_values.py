"""Sameness and exact numbers."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given

from pytest_dealsnap.judging.values import exact, is_number, is_present, normal, percent_change, same
from tests.builders import canonical_values, numbers

NAN = float("nan")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (5, 5.0),
        (5, Decimal("5.00")),
        (0.1, Decimal("0.1")),
        (0.0, -0.0),
        (NAN, NAN),
        (NAN, Decimal("NaN")),
        (math.inf, Decimal("Infinity")),
        (10**30, Decimal("1E+30")),
        ("é", "é"),
        (None, None),
        (True, True),
        ([1, {"a": 2}], [1.0, {"a": Decimal(2)}]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ],
)
def test_the_same_value_in_another_form_is_the_same(left: Any, right: Any) -> None:
    """A number is what it is written as, whatever Python type holds it."""
    assert same(left, right)
    assert same(right, left)
    assert normal(left) == normal(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (True, 1),
        (False, 0),
        (None, 0),
        (None, ""),
        (None, NAN),
        ("5", 5),
        (0.1 + 0.2, 0.3),
        (0.1, Decimal.from_float(0.1)),
        (2**53, 2.0**53 + 2),
        (math.inf, -math.inf),
        ([], {}),
        ([1], [1, 1]),
        ([1, 2], [2, 1]),
        ({"a": None}, {}),
        ({"a": 1}, {"b": 1}),
        ({"a": 1}, None),
        ([1], None),
        ("e\u0301", "\u00e9"),
    ],
)
def test_different_values_are_different(left: Any, right: Any) -> None:
    """Neither truth and one, nor null and nothing, nor near-equal numbers are the same."""
    assert not same(left, right)
    assert not same(right, left)
    assert normal(left) != normal(right)


@given(value=canonical_values())
def test_every_value_is_the_same_as_itself(value: Any) -> None:
    """Sameness is holds_when_unchanged, also for NaN inside of containers."""
    assert same(value, value)
    assert normal(value) == normal(value)


@given(left=canonical_values(), right=canonical_values())
def test_normal_forms_agree_with_sameness(left: Any, right: Any) -> None:
    """Two values have equal hashable stand-ins exactly when they are the same."""
    assert (normal(left) == normal(right)) is same(left, right)
    if same(left, right):
        assert hash(normal(left)) == hash(normal(right))


@given(left=numbers(), right=numbers())
def test_numbers_compare_as_the_decimals_they_are_written_as(left: Any, right: Any) -> None:
    """Equality of numbers is that of their shortest decimal texts."""
    if left == left and right == right:
        assert same(left, right) is (Decimal(str(left)) == Decimal(str(right)))


@pytest.mark.parametrize(
    ("value", "present"),
    [
        (None, False),
        (NAN, False),
        (Decimal("NaN"), False),
        (0, True),
        ("", True),
        ([], True),
        (False, True),
        (math.inf, True),
    ],
)
def test_null_and_nan_are_no_value(value: Any, present: bool) -> None:
    """Null and NaN mean that a metric has no value; zero, blank and empty are values."""
    assert is_present(value) is present


@pytest.mark.parametrize(
    ("value", "expected"), [(True, False), (1, True), (1.5, True), (Decimal(1), True), ("1", False), (None, False)]
)
def test_truth_is_no_number(value: Any, expected: bool) -> None:
    """``True`` is not counted as a number."""
    assert is_number(value) is expected


@pytest.mark.parametrize(
    ("baseline", "current", "percent"),
    [
        (100, 106, 6.0),
        (100, 94, -6.0),
        (-100, -94, 6.0),
        (-100, -106, -6.0),
        (0.1, 0.3, 200.0),
        (Decimal("3"), 4, 33.333333),
        (100, 100.0, 0.0),
        (0, 5, None),
        (NAN, 5, None),
        (5, NAN, None),
        (5, math.inf, None),
        (math.inf, 5, None),
        (None, 5, None),
        ("4", 5, None),
        (True, 5, None),
        (Decimal("1E-400"), Decimal("1E+400"), None),
    ],
)
def test_percent_change(baseline: Any, current: Any, percent: float | None) -> None:
    """The change is in percent of the baseline's magnitude, and is absent where that says nothing."""
    assert percent_change(baseline, current) == percent


def test_exact_numbers_ignore_the_decimal_context_of_the_application() -> None:
    """An application that works with three digits does not change how its outputs are judged."""
    with localcontext() as context:
        context.prec = 3
        assert exact(123456.789) == Decimal("123456.789")
        assert percent_change(123456, 123457) == 0.00081
        assert not same(123456, 123457)
