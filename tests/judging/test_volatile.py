"""What looks like a time, an id or a hash is named where most deals change at it."""

from __future__ import annotations

import pytest

from pytest_dealsnap.judging.volatile import volatile_name, volatile_paths, volatile_value
from pytest_dealsnap.model.details import Details, Difference
from pytest_dealsnap.model.results import DealResult, Finding, Kind
from tests.reporting.runs import finished, result


@pytest.mark.parametrize(
    ("path", "volatile"),
    [
        ("generated_at", True),
        ("meta.runId", True),
        ("prompt_sha256", True),
        ("calls[3].request_id", True),
        ("tags[].ids[2]", True),
        ("narrative", False),
        ("valid", False),
        ("cost_estimate.total_cost", False),
        ("at.price", False),
    ],
)
def test_a_name_tells(path: str, volatile: bool) -> None:
    """By the words of the last key, not by letters inside a word."""
    assert volatile_name(path) is volatile


def test_a_value_tells() -> None:
    """Both sides must be a time, a UUID or a hash; money and words are none."""
    assert volatile_value("2026-01-02T03:04:05Z", "2026-01-02 03:04")
    assert volatile_value("0a1b2c3d4e5f60", "ffffffffffff1")
    assert volatile_value("7d444840-9dc0-11d1-b245-5ffdce74fad2", "0d444840-9dc0-11d1-b245-5ffdce74fad2")
    assert not volatile_value("2026-01-02T03:04:05Z", "soon")
    assert not volatile_value(100000000000, 200000000000)
    assert not volatile_value("effected", "feedbeeffade")


def changed(deal_id: str, *paths: str) -> DealResult:
    """Return a deal whose output changed at *paths*, allowed by its rule."""
    finding = Finding(
        "output", "output_changed", allowed="report", gates=False, count=len(paths), paths=paths, kind=Kind.OUTPUT
    )
    return result(deal_id, "changed", finding)


def test_a_gate_names_what_looks_volatile_with_the_line_that_drops_it() -> None:
    """More than half of the compared deals must change there; a place in a list does not count."""
    results = [changed(str(n), f"calls[{n}].request_id", "narrative") for n in range(6)]
    results += [changed("6", "generated_at"), *(result(str(n)) for n in range(7, 11))]
    [note] = [note for note in finished(results).notes if "volatile" in note]
    assert note == (
        "6 of 11 deals changed at calls[].request_id, which looks like a time, an id or a hash. If it is volatile, add "
        'it to [tool.dealsnap.output] and capture again: drop = ["calls[].request_id"]'
    )
    assert volatile_paths([*results, result("x")]) == ((), 0, 12), "half of the deals are not most"
    assert volatile_paths(results[:2]) == ((), 0, 2)


def test_values_of_details_tell_what_names_do_not() -> None:
    """A key may be called anything."""
    details = Details((), (Difference("stamp", "changed", "2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z"),), 1)
    results = [result(str(n), "changed", details=details) for n in range(3)]
    assert volatile_paths(results) == (("stamp",), 3, 3)
