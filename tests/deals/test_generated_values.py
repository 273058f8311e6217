"""Generated values of every column type of PostgreSQL and MariaDB, by every driver: the server's, or an error.

Each example fills a few rows and an ordinary one behind them. A value that the driver cannot hand over costs its own
column, by name; the row behind it is whole.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import pymysql
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.deals.sql import SQLSource
from pytest_dealsnap.errors import ColumnError
from tests.deals.conftest import Open
from tests.deals.literals import MARIADB_KINDS, PG_KINDS, Kind, same
from tests.deals.test_exact_values import MARIADB, POSTGRESQL, by

# A value that fails is told with what the server wrote: nothing has to be made smaller.
BOUNDED = settings(max_examples=12, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
PG_TYPES = (
    "CREATE EXTENSION IF NOT EXISTS hstore",
    "CREATE TYPE mood AS ENUM ('calm', 'a,b', 'it''s', '{x}')",
    "CREATE DOMAIN price AS numeric",
    "CREATE TYPE pair AS (n int, t text)",
)
Written = Sequence[Sequence[str | None]]


def rows_of(kinds: Sequence[Kind]) -> st.SearchStrategy[list[tuple[str, ...]]]:
    """Return an empty row, a few rows of literals, and an ordinary one at their end."""
    row = st.tuples(*(kind.literals for kind in kinds))
    empty, ordinary = tuple("NULL" for _ in kinds), tuple(kind.ordinary for kind in kinds)
    return st.lists(row, min_size=1, max_size=2).map(lambda rows: [empty, *rows, ordinary])


def wrong(deal: Deal, kinds: Sequence[Kind], written: Sequence[str | None]) -> list[str]:
    """Return the columns whose value is not what the server wrote, nor an error that names them."""
    lines = []
    for place, (kind, text) in enumerate(zip(kinds, written, strict=True)):
        try:
            found = deal[f"c{place}"]
        except ColumnError as error:
            if f'column "c{place}" of this deal cannot be read' not in str(error) or text is None:
                lines.append(f"{kind.type}: {error}")
            continue
        expected = None if text is None else kind.says(text)
        if not same(found, expected) and not (kind.may_be_text and found == text):
            lines.append(f"{kind.type}: {found!r} ({type(found).__name__}), not {expected!r}; the server: {text!r}")
    return lines


def check(source: SQLSource, kinds: Sequence[Kind], written: Written) -> None:
    """Read all deals by one source, the last of which must be whole."""
    lines = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of columns that cannot be read
        deals = source.fetch_many(source.refs())
        assert len(deals) == len(written)
        for deal, row in zip(deals, written, strict=True):
            assert isinstance(deal, Deal)
            lines += wrong(deal, kinds, row)
        assert isinstance(deal, Deal)
        for place, kind in enumerate(kinds):
            try:
                deal[f"c{place}"]
            except ColumnError as error:
                lines.append(f"{kind.type} of an ordinary deal: {error}")
    assert lines == []


def columns(kinds: Sequence[Kind]) -> str:
    """Return the table's definition."""
    return "id int PRIMARY KEY, " + ", ".join(f"c{place} {kind.type}" for place, kind in enumerate(kinds))


def inserted(rows: Sequence[tuple[str, ...]]) -> str:
    """Return one statement that writes all rows."""
    return "INSERT INTO deals VALUES " + ", ".join(
        f"({number}, {', '.join(row)})" for number, row in enumerate(rows, start=1)
    )


def generated(kinds: Sequence[Kind], write: Callable[[str], Written], source: SQLSource) -> None:
    """Draw rows, write them, and read them."""

    @BOUNDED
    @given(rows=rows_of(kinds))
    def each(rows: list[tuple[str, ...]]) -> None:
        check(source, kinds, write(inserted(rows)))

    each()


@pytest.mark.parametrize("driver", POSTGRESQL)
def test_what_postgresql_stores_reaches_the_deal(postgresql: str, opened: Open, driver: str) -> None:
    """Infinite, before our era, of months, nested, unbounded: as the server writes them."""
    url = make_url(postgresql)
    with psycopg.connect(host=str(url.query["host"]), user=url.username, dbname=url.database, autocommit=True) as owner:
        kinds = PG_KINDS
        for statement in PG_TYPES:
            try:
                owner.execute(statement)
            except psycopg.errors.FeatureNotSupported:  # a server without contrib
                kinds = tuple(kind for kind in kinds if kind.type != "hstore")
        owner.execute(f"CREATE TABLE deals ({columns(kinds)})")

        def write(statement: str) -> Written:
            owner.execute("TRUNCATE deals")
            owner.execute(statement)
            result = owner.execute("SELECT * FROM deals ORDER BY id").pgresult
            assert result is not None
            return [
                [_decoded(result.get_value(row, column)) for column in range(1, result.nfields)]
                for row in range(result.ntuples)
            ]

        generated(kinds, write, opened(by(postgresql, driver), 'name = ""\ntype = ""'))


def _decoded(data: bytes | None) -> str | None:
    return None if data is None else data.decode()


@pytest.mark.parametrize("driver", MARIADB)
def test_what_mariadb_stores_reaches_the_deal(mariadb: str, opened: Open, driver: str) -> None:
    """Zero dates, times of 838 hours, all places of a DOUBLE and a DECIMAL."""
    url = make_url(mariadb)
    owner = pymysql.connect(
        host=url.host, port=url.port or 3306, user=url.username, password=url.password or "", database=url.database,
        charset="utf8mb4", autocommit=True, conv={}, init_command="SET SESSION sql_mode = ''",
    )  # fmt: skip
    asked = ", ".join(kind.select.format(f"c{place}") for place, kind in enumerate(MARIADB_KINDS))
    with owner, owner.cursor() as cursor:
        definition = columns(MARIADB_KINDS)
        cursor.execute(f"CREATE TABLE deals ({definition}) CHARACTER SET utf8mb4 ROW_FORMAT = DYNAMIC")

        def write(statement: str) -> Written:
            cursor.execute("DELETE FROM deals")
            cursor.execute(statement)
            cursor.execute(f"SELECT {asked} FROM deals ORDER BY id")
            found: Any = cursor.fetchall()
            return [[value.decode() if isinstance(value, bytes) else value for value in row] for row in found]

        generated(MARIADB_KINDS, write, opened(by(mariadb, driver), 'name = ""\ntype = ""'))
