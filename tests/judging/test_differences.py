"""Where two outputs differ: the walk that judges, and the explanation that a person reads."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from pytest_dealsnap.judging.differences import ABSENT, changed_leaves, explain
from pytest_dealsnap.judging.values import same
from tests.builders import canonical_values

NAN = float("nan")


@pytest.mark.parametrize(
    ("before", "after", "leaves"),
    [
        ({"a": 1, "b": 2}, {"a": 1.0, "b": 3}, [(("b",), 2, 3)]),
        ({"b": 1, "a": 1}, {"b": 2, "a": 2}, [(("a",), 1, 2), (("b",), 1, 2)]),
        ({"a": 1}, {}, [(("a",), 1, ABSENT)]),
        ({}, {"a": None}, [(("a",), ABSENT, None)]),
        ({"a": {"x": [1, 2]}}, {"a": {"x": [1, 3, 4]}}, [(("a", "x", 1), 2, 3), (("a", "x", 2), ABSENT, 4)]),
        ({"a": [1]}, {"a": {"0": 1}}, [(("a",), [1], {"0": 1})]),
        ({"a": {}}, {"a": []}, [(("a",), {}, [])]),
        (1, 2, [((), 1, 2)]),
    ],
)
def test_each_changed_leaf_is_found(before: Any, after: Any, leaves: list[Any]) -> None:
    """Leaves come in path order; what one side lacks is one leaf."""
    assert list(changed_leaves(before, after)) == leaves


@given(before=canonical_values(), after=canonical_values())
def test_no_leaf_changed_exactly_where_the_values_are_the_same(before: Any, after: Any) -> None:
    """The walk and the comparison agree."""
    assert (list(changed_leaves(before, after)) == []) is same(before, after)


@pytest.mark.parametrize(
    ("before", "after", "rows"),
    [
        ({"a": 1, "b": 0.1}, {"a": 1.0, "b": Decimal("0.10")}, []),
        ({"a": NAN}, {"a": NAN}, []),
        ({"a": 1}, {"a": 2}, [("a", "changed", 1, 2)]),
        ({"a": 1}, {"a": "1"}, [("a", "changed", 1, "1")]),
        ({"a": [1, 2, 3]}, {"a": [1, 9, 2, 3]}, [("a[1]", "added", ABSENT, 9)]),
        ({"a": 1, "b": 2}, {"b": 2}, [("a", "removed", 1, ABSENT)]),
        ({"n": {"x y": 1}}, {"n": {"x y": None}}, [('n."x y"', "changed", 1, None)]),
        ({"a": 100}, {"a": NAN}, [("a", "changed", 100, "NaN")]),
        (
            {"s": [{"kind": "licence", "low": 1}, {"kind": "staff", "low": 2}, {"kind": "sites", "low": 3}]},
            {"s": [{"kind": "staff", "low": 2}, {"kind": "sites", "low": 4}, {"kind": "cloud", "low": 3}]},
            [
                ("s[0]", "removed", {"kind": "licence", "low": 1}, ABSENT),
                ("s[1].low", "changed", 3, 4),
                ("s[2]", "added", ABSENT, {"kind": "cloud", "low": 3}),
            ],
        ),
        (
            {"s": [{"kind": "a", "low": 1}, {"kind": "a", "low": 2}, {"kind": "a", "low": 3}]},
            {"s": [{"kind": "a", "low": 2}, {"kind": "a", "low": 5}]},
            [("s[0]", "removed", {"kind": "a", "low": 1}, ABSENT), ("s[1].low", "changed", 3, 5)],
        ),
        (
            {"s": [{"kind": "a", "low": 1}, {"kind": "b", "low": 2}]},
            {"s": [{"kind": "b", "low": 2}, {"kind": "a", "low": 1}]},
            [
                (
                    "s",
                    "reordered",
                    [{"kind": "a", "low": 1}, {"kind": "b", "low": 2}],
                    [{"kind": "b", "low": 2}, {"kind": "a", "low": 1}],
                )
            ],
        ),
        ({}, {"a": {"b": [1, 2.5]}}, [("a", "added", ABSENT, {"b": [1, Decimal("2.5")]})]),
    ],
)
def test_a_difference_is_explained(before: Any, after: Any, rows: list[Any]) -> None:
    """Numbers are compared as they are written; a new entry in the middle is one row."""
    assert explain(before, after) == (rows, len(rows))


@given(before=canonical_values(), after=canonical_values())
def test_an_explanation_is_empty_exactly_where_the_values_are_the_same(before: Any, after: Any) -> None:
    """What the judge calls different is never left unexplained, and the same is never explained."""
    assert (explain(before, after)[1] == 0) is same(before, after)


def test_an_explanation_is_cut_and_counted() -> None:
    """At most *limit* rows are given, with the number of all."""
    rows, total = explain({"a": list(range(50))}, {"a": [i + 100 for i in range(50)]}, limit=4)
    assert (len(rows), total) == (4, 50)
    assert [row[0] for row in rows] == ["a[0]", "a[1]", "a[2]", "a[3]"]


def test_an_absent_value_says_so() -> None:
    """What stands for a missing side reads as a word."""
    assert repr(ABSENT) == "absent"


def test_truth_that_became_a_number_is_explained() -> None:
    """What the judge calls different is not left unexplained."""
    rows, total = explain({"a": True}, {"a": 1})
    assert (rows, total) == ([("a", "changed", True, 1)], 1)


@pytest.mark.parametrize("value", [float("inf"), Decimal("-Infinity"), Decimal("1E+5000"), 10**400])
def test_odd_numbers_can_be_explained(value: Any) -> None:
    """Infinities and numbers beyond any float do not break an explanation."""
    rows, total = explain({"a": 1}, {"a": value})
    assert total == 1
    assert rows[0][:2] == ("a", "changed")


@pytest.mark.parametrize(
    ("before", "after"),
    [([1, 2, 3], [3, 1, 2]), ([{"a": 1}, {"a": [2]}], [{"a": [2]}, {"a": 1}]), ([1, True], [True, 1.0])],
)
def test_a_list_in_another_order_is_one_difference(before: Any, after: Any) -> None:
    """Whatever its items are; one that has another item is told by its items."""
    rows, total = explain({"list": before, "n": 1}, {"list": after, "n": 1})
    assert ([row[:2] for row in rows], total) == ([("list", "reordered")], 1)
    assert all(row[1] != "reordered" for row in explain({"list": before}, {"list": [*after[1:], "new"]})[0])


def test_nothing_in_a_list_is_not_one() -> None:
    """0 that became 1 is a difference, also where lists of single values are aligned."""
    assert explain({"a": [0, 5]}, {"a": [1, 5]}) == ([("a[0]", "changed", 0, 1)], 1)
    assert explain({"a": [0.0, 5]}, {"a": [0, 5]}) == ([], 0)
