"""Writing made-up rows into a database of the user's own tests: the only place of ``deals`` that writes."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Identity, Table, bindparam, event
from sqlalchemy.orm import Session

from pytest_dealsnap.deals.dialects import dialect_of
from pytest_dealsnap.errors import SourceError

__all__ = ["insert_rows"]

Rows = Sequence[Mapping[str, Any]]


def insert_rows(target: Any, metadata: Any, rows: Mapping[str, Rows], late: Mapping[str, Sequence[str]]) -> None:
    """Insert *rows* by table, in that order, into an Engine (in one transaction), a Connection or a Session.

    *late* names the columns of each table that point to rows of later tables: they are filled at the end.
    """
    tables = getattr(metadata, "metadata", metadata).tables
    with _connected(target) as connection, _without_decimal_warning():
        _defer_constraints(connection)
        for name, found in rows.items():
            _insert(connection, tables[name], found, late.get(name, ()))
        for name, columns in late.items():
            _point(connection, tables[name], rows[name], columns)
        for name, found in rows.items():
            _move_sequence_on(connection, tables[name], found)


@contextmanager
def _connected(target: Any) -> Iterator[Connection]:
    if isinstance(target, Engine):
        with target.begin() as connection:
            yield connection
    elif isinstance(target, Session):
        yield target.connection()
    elif isinstance(target, Connection):
        yield target
    else:
        raise SourceError(f"rows are inserted into an Engine, a Connection or a Session, not into {target!r}")


@contextmanager
def _without_decimal_warning() -> Iterator[None]:
    """Keep quiet about SQLite's decimals, which nobody chose here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Dialect .* does \*not\* support Decimal")
        yield


def _defer_constraints(connection: Connection) -> None:
    """Let foreign keys be checked at the end of the transaction, where the database can."""
    statement = dialect_of(connection.dialect.name).deferring
    if statement:
        connection.exec_driver_sql(statement)


def _insert(connection: Connection, table: Table, rows: Rows, late: Sequence[str]) -> None:
    nullable = [key for key in late if table.columns[key].nullable]
    prepared: list[dict[str, Any]] = [{**row, **dict.fromkeys(nullable)} for row in rows]
    with _overriding_identities(connection, table):
        for _, alike in itertools.groupby(prepared, key=list):
            connection.execute(table.insert(), list(alike))


@contextmanager
def _overriding_identities(connection: Connection, table: Table) -> Iterator[None]:
    """Give identities that are always generated their made-up values, which rows of other tables point to."""
    identities = [c for c in table.columns if isinstance(c.identity, Identity) and c.identity.always]
    if not identities:
        yield
        return
    known = dialect_of(connection.dialect.name)

    def override(
        conn: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
    ) -> tuple[str, Any]:
        return known.with_given_identities(statement), parameters

    event.listen(connection, "before_cursor_execute", override, retval=True)
    try:
        yield
    finally:
        event.remove(connection, "before_cursor_execute", override)


def _point(connection: Connection, table: Table, rows: Rows, columns: Sequence[str]) -> None:
    keys = [column.key for column in table.primary_key.columns]
    changes = [row for row in rows if any(row.get(column) is not None for column in columns)]
    if not changes:
        return
    statement = table.update().values({column: bindparam(f"new_{column}") for column in columns})
    for key in keys:
        statement = statement.where(table.columns[key] == bindparam(f"old_{key}"))
    connection.execute(
        statement,
        [{**{f"new_{c}": row.get(c) for c in columns}, **{f"old_{key}": row[key] for key in keys}} for row in changes],
    )


def _move_sequence_on(connection: Connection, table: Table, rows: Rows) -> None:
    """Let the next row that the application inserts have a number of its own."""
    column = table.autoincrement_column
    if column is None or not rows or column.key not in rows[0]:
        return
    numbers = (row[column.key] for row in rows)
    dialect_of(connection.dialect.name).move_sequence_on(connection, table, numbers)
