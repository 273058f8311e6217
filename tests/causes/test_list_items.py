"""How one list became another, in words."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.causes.list_items import LONGEST_ITEM, item_change, items_gone_and_come

LISTS = st.lists(st.sampled_from([1, 2, "a", "b"]), max_size=8)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (["license", "network"], ["network"], ("lost items", 'lost "license"')),
        (["network"], ["network", "site", "licence"], ("gained items", 'gained "licence", "site"')),
        (["a", "b"], ["b", "c"], ("has other items", 'lost "a" and gained "c"')),
        (["a", "a"], ["a"], ("lost items", 'lost "a"')),
        (["a", "b"], ["b", "a"], ("same items, another order", "same items, another order")),
        ([1], [1.0], ("same items, another order", "same items, another order")),
        (list("abcd"), [], ("lost items", 'lost "a", "b", "c", "d"')),
        (list("abcde"), [], ("lost items", "")),
        (list("abc"), list("xy"), ("has other items", "")),
        (["x" * (LONGEST_ITEM - 2)], [], ("lost items", f'lost "{"x" * (LONGEST_ITEM - 2)}"')),
        (["x" * (LONGEST_ITEM - 1)], [], ("lost items", "")),
        ([{"b": 1, "a": "é"}], [], ("lost items", 'lost {"a": "é", "b": 1}')),
        ("text", [], None),
        ([], None, None),
    ],
)
def test_a_change_is_told_broadly_and_by_its_items(before: Any, after: Any, told: tuple[str, str] | None) -> None:
    """Up to four short items are named; more, or longer ones, are told broadly only."""
    assert item_change(before, after) == told


@given(before=LISTS, after=LISTS)
def test_what_went_and_came_turns_one_list_into_the_other(before: list[Any], after: list[Any]) -> None:
    """As multisets, and nothing both went and came."""
    gone, come = items_gone_and_come(before, after)
    assert Counter(before) - Counter(gone) + Counter(come) == Counter(after)
    assert not set(gone) & set(come)


@pytest.mark.parametrize(("length", "narrow"), [(38, True), (39, False)])
def test_an_item_of_forty_characters_is_told_and_a_longer_one_is_not(length: int, narrow: bool) -> None:
    """Its quotes count."""
    item = "x" * length
    assert item_change([item], []) == ("lost items", f'lost "{item}"' if narrow else "")


@pytest.mark.parametrize(("number", "narrow"), [(4, True), (5, False)])
def test_four_items_are_told_and_five_are_not(number: int, narrow: bool) -> None:
    """Gone and come together."""
    broad, told = item_change([1], list(range(2, number + 1))) or ("", "")
    assert (broad, bool(told)) == ("has other items", narrow)
