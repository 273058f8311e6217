"""Deals from any database that SQLAlchemy speaks to, strictly read-only.

While collecting, only ids and types are read; a deal's name when its test runs; its other columns
when somebody asks for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    Enum,
    Integer,
    Numeric,
    Row,
    Select,
    String,
    Table,
    bindparam,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import NoSuchTableError, SQLAlchemyError

from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.as_stored import reflect_table
from pytest_dealsnap.deals.constraints import reflect_type_constraints
from pytest_dealsnap.deals.deal import Deal, DealRef, LazyFields, StoredRow
from pytest_dealsnap.deals.exact_values import Undecodable, exact_column, undecoded
from pytest_dealsnap.deals.keys import keys_of
from pytest_dealsnap.deals.source import columns_of, make_ref, stored_text, unique_refs
from pytest_dealsnap.deals.source_connection import SourceConnection
from pytest_dealsnap.deals.table_errors import gone, has_schema, how_retyped, no_column, no_table
from pytest_dealsnap.deals.table_names import place_of
from pytest_dealsnap.deals.type_audit import TypeConstraints
from pytest_dealsnap.deals.types import DealTypes
from pytest_dealsnap.deals.whole_rows import WholeRows
from pytest_dealsnap.errors import DealNotFoundError, SourceAwayError, SourceError

__all__ = ["SQLSource"]

IDS_PER_QUERY = 500
ROWS_AT_A_TIME = 1_000
# What deals can share: short texts, whole numbers, dates, truth values.
_SHARABLE = (String, Numeric, Integer, Boolean, Date, DateTime)
MOST_SHARED = 60
CUT_TEXTS = 100


class SQLSource:
    """The deals of one table or view."""

    def __init__(self, config: Config, *, database: str) -> None:
        self._config = config
        self._deals = config.deals
        self._types = DealTypes.of(config.deals)
        self._link = SourceConnection(config, database=database, probe=self._one_id)

    @property
    def description(self) -> str:
        return self._link.description

    @cached_property
    def facts(self) -> Mapping[str, str | None]:
        return {"dialect": self._link.engine.dialect.name, "alembic_revision": self._alembic_revision()}

    def _one_id(self) -> Select[Any]:
        return select(self._table.columns[self._deals.id]).limit(1)

    @cached_property
    def _table(self) -> Table:
        """The reflected deals table, with every configured column checked to be there."""
        schema, name = place_of(self._deals.table)
        columns = columns_of(self._deals).values()
        with self._link.asking() as connection:
            try:
                if schema and not has_schema(connection, schema):
                    raise NoSuchTableError(schema)
                table = reflect_table(connection, name, schema=schema, as_stored=columns)
            except NoSuchTableError:
                raise SourceError(no_table(connection, self._deals.table, self.description)) from None
        for role, column in columns_of(self._deals).items():
            if column not in table.columns:
                raise SourceError(no_column(table, self._deals.table, role, column))
        self._check_identity(table)
        return table

    def _check_identity(self, table: Table) -> None:
        """Refuse a column that is one part of a composite key: it does not identify a deal alone."""
        key = [column.name for column in table.primary_key.columns]
        if len(key) > 1 and self._deals.id in key and not self._is_unique(table.name, table.schema):
            raise SourceError(
                f'table "{self._deals.table}" has the composite key ({", ".join(key)}); "{self._deals.id}" (deals.id) '
                "does not identify a deal alone. Name a column that does, or a view that has one, "
                "or give the deals by deals.source"
            )

    def _is_unique(self, name: str, schema: str | None) -> bool:
        with self._link.asking() as connection:
            inspector = inspect(connection)
            groups: list[Any] = [c["column_names"] for c in inspector.get_unique_constraints(name, schema=schema)]
            groups += [i["column_names"] for i in inspector.get_indexes(name, schema=schema) if i["unique"]]
        return [self._deals.id] in groups

    def refs(self, ids: Sequence[str] | None = None) -> list[DealRef]:
        """Return a reference to every deal, or to those with one of *ids*; two columns are read of each."""
        self._link.count_changes()
        rows = self._rows(ids)
        where = f'table "{self._deals.table}"'
        self._check_ids(rows)
        return unique_refs(make_ref(key, stored, self._types, where) for key, stored in rows)

    def _rows(self, ids: Sequence[str] | None) -> list[tuple[Any, Any]]:
        statement = self._selection("id", "type")
        column = self._table.columns[self._deals.id]
        if ids is None:
            return [self._pair(row) for row in self._link.all_of(statement)]
        keys = [key for deal_id in ids for key in keys_of(deal_id, column.type)]
        found: list[tuple[Any, Any]] = []
        for start in range(0, len(keys), IDS_PER_QUERY):
            part = statement.where(column.in_(keys[start : start + IDS_PER_QUERY]))
            found += map(self._pair, self._link.all_of(part))
        asked = {deal_id.rstrip() for deal_id in ids}  # a CHAR is filled up with blanks
        # A column that folds case finds other texts, too.
        return [pair for pair in found if not isinstance(pair[0], str) or pair[0].rstrip() in asked]

    @staticmethod
    def _pair(row: Sequence[Any]) -> tuple[Any, Any]:
        return row[0], row[1] if len(row) > 1 else None

    def _check_ids(self, rows: list[tuple[Any, Any]]) -> None:
        nameless = sum(key is None for key, _ in rows)
        if nameless:
            raise SourceError(
                f'{nameless} of {len(rows)} rows of table "{self._deals.table}" have no id: "{self._deals.id}" '
                f"(deals.id) is NULL. Give them one, or leave them out with deals.where = "
                f'"{self._deals.id} IS NOT NULL"'
            )

    def _selection(self, *roles: str) -> Select[Any]:
        """Return the SELECT of the configured columns in *roles*, under ``deals.where``."""
        columns = [self._read_as(role, name) for role, name in columns_of(self._deals).items() if role in roles]
        return self._under_where(select(*columns))

    def _read_as(self, role: str, name: str) -> ColumnElement[Any]:
        """Return a column as it is read; the id as its type says, by which it is looked for again."""
        column = self._table.columns[name]
        return column if role == "id" else exact_column(column, self._link.engine.dialect)

    def _under_where(self, statement: Select[Any]) -> Select[Any]:
        return statement if self._where is None else statement.where(text(self._where))

    @cached_property
    def _where(self) -> str | None:
        if not self._deals.where.strip():
            return None
        condition = self._deals.where.replace(":", r"\:")  # else ":x" in a literal would be a bind parameter
        return f"({condition}\n)"  # on a line of its own: it may end in a comment

    def stored_rows(self) -> Iterator[StoredRow]:
        """Yield every row, whether ``deals.where`` selects it or not, through a cursor of the server's."""
        roles = columns_of(self._deals)
        columns = [self._read_as(role, name).label(f"dealsnap_{role}") for role, name in roles.items()]
        is_deal = "1" if self._where is None else f"CASE WHEN {self._where} THEN 1 ELSE 0 END"
        statement = select(text(is_deal), *columns).select_from(self._table)
        named, typed = bool(self._deals.name), bool(self._deals.type)
        with (
            self._link.asking() as connection,
            connection.execute(statement.execution_options(yield_per=ROWS_AT_A_TIME)) as rows,
        ):
            for selected, key, *rest in rows:
                name = rest[0] if named else None
                stored = stored_text(rest[-1]) if typed else None
                yield StoredRow(key, None if name is None else str(name), stored, bool(selected))

    @property
    def ids_unique(self) -> bool:
        key = [column.name for column in self._table.primary_key.columns]
        return key == [self._deals.id] or self._is_unique(self._table.name, self._table.schema)

    def type_constraints(self) -> TypeConstraints | None:
        table = self._table
        with self._link.asking() as connection:
            return reflect_type_constraints(connection, table, self._deals.type, self._types)

    @cached_property
    def _by_ids(self) -> Select[Any]:
        column = self._table.columns[self._deals.id]
        return self._selection("id", "name", "type").where(
            column.in_(bindparam("keys", expanding=True, type_=column.type))
        )

    def fetch(self, ref: DealRef) -> Deal:
        """Read the deal's name now; its other columns follow when they are asked for."""
        deal = self.fetch_many([ref])[0]
        if isinstance(deal, DealNotFoundError):
            raise deal
        return deal

    def fetch_many(self, refs: Sequence[DealRef]) -> list[Deal | DealNotFoundError]:
        """Read many deals by one question; an error stands for one that has gone or changed its type."""
        keys = [ref.key for ref in refs]
        try:
            rows: Sequence[Any] = self._link.ask(
                lambda connection: connection.execute(self._by_ids, {"keys": keys}).all()
            )
        except SourceError as error:
            if isinstance(error, SourceAwayError) or not self._deals.name:
                raise
            rows = self._undecoded_names(keys)
        by_key = {row[0]: row for row in rows}
        return [self._deal(ref, by_key.get(ref.key)) for ref in refs]

    def _undecoded_names(self, keys: Sequence[Any]) -> Sequence[tuple[Any, ...]]:
        """Return ids, names as bytes, and types: a name that cannot be decoded hides those of other deals, too."""
        column, name = self._table.columns[self._deals.id], self._table.columns[self._deals.name]
        types = [self._table.columns[self._deals.type]] if self._deals.type else []
        question = select(column, undecoded(name, self._link.engine.dialect), *types).where(column.in_(keys))
        rows = self._link.ask(lambda connection: connection.execute(self._under_where(question)).all())
        return [(key, None if found is None else Undecodable(found), *rest) for key, found, *rest in rows]

    def _deal(self, ref: DealRef, row: Sequence[Any] | None) -> Deal | DealNotFoundError:
        moved = self._how_moved(ref, row)
        if moved is not None or row is None:
            return moved or gone(ref)
        name = tuple(row)[1] if self._deals.name else None
        fields = LazyFields(lambda: self._fields(ref))
        return Deal(ref.key, None if name is None else str(name), ref.deal_type, ref.stored_type, fields)

    def _how_moved(self, ref: DealRef, row: Sequence[Any] | None) -> DealNotFoundError | None:
        """Return how *row*, of ``_by_ids``, is not the deal any more that the list of deals had."""
        if row is None:
            return gone(ref)
        return how_retyped(ref, stored_text(row[-1]) if self._deals.type else None)

    def moved(self, ref: DealRef) -> DealNotFoundError | None:
        if self._link.is_as_listed():
            return None

        def question(connection: Connection) -> Row[Any] | None:
            return connection.execute(self._by_ids, {"keys": [ref.key]}).first()

        if not self._link.is_frozen:
            return self._how_moved(ref, self._link.ask(question))
        try:
            with self._link.now() as now:  # apart from the state that the other reads see
                return self._how_moved(ref, question(now))
        except SQLAlchemyError:
            return None  # what cannot be asked keeps the finding that is there

    def freeze(self) -> None:
        self._link.freeze(self._deals.snapshot_seconds)

    @property
    def shared_state(self) -> str | None:
        return None if self._link.frozen is None else self._link.frozen.shared

    def follow(self, shared: str | None) -> None:
        self._link.follow(self._deals.snapshot_seconds, shared)

    @cached_property
    def _whole_rows(self) -> WholeRows:
        columns = {column.name: exact_column(column, self._link.engine.dialect) for column in self._table.columns}
        return WholeRows(columns, self._mappings)

    def _mappings(self, statement: Select[Any]) -> Sequence[Mapping[str, Any]]:
        return self._link.ask(lambda connection: connection.execute(statement).mappings().all())  # type: ignore[arg-type,return-value]  # they are mappings

    def _fields(self, ref: DealRef) -> dict[str, Any]:
        key = self._table.columns[self._deals.id]
        is_asked = key == bindparam("key", ref.key, type_=key.type)
        rows = self._whole_rows.read(lambda columns: self._under_where(select(*columns)).where(is_asked), key.name)
        # A column that folds case finds another deal, too.
        row = next((row for row in rows if row[self._deals.id] == ref.key), None)
        if row is None:
            raise gone(ref)
        retyped = how_retyped(ref, stored_text(row[self._deals.type]) if self._deals.type else None)
        if retyped is not None:
            raise retyped
        return row

    def fields_of(self, refs: Sequence[DealRef]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Read many rows by one question; of a text only as much as tells that it is too long to be shared."""
        names = {ref.key: ref.id for ref in refs}
        column = self._table.columns[self._deals.id]
        statement = select(column, *self._sharable).where(column.in_(list(names)))
        rows = self._link.all_of(self._under_where(statement))
        for row in rows:
            if row[0] in names:
                yield names[row[0]], dict(zip(self._shared_names, row[1:], strict=True))

    @cached_property
    def _shared_names(self) -> list[str]:
        own = set(columns_of(self._deals).values())
        return [c.name for c in self._table.columns if c.name not in own and isinstance(c.type, _SHARABLE)][
            :MOST_SHARED
        ]

    @property
    def _sharable(self) -> list[ColumnElement[Any]]:
        dialect = self._link.engine.dialect
        columns = [exact_column(self._table.columns[name], dialect) for name in self._shared_names]
        # An enumeration of PostgreSQL's is no text that it would cut.
        return [
            func.substr(c, 1, CUT_TEXTS) if isinstance(c.type, String) and not isinstance(c.type, Enum) else c
            for c in columns
        ]

    def _alembic_revision(self) -> str | None:
        def revisions(connection: Connection) -> Sequence[Any]:
            if not inspect(connection).has_table("alembic_version"):
                return ()
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()

        return ", ".join(sorted(map(str, self._link.ask(revisions)))) or None

    def close(self) -> None:
        """Let go of the state that was kept, and of the connection."""
        self._link.close()
