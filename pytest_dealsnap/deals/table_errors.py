"""What is said of a table that has not what was asked for: no table, no column, a deal that has gone or changed."""

from __future__ import annotations

from sqlalchemy import Connection, Table, inspect

from pytest_dealsnap.deals.deal import DealRef
from pytest_dealsnap.deals.table_names import place_of, shown_place
from pytest_dealsnap.errors import DealChangedError, DealNotFoundError, did_you_mean

__all__ = ["gone", "has_schema", "how_retyped", "no_column", "no_table"]


def has_schema(connection: Connection, schema: str) -> bool:
    """Whether the database has *schema*, whose name some databases give with their own in front."""
    names = inspect(connection).get_schema_names()
    return "." in schema or any(schema in (name, name.rpartition(".")[2]) for name in names)


def no_table(connection: Connection, wanted: str, shown: str) -> str:
    """Return what to say of a table, or its schema, that the database *shown* lacks."""
    schema, name = place_of(wanted)
    inspector = inspect(connection)
    if schema and wanted in inspector.get_table_names():
        return (
            f"{shown} has no table {name} in a schema {schema}, but a table whose name holds the dot: "
            f"write deals.table = '{shown_place(None, wanted)}'"
        )
    if schema and not has_schema(connection, schema):
        hint = did_you_mean(schema, inspector.get_schema_names())
        return f'{shown} has no schema "{schema}" (deals.table = "{wanted}").{hint}'
    names = [*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)]
    there = ", ".join(sorted(names)[:12]) or "none at all"
    return f'{shown} has no table "{wanted}" (deals.table).{did_you_mean(name, names)} It has: {there}'


def no_column(table: Table, wanted: str, role: str, column: str) -> str:
    """Return what to say of a column that *table*, named as *wanted*, lacks."""
    names = [c.name for c in table.columns]
    none = "" if role == "id" else f', or deals.{role} = "" if it has none'
    return (
        f'table "{wanted}" has no column "{column}" (deals.{role}).{did_you_mean(column, names)} '
        f"It has: {', '.join(names)}. Name the right one in deals.{role}{none}"
    )


def gone(ref: DealRef) -> DealNotFoundError:
    """Return the error of a deal whose row is not there any more."""
    return DealNotFoundError(
        f"deal {ref.id} was deleted, or is no longer selected, since the list of deals was read: it is not judged"
    )


def how_retyped(ref: DealRef, stored: str | None) -> DealChangedError | None:
    """Return the error of a deal that is *stored* under another type now; ``None`` where it is not."""
    if stored == ref.stored_type:
        return None
    return DealChangedError(
        f"the type of deal {ref.id} changed from {ref.stored_type!r} to {stored!r} since the list of deals was read: "
        "it is not judged"
    )
