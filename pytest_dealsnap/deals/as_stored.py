"""Reflected tables, whose declared types may not bind what they hold, as SQLite's do not.

The columns that name a deal are read as they are stored there.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Inspector, MetaData, Table
from sqlalchemy.types import NullType

from pytest_dealsnap.deals.dialects import dialect_of

__all__ = ["reflect_table"]


def reflect_table(connection: Connection, name: str, *, schema: str | None, as_stored: Collection[str] = ()) -> Table:
    """Return the reflected table or view; the columns in *as_stored* are read without a conversion.

    Raises SQLAlchemy's ``NoSuchTableError``.
    """
    dialect = connection.dialect
    known = dialect_of(dialect.name)

    def untyped(inspector: Inspector, table: Table, column: Any) -> None:
        if column["name"] in as_stored and known.changes_values(column["type"], dialect):
            column["type"] = NullType()

    listeners = [("column_reflect", untyped)]
    return Table(name, MetaData(), schema=schema, autoload_with=connection, resolve_fks=False, listeners=listeners)
