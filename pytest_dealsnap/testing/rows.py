"""``rows(table)``: rows that any SQLAlchemy table takes."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import reject
from hypothesis import strategies as st

from pytest_dealsnap.deals.columns import ForeignKeyFacts, TableFacts, read_table
from pytest_dealsnap.errors import ConfigError, did_you_mean
from pytest_dealsnap.testing.row_strategy import Draw, Row, RowPlan, draw_row
from pytest_dealsnap.testing.value_strategies import Strategy

__all__ = ["UnreadCheckWarning", "as_strategies", "rows", "table_name", "warn_of_unkept", "warn_of_unread"]


class UnreadCheckWarning(UserWarning):
    """A CHECK constraint or a unique index is not understood, so that rows are drawn without it."""


def rows(
    table: Any, /, *, parents: Mapping[Any, Sequence[Mapping[str, Any]]] | None = None, **columns: Any
) -> st.SearchStrategy[Row]:
    """Rows of *table*, a SQLAlchemy ``Table`` or declarative class, as dictionaries by column key.

    Each is one that the database takes: types and their sizes, nullability, lengths, enumerations, CHECK
    constraints, keys that are numbers. Computed columns and identities that are always generated are left
    out. Rows shrink to defaults, NULLs and the simplest values.

    A column given by name (``deal_type=deal_types()``, ``status="active"``) has that strategy's values, or
    that value. A foreign key points to one of *parents* (rows by table, such as ``{"deals": [{"id": 1}]}``);
    without them it is NULL where it may be, else any key. Whole databases are made by :func:`databases`.

    >>> rows(Deal, deal_type=deal_types())  # doctest: +SKIP
    """
    facts = read_table(table)
    given = as_strategies(facts, columns)
    warn_of_unread(facts, given)
    plan = RowPlan.of(facts, given)
    by_table = {table_name(key): [dict(row) for row in found] for key, found in (parents or {}).items()}
    links = [(key, by_table.get(key.target, [])) for key in facts.foreign_keys if not given.keys() >= set(key.columns)]
    known = [link for link in links if link[0].target in by_table]
    unset = [_unset(facts, key) for key, _ in links if key.target not in by_table]
    start: Row = {column: None for columns_unset in unset for column in columns_unset if column not in given}

    @st.composite
    def row(draw: Draw) -> Row:
        found = draw_row(draw, plan, fixed=lambda: dict(start), links=known)
        return found if found is not None else reject()

    return row()


def _unset(facts: TableFacts, foreign_key: ForeignKeyFacts) -> list[str]:
    """Return the columns that are NULL so that *foreign_key* points nowhere."""
    key = facts.primary_key
    return [column for column in foreign_key.columns if facts.column(column).nullable and column not in key][:1]


def as_strategies(facts: TableFacts, columns: Mapping[str, Any]) -> dict[str, Strategy]:
    """Return what was given for columns as strategies; raises :class:`ConfigError` for a column there is not."""
    valid = [column.key for column in facts.columns]
    for key in columns:
        if key not in valid:
            hint = did_you_mean(key, valid)
            raise ConfigError(f"table {facts.name} has no column {key!r}.{hint} It has: {', '.join(valid)}")
    return {key: value if isinstance(value, st.SearchStrategy) else st.just(value) for key, value in columns.items()}


def warn_of_unread(facts: TableFacts, given: Mapping[str, Strategy]) -> None:
    """Warn of checks that rows are drawn without, unless a column that they speak of was given."""
    for text, reason in facts.unread:
        words = set(re.findall(r"\w+", text))
        if not words.intersection(given):
            warnings.warn(
                f"table {facts.name}: CHECK ({text}) is not enforced on the rows that are made up: {reason}. "
                "Give a strategy for a column of it",
                UnreadCheckWarning,
                stacklevel=3,
            )


def warn_of_unkept(facts: TableFacts) -> None:
    """Warn of unique indexes over expressions that the rows of a database may break."""
    for index in facts.unkept:
        warnings.warn(
            f"table {facts.name}: the unique index {index} is not kept by the rows that are made up: no column stands "
            "for its expression. Give a strategy for a column of it, and max_rows=1 if that is not enough",
            UnreadCheckWarning,
            stacklevel=3,
        )


def table_name(table: Any) -> str:
    """Return the name of *table*: a name itself, a Table, or a declarative class."""
    return table if isinstance(table, str) else read_table(table).name
