"""Which entries of two lists of objects belong together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.judging.alignment import LONGEST, Pair, aligned


def named(*names: str, **fields: Any) -> list[dict[str, Any]]:
    """Return entries with names, and the same fields each."""
    return [{"name": name, **fields} for name in names]


@pytest.mark.parametrize(
    ("before", "after", "pairs"),
    [
        (named("a", "b", "c"), named("b", "c", cost=1), [(0, None), (1, 0), (2, 1)]),
        (named("b", "c"), named("a", "b", "c", "d"), [(None, 0), (0, 1), (1, 2), (None, 3)]),
        (named("a", "b"), named("a", "x", "b"), [(0, 0), (None, 1), (1, 2)]),
        (named("a", "b"), named("x", "y"), [(0, 0), (1, 1)]),
        ([{"n": 1}, {"n": 2}], [{"n": 2}], [(0, None), (1, 0)]),
        ([{"n": 1}, {"n": 2}], [{"n": 1}, {"n": 5}, {"n": 6}], [(0, 0), (1, 1), (None, 2)]),
        (named("a", "a"), named("a"), [(0, 0), (1, None)]),
        (named("a", "b"), named("b", "a"), [(None, 0), (0, 1), (1, None)]),
    ],
)
def test_entries_belong_together_by_a_name_or_by_sameness(
    before: list[Any], after: list[Any], pairs: list[Pair]
) -> None:
    """One that is gone or new does not shift the others; a name that is there twice tells nothing apart."""
    assert aligned(before, after) == pairs


def test_the_name_that_most_entries_share_counts() -> None:
    """A text that changed everywhere, such as a date, names nothing."""
    before = [{"at": "monday", "site": "Bonn"}, {"at": "tuesday", "site": "Cork"}]
    after = [{"at": "sunday", "site": "Cork"}]
    assert aligned(before, after) == [(0, None), (1, 0)]


@pytest.mark.parametrize(("before", "after"), [([], named("a")), (named("a"), []), ([1], [1]), (named("a"), ["a"])])
def test_other_lists_are_not_aligned(before: list[Any], after: list[Any]) -> None:
    """Nor are empty ones."""
    assert aligned(before, after) is None


def test_very_long_lists_are_not_aligned() -> None:
    """The bound itself still is."""
    entries = named(*map(str, range(LONGEST + 1)))
    assert aligned(entries[:LONGEST], entries[:1]) is not None
    assert aligned(entries, entries[:1]) is None
    assert aligned(entries[:1], entries) is None


ENTRIES = st.lists(st.fixed_dictionaries({"name": st.sampled_from("abcdef"), "n": st.integers(0, 2)}), max_size=6)


@given(before=ENTRIES.filter(bool), after=ENTRIES.filter(bool))
def test_every_entry_is_in_exactly_one_pair(before: list[Any], after: list[Any]) -> None:
    """Of either list, in its order."""
    pairs = aligned(before, after)
    assert pairs is not None
    assert [one for one, _ in pairs if one is not None] == list(range(len(before)))
    assert [other for _, other in pairs if other is not None] == list(range(len(after)))
