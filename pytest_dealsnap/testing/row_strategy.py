"""Drawing one row that its table takes: column by column, each inside what the constraints still leave."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from pytest_dealsnap.deals.check_constraints import Bound, Check, Limits, limits_of
from pytest_dealsnap.deals.columns import ColumnFacts, ForeignKeyFacts, TableFacts, UniqueFacts
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.testing.value_strategies import Strategy, values_within

__all__ = ["Draw", "Row", "RowPlan", "Taken", "draw_row", "in_order", "point"]

Row = dict[str, Any]
Draw = Callable[[Strategy], Any]
# A row, or a value of one, is tried so often before it is given up.
ATTEMPTS = 5
_LEFT_OUT: Any = object()


@dataclass(frozen=True, slots=True)
class RowPlan:
    """How rows of a table are made: the columns that are drawn, in order, and the strategies that were given.

    ``alone`` are the limits of columns, by name, that do not depend on other columns.
    """

    facts: TableFacts
    given: Mapping[str, Strategy]
    columns: tuple[ColumnFacts, ...]
    checks: tuple[Check, ...]
    alone: Mapping[str, Limits]
    strategies: dict[tuple[str, Limits], Strategy] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, facts: TableFacts, given: Mapping[str, Strategy], *, with_identities: bool = False) -> RowPlan:
        """Return the plan for *facts*: keys first, so that a row can point to itself.

        A check over given columns alone is not enforced: who gives their values, decides.
        """
        drawn = [
            column
            for column in facts.columns
            if not column.generated and (with_identities or not column.always_identity or column.key in given)
        ]
        drawn.sort(key=lambda column: (column.key not in facts.primary_key, column.key not in given))
        names = {column.name for column in facts.columns if column.key in given}
        checks = tuple(check for check in facts.checks if not check.columns <= names)
        alone = {
            column.name: limits_of(checks, column.name, {})
            for column in drawn
            if all(check.columns == {column.name} for check in checks if column.name in check.columns)
        }
        return cls(facts, given, tuple(drawn), checks, alone)

    def visible(self, row: Row) -> dict[str, Any]:
        """Return *row* as the conditions of the database see it: by column names, as it is stored."""
        return {c.name: c.kind.in_database(row[c.key]) for c in self.facts.columns if c.key in row}

    def allows(self, row: Row) -> bool:
        """Whether no check refuses *row*, of those whose columns it has."""
        seen = self.visible(row)
        return all(check.allows(seen) for check in self.checks if check.columns <= seen.keys())


class Taken:
    """The keys that rows of a table have already, for each of its unique constraints."""

    def __init__(self, unique: Iterable[UniqueFacts]) -> None:
        self._seen: dict[UniqueFacts, set[tuple[Any, ...]]] = {one: set() for one in unique}

    def admits(self, row: Row) -> bool:
        """Whether no row has one of *row*'s keys, of those whose columns *row* has."""
        return all(key not in seen for seen, key in self._keys(row))

    def add(self, row: Row) -> None:
        """Take the keys of *row*."""
        for seen, key in self._keys(row):
            seen.add(key)

    def _keys(self, row: Row) -> Iterable[tuple[set[tuple[Any, ...]], tuple[Any, ...]]]:
        for one, seen in self._seen.items():
            if all(column in row for column in one.columns):
                key = tuple(_normal(row[column]) for column in one.columns)
                if one.nulls_alike or None not in key:
                    yield seen, key


def _normal(value: Any) -> Any:
    """Return what two values must not share: also a database that folds case, or rounds, tells them apart."""
    if isinstance(value, str):
        return unicodedata.normalize("NFKD", value).casefold().strip()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, (dict, list)):
        return repr(value)
    return value


def draw_row(
    draw: Draw,
    plan: RowPlan,
    *,
    fixed: Callable[[], Row],
    links: Sequence[tuple[ForeignKeyFacts, Sequence[Row]]] = (),
    taken: Taken | None = None,
) -> Row | None:
    """Return one row, or ``None`` where none was found.

    *fixed* makes the values that are there from the start; each foreign key of *links* gets one of its
    rows to point to.
    """
    for _ in range(ATTEMPTS):
        row = _attempt(draw, plan, fixed(), links, taken)
        if row is not None and (taken is None or taken.admits(row)):
            return row
    return None


