"""What a database says about its deals: the reading behind ``dealsnap init``. Nothing is written."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, inspect, select, text
from sqlalchemy.engine import URL
from sqlalchemy.engine.reflection import ObjectKind
from sqlalchemy.exc import SAWarning, SQLAlchemyError

from pytest_dealsnap.deals.as_stored import reflect_table
from pytest_dealsnap.deals.constraints import reflect_type_constraints
from pytest_dealsnap.deals.database import driver_reason, open_read_only, parse_url, public_url
from pytest_dealsnap.deals.dialects import dialect_of
from pytest_dealsnap.deals.exact_values import read_exactly
from pytest_dealsnap.deals.soft_delete import SoftDelete, count_rows, find_soft_delete
from pytest_dealsnap.deals.source import stored_text
from pytest_dealsnap.deals.table_guess import (
    LEAST_SCORE,
    Candidate,
    ColumnFacts,
    TableFacts,
    candidates,
    clear_winner,
    guess_roles,
)
from pytest_dealsnap.deals.type_words import TypeSuggestion, suggest_types
from pytest_dealsnap.deals.types import DealTypes
from pytest_dealsnap.errors import SourceError, did_you_mean
from pytest_dealsnap.secrets import redact
from pytest_dealsnap.text import printable

__all__ = ["Discovery", "SeveralTablesError", "discover"]

SAMPLE_ROWS = 1_000
SAMPLE_VALUES = 50
MOST_STORED = 200
# Not even looked at: they are the tools', not the user's.
_TOOLS = frozenset({"alembic_version", "django_migrations", "schema_migrations", "sqlite_sequence"})


class SeveralTablesError(SourceError):
    """More than one table may hold the deals; ``names`` are theirs, the likeliest first."""

    def __init__(self, message: str, names: Sequence[str]) -> None:
        super().__init__(message)
        self.names = tuple(names)


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found. ``stored`` counts the rows of each stored type; ``nulls`` those without any.

    ``secret``: the URL holds one, so that it must stay out of every file.
    """

    shown_url: str
    secret: bool
    dialect: str
    chosen: Candidate
    rows: int
    stored: Mapping[str, int] = field(default_factory=dict)
    nulls: int = 0
    suggestion: TypeSuggestion | None = None
    soft_delete: SoftDelete | None = None
    revision: str | None = None
    id_problem: str = ""
    others: tuple[str, ...] = ()

    @property
    def has_alembic(self) -> bool:
        """Whether the database carries Alembic's table."""
        return self.revision is not None


def discover(
    database: str, *, folder: Path, table: str | None = None, place: str = "database", trust: bool = False
) -> Discovery:
    """Look at *database* (relative SQLite paths are relative to *folder*) and say what its deals are.

    *table* names the table where it is known; for *trust* see :func:`open_read_only`. Raises
    :class:`SeveralTablesError` where it is not clear which one it is, :class:`SourceError` where none is
    likely, or the database cannot be read.
    """
    url = parse_url(database, place)
    engine = read_exactly(open_read_only(database, folder=folder, place=place, trust=trust))
    try:
        with _explained(place, url, folder), engine.connect() as connection:
            tables = list(_tables(connection))
            shown = public_url(url)
            if table is not None:
                chosen, others = _named(connection, tables, table, shown), tuple[str, ...]()
            else:
                chosen, others = _likeliest(connection, tables, shown)
            facts = _Facts(connection, chosen)
            secret = shown != url.render_as_string(hide_password=False)
            return facts.discovery(shown_url=shown, secret=secret, others=others)
    finally:
        engine.dispose()


