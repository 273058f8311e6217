"""Tables whose declared types do not bind what they hold: SQLite's.

There a column keeps whatever it is given, and a declared type that SQLite does not know, such as ``UUID`` or
``STRING``, is reflected as a number's. So the columns that name a deal are read as they are stored, and so is any
other value that is not of its column's type.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, Dialect, Inspector, MetaData, Table, type_coerce
from sqlalchemy.types import LargeBinary, NullType, TypeEngine

from pytest_dealsnap.deals.exact_values import exact_column, exactly

__all__ = ["as_far_as_typed", "reflect_table"]


def reflect_table(connection: Connection, name: str, *, schema: str | None, as_stored: Collection[str] = ()) -> Table:
    """Return the reflected table or view; the columns in *as_stored* are read without a conversion.

    Raises SQLAlchemy's ``NoSuchTableError``.
    """
    dialect = connection.dialect

    def untyped(inspector: Inspector, table: Table, column: Any) -> None:
        converts = _converts(column["type"], dialect) or isinstance(column["type"], LargeBinary)
        if converts and column["name"] in as_stored:
            column["type"] = NullType()

    listeners = [("column_reflect", untyped)] if dialect.name == "sqlite" else []
    return Table(name, MetaData(), schema=schema, autoload_with=connection, resolve_fks=False, listeners=listeners)


def as_far_as_typed(column: ColumnElement[Any], dialect: Dialect) -> ColumnElement[Any]:
    """Return *column*, to be read as its type says, and as it is stored where the value is of another."""
    exact = exact_column(column, dialect)
    if exact is not None:
        return exact.label(str(column.key))
    if dialect.name != "sqlite" or not _converts(column.type, dialect):
        return column
    return type_coerce(column, _WhereItCan(column.type))


def _converts(column_type: TypeEngine[Any], dialect: Dialect) -> bool:
    return column_type.dialect_impl(dialect).result_processor(dialect, None) is not None


class _WhereItCan(TypeEngine[Any]):
    """Reads values as another type does, and leaves those alone that it refuses."""

    cache_ok = True

    def __init__(self, declared: TypeEngine[Any]) -> None:
        self.declared = declared

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        convert = self.declared.dialect_impl(dialect).result_processor(dialect, coltype)
        if convert is None:
            return None

        def converted(value: Any) -> Any:
            try:
                read = convert(value)
            except (TypeError, ValueError, ArithmeticError, LookupError):
                return value
            return None if read is None else exactly(self.declared, value, read)

        return converted
