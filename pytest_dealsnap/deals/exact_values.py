"""Values as the database holds them: what a driver, or SQLAlchemy's type, would hand over as another value.

A value that Python has no type for (an infinite date, an interval of months, a time of 838 hours, a zero date) is the
text that the database writes for it. A text that is not of its encoding is :class:`Undecodable`.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Engine, cast, event, func, literal_column, type_coerce
from sqlalchemy.types import (
    ARRAY,
    CHAR,
    JSON,
    Boolean,
    Date,
    DateTime,
    Enum,
    Float,
    Integer,
    LargeBinary,
    String,
    Text,
    Time,
    TypeEngine,
)

from pytest_dealsnap.deals.postgresql_values import prepare_pg8000, prepare_psycopg, prepare_psycopg2

__all__ = ["Undecodable", "exact_column", "exactly", "read_exactly", "undecoded"]

_MYSQL = ("mysql", "mariadb")


class Undecodable(bytes):
    """The bytes of a text that is not of its encoding; as a text, with escapes for what is not."""

    def __str__(self) -> str:
        return self.decode("utf-8", "backslashreplace")


def read_exactly(engine: Engine) -> Engine:
    """Have *engine*'s connections read values exactly, and return it. Nothing is set on the server."""
    dialect: Any = engine.dialect
    dialect._json_deserializer = exact_json
    prepare = _PREPARE.get(dialect.driver if dialect.name != "sqlite" else "sqlite")
    if prepare is not None:
        event.listen(engine, "connect", lambda connection, record: prepare(connection, exact_json))
    return engine


def _prepare_sqlite(connection: Any, loads: Callable[[str], Any]) -> None:
    connection.text_factory = _decoded


def _decoded(data: bytes) -> str | Undecodable:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return Undecodable(data)


_PREPARE: dict[str, Callable[[Any, Callable[[Any], Any]], None]] = {
    "sqlite": _prepare_sqlite,
    "psycopg": prepare_psycopg,
    "psycopg2": prepare_psycopg2,
    "pg8000": prepare_pg8000,
}


def exact_json(text: Any) -> Any:
    """Read JSON; a number is a Decimal where a float would be another number."""
    return json.loads(text, parse_float=_number)


def _number(text: str) -> float | Decimal:
    number, exact = float(text), Decimal(text)
    return number if Decimal(repr(number)) == exact else exact


def undecoded(column: ColumnElement[Any], dialect: Dialect) -> ColumnElement[Any]:
    """Return a text *column* as the bytes that the database holds."""
    if dialect.name == "postgresql":
        return func.convert_to(cast(column, Text), func.getdatabaseencoding(), type_=LargeBinary)
    return cast(column, LargeBinary)


def exact_column(column: ColumnElement[Any], dialect: Dialect) -> ColumnElement[Any] | None:
    """Return *column*, to be read as it is stored; ``None`` where it is read so anyway.

    MySQL's and MariaDB's drivers turn zero dates into NULL or a text, and the server writes a FLOAT with six digits.
    """
    kind = column.type
    if isinstance(kind, ARRAY) and isinstance(kind.item_type, JSON):
        # SQLAlchemy takes a JSON list for an inner array, and the objects beside it for lists of their keys.
        return type_coerce(column, _Converted(lambda value: value))
    if dialect.name not in _MYSQL:
        return None
    from sqlalchemy.dialects import mysql  # not for the sake of other databases

    if isinstance(kind, mysql.FLOAT) and kind.precision is None:
        return type_coerce(column * literal_column("1e0"), _Converted(_single))
    if isinstance(kind, Float):
        return type_coerce(column, mysql.DOUBLE(asdecimal=False))  # SQLAlchemy's own is a Decimal of ten places
    if isinstance(kind, mysql.YEAR):
        return cast(column, Integer)  # MariaDB's connector cuts the zeros off 0000, and fails at whatever comes next
    if isinstance(kind, Enum):
        return type_coerce(column, String())  # it may hold '', which is none of its words
    for types, parse in _TIMES:
        if isinstance(kind, types):
            return type_coerce(cast(column, CHAR(40)), _Converted(parse))
    return None


class _Converted(TypeEngine[Any]):
    """Reads a value by a function; one that it refuses stays as it is."""

    cache_ok = True

    def __init__(self, convert: Callable[[Any], Any]) -> None:
        self.convert = convert

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        def converted(value: Any) -> Any:
            try:
                return None if value is None else self.convert(value)
            except (TypeError, ValueError, OverflowError):
                return value

        return converted


def _single(value: Any) -> float:
    """Return the shortest number that is the same in single precision, in which it is stored."""
    number = float(value)
    for digits in range(6, 9):
        short = float(f"{number:.{digits}g}")
        if struct.unpack("f", struct.pack("f", short))[0] == number:
            return short
    return number


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, (bytes, bytearray)) else str(value)


_TIMES: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (DateTime, lambda value: datetime.fromisoformat(_text(value))),
    (Date, lambda value: date.fromisoformat(_text(value))),
    (Time, lambda value: time.fromisoformat(_text(value))),
)


def exactly(declared: TypeEngine[Any], value: Any, converted: Any) -> Any:
    """Return *converted*, which *declared* made of SQLite's *value*, where it is the same value; else *value*."""
    if isinstance(declared, LargeBinary):
        same = isinstance(value, bytes)  # of a number n, Python makes n zero bytes
    elif isinstance(declared, Boolean):
        same = value in (0, 1)
    elif isinstance(converted, Decimal) and isinstance(value, (int, float)):
        stored = Decimal(repr(value))
        return converted if converted == stored else stored  # SQLAlchemy keeps ten places
    elif isinstance(converted, (datetime, time)):
        same = len(str(value).partition(".")[2].partition("+")[0]) <= _MICROSECONDS
    else:
        same = True
    return converted if same else value


_MICROSECONDS = len("123456")
