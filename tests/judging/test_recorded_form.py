"""An output as its snapshot gives it back."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from pytest_dealsnap.judging.recorded_form import compact_text, recorded_form, recorded_number
from pytest_dealsnap.reasoning.canonical import dumps, loads
from tests.builders import canonical_values


@pytest.mark.parametrize(
    ("number", "recorded"),
    [
        (Decimal(5), 5),
        (Decimal(-5), -5),
        (Decimal("5.0"), 5.0),
        (Decimal("5.00"), Decimal("5.00")),
        (Decimal("0.1"), 0.1),
        (Decimal("0.10000000000000000001"), Decimal("0.10000000000000000001")),
        (Decimal("Infinity"), math.inf),
        (Decimal("-Infinity"), -math.inf),
    ],
)
def test_a_number_is_what_its_text_is_read_as(number: Decimal, recorded: Any) -> None:
    """An int or a float where that keeps every digit as written, else the decimal."""
    found = recorded_number(number)
    assert (type(found), found) == (type(recorded), recorded)
    assert math.isnan(recorded_number(Decimal("NaN")))


@given(value=canonical_values())
def test_the_form_is_what_the_file_gives_back(value: Any) -> None:
    """Of any canonical value: the same values of the same kinds, in the same order."""
    assert repr(recorded_form(value)) == repr(loads(dumps(value)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": [1, 2.5, None], "a": "é\n"}, '{"a":"é\\n","b":[1,2.5,null]}'),
        ([True, False, "true"], '[true,false,"true"]'),
        ([math.nan, math.inf, -math.inf], "[NaN,Infinity,-Infinity]"),
        ([Decimal("1.50"), {}, []], "[1.50,{},[]]"),
    ],
)
def test_compact_text_is_json_on_one_line(value: Any, text: str) -> None:
    """Without blanks, keys sorted, numbers with the digits they have."""
    assert compact_text(value) == text
    assert json.loads(text, parse_constant=str) is not None


def test_a_number_of_more_digits_than_python_reads_stays_as_it_is() -> None:
    """It is refused where it is written, by its path."""
    number = Decimal("1" * 5000)
    assert recorded_number(number) is number
