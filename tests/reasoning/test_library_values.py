"""Values of libraries are carried exactly, or refused by their path; none is carried as another value."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import attrs
import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pydantic
import pytest

from pytest_dealsnap.errors import OutputError
from pytest_dealsnap.reasoning.canonical import canonical, canonical_output, dumps, loads


class Base(pydantic.BaseModel):
    """What a field is annotated with."""

    price: int = 1


class Derived(Base):
    """What the field holds."""

    hidden_cost: int = 2
    again: list[Base] = []


class Listing(pydantic.RootModel[list[int]]):
    """A model of a list."""


class Count(pydantic.RootModel[int]):
    """A model of a number."""


class AsText(pydantic.BaseModel):
    """A model that serializes itself as a text."""

    amount: int = 7

    @pydantic.model_serializer
    def as_text(self) -> str:
        """Return the text."""
        return f"{self.amount} EUR"


class Holder(pydantic.BaseModel):
    """A model of models."""

    model_config = pydantic.ConfigDict(extra="allow")
    listing: Listing = Listing([3, 1])
    count: Count = Count(5)
    text: AsText = AsText()
    base: Base = Base()
    bases: list[Base] = []
    by_name: dict[str, Base] = {}
    plain: Annotated[Base, pydantic.PlainSerializer(lambda value: {"price": value.price})] = Base()


class Line(msgspec.Struct, tag="line"):
    """A tagged structure of a union."""

    amount: Decimal
    note: str | msgspec.UnsetType = msgspec.UNSET


class Plain(msgspec.Struct):
    """A structure."""

    line: Line


class SeveralValues(dict[str, list[int]]):
    """A dictionary of several values a key, as Django's and Werkzeug's are: it shows the last one of each."""

    def __getitem__(self, key: str) -> Any:
        return super().__getitem__(key)[-1]

    def items(self) -> Any:
        """Return only the last of each."""
        return [(key, self[key]) for key in self]

    def getlist(self, key: str) -> list[int]:
        """Return all."""
        return super().__getitem__(key)


CARRIED: dict[str, tuple[Any, Any]] = {
    "pandas NaT": (pd.NaT, None),
    "pandas NA": (pd.NA, None),
    "numpy NaT": (np.datetime64("NaT", "s"), None),
    "numpy NaT, a duration": (np.timedelta64("NaT", "D"), None),
    "numpy NaT in an array": (np.array("NaT", dtype="datetime64[ns]"), None),
    "nanoseconds": (pd.Timestamp(123), "1970-01-01T00:00:00.000000123"),
    "nanoseconds and a zone": (
        pd.Timestamp("2027-01-31T01:02:03.000000999+02:00"), "2027-01-31T01:02:03.000000999+02:00"
    ),
    "whole seconds": (pd.Timestamp("2027-01-31"), "2027-01-31T00:00:00"),
    "numpy nanoseconds": (np.datetime64("2027-01-31T00:00:00.000000123"), "2027-01-31T00:00:00.000000123"),
    "numpy duration": (np.timedelta64(5, "ns"), "5 nanoseconds"),
    "numpy longdouble": (np.longdouble("0.1234567890123456789"), Decimal("0.1234567890123456789")),
    "numpy longdouble NaN": (np.longdouble("nan"), Decimal("NaN")),
    "numpy half": (np.float16(0.1), 0.0999755859375),
    "RootModel of a list": ({"a": Listing([3, 1])}, {"a": [3, 1]}),
    "RootModel of an int": ({"a": Count(5)}, {"a": 5}),
    "serialized as a text": ({"a": [AsText()]}, {"a": ["7 EUR"]}),
    "msgspec": (Plain(Line(Decimal("1.50"))), {"line": {"type": "line", "amount": Decimal("1.50")}}),
    "msgspec, set": (Line(Decimal(1), "x"), {"type": "line", "amount": Decimal(1), "note": "x"}),
    "several values a key": (SeveralValues(a=[1, 2], b=[3]), {"a": [1, 2], "b": [3]}),
    "polars scalars": (pl.Series([datetime(2027, 1, 31)]).item(), "2027-01-31T00:00:00"),
    "a Timestamp as a key": ({pd.Timestamp(123): 1}, {"1970-01-01T00:00:00.000000123": 1}),
}  # fmt: skip


@pytest.mark.parametrize("name", CARRIED)
def test_a_value_of_a_library_is_carried_exactly(name: str) -> None:
    """Also through the file."""
    value, expected = CARRIED[name]
    found = canonical(value)
    assert repr(found) == repr(expected)
    assert dumps(loads(dumps(found))) == dumps(found)


def test_a_models_own_fields_are_carried_also_where_the_annotation_is_of_its_base() -> None:
    """Pydantic dumps them as the annotated class; what only the object's own class has would be lost."""
    nested = Derived(again=[Derived(hidden_cost=3)])
    more: dict[str, Any] = {"more": Derived()}
    holder = Holder(base=Derived(), bases=[nested], by_name={"x": Derived()}, plain=Derived(), **more)
    found = canonical_output(holder)
    own = {"price": 1, "hidden_cost": 2, "again": []}
    assert found["base"] == found["by_name"]["x"] == found["more"] == own
    assert found["bases"] == [{**own, "again": [{**own, "hidden_cost": 3}]}]
    assert (found["listing"], found["count"], found["text"]) == ([3, 1], 5, "7 EUR")


