"""What must be unique in a table, as columns: also an index over an expression that columns can stand for."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Column, Index, Table, UniqueConstraint
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression, Grouping, TextClause, UnaryExpression
from sqlalchemy.sql.functions import FunctionElement

from pytest_dealsnap.deals.dialects import nulls_alike

__all__ = ["read_unique"]

# Rows differ in these of a column where they differ in the column as drawing compares it: without case and blanks.
_ALIKE = frozenset({"lower", "upper", "trim", "btrim", "rtrim", "ltrim"})
_WRITTEN = re.compile(
    r"(?:(?:lower|upper|b?trim|[lr]trim)\()*[\"`\[]?(\w+)[\"`\]]?\)*(?: (?:asc|desc))?", re.IGNORECASE
)


def read_unique(table: Table) -> tuple[list[tuple[tuple[str, ...], bool]], tuple[str, ...]]:
    """Return the unique keys of *table*, each with whether its NULLs are alike, and the unique indexes that are no key.

    An index of which some parts are no columns counts as one over the others, which asks for more.
    """
    keys: list[tuple[tuple[str, ...], bool]] = []
    if table.primary_key.columns:
        keys.append((tuple(column.key for column in table.primary_key.columns), False))
    found: list[Any] = [one for one in table.constraints if isinstance(one, UniqueConstraint)]
    found += [index for index in table.indexes if index.unique]
    unkept = []
    for one in sorted(found, key=lambda one: ([column.key for column in one.columns], str(one.name))):
        parts = list(one.expressions) if isinstance(one, Index) else list(one.columns)
        columns = tuple(dict.fromkeys(column.key for part in parts if (column := _column(part, table)) is not None))
        if columns:
            keys.append((columns, nulls_alike(one)))
        elif parts:
            unkept.append(f"{one.name} ({', '.join(map(str, parts))})")
    return keys, tuple(unkept)


def _column(part: Any, table: Table) -> Column[Any] | None:
    """Return the column that stands for a part of an index; ``None`` where none does."""
    if isinstance(part, Column):
        return part
    if isinstance(part, Grouping) or (isinstance(part, UnaryExpression) and part.modifier is not None):
        return _column(part.element, table)
    if isinstance(part, FunctionElement):
        inner = list(part.clauses)
        known = getattr(part, "name", "").lower() in _ALIKE and len(inner) == 1
        return _column(inner[0], table) if known else None
    if isinstance(part, BinaryExpression) and part.operator is operators.collate:
        return _column(part.left, table)
    if isinstance(part, TextClause):
        match = _WRITTEN.fullmatch(part.text.strip())
        names = {column.name.lower(): column for column in table.columns}
        return names.get(match[1].lower()) if match else None
    return None
