"""``databases(metadata)``: whole databases whose rows fit together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from pytest_dealsnap.deals.columns import ForeignKeyFacts, TableFacts, read_metadata
from pytest_dealsnap.errors import ConfigError, did_you_mean
from pytest_dealsnap.testing.row_strategy import Draw, Row, RowPlan, Taken, draw_row, in_order, point
from pytest_dealsnap.testing.rows import as_strategies, table_name, warn_of_unkept, warn_of_unread

__all__ = ["Database", "databases"]


@dataclass(frozen=True, slots=True)
class Database:
    """Rows by table name, parents before children."""

    rows: Mapping[str, Sequence[Row]]
    metadata: Any = field(default=None, repr=False, compare=False)
    late: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False, compare=False)

    def __getitem__(self, table: Any) -> Sequence[Row]:
        """Return the rows of *table*, by its name, Table or declarative class."""
        return self.rows[table_name(table)]

    def insert_into(self, target: Any) -> None:
        """Insert all rows into *target*: an Engine (in one transaction), a Connection, or a Session.

        The tables must be there, as ``metadata.create_all(engine)`` makes them.
        """
        from pytest_dealsnap.deals.row_filling import insert_rows

        insert_rows(target, self.metadata, self.rows, self.late)


def databases(
    metadata: Any,
    /,
    *,
    max_rows: int | Mapping[str, int] = 5,
    rows: Mapping[Any, Mapping[str, Any]] | None = None,
) -> st.SearchStrategy[Database]:
    """Whole databases of *metadata*, a SQLAlchemy ``MetaData`` or declarative base.

    Every row is one that its table takes, and all together keep every foreign key (also composite ones, to
    the table itself, and in circles) and every unique key. Each table has up to *max_rows* rows, or as many as
    *max_rows* says by table name. *rows* gives strategies or values by table and column, such as
    ``{"deals": {"deal_type": deal_types()}}``.

    A database is put into a real one by ``database.insert_into(engine)``.
    """
    facts = read_metadata(metadata)
    given = {table_name(table): columns for table, columns in (rows or {}).items()}
    limits = dict(max_rows) if isinstance(max_rows, Mapping) else dict.fromkeys(facts, max_rows)
    for name in (*given, *limits):
        if name not in facts:
            raise ConfigError(f"no table {name!r}.{did_you_mean(name, facts)} There are: {', '.join(facts)}")
    plans = {}
    for name in facts:
        strategies = as_strategies(facts[name], given.get(name, {}))
        warn_of_unread(facts[name], strategies)
        warn_of_unkept(facts[name])
        plans[name] = RowPlan.of(facts[name], strategies, with_identities=True)
    order, late = _order(facts)
    late = {
        name: [key for key in keys if not plans[name].given.keys() >= set(key.columns)] for name, keys in late.items()
    }

    late_columns = {
        name: tuple(dict.fromkeys(column for key in keys for column in key.columns))
        for name, keys in late.items()
        if keys
    }

    @st.composite
    def database(draw: Draw) -> Database:
        made: dict[str, list[Row]] = {name: [] for name in order}
        for name in order:
            taken = Taken(facts[name].unique)
            _fill(draw, plans[name], made, late[name], taken, limits.get(name, 5))
        for name in order:
            _point_late(draw, plans[name], made, late[name])
        _prune(facts, made)
        for name in order:
            made[name] = [in_order(facts[name], row) for row in made[name]]
        return Database(made, metadata, late_columns)

    return database()


def _order(facts: Mapping[str, TableFacts]) -> tuple[list[str], dict[str, list[ForeignKeyFacts]]]:
    """Return the tables, parents first, and the foreign keys that point to a later one, as circles have them."""
    order: list[str] = []
    left = dict(facts)
    while left:
        free = [name for name in left if not _waits_for(left[name], left, optional=True)]
        # In a circle: first one whose keys to the others may be empty, or be checked at the end.
        free = free or [name for name in left if not _waits_for(left[name], left, optional=False)][:1]
        for name in free or list(left)[:1]:
            order.append(name)
            del left[name]
    late = {
        name: [key for key in facts[name].foreign_keys if key.target in order[position + 1 :]]
        for position, name in enumerate(order)
    }
    return order, late


def _waits_for(facts: TableFacts, left: Mapping[str, TableFacts], *, optional: bool) -> bool:
    keys = [key for key in facts.foreign_keys if key.target in left and key.target != facts.name]
    return any(optional or not (_may_be_null(facts, key) or key.deferrable) for key in keys)


def _may_be_null(facts: TableFacts, key: ForeignKeyFacts) -> bool:
    return any(facts.column(column).nullable for column in key.columns)


def _fill(
    draw: Draw,
    plan: RowPlan,
    made: Mapping[str, list[Row]],
    late: Sequence[ForeignKeyFacts],
    taken: Taken,
    most: int,
) -> None:
    """Draw the rows of one table, each of which points to rows made before it."""
    facts, rows = plan.facts, made[plan.facts.name]
    stuck = [key for key in late if not _may_be_null(facts, key) and not key.deferrable]
    links = [
        (key, made.get(key.target, []))
        for key in facts.foreign_keys
        if key not in late and not plan.given.keys() >= set(key.columns)
    ]
    if stuck or any(not found and not _may_be_null(facts, key) for key, found in links if key.target != facts.name):
        return
    number = _Numbers(plan, links)
    waiting = {column for key in late for column in key.columns}
    part = _without(plan, waiting)

    def draw_one(draw_part: Draw) -> Row | None:
        return draw_row(draw_part, part, fixed=lambda: number.next(draw_part), links=links, taken=taken)

    step = _maybe(draw_one)
    for _ in range(draw(st.integers(0, most))):
        row = draw(step)
        if row is not None:
            taken.add(row)
            rows.append(row)


def _without(plan: RowPlan, columns: set[str]) -> RowPlan:
    if not columns:
        return plan
    kept = tuple(column for column in plan.columns if column.key not in columns)
    return replace(plan, columns=kept)


class _Numbers:
    """Numbers the rows of a table whose key counts: rising, mostly by one."""

    def __init__(self, plan: RowPlan, links: Sequence[tuple[ForeignKeyFacts, Any]]) -> None:
        pointing = {column for key, _ in links for column in key.columns}
        key = plan.facts.primary_key
        counted = [
            column
            for column in plan.columns
            if key == (column.key,) and column.counted and column.key not in plan.given and column.key not in pointing
        ]
        self._key = counted[0].key if counted else None
        self._last = 0

    def next(self, draw: Draw) -> Row:
        if self._key is None:
            return {}
        self._last += draw(_GAPS)
        return {self._key: self._last}


@st.composite
def _maybe(draw: Draw, draw_one: Callable[[Draw], Row | None]) -> Row | None:
    """A row or none: each is taken out by itself, and what is drawn after it stays as it is."""
    return draw_one(draw) if draw(_THERE) else None


_THERE = st.integers(0, 3).map(bool)
_GAPS = st.just(1) | st.integers(1, 50)


def _point_late(draw: Draw, plan: RowPlan, made: Mapping[str, list[Row]], late: Sequence[ForeignKeyFacts]) -> None:
    """Let rows point to rows of later tables, now that those are there."""
    if not late:
        return
    taken = Taken(plan.facts.unique)
    kept = []
    for row in made[plan.facts.name]:
        fits = all(point(draw, plan, row, key, made[key.target], None) for key in late)
        if fits and plan.facts.primary_key and taken.admits(row):
            taken.add(row)
            kept.append(row)
    made[plan.facts.name][:] = kept


def _prune(facts: Mapping[str, TableFacts], made: Mapping[str, list[Row]]) -> None:
    """Take out rows that point to rows which were taken out."""
    changed = True
    while changed:
        changed = False
        for name, rows in made.items():
            kept = [row for row in rows if all(_points(row, key, made) for key in facts[name].foreign_keys)]
            changed = changed or len(kept) < len(rows)
            rows[:] = kept


def _points(row: Row, key: ForeignKeyFacts, made: Mapping[str, list[Row]]) -> bool:
    values = [row.get(column) for column in key.columns]
    if None in values or key.target not in made:
        return True
    return any([target.get(column) for column in key.target_columns] == values for target in made[key.target])
