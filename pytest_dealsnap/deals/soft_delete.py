"""Rows that are marked as deleted: the condition that leaves them out."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Table, func, select, text

from pytest_dealsnap.deals.dialects import dialect_of
from pytest_dealsnap.deals.source import stored_text
from pytest_dealsnap.deals.table_guess import Candidate, ColumnFacts

__all__ = ["SoftDelete", "count_rows", "find_soft_delete"]

_SINCE = frozenset(
    f"{what}_{when}" for what in ("deleted", "removed", "archived") for when in ("at", "on", "date", "time")
) | {"date_deleted", "deletedat", "deleted"}
_FLAGS = frozenset(f"is_{what}" for what in ("deleted", "removed", "archived")) | {
    *("deleted", "removed", "archived", "isdeleted", "deleted_flag")
}
_DELETED = ("deleted", "removed")
SAMPLE_VALUES = 50


@dataclass(frozen=True, slots=True)
class SoftDelete:
    """A condition that leaves deleted rows out, and how many; ``certain`` if their column says just that."""

    where: str
    rows: int
    certain: bool = True


def count_rows(connection: Connection, table: Table, condition: str | None = None) -> int:
    """Count the rows, all or those under a condition in SQL."""
    statement = select(func.count()).select_from(table)
    if condition is not None:
        statement = statement.where(text(condition.replace(":", r"\:")))
    return int(connection.scalar(statement) or 0)


def find_soft_delete(connection: Connection, chosen: Candidate, table: Table) -> SoftDelete | None:
    """Return the condition under which a row of *table* is not deleted, if a column marks deleted ones.

    Of several such columns it is the first that marks any row.
    """
    marks = []
    for column in chosen.table.columns:
        condition = _condition(connection, column, table) if column.name != chosen.type else ""
        if condition:
            rows = count_rows(connection, table) - count_rows(connection, table, condition)
            marks.append(SoftDelete(condition, rows, certain="archived" not in column.name.casefold()))
    return max(marks, key=lambda mark: (mark.certain, mark.rows > 0), default=None)


def _condition(connection: Connection, column: ColumnFacts, table: Table) -> str:
    words = column.name.casefold().replace("-", "_").replace(" ", "_")
    quoted = connection.dialect.identifier_preparer.quote(column.name)
    if words in _SINCE and column.kind in ("time", "text", "other"):
        return f"{quoted} IS NULL"
    if words in _FLAGS and column.kind in ("boolean", "number"):
        tells_truth = column.kind == "boolean" and dialect_of(connection.dialect.name).is_not_true
        return f"{quoted} IS NOT TRUE" if tells_truth else f"COALESCE({quoted}, 0) = 0"
    if words.endswith(("status", "state")) and column.kind in ("text", "enum"):
        word = _deleted_word(connection, column, table).replace("'", "''")
        if word and column.nullable and column.kind == "text":
            return f"COALESCE({quoted}, '') <> '{word}'"
        return f"{quoted} <> '{word}'" if word else ""
    return ""


def _deleted_word(connection: Connection, column: ColumnFacts, table: Table) -> str:
    found = connection.scalars(select(table.columns[column.name]).distinct().limit(SAMPLE_VALUES))
    words = sorted(str(stored_text(word)) for word in found if word is not None)
    return next((word for word in words if word.casefold() in _DELETED), "")
