"""One state of the scratch copy: its schema, its rows as digests, and the stored type of every deal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, column, create_engine, select, table
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from pytest_dealsnap.config import DealsConfig
from pytest_dealsnap.deals.deal import id_text
from pytest_dealsnap.deals.dialects import unprepared
from pytest_dealsnap.deals.source import stored_text
from pytest_dealsnap.deals.table_names import place_of
from pytest_dealsnap.rehearsal.row_digests import RowDigests
from pytest_dealsnap.rehearsal.schema import Schema, read_schema

__all__ = ["State", "connected"]


@dataclass(frozen=True, slots=True)
class State:
    """What the database was at one moment; ``keys`` are the deals' ids as the database gives them."""

    schema: Schema
    rows: RowDigests
    types: Mapping[str, str | None]
    keys: Mapping[str, Any]

    @classmethod
    def take(cls, url: str, deals: DealsConfig, path: Path, *, since: State | None = None) -> State:
        """Read the state of the database at *url*; digests go into a new file at *path*.

        *since* is an earlier state, whose rows are to be told apart in the same way.
        """
        with connected(url) as connection:
            schema = read_schema(connection)
            types, keys = _deals(connection, deals)
            own = dict(since.rows.keys) if since is not None else _keys_without_primary(schema, deals, types, keys)
            rows = RowDigests.take(connection, schema, path, own)
        return cls(schema, rows, types, keys)


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """Connect to the scratch copy for one piece of work; what is not committed is rolled back."""
    engine = create_engine(url, poolclass=NullPool, connect_args=unprepared(make_url(url)))
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _deals(connection: Connection, deals: DealsConfig) -> tuple[dict[str, str | None], dict[str, Any]]:
    """Return type and key of every row of the deals table, also of those that ``deals.where`` leaves out."""
    if deals.source is not None:
        return {}, {}
    schema, name = place_of(deals.table)
    names = [deals.id, deals.type] if deals.type else [deals.id]
    source = table(name, *map(column, names), schema=schema)
    types: dict[str, str | None] = {}
    keys: dict[str, Any] = {}
    try:
        for key, *rest in connection.execute(select(*source.columns).execution_options(yield_per=1_000)):
            if key is not None:
                deal_id = _shown(key)
                types[deal_id], keys[deal_id] = stored_text(rest[0]) if rest else None, key
    except SQLAlchemyError:  # the upgrade took table or column away: the rows say so
        connection.rollback()
        return {}, {}
    return types, keys


def _keys_without_primary(
    schema: Schema, deals: DealsConfig, types: Mapping[str, str | None], keys: Mapping[str, Any]
) -> dict[str, tuple[str, ...]]:
    """Return the id as the key of a deals table that has no primary key."""
    shape = schema.tables.get(deals.table)
    return {deals.table: (deals.id,)} if shape is not None and not shape.key and keys else {}


def _shown(key: Any) -> str:
    """Return the id's text, also of one that the gate would refuse."""
    try:
        return id_text(key)
    except TypeError:
        return str(key)
