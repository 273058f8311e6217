"""Values as the database holds them: what a driver, or SQLAlchemy's type, would hand over as another value.

A value that Python has no type for (an infinite date, an interval of months, a time of 838 hours, a zero date) is the
text that the database writes for it. A text that is not of its encoding is :class:`Undecodable`.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Engine, event, type_coerce
from sqlalchemy.types import ARRAY, JSON

from pytest_dealsnap.deals.dialects import Converted, Undecodable, dialect_of

__all__ = ["Undecodable", "exact_column", "read_exactly", "undecoded"]


def read_exactly(engine: Engine) -> Engine:
    """Have *engine*'s connections read values exactly, and return it. Nothing is set on the server."""
    dialect: Any = engine.dialect
    dialect._json_deserializer = exact_json
    known, driver = dialect_of(dialect.name), dialect.driver
    event.listen(engine, "connect", lambda connection, record: known.prepare_values(connection, driver, exact_json))
    return engine


def exact_json(text: Any) -> Any:
    """Read JSON; a number is a Decimal where a float would be another number."""
    return json.loads(text, parse_float=_number)


def _number(text: str) -> float | Decimal:
    number, exact = float(text), Decimal(text)
    return number if Decimal(repr(number)) == exact else exact


def undecoded(column: ColumnElement[Any], dialect: Dialect) -> ColumnElement[Any]:
    """Return a text *column* as the bytes that the database holds."""
    return dialect_of(dialect.name).text_bytes(column)


def exact_column(column: ColumnElement[Any], dialect: Dialect) -> ColumnElement[Any]:
    """Return *column*, to be read as its type says, and as it is stored where its type would change the value."""
    kind = column.type
    if isinstance(kind, ARRAY) and isinstance(kind.item_type, JSON):
        # SQLAlchemy takes a JSON list for an inner array, and the objects beside it for lists of their keys.
        return type_coerce(column, Converted(lambda value: value)).label(str(column.key))
    return dialect_of(dialect.name).exact_column(column, dialect)
