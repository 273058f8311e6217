"""Lists of which only the order changed, inside an output."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.judging.differences import changed_leaves
from pytest_dealsnap.judging.reordering import inside, only_reordered, reordered_places
from pytest_dealsnap.judging.values import normal, same
from tests.builders import canonical_values


def told(before: Any, after: Any) -> tuple[str, ...]:
    """Return the lists that are told of as in another order."""
    paths = [path for path, _, _ in changed_leaves(before, after)]
    return only_reordered(paths, reordered_places(paths, before, after))


@pytest.mark.parametrize(
    ("before", "after", "lists"),
    [
        ({"a": [1, 2, 3]}, {"a": [3, 1, 2]}, ("a",)),
        ({"a": [1, 2, 3]}, {"a": [3, 2, 2]}, ()),
        ({"a": [1, 1, 2]}, {"a": [1, 2, 2]}, ()),
        ({"a": [1, 2]}, {"a": [2, 1, 1]}, ()),
        ({"a": [1, True]}, {"a": [True, 1]}, ("a",)),
        ({"a": [1, 2.0]}, {"a": [2, 1.0]}, ("a",)),
        ({"a": [{"x": 1, "y": 1}, {"x": 2, "y": 2}]}, {"a": [{"x": 2, "y": 2}, {"x": 1, "y": 1}]}, ("a",)),
        ({"a": [{"x": 1, "y": 1}, {"x": 2, "y": 2}]}, {"a": [{"x": 2, "y": 1}, {"x": 1, "y": 2}]}, ()),
        ({"a": [{"t": [1, 2]}, {"t": [3, 4]}]}, {"a": [{"t": [2, 1]}, {"t": [4, 3]}]}, ("a[].t",)),
        ({"a": [{"t": [1, 2]}, {"t": [3, 4]}]}, {"a": [{"t": [2, 1]}, {"t": [4, 9]}]}, ()),
        ({"a": [[1, 2], [3, 4]]}, {"a": [[3, 4], [1, 2]]}, ("a",)),
        ({"a": [1, 2], "b": [1, 2], "c": 1}, {"a": [2, 1], "b": [2, 3], "c": 2}, ("a",)),
        ({"ab": [1, 2], "a": [1, 2]}, {"ab": [2, 3], "a": [2, 1]}, ("a",)),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ()),
    ],
)
def test_a_list_is_in_another_order(before: Any, after: Any, lists: tuple[str, ...]) -> None:
    """It has the same items, as often as before; the outermost such list is told, and only if nothing else changed."""
    assert told(before, after) == lists


def test_a_path_lies_inside_of_the_list_that_it_goes_through() -> None:
    """Not inside of one that only begins alike, and a list does not lie inside of itself."""
    places = frozenset({("a",), ("b", 0, "c")})
    assert inside(("a", 3, "x"), places) == ("a",)
    assert inside(("b", 0, "c", 1), places) == ("b", 0, "c")
    assert inside(("b", 1, "c", 1), places) is None
    assert inside(("a",), places) is None
    assert inside(("a", 3), frozenset()) is None


@given(items=st.lists(canonical_values(), min_size=2, max_size=6), seed=st.integers(0, 9))
def test_a_shuffled_list_is_told_and_any_other_is_not(items: list[Any], seed: int) -> None:
    """Whatever the items are, and as little as one of them has to change."""
    mixed = random.Random(seed).sample(items, len(items))
    assert told({"a": items}, {"a": mixed}) == (() if same(items, mixed) else ("a",))
    other = [*mixed[1:], ["another", "item"]]
    assert ["another", "item"] in map(list, filter(lambda item: isinstance(item, list), other))
    if normal(mixed[0]) != normal(["another", "item"]):
        assert "a" not in told({"a": items}, {"a": other})
