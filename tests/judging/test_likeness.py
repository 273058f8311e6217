"""A capture of outputs that are all alike is suspicious: which ones count as alike."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_dealsnap.judging.likeness import Likeness
from pytest_dealsnap.model.results import BLANK, DealResult, Failure, alike_outputs
from pytest_dealsnap.reasoning.canonical import canonical, dumps


def captured(*outputs: Any, processes: int = 1) -> list[DealResult]:
    """Return the results of a capture of *outputs*, whose metric is their price, in so many processes."""
    marks = [Likeness(lambda value: dumps(canonical(value)).encode()) for _ in range(processes)]
    results = []
    for number, output in enumerate(outputs):
        likeness = marks[number % processes]((str(number), f"Deal {number}"), {"price": output.get("price")}, output)
        results.append(DealResult(str(number), None, "acquisition", None, "new", likeness=likeness))
    return results


@pytest.mark.parametrize("blank", [0, 0.0, "", [], {}, None, False, [0, ""], {"a": [None]}])
def test_zero_empty_or_absent_in_every_metric(blank: Any) -> None:
    """Whatever else the outputs hold, metrics that say nothing in any deal are worth a word."""
    results = captured({"price": blank, "text": "one"}, {"price": blank, "text": "two"})
    assert alike_outputs(results) == "every metric of all 2 outputs is zero, empty or absent"


def test_the_same_output_but_for_the_deals_own_name_and_id() -> None:
    """An output that repeats the deal's id and name does not differ by that."""
    outputs = [{"price": 7, "deal_id": number, "title": f"Deal {number}", "of": [str(number)]} for number in range(5)]
    for processes in (1, 2, 4):
        assert alike_outputs(captured(*outputs, processes=processes)) == "all 5 outputs are the same"


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_one_that_differs_is_enough(processes: int) -> None:
    """Also where each process saw only outputs that are alike."""
    outputs: list[dict[str, Any]] = [{"price": 7}, {"price": 8}, {"price": 7}, {"price": 8}, {"price": 7}]
    assert alike_outputs(captured(*outputs, processes=processes)) == ""


def test_lists_that_differ_are_seen() -> None:
    """Whatever stands in them, however deep."""
    assert alike_outputs(captured({"price": 7, "of": [["a"]]}, {"price": 7, "of": [["b"]]})) == ""
    assert alike_outputs(captured({"price": 7, "of": []}, {"price": 7, "of": None})) == ""


def test_a_number_is_an_id_only_where_its_key_says_so() -> None:
    """A price that happens to be the deal's id is a price."""
    assert alike_outputs(captured({"price": 0}, {"price": 1})) == ""


def test_one_output_alone_and_errors_say_nothing() -> None:
    """Errors are no outputs, and one output cannot be like another."""
    results = captured({"price": 0})
    failed = DealResult("9", None, "acquisition", None, "errored", error=Failure("ValueError", "no"))
    assert results[0].likeness[0] == BLANK
    assert alike_outputs([*results, failed]) == ""


def test_after_a_difference_no_output_is_encoded_again() -> None:
    """A hundred thousand deals pay for two."""
    encoded = []
    mark = Likeness(lambda value: encoded.append(value) or b"%d" % len(encoded))  # type: ignore[func-returns-value]
    for number in range(100):
        mark((str(number),), {"price": number}, {"price": number})
    assert len(encoded) == 2


@pytest.mark.parametrize("value", [["x"], [0, [1]], {"a": ["x"]}, (0, "x")])
def test_a_list_or_an_object_with_one_value_says_something(value: Any) -> None:
    """However deep it stands."""
    assert alike_outputs(captured({"price": value, "text": "one"}, {"price": value, "text": "two"})) == ""
