"""Values in words: what is cut says so, and two different numbers never look alike."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.judging.values import exact
from pytest_dealsnap.reporting.wording import show_both, show_value


@pytest.mark.parametrize(
    ("baseline", "current", "shown"),
    [
        (3044.846417725297, 3410.227987852333, ("3,044.84…", "3,410.22…")),
        (0.1 + 0.2, 0.3, ("0.300000…", "0.3")),
        (100, Decimal("105.000000000000000000001"), ("100", "105.000…")),
        (1 / 3, 1 / 3 + 1e-12, ("0.333333333333…", "0.333333333334…")),
        (1 / 3, 1 / 3, ("0.333333…", "0.333333…")),
        (-1 / 3, 12.5, ("-0.333333…", "12.5")),
        (1234567.123456, 1, ("1,234,567.123456", "1")),
        (1e-9, 2e-9, ("0.000000001", "0.000000002")),
        (1e300, 1e-300, ("1E+300", "1E-300")),
        (5, 5.0, ("5", "5")),
    ],
)
def test_a_long_fraction_is_cut_and_marked(baseline: Any, current: Any, shown: tuple[str, str]) -> None:
    """Six significant digits stay, and as many more as tell two numbers apart."""
    assert show_both(baseline, current) == shown


NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(allow_nan=False, allow_infinity=False, places=20),
    st.integers(),
)


@given(NUMBERS, NUMBERS)
def test_different_numbers_look_different(baseline: Any, current: Any) -> None:
    """A finding never reads as "1 → 1"."""
    first, second = show_both(baseline, current)
    assert (first == second) == (exact(baseline) == exact(current))


@given(st.floats(min_value=1, max_value=1e15))
def test_a_number_is_at_most_one_hundredth_away(value: float) -> None:
    """Money is shown to the cent."""
    shown = show_value(value)
    assert abs(Decimal(shown.rstrip("…").replace(",", "")) - Decimal(str(value))) < Decimal("0.01")
