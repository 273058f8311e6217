"""Canonical JSON: the same output gives the same bytes, and nothing is lost."""

from __future__ import annotations

import enum
import json
import math
import os
import subprocess
import sys
from collections import ChainMap, OrderedDict, namedtuple
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

import attrs
import numpy as np
import pydantic
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_dealsnap.errors import OutputError
from pytest_dealsnap.judging.values import same
from pytest_dealsnap.reasoning.canonical import canonical, canonical_output, dumps, loads
from pytest_dealsnap.reasoning.quick_json import quick_text, written_as
from tests.builders import canonical_values, json_values


class Kind(enum.Enum):
    """An enumeration of texts."""

    CARVEOUT = "carveout"
    ODD = (1, Decimal("2.50"))


class Named(str, enum.Enum):  # noqa: UP042  # the older way, whose text is another than a StrEnum's
    """An enumeration whose members are texts, and whose own text is not their value."""

    A = "a"


class Level(enum.IntEnum):
    """An enumeration of numbers."""

    HIGH = 3


Point = namedtuple("Point", "x y")


@dataclass
class Cost:
    """A dataclass within others."""

    total: Decimal
    parts: list[Any] = field(default_factory=list)
    hidden: Any = field(default=1, repr=False)


@attrs.define
class Synergy:
    """An attrs class with slots."""

    type: str
    cost: Cost | None = None


class Report(pydantic.BaseModel):
    """A pydantic model."""

    title: str
    costs: list[Cost] = []
    when: date = date(2027, 1, 31)
    kinds: set[Kind] = set()

    @pydantic.computed_field  # type: ignore[prop-decorator]  # as pydantic's own documentation has it
    @property
    def shout(self) -> str:
        """A computed field."""
        return self.title.upper()


