"""The engine beside a changed release of itself: the smallest deal that tells them apart is found, whatever changed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest

from examples.diligence import costs, synergies, transition_services
from examples.diligence.inventory import Inventory, Item, Kind, Side
from pytest_dealsnap.testing import Deal, assert_same_outputs

from .engine import engine, made_up_deals

Release = Callable[[Deal, str], dict[str, object]]


@contextmanager
def changed(place: Any, name: str, value: object) -> Iterator[None]:
    """Another value at one place of the code, as the next release might have it."""
    before = getattr(place, name)
    setattr(place, name, value)
    try:
        yield
    finally:
        setattr(place, name, before)


def release(place: Any, name: str, value: object) -> Release:
    """The engine of a release that has *value* at that place."""

    def new(deal: Deal, deal_type: str) -> dict[str, object]:
        with changed(place, name, value):
            return engine(deal, deal_type)

    return new


def thousands_above_a_million(amount: Decimal) -> int:
    """Whole dollars, of which only large amounts are rounded further."""
    dollars = int(amount.to_integral_value())
    return round(dollars, -3) if dollars > 1_000_000 else dollars


def known_costs(items: Iterable[Item]) -> int:
    """A sum that takes every cost for known."""
    return sum(item.annual_cost for item in items)  # type: ignore[misc]  # which is the fault


def by_folded_category(inventory: Inventory, side: Side) -> Mapping[str, list[Item]]:
    """Applications by category, whatever its case."""
    groups: defaultdict[str, list[Item]] = defaultdict(list)
    for item in sorted(inventory.of(Kind.APPLICATION, side), key=lambda item: item.name):
        groups[item.category.upper()].append(item)
    return groups


CHANGES = {
    "rounding above a threshold": (costs, "_whole_dollars", thousands_above_a_million, "cost"),
    "a cost that is None": (synergies, "annual_cost", known_costs, "TypeError"),
    "a category in another case": (Inventory, "applications_by_category", by_folded_category, ""),
    "a TSA cap": (transition_services, "MOST_A_MONTH", 510_000, "tsa_costs"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_release_is_found_out(change: str) -> None:
    """Each change shows on few deals only; the search finds one, makes it small, and prints a test that fails."""
    place, name, value, word = CHANGES[change]
    new = release(place, name, value)
    with pytest.raises(AssertionError) as caught:
        assert_same_outputs(engine, new, deals=made_up_deals(), max_examples=5_000)
    text = str(caught.value)
    assert word in text
    assert text.count("Item(") <= 121, "two groups of items are enough for each of these"
    code = text.partition("ready to paste")[2].partition("\n\n")[2]
    namespace: dict[str, Any] = {"new": new}
    exec(code, namespace)
    [test] = [found for key, found in namespace.items() if key.startswith("test_")]
    with pytest.raises(AssertionError, match=re.escape(text.splitlines()[0])):
        test()


def test_equal_releases_are_let_be() -> None:
    """Nothing is said of the engine beside itself."""
    assert_same_outputs(
        engine, release(transition_services, "MOST_A_MONTH", 500_000), deals=made_up_deals(), max_examples=80
    )


def test_a_change_within_the_rules_is_let_be() -> None:
    """The rounding moves no total by a thousandth, which the rules allow."""
    rules = {"cost_total": "within 0.5%", "*": "report"}
    new = release(costs, "_whole_dollars", thousands_above_a_million)
    assert_same_outputs(engine, new, deals=made_up_deals(), rules=rules, max_examples=80)
