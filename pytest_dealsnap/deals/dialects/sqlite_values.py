"""Values of SQLite, where a column keeps whatever it is given, whichever type it declares.

A declared type that SQLite does not know, such as ``UUID`` or ``STRING``, is reflected as a number's.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import Dialect as SQLAlchemyDialect
from sqlalchemy.types import Boolean, LargeBinary, TypeEngine

from pytest_dealsnap.deals.dialects.driver_values import Undecodable

__all__ = ["WhereItCan", "converts", "decoded"]

_MICROSECONDS = len("123456")


def decoded(data: bytes) -> str | Undecodable:
    """Return a text; as bytes where it is not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return Undecodable(data)


def converts(column_type: TypeEngine[Any], dialect: SQLAlchemyDialect) -> bool:
    """Whether SQLAlchemy makes another value of a stored one for *column_type*."""
    return column_type.dialect_impl(dialect).result_processor(dialect, None) is not None


class WhereItCan(TypeEngine[Any]):
    """Reads values as another type does, and leaves those alone that it refuses."""

    cache_ok = True

    def __init__(self, declared: TypeEngine[Any]) -> None:
        self.declared = declared

    def result_processor(self, dialect: SQLAlchemyDialect, coltype: object) -> Callable[[Any], Any] | None:
        convert = self.declared.dialect_impl(dialect).result_processor(dialect, coltype)
        if convert is None:
            return None

        def converted(value: Any) -> Any:
            try:
                read = convert(value)
            except (TypeError, ValueError, ArithmeticError, LookupError):
                return value
            return None if read is None else _exactly(self.declared, value, read)

        return converted


def _exactly(declared: TypeEngine[Any], value: Any, converted: Any) -> Any:
    """Return *converted*, which *declared* made of the stored *value*, where it is the same value; else *value*."""
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