class Text(str):
    """A text of the application's own."""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("1.10"), Decimal("1.10")),
        (Decimal("NaN"), Decimal("NaN")),
        (Decimal("sNaN"), Decimal("NaN")),
        (date(2027, 1, 31), "2027-01-31"),
        (datetime(2027, 1, 31, 12, 30, tzinfo=timezone(timedelta(hours=2))), "2027-01-31T12:30:00+02:00"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (Kind.CARVEOUT, "carveout"),
        (Kind.ODD, [1, Decimal("2.50")]),
        (Named.A, "a"),
        (Level.HIGH, 3),
        (Text("x"), "x"),
        ((1, (2, [3])), [1, [2, [3]]]),
        (Point(1, 2), [1, 2]),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset({"b", "a"}), ["a", "b"]),
        ({(1, "b"), (1, "a")}, [[1, "a"], [1, "b"]]),
        (OrderedDict(b=1, a=(2,)), {"b": 1, "a": [2]}),
        (MappingProxyType({"a": {1}}), {"a": [1]}),
        (ChainMap({"a": 1}, {"b": 2}), {"a": 1, "b": 2}),
        (Cost(Decimal("5.0"), [Kind.CARVEOUT]), {"total": Decimal("5.0"), "parts": ["carveout"], "hidden": 1}),
        (
            Synergy("license", Cost(Decimal(1))),
            {"type": "license", "cost": {"total": Decimal(1), "parts": [], "hidden": 1}},
        ),
        (
            Report(title="q", costs=[Cost(Decimal("1.50"))], kinds={Kind.CARVEOUT}),
            {
                "title": "q",
                "costs": [{"total": Decimal("1.50"), "parts": [], "hidden": 1}],
                "when": "2027-01-31",
                "kinds": ["carveout"],
                "shout": "Q",
            },
        ),
        (np.int64(5), 5),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.float64(0.1), 0.1),
        (np.float32(0.1), 0.10000000149011612),
        (np.bool_(True), True),
        (np.str_("x"), "x"),
        (np.datetime64("2027-01-31"), "2027-01-31"),
        (np.array(7), 7),
        (
            {1: "a", date(2027, 1, 1): "b", UUID(int=1): "c", Kind.CARVEOUT: "d", Decimal("2.50"): "e", Text("t"): "f"},
            {
                "1": "a",
                "2027-01-01": "b",
                "00000000-0000-0000-0000-000000000001": "c",
                "carveout": "d",
                "2.50": "e",
                "t": "f",
            },
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_supported_type_has_a_plain_form(value: Any, expected: Any) -> None:
    """Types of Python, numpy, attrs and pydantic become what JSON has, without losing a digit."""
    found = canonical({"v": value})["v"]
    assert same(found, expected)
    assert dumps(found) == dumps(canonical(expected))
    assert dumps(canonical(found)) == dumps(found)


def test_extended_precision_is_kept() -> None:
    """Numpy's long double keeps the digits that it is written with."""
    third = np.longdouble(1) / np.longdouble(3)
    assert dumps(canonical([third])) == f"[\n  {third!s}\n]"


@pytest.mark.parametrize(
    "value",
    [{"a": 1}, OrderedDict(a=1), Cost(Decimal(1)), Synergy("x"), Report(title="x")],
    ids=lambda v: type(v).__name__,
)
def test_an_output_is_an_object(value: Any) -> None:
    """A mapping, dataclass, attrs or pydantic object is an output."""
    assert isinstance(canonical_output(value), dict)


@pytest.mark.parametrize(
    ("value", "what"),
    [(None, "nothing (None)"), (5, "int"), ("x", "str"), ([1], "list"), (Cost, "type"), (Point(1, 2), "Point")],
)
def test_what_is_no_object_is_no_output(value: Any, what: str) -> None:
    """The error says what came back and what is expected."""
    with pytest.raises(OutputError) as caught:
        canonical_output(value)
    assert str(caught.value) == (
        f"the reasoner returned {what}; it must return a mapping, or a dataclass, attrs, msgspec or pydantic object"
    )


class Broken:
    """An object that cannot even be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


class Secretive(enum.Enum):
    """An enumeration of what JSON has no form for."""

    A = complex(1, 2)


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ({"a": {"b": [1, object]}}, "at a.b[1]: type has no canonical JSON form"),
        ({"a": [{"x": complex(1, 2)}]}, "at a[0].x: complex has no canonical JSON form: (1+2j). Return plain values"),
        ({"a": b"x"}, "at a: bytes has no canonical JSON form"),
        ({"a": time(12)}, "at a: datetime.time has no canonical JSON form"),
        ({"a": timedelta(1)}, "at a: datetime.timedelta"),
        ({"a": Broken()}, "Broken has no canonical JSON form: (its repr raised RuntimeError)"),
        ({"a": "x" * 9, "b": np.array([1, 2])}, "at b: numpy.ndarray"),
        ({"a": np.complex128(1)}, "at a: numpy.complex128"),
        ({"a": {complex(1)}}, "at a[0]: complex"),
        ({"costs": Cost(Decimal(1), [object()])}, "at costs.parts[0]: object"),
        ({"costs": [Secretive.A]}, "at costs[0]: complex"),
        ({"a": {1.5: 1}}, "at a: float cannot be a key: 1.5"),
        ({"a": {None: 1}}, "at a: None cannot be a key"),
        ({"a": {True: 1}}, "at a: True cannot be a key"),
        ({"a": {(1, 2): 1}}, "at a: tuple cannot be a key: (1, 2)"),
        ({"a": {1: "x", "1": "y"}}, "at a: two keys are both written '1'"),
        ({object: 1}, "at the top: type cannot be a key"),
        ({"a": lambda: 1}, "function has no canonical JSON form: "),
    ],
)
def test_anything_else_is_an_error_that_names_its_path(value: Any, what: str) -> None:
    """The path is written as a user would write it."""
    with pytest.raises(OutputError) as caught:
        canonical(value)
    assert what in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_cycle_is_an_error_and_a_repetition_is_none() -> None:
    """An output may hold an object twice, but not within itself."""
    shared = {"x": [1]}
    assert canonical({"a": shared, "b": [shared, shared]}) == {"a": {"x": [1]}, "b": [{"x": [1]}, {"x": [1]}]}
    ring: dict[str, Any] = {"a": [{}]}
    ring["a"][0]["back"] = ring
    with pytest.raises(OutputError, match=r"at a\[0\]\.back: the output contains itself \(a cycle\)"):
        canonical(ring)
    cost = Cost(Decimal(1))
    cost.parts.append(cost)
    with pytest.raises(OutputError, match=r"at parts\[0\]\.parts: the output contains itself"):
        canonical_output(cost)


def nested(depth: int) -> Any:
    """Return objects within arrays, that deep."""
    value: Any = 1
    for level in range(depth):
        value = {"k": value} if level % 2 else [value]
    return {"top": value}


def test_deep_nesting_is_kept_or_refused_and_never_a_crash() -> None:
    """A hundred levels come back as they were; a hundred thousand are an error in words."""
    assert loads(dumps(canonical(nested(100)))) == nested(100)
    with pytest.raises(OutputError, match="the output is nested too deeply for JSON"):
        canonical(nested(100_000))


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"a": [1, {"b": 10**5000}]}, "a[1].b"),
        ({"a": -(10**5000)}, "a"),
        ({"z": 10**5000, "b": 10**5000}, "b"),
        ({"a": Decimal(10**5000)}, "a"),
    ],
)
def test_a_number_beyond_pythons_limit_is_an_error_that_names_its_path(value: Any, path: str) -> None:
    """Python refuses to write more than 4300 digits; the error says where they stand."""
    assert loads(dumps({"a": 10**4000})) == {"a": 10**4000}
    assert loads(dumps({"a": Decimal("1E+5000")})) == {"a": Decimal("1E+5000")}
    with pytest.raises(OutputError, match="a number is too long to be written") as caught:
        dumps(canonical(value))
    assert str(caught.value).startswith(f"at {path}: ")


@given(value=json_values())
def test_plain_data_is_written_as_pythons_json_writes_it(value: Any) -> None:
    """Sorted keys, two spaces of indent, no ASCII escapes."""
    assert dumps(value) == json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)


@given(value=canonical_values())
@example(value={"a": Decimal("1.10"), "b": 1.1, "c": 1e22, "d": Decimal("1E+5"), "e": -0.0, "f": Decimal("1E-400")})
@example(value=[math.inf, -math.inf, Decimal("Infinity"), math.nan, 2**70, 0.1 + 0.2, 5e-324])
@example(value='\ud800 \udfff \x00 \x1f \x7f \u2028 " \\ / <script>')
def test_nothing_is_lost_on_the_way_through_a_file(value: Any) -> None:
    """Read back, a value is the same; written again, it has the same bytes."""
    text = dumps(canonical(value))
    back = loads(text.encode().decode())
    assert same(back, canonical(value))
    assert dumps(back) == text.replace("-0\n", "0\n") or same(loads(dumps(back)), back)


@given(number=st.decimals(allow_nan=False, allow_infinity=False))
def test_every_digit_of_a_decimal_is_kept(number: Decimal) -> None:
    """Trailing zeros and exponents are written as they are."""
    assert dumps(number) == str(number)
    back = loads(dumps(number))
    assert same(back, number)


@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_stays_that_float(number: float) -> None:
    """A float comes back as the float that it was, sign of zero included."""
    back = loads(dumps(number))
    assert type(back) is float
    assert math.copysign(1, back) == math.copysign(1, number)
    assert back == number


@given(number=st.integers())
def test_an_integer_stays_that_integer(number: int) -> None:
    """An integer comes back as an integer."""
    assert loads(dumps(number)) == number
    assert type(loads(dumps(number))) is int


@pytest.mark.parametrize(
    ("value", "text"),
    [(float("nan"), "NaN"), (Decimal("NaN"), "NaN"), (math.inf, "Infinity"), (Decimal("-Infinity"), "-Infinity")],
)
def test_nan_and_infinities_survive(value: Any, text: str) -> None:
    """They are written as Python's own ``json`` writes them."""
    assert dumps(value) == text
    assert same(loads(text), value)


def test_lone_surrogates_and_controls_can_be_stored_as_utf_8() -> None:
    """What UTF-8 or a terminal could not take is escaped; everything else is readable."""
    text = dumps({"\ud800": "a\udfffb", "é💼": "\x1b[31m\x00\n"})
    assert text == '{\n  "é💼": "\\u001b[31m\\u0000\\n",\n  "\\ud800": "a\\udfffb"\n}'
    assert loads(text.encode().decode()) == {"\ud800": "a\udfffb", "é💼": "\x1b[31m\x00\n"}


@given(value=st.dictionaries(st.text(max_size=4), canonical_values(), min_size=1, max_size=4))
def test_a_file_is_recognized_without_being_written_again(value: dict[str, Any]) -> None:
    """The quick check never takes another value's file for this one's, and knows its own where it can."""
    data = (dumps(value) + "\n").encode()
    plain = "Decimal" not in repr(value) and "\\u" not in data.decode()
    assert written_as(value, data) or not plain
    assert not written_as({**value, "one more": 1}, data)
    assert not written_as(value, data[:-1])


@given(value=st.dictionaries(st.text(max_size=4), canonical_values(), max_size=4))
@example(value={"a": {}, "b": [], "c": None, "d": [True, {"e": -0.0}]})
@example(value={"a": None, "b": math.nan})
@example(value={"a": "1e5", "b": "0.00001\n1e5,\n", "c": 10.00001})
def test_what_is_quickly_written_is_what_the_slow_way_writes(value: dict[str, Any]) -> None:
    """Byte for byte; where it would not be, the quick way says so."""
    assert quick_text(value) in (None, (dumps(value) + "\n").encode())


@given(number=st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70))
@example(number=1e-5)
@example(number=1.5e-6)
@example(number=1e16)
@example(number=-1.2345678901234568e17)
@example(number=5e-324)
def test_a_number_is_quickly_written_as_python_writes_it(number: float) -> None:
    """Also at the end of a list, and of what stands before another key."""
    value = {"a": number, "b": [number], "c": {"d": [1, number]}}
    assert quick_text(value) in (None, (dumps(value) + "\n").encode())
    assert abs(number) >= 1e15 or 0 < abs(number) < 1e-3 or quick_text(value) is not None


