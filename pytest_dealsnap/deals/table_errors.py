"""What is said of a table that has not what was asked for: no table, no column, a deal that has gone or changed."""

from __future__ import annotations

from sqlalchemy import Connection, Table, inspect

from pytest_dealsnap.deals.deal import DealRef
from pytest_dealsnap.errors import DealChangedError, DealNotFoundError, did_you_mean

__all__ = ["gone", "how_retyped", "no_column", "no_table"]


def no_table(connection: Connection, wanted: str, shown: str) -> str:
    """Return what to say of a table, or its schema, that the database *shown* lacks."""
    schema, _, name = wanted.rpartition(".")
    inspector = inspect(connection)
    schemas = inspector.get_schema_names() if schema else []
    if schema and schema not in schemas:
        hint = did_you_mean(schema, schemas)
        return f'{shown} has no schema "{schema}" (deals.table = "{wanted}").{hint}'
    names = [*inspector.get_table_names(schema=schema or None), *inspector.get_view_names(schema=schema or None)]
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