@contextmanager
def _explained(place: str, url: URL, folder: Path) -> Iterator[None]:
    """Turn a driver's error into one of ours, without secrets; a column of an odd type is no cause for alarm."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)
            yield
    except (SQLAlchemyError, ValueError, ArithmeticError) as error:
        advice = dialect_of(url.get_backend_name()).advice(error, url, folder)
        reason = driver_reason(error, url)
        raise SourceError(f"{place}: {public_url(url)} cannot be read: {reason}{redact(advice)}") from None


def _named(connection: Connection, tables: Sequence[TableFacts], name: str, shown: str) -> Candidate:
    names = [table.shown for table in tables]
    for table in tables:
        if table.shown == name:
            return guess_roles(_with_values(connection, table))
    there = ", ".join(sorted(names)[:12]) or "none at all"
    raise SourceError(f'{shown} has no table or view "{name}".{did_you_mean(name, names)} It has: {there}')


def _likeliest(connection: Connection, tables: Sequence[TableFacts], shown: str) -> tuple[Candidate, tuple[str, ...]]:
    """Return the table that the deals are in, and others that came near; values are asked of few tables first."""
    likely = candidates([_with_values(connection, table) for table in tables if guess_roles(table).score > 0])
    if not likely:
        likely = candidates([_with_values(connection, table) for table in tables])
    winner = clear_winner(likely)
    if winner is not None:
        return winner, tuple(one.table.shown for one in likely[1:4])
    if not likely:
        there = ", ".join(sorted(table.shown for table in tables)[:12]) or "none at all"
        raise SourceError(
            f"{shown} has no table that looks like deals. It has: {there}.{_without_id(tables)} "
            "Name the one that holds them (a table or a view): dealsnap init --table NAME"
        )
    names = [one.table.shown for one in likely]
    raise SeveralTablesError(
        f"several tables of {shown} may hold the deals: {', '.join(names[:8])}. "
        f"Name the right one: dealsnap init --table {printable(names[0])}",
        names,
    )


def _without_id(tables: Sequence[TableFacts]) -> str:
    """Return why a table that looks like the deals was not taken."""
    names = [table.shown for table in tables if (one := guess_roles(table)).score >= LEAST_SCORE and not one.id]
    if not names:
        return ""
    return f" In {printable(names[0])}, which reads like them, no single column identifies a row (deals.id)."


def _tables(connection: Connection) -> Iterator[TableFacts]:
    """Yield every table and view of the user's, in the default schema and in the others of the user's."""
    inspector = inspect(connection)
    known = dialect_of(connection.dialect.name)
    schemas: list[str | None] = [None, *known.other_schemas(inspector)]
    for schema in schemas:
        views = known.view_names(inspector, schema)
        columns = inspector.get_multi_columns(schema=schema, kind=ObjectKind.ANY)
        keys = inspector.get_multi_pk_constraint(schema=schema, kind=ObjectKind.ANY)
        unique = inspector.get_multi_unique_constraints(schema=schema, kind=ObjectKind.ANY)
        indexes = inspector.get_multi_indexes(schema=schema, kind=ObjectKind.ANY)
        for place, found in columns.items():
            name = place[1]
            if name in _TOOLS:
                continue
            alone: list[Sequence[Any]] = [one["column_names"] for one in unique.get(place, ())]
            alone += [one["column_names"] for one in indexes.get(place, ()) if one["unique"]]
            yield TableFacts(
                schema=schema,
                name=name,
                columns=tuple(ColumnFacts(one["name"], _kind(one["type"]), bool(one["nullable"])) for one in found),
                is_view=name in views,
                key=tuple(keys[place]["constrained_columns"]) if keys.get(place) else (),
                unique=tuple(str(group[0]) for group in alone if len(group) == 1 and group[0] is not None),
            )


def _kind(column_type: Any) -> Any:
    if getattr(column_type, "enums", None):
        return "enum"
    try:
        python_type = column_type.python_type
    except NotImplementedError:
        return "other"
    kinds = {"str": "text", "bool": "boolean", "int": "number", "float": "number", "Decimal": "number",
             "datetime": "time", "date": "time"}  # fmt: skip
    return kinds.get(python_type.__name__, "other")


def _with_values(connection: Connection, table: TableFacts) -> TableFacts:
    """Return *table* with some values of its text columns, out of its first rows."""
    reflected = reflect_table(connection, table.name, schema=table.schema)
    values = {}
    for column in table.columns:
        if column.kind in ("text", "enum"):
            rows = select(reflected.columns[column.name].label("word")).limit(SAMPLE_ROWS).subquery()
            words = connection.scalars(select(rows.c.word).distinct().limit(SAMPLE_VALUES))
            values[column.name] = frozenset(str(stored_text(word)) for word in words if word is not None)
    return TableFacts(table.schema, table.name, table.columns, table.is_view, table.key, table.unique, values)


class _Facts:
    """Reads what the chosen table holds."""

    def __init__(self, connection: Connection, chosen: Candidate) -> None:
        self._connection = connection
        self._chosen = chosen
        table = chosen.table
        self._table = reflect_table(connection, table.name, schema=table.schema, as_stored=[chosen.type])

    def discovery(self, *, shown_url: str, secret: bool, others: tuple[str, ...]) -> Discovery:
        stored, nulls = self._stored()
        return Discovery(
            shown_url=shown_url,
            secret=secret,
            dialect=self._connection.dialect.name,
            chosen=self._chosen,
            rows=count_rows(self._connection, self._table),
            stored=stored,
            nulls=nulls,
            suggestion=suggest_types(stored, constrained=self._constrained(stored)),
            soft_delete=find_soft_delete(self._connection, self._chosen, self._table),
            revision=self._revision(),
            id_problem=self._id_problem(),
            others=others,
        )

    def _stored(self) -> tuple[dict[str, int], int]:
        if not self._chosen.type:
            return {}, 0
        column = self._table.columns[self._chosen.type]
        rows = self._connection.execute(
            select(column.label("word"), func.count().label("n")).group_by(column).order_by(text("2 DESC"))
            .limit(MOST_STORED)
        ).all()  # fmt: skip
        counts: dict[str, int] = {}
        for word, number in sorted(rows, key=lambda row: (-row[1], str(row[0]))):
            if word is not None:
                counts[str(stored_text(word))] = number
        return counts, sum(number for word, number in rows if word is None)

    def _constrained(self, stored: Mapping[str, int]) -> bool:
        """Whether the database refuses a word that is not a type: then those that it holds are types."""
        if not self._chosen.type or not stored:
            return False
        types = DealTypes(tuple(stored), next(iter(stored)), {})
        found = reflect_type_constraints(self._connection, self._table, self._chosen.type, types)
        return found is not None and bool(found.checks) and "no such type" not in found.accepted

    def _id_problem(self) -> str:
        """Return what is wrong with the id column of a table that does not itself insist on one."""
        name, table = self._chosen.id, self._chosen.table
        if not name:
            return "no column of its own identifies a row"
        if table.key == (name,) or name in table.unique:
            return ""
        column = self._table.columns[name]
        rows, there, distinct = self._connection.execute(
            select(func.count(), func.count(column), func.count(column.distinct())).select_from(self._table)
        ).one()
        if there < rows:
            return f"{rows - there} of {rows} rows have none"
        return f"{rows - distinct} of {rows} rows share theirs with another" if distinct < rows else ""

    def _revision(self) -> str | None:
        if not inspect(self._connection).has_table("alembic_version"):
            return None
        rows = self._connection.scalars(text("SELECT version_num FROM alembic_version")).all()
        return ", ".join(sorted(map(str, rows))) or "none yet"