def _attempt(
    draw: Draw,
    plan: RowPlan,
    row: Row,
    links: Sequence[tuple[ForeignKeyFacts, Sequence[Row]]],
    taken: Taken | None,
) -> Row | None:
    for key, strategy in plan.given.items():
        row.setdefault(key, draw(strategy))
    own = [link for link in links if link[0].target == plan.facts.name]
    for foreign_key, targets in links:
        if (foreign_key, targets) not in own and not point(draw, plan, row, foreign_key, targets, taken):
            return None
    # The row itself is among the rows that it may point to, so that what it points by comes last.
    last = {column for foreign_key, _ in own for column in foreign_key.columns}.difference(plan.facts.primary_key)
    for column in plan.columns:
        if column.key in row or column.key in last:
            continue
        value = _one_value(draw, plan, column, row)
        if value is _NOTHING:
            return None
        if value is not _LEFT_OUT:
            row[column.key] = value
    for foreign_key, targets in own:
        if not point(draw, plan, row, foreign_key, [*targets, row], taken):
            return None
    return in_order(plan.facts, row) if plan.allows(row) else None


def in_order(facts: TableFacts, row: Row) -> Row:
    """Return *row* with its columns in the table's order."""
    return {column.key: row[column.key] for column in facts.columns if column.key in row}


_NOTHING: Any = object()


def _one_value(draw: Draw, plan: RowPlan, column: ColumnFacts, row: Row) -> Any:
    """Draw a value for *column* beside those that *row* has."""
    limits = plan.alone.get(column.name)
    if limits is None:  # it depends on other columns
        limits = limits_of(plan.checks, column.name, plan.visible(row))
    strategy = _strategy(plan, column, limits)
    if strategy is None:
        return _LEFT_OUT if column.kind.name == "unknown" else _NOTHING
    concerned = [check for check in plan.checks if column.name in check.columns]
    if not concerned:
        return draw(strategy)
    seen = plan.visible(row)
    for _ in range(ATTEMPTS):
        value = draw(strategy)
        seen[column.name] = column.kind.in_database(value)
        if all(check.allows(seen) for check in concerned if check.columns <= seen.keys()):
            return value
    return _NOTHING


def _strategy(plan: RowPlan, column: ColumnFacts, limits: Limits) -> Strategy | None:
    """Return the values of *column*: its default first, which is what it shrinks to, then NULL, then any."""
    found = plan.strategies.get((column.key, limits))
    if found is not None:
        return found
    if column.counted:
        limits = replace(limits, low=(*limits.low, Bound(1)))
    values = values_within(column.kind, limits)
    options = [values] if values is not None else []
    if values is not None and limits.choices is None and not (limits.patterns or limits.searches):
        options += _likely_values(plan, column)
    null = column.nullable and limits.null and column.key not in plan.facts.primary_key
    if null:
        options.insert(0, st.none())
    if column.has_default and (limits.choices is None or column.default in limits.choices):
        options.insert(0, st.just(column.default))
    if not options:
        if column.kind.name == "unknown" and not column.optional:
            raise ConfigError(
                f"{plan.facts.name}.{column.key} is of type {column.kind.type_name}, of which no values are known: "
                f"give a strategy for it, as rows(…, {column.key}=…) does"
            )
        return None
    plan.strategies[column.key, limits] = strategy = st.one_of(options)
    return strategy


def _likely_values(plan: RowPlan, column: ColumnFacts) -> list[Strategy]:
    """Return the values that the column's checks are written with: conditions of any form are met by some."""
    written = [value for check in plan.checks if column.name in check.columns for value in check.literals]
    likely = values_within(column.kind, Limits(choices=tuple(dict.fromkeys(written)))) if written else None
    return [likely] if likely is not None else []


def point(
    draw: Draw,
    plan: RowPlan,
    row: Row,
    foreign_key: ForeignKeyFacts,
    targets: Sequence[Row],
    taken: Taken | None,
) -> bool:
    """Make *row* point to one of *targets*, or to none where it may; whether it could be done."""
    options: list[Row] = []
    if (unset := _nulled(plan, row, foreign_key)) is not None:
        options.append(unset)
    for target in targets:
        values = dict(zip(foreign_key.columns, (target.get(key) for key in foreign_key.target_columns), strict=True))
        clashes = any(key in row and row[key] != value for key, value in values.items())
        if None not in values.values() and not clashes:
            options.append(values)
    possible = [option for option in options if _possible(plan, {**row, **option}, taken)]
    if not possible:
        return False
    row.update(draw(st.sampled_from(possible)))
    return True


def _nulled(plan: RowPlan, row: Row, foreign_key: ForeignKeyFacts) -> Row | None:
    """Return the values by which *foreign_key* points nowhere; ``None`` where it must point somewhere."""
    if any(row.get(key, 0) is None for key in foreign_key.columns):
        return {}
    free = [key for key in foreign_key.columns if key not in row and plan.facts.column(key).nullable]
    free = [key for key in free if key not in plan.facts.primary_key]
    return dict.fromkeys(free) if free else None


def _possible(plan: RowPlan, row: Row, taken: Taken | None) -> bool:
    return plan.allows(row) and (taken is None or taken.admits(row))
