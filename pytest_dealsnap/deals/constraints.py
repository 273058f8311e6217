"""Whether the database itself insists on valid deal types: the reflected constraints, tried on made-up rows.

A constraint is not taken by its name or its words: the database evaluates its condition, in a SELECT, for
a row that holds a type, and the answer is what it would say to that row. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Enum, Table, cast, inspect, literal, null, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.types import NullType

from pytest_dealsnap.deals.type_audit import TypeConstraints
from pytest_dealsnap.deals.types import DealTypes

__all__ = ["reflect_type_constraints"]

PROBES = ("merger", "", "no such type")


def reflect_type_constraints(
    connection: Connection, table: Table, column: str, types: DealTypes
) -> TypeConstraints | None:
    """Return what *table* insists on of *column*; ``None`` where that is kept elsewhere.

    Elsewhere: below a view, in a lookup table that a foreign key leads to, in a domain, or with a
    dialect that does not tell.
    """
    inspector = inspect(connection)
    column_type: Any = table.columns[column].type
    is_view = table.name in inspector.get_view_names(schema=table.schema)
    if is_view or table.columns[column].foreign_keys or column_type.__visit_name__ == "DOMAIN":
        return None
    nullable = bool(table.columns[column].nullable)
    if isinstance(column_type, Enum):
        labels = column_type.enums
        accepted = tuple(label for label in labels if label not in types.valid)
        return TypeConstraints(nullable, accepted, tuple(t for t in types.valid if t not in labels), tuple(labels))
    try:
        checks: list[Any] = [dict(c) for c in inspector.get_check_constraints(table.name, schema=table.schema)]
    except NotImplementedError:
        return None
    conditions = [check["sqltext"] for check in checks if column.lower() in check["sqltext"].lower()]
    return TypeConstraints(
        nullable=nullable and not _refuses(connection, table, column, None, conditions),
        accepted=_accepted(connection, table, column, types, conditions),
        refused=tuple(t for t in types.valid if _refuses(connection, table, column, t, conditions)),
        checks=tuple(
            f"{check['name'] or 'unnamed'}: {check['sqltext']}" for check in checks if check["sqltext"] in conditions
        ),
    )


def _accepted(
    connection: Connection, table: Table, column: str, types: DealTypes, conditions: Sequence[str]
) -> tuple[str, ...]:
    """Return the invalid types that no condition refuses, but for those that the collation takes for valid ones."""
    taken = [p for p in _invalid(types) if not _refuses(connection, table, column, p, conditions)]
    if not conditions or PROBES[-1] in taken:
        return tuple(taken)
    collation = getattr(table.columns[column].type, "collation", None)
    equal = [
        probe
        for probe in taken
        if connection.scalar(select(_collated(probe, collation).in_([literal(valid) for valid in types.valid])))
    ]
    return tuple(probe for probe in taken if probe not in equal)


def _collated(value: str, collation: str | None) -> Any:
    """Return *value* as a column of that collation holds it."""
    return literal(value).collate(collation) if collation else literal(value)


def _invalid(types: DealTypes) -> list[str]:
    """Return types that must be refused: strangers, a blank, and other spellings of the valid ones."""
    probes = [*PROBES, *types.aliases, *(spelt for t in types.valid for spelt in (t.upper(), t + "x"))]
    return [probe for probe in dict.fromkeys(probes) if probe not in types.valid]


def _refuses(connection: Connection, table: Table, column: str, stored: str | None, conditions: Sequence[str]) -> bool:
    """Whether some condition is false for a row of which nothing is known but its type."""
    return any(_is_false(connection, table, column, stored, condition) for condition in conditions)


def _is_false(connection: Connection, table: Table, column: str, stored: str | None, condition: str) -> bool:
    values = [
        (
            _collated(stored, getattr(c.type, "collation", None))
            if c.name == column and stored is not None
            else _nothing(c.type)
        ).label(c.name)
        for c in table.columns
    ]
    row = select(*values).subquery(table.name)
    escaped = condition.replace(":", r"\:")
    question = select(text(f"CASE WHEN NOT ({escaped}\n) THEN 1 ELSE 0 END")).select_from(row)
    with connection.begin_nested() as attempt:
        try:
            return bool(connection.scalar(question))
        except SQLAlchemyError:  # a condition that cannot be asked outside of its table refuses nothing here
            attempt.rollback()
            return False


def _nothing(column_type: Any) -> Any:
    return null() if isinstance(column_type, NullType) else cast(null(), column_type)