def test_texts_do_not_hinder_the_quick_way() -> None:
    """What looks like such a number inside a text is a text."""
    assert quick_text({"id": "3e4", "small": "0.00001", "lines": "1e5,\n1e-5"}) is not None


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("rest", [{}, {"note": "NaN"}, {"tiny": 1e-7}])
def test_a_number_that_became_nan_is_no_null(number: float, rest: dict[str, Any]) -> None:
    """A recorded null is another value than NaN or an infinity, which the quick check's writer has no word for."""
    recorded = (dumps({"cost": None, **rest}) + "\n").encode()
    assert written_as({"cost": None, **rest}, recorded)
    assert not written_as({"cost": number, **rest}, recorded)
    assert written_as({"cost": number, **rest}, (dumps({"cost": number, **rest}) + "\n").encode())


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"a": 1, "a": 2}', "the key 'a' stands there twice"),
        ('{"x": {"a": 1, "b": 1, "a": 2}}', "the key 'a' stands there twice"),
        ("1e99999999999999999999", "the exponent of 1e99999999999999999999 is too large"),
        ("{", "Expecting property name"),
        ("1" * 5000, "Exceeds the limit"),
    ],
)
def test_what_is_no_canonical_text_is_refused(text: str, what: str) -> None:
    """Reading raises a ValueError, whatever is wrong."""
    with pytest.raises(ValueError, match=what):
        loads(text)


SCRIPT = """
import dataclasses, enum
from decimal import Decimal
from pytest_dealsnap.reasoning.canonical import canonical, dumps
class Kind(enum.Enum):
    A = "a"; B = "b"
@dataclasses.dataclass(frozen=True)
class Cost:
    name: str
    of: frozenset
names = [f"name-{i}" for i in range(40)]
print(dumps(canonical({
    "texts": set(names), "mixed": {1, 2.5, "x", None, True, Decimal("9.90"), (1, 2), frozenset(names[:5])},
    "costs": {Cost(n, frozenset(names[i:i+3])) for i, n in enumerate(names)},
    "kinds": set(Kind), "keys": {n: {n} for n in set(names)},
})))
"""


def test_the_bytes_do_not_depend_on_the_hash_seed() -> None:
    """Sets of anything come out in one order, whatever order Python keeps them in."""
    root = str(Path(__file__).parents[2])
    runs = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=root,
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(runs) == 1
    assert len(runs.pop()) > 1000
