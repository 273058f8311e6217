"""Which rules do not care what came first, and which must."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.judging.rules import parse_rule
from tests.builders import canonical_values, numbers


def holds(rule: str, baseline: Any, current: Any) -> bool:
    """Whether a rule allows the change."""
    return parse_rule(rule, place="a test", root=Path()).holds(baseline, current) is True


@given(rule=st.sampled_from(["equal", "same items", "similar 0.9", "within 1000", "report"]), data=st.data())
def test_these_rules_are_symmetric(rule: str, data: st.DataObject) -> None:
    """Sameness, items, similarity and amounts are the same in both directions, for values of any kind."""
    one = data.draw(canonical_values() | numbers())
    other = data.draw(st.just(one) | canonical_values() | numbers())
    assert holds(rule, one, other) == holds(rule, other, one)


@pytest.mark.parametrize(
    ("rule", "low", "high", "up", "down"),
    [("within 5%", 100, 105, True, True), ("within 5%", 95, 100, False, True), ("ratio 1.5..3", 2, 4, True, False)],
)
def test_these_rules_go_by_the_baseline(rule: str, low: int, high: int, up: bool, down: bool) -> None:
    """A percentage is of the baseline, and a ratio has a direction."""
    assert (holds(rule, low, high), holds(rule, high, low)) == (up, down)


@given(percent=st.decimals(0, 100, places=2), amount=st.decimals(0, 10**6, places=2), one=numbers(), other=numbers())
def test_either_bound_is_enough(percent: Decimal, amount: Decimal, one: Any, other: Any) -> None:
    """``within P% or A`` holds exactly when one of its halves does."""
    halves = holds(f"within {percent:f}%", one, other) or holds(f"within {amount:f}", one, other)
    assert holds(f"within {percent:f}% or {amount:f}", one, other) == halves
