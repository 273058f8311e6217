"""Values of MySQL and MariaDB that their drivers, or SQLAlchemy's types, would hand over as other values.

The drivers turn zero dates into NULL or a text, and the server writes a FLOAT with six digits.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, cast, literal_column, type_coerce
from sqlalchemy.types import CHAR, Date, DateTime, Enum, Float, Integer, String, Time

from pytest_dealsnap.deals.dialects.driver_values import Converted

__all__ = ["exact_mysql_column"]


def exact_mysql_column(column: ColumnElement[Any]) -> ColumnElement[Any] | None:
    """Return *column*, to be read as it is stored; ``None`` where it is read so anyway."""
    from sqlalchemy.dialects import mysql  # takes 80 ms: not for the sake of other databases

    kind = column.type
    if isinstance(kind, mysql.FLOAT) and kind.precision is None:
        return type_coerce(column * literal_column("1e0"), Converted(_single))
    if isinstance(kind, Float):
        return type_coerce(column, mysql.DOUBLE(asdecimal=False))  # SQLAlchemy's own is a Decimal of ten places
    if isinstance(kind, mysql.YEAR):
        return cast(column, Integer)  # MariaDB's connector cuts the zeros off 0000, and fails at whatever comes next
    if isinstance(kind, Enum):
        return type_coerce(column, String())  # it may hold '', which is none of its words
    for types, parse in _TIMES:
        if isinstance(kind, types):
            return type_coerce(cast(column, CHAR(40)), Converted(parse))
    return None


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
