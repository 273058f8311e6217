"""Types of the user's own, and unique indexes over expressions: what is made up can be stored and read back."""

from __future__ import annotations

import enum
import json
import warnings
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from sqlalchemy import (
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    create_engine,
    func,
    insert,
    select,
    text,
)

from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.testing import Database, UnreadCheckWarning, databases, rows

STEADY = settings(
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    max_examples=40,
    phases=(Phase.generate, Phase.shrink),
)


class Colour(enum.Enum):
    """An enumeration."""

    RED = 1
    BLUE = 2


class Own(TypeDecorator[Any]):
    """A type over text, made of two functions."""

    impl = Text
    cache_ok = False

    def __init__(self, store: Callable[[Any], str], read: Callable[[str], Any], **held: Any) -> None:
        super().__init__()
        self.store, self.read = store, read
        self.__dict__.update(held)

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        """Return what is stored."""
        return None if value is None else self.store(value)

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        """Return what is read."""
        return None if value is None else self.read(value)


class Lower(TypeDecorator[str]):
    """Stores texts of up to five letters, in lower case."""

    impl = String(5)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str:
        """Return the text in lower case; of anything else it knows nothing."""
        return str(value.lower())


class Wrapped(TypeDecorator[Any]):
    """Only reads: an identifier that is stored as a text."""

    impl = String(36)
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Any) -> UUID:
        """Return the identifier."""
        return UUID(value)


class Cents(TypeDecorator[Any]):
    """Money as whole cents."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> int:
        """Return the cents."""
        if not isinstance(value, Decimal):
            raise TypeError(value)
        return int(value * 100)

    def process_result_value(self, value: Any, dialect: Any) -> Decimal:
        """Return the money."""
        return Decimal(value) / 100


class Email(TypeDecorator[str]):
    """A text of a form that nobody can guess."""

    impl = String(80)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str:
        """Return the address, if it is one."""
        if not isinstance(value, str) or "@" not in value:
            raise ValueError(value)
        return value


def json_objects(value: Any) -> str:
    """Return an object as JSON, and refuse anything else."""
    if not isinstance(value, dict):
        raise TypeError(value)
    return json.dumps(value)


OWN: dict[str, tuple[Any, type]] = {
    "a date as text": (Own(date.isoformat, date.fromisoformat), date),
    "an identifier as text": (Own(lambda value: value.hex, UUID), UUID),
    "money as text": (Own(lambda value: str(value.normalize()), Decimal), Decimal),
    "an object as JSON": (Own(json_objects, json.loads), dict),
    "an enumeration as text": (Own(lambda value: value.name, lambda name: Colour[name], kind=Colour), Colour),
    "lower case": (Lower(), str),
    "only read": (Wrapped(), str),
    "money as cents": (Cents(), Decimal),
}


@pytest.mark.parametrize("name", OWN)
def test_a_type_of_the_users_own_draws_what_it_can_read_back(name: str) -> None:
    """Each row goes in and comes out as it was; the kind of its values is found out by asking the type."""
    type_, kind = OWN[name]
    table = Table("t", MetaData(), Column("id", Integer, primary_key=True), Column("x", type_, nullable=False))
    engine = create_engine("sqlite://")
    table.metadata.create_all(engine)

    @STEADY
    @given(rows(table))
    def goes_in_and_out(row: dict[str, Any]) -> None:
        assert isinstance(row["x"], kind)
        with engine.connect() as connection:
            connection.execute(insert(table), row)
            found = connection.scalar(select(table.c.x))
            assert (str(found) == str(row["x"])) if name == "only read" else found == row["x"]

    goes_in_and_out()
    engine.dispose()


def test_a_type_whose_values_nobody_can_guess_is_asked_for() -> None:
    """Not drawn as any text, which it would refuse."""
    table = Table("t", MetaData(), Column("id", Integer, primary_key=True), Column("x", Email, nullable=False))
    with pytest.raises(ConfigError, match=r"t.x is of type Email, of which no values are known: give a strategy"):
        find(rows(table), lambda row: True, settings=STEADY)
    assert find(rows(table, x="a@b"), lambda row: True, settings=STEADY)["x"] == "a@b"


KEPT: dict[str, Callable[[Table], Index]] = {
    "a function": lambda table: Index("ix", func.lower(func.trim(table.c.word)), unique=True),
    "a direction": lambda table: Index("ix", table.c.word.desc(), unique=True),
    "a written expression": lambda table: Index("ix", text("lower(word)"), unique=True, _table=table),
    "a part of it": lambda table: Index("ix", table.c.word, func.abs(table.c.n), unique=True),
}


def indexed(make: Callable[[Table], Index]) -> Table:
    """A table with a unique index."""
    columns = (Column("id", Integer, primary_key=True), Column("word", String(1)), Column("n", Integer))
    table = Table("t", MetaData(), *columns)
    make(table)
    return table


@pytest.mark.parametrize("name", KEPT)
def test_a_unique_index_over_an_expression_is_kept(name: str) -> None:
    """The database takes all rows, without a warning."""
    table = indexed(KEPT[name])
    engine = create_engine("sqlite://")
    table.metadata.create_all(engine)

    @STEADY
    @given(databases(table.metadata, max_rows=8))
    def all_go_in(database: Database) -> None:
        with engine.connect() as connection:
            database.insert_into(connection)

    with warnings.catch_warnings():
        warnings.simplefilter("error", UnreadCheckWarning)
        all_go_in()
    engine.dispose()


UNKEPT: dict[str, Callable[[Table], Index]] = {
    "a function": lambda table: Index("ix", func.substr(table.c.word, 1, 1), unique=True),
    "an empty one too": lambda table: Index("ix", func.coalesce(table.c.n, 0), unique=True),
    "a written expression": lambda table: Index("ix", text("abs(n)"), unique=True, _table=table),
    "a calculation": lambda table: Index("ix", table.c.n % 2, unique=True),
}


@pytest.mark.parametrize("name", UNKEPT)
def test_a_unique_index_that_cannot_be_kept_is_warned_of(name: str) -> None:
    """Rows that differ in the column may be alike in the expression."""
    with pytest.warns(UnreadCheckWarning, match=r"table t: the unique index ix \(.*\) is not kept by the rows"):
        databases(indexed(UNKEPT[name]).metadata)
