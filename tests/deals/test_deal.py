"""Deals, their ids and their types."""

from __future__ import annotations

import pickle
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.deals.deal import Deal, LazyFields, id_order, id_text
from pytest_dealsnap.deals.types import DealTypes

TYPES = DealTypes(("acquisition", "carveout"), "acquisition", {"spinoff": "carveout", "": "carveout"})


@pytest.mark.parametrize(
    ("stored", "effective", "recognized"),
    [
        ("acquisition", "acquisition", True),
        ("carveout", "carveout", True),
        ("spinoff", "carveout", True),
        ("", "carveout", True),
        (None, "acquisition", False),
        (" ", "acquisition", False),
        ("Carveout", "acquisition", False),
        ("carveout ", "acquisition", False),
        ("Spinoff", "acquisition", False),
        ("'; DROP TABLE deals; --", "acquisition", False),
    ],
)
def test_what_a_stored_type_counts_as(stored: str | None, effective: str, recognized: bool) -> None:
    """A valid type itself, an alias's target, else the default; matching is exact."""
    assert TYPES.effective(stored) == effective
    assert TYPES.recognizes(stored) is recognized


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (12, "12"),
        (-5, "-5"),
        ("acme-1", "acme-1"),
        ("", ""),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"\x0a\xff", "0aff"),
        (bytearray(b"\x00"), "00"),
        (memoryview(b"\x01"), "01"),
        (Decimal("12"), "12"),
        (Decimal("12.00"), "12"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1.50"), "1.50"),
        (1.5, "1.5"),
    ],
)
def test_the_text_of_an_id(key: Any, text: str) -> None:
    """Whatever a database has for a key, its text names the deal."""
    assert id_text(key) == text
    assert Deal(key, None, "carveout", None).key == text


@pytest.mark.parametrize("key", [None, True, False, (1, 2), [1], {}, object()])
def test_what_cannot_identify_a_deal(key: Any) -> None:
    """A key that has no one text is refused."""
    with pytest.raises(TypeError, match="cannot identify a deal"):
        id_text(key)


def test_ids_are_ordered_by_value_and_then_by_text() -> None:
    """Whole numbers come first, by value; texts after them, by code point."""
    ids = ["b", "10", "9", "-3", "a10", "a9", "", "010", "B", "9" * 30, "1.5"]
    assert sorted(ids, key=id_order) == ["-3", "9", "010", "10", "9" * 30, "", "1.5", "B", "a10", "a9", "b"]


@given(ids=st.lists(st.text(max_size=4) | st.integers().map(str) | st.just("9" * 5000), unique=True))
def test_the_order_is_total_and_the_same_from_any_order(ids: list[str]) -> None:
    """No two ids are equal in order, so every machine lists them alike."""
    backwards = ids[::-1]
    assert sorted(ids, key=id_order) == sorted(backwards, key=id_order)


def test_fields_are_loaded_once_when_asked_for() -> None:
    """Nothing is read before, nothing twice, and a pickled deal carries its fields."""
    loads = []
    fields = LazyFields(lambda: loads.append(1) or {"a": 1, "b": None})  # type: ignore[func-returns-value]  # to count
    deal = Deal(1, "Acme", "carveout", None, fields)
    assert deal == Deal(1, "Acme", "carveout", None)
    assert "fields" not in repr(deal)
    assert loads == []
    assert (deal["a"], fields["b"], list(fields), len(fields), "c" in fields) == (1, None, ["a", "b"], 2, False)
    assert loads == [1]
    copy = pickle.loads(pickle.dumps(Deal(1, "Acme", "carveout", None, LazyFields(lambda: {"x": 2}))))
    assert dict(copy.fields) == {"x": 2}
    with pytest.raises(KeyError):
        deal["nothing"]


def test_fields_that_failed_to_load_are_asked_for_again() -> None:
    """A lost connection is no reason to have no fields for ever."""
    answers: list[Any] = [OSError("lost"), {"a": 1}]

    def load() -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    fields = LazyFields(load)
    with pytest.raises(OSError, match="lost"):
        fields["a"]
    assert fields["a"] == 1