def test_what_a_serializer_or_an_exclusion_leaves_out_stays_out() -> None:
    """Only the annotation's doing is undone."""

    class Secretive(Base):
        password: Annotated[str, pydantic.Field(exclude=True)] = "x"
        note: str = "n"

    assert canonical(Holder(base=Secretive()))["base"] == {"price": 1, "note": "n"}


@dataclasses.dataclass
class Unset:
    """A dataclass with a field that nobody set."""

    amount: int = dataclasses.field(init=False)


@attrs.define
class UnsetAttrs:
    """The same of attrs."""

    amount: int = attrs.field(init=False)


@dataclasses.dataclass(eq=False)
class Money(float):
    """A number that is more than a number."""

    currency: str = "EUR"

    def __new__(cls, currency: str = "EUR") -> Money:
        """Return five of them."""
        return super().__new__(cls, 5.0)


class Message:
    """An object as protobuf makes them: its values are no attributes of a kind that anybody knows."""

    DESCRIPTOR = object()

    def ListFields(self) -> list[tuple[str, int]]:  # noqa: N802  # protobuf's own name
        """Return the values."""
        return [("amount", 5)]


class Kind(enum.Enum):
    """An enumeration of missing values."""

    NONE = pd.NaT


REFUSED: dict[str, tuple[Any, str]] = {
    "Timedelta": (pd.Timedelta(1), "at a: pandas.Timedelta has no canonical JSON form"),
    "Period": (pd.Period("2027-01", "M"), "at a: pandas"),
    "Interval": (pd.Interval(1, 2), "at a: pandas"),
    "Categorical": (pd.Categorical(["x"]), "at a: pandas"),
    "Series": (pd.Series([1]), "at a: pandas"),
    "DataFrame": (pd.DataFrame({"x": [1]}), "at a: pandas"),
    "polars Series": (pl.Series([1]), "at a: polars"),
    "polars DataFrame": (pl.DataFrame({"x": [1]}), "at a: polars"),
    "structured": (np.array([(1, 2.0)], dtype=[("x", "i4"), ("y", "f8")])[0], "at a: numpy.void"),
    "complex": (np.clongdouble(1), "at a: numpy.clongdouble"),
    "masked": (np.ma.masked, "at a: numpy.ma"),
    "bytes": (np.bytes_(b"x"), "at a: bytes"),
    "unset field": (Unset(), "at a: tests.reasoning.test_library_values.Unset lacks a field"),
    "unset attrs field": (UnsetAttrs(), "at a: tests.reasoning.test_library_values.UnsetAttrs lacks a field"),
    "a number with fields": (Money(), "at a: tests.reasoning.test_library_values.Money has no canonical JSON form"),
    "protobuf": (Message(), "at a: tests.reasoning.test_library_values.Message has no canonical JSON form"),
    "msgspec.Raw": (msgspec.Raw(b"1"), "at a: msgspec.Raw"),
    "a secret": (pydantic.SecretStr("hunter2"), "at a: pydantic"),
    "NaT as a key": ({pd.NaT: 1}, "at a: pandas"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_carried_is_refused_by_its_path(name: str) -> None:
    """It is an error that names the path, and no other value."""
    value, what = REFUSED[name]
    with pytest.raises(OutputError) as caught:
        canonical({"a": value})
    assert what in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(("model", "what"), [(Listing([1]), "list"), (Count(5), "int"), (AsText(), "str")])
def test_a_model_that_is_dumped_as_no_object_is_no_output(model: Any, what: str) -> None:
    """As an output it has no fields to be judged; the error says what it is dumped as."""
    with pytest.raises(OutputError, match=f"returned {type(model).__name__}.*, which is {what} when it is dumped"):
        canonical_output(model)


def test_a_model_of_a_mapping_is_an_output() -> None:
    """Its fields are the mapping's."""
    kind = pydantic.RootModel[dict[str, int]]
    assert canonical_output(kind({"b": 1})) == {"b": 1}


class Row(Mapping[str, Any]):
    """A mapping of the application's own."""

    def __getitem__(self, key: str) -> Any:
        return pd.Timestamp(999)

    def __iter__(self) -> Iterator[str]:
        return iter(["when"])

    def __len__(self) -> int:
        return 1


def test_an_enumeration_or_a_mapping_of_such_values_is_no_way_around() -> None:
    """Wherever the value stands."""
    assert canonical({"a": Kind.NONE, "b": Row(), "c": {pd.NA}}) == {
        "a": None,
        "b": {"when": "1970-01-01T00:00:00.000000999"},
        "c": [None],
    }
