"""One state of the database for list and rows: for a bounded time, and nobody is kept waiting by it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.deals.sql import SQLSource
from pytest_dealsnap.errors import DealChangedError, DealNotFoundError
from tests.deals.conftest import Fill, Open

TABLE = "CREATE TABLE deals (id INTEGER PRIMARY KEY, name VARCHAR(20), deal_type VARCHAR(20), amount INTEGER)"
ROWS = "INSERT INTO deals VALUES (1, 'One', 'carveout', 10), (2, 'Two', 'carveout', 20), (3, 'Three', 'carveout', 30)"
KINDS = ["postgresql", "mariadb", "sqlite"]
Database = Callable[[str], str]


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path, fill: Fill) -> Database:
    """Return the URL of a database of a kind, with three deals; SQLite in WAL mode, or not as ``sqlite-delete``."""

    def make(kind: str) -> str:
        if kind.startswith("sqlite"):
            url = f"sqlite:///{tmp_path / 'x.db'}"
            fill(url, f"PRAGMA journal_mode = {'wal' if kind == 'sqlite' else 'delete'}")
        else:
            url = str(request.getfixturevalue(kind))
        fill(url, TABLE, ROWS)
        return url

    return make


def write(url: str, *statements: str) -> None:
    """Write as an application does, which waits for no lock longer than a second."""
    engine = create_engine(url, poolclass=NullPool)
    waits = {
        "postgresql": "SET lock_timeout = '1s'",
        "mysql": "SET lock_wait_timeout = 1",
        "sqlite": "PRAGMA busy_timeout = 1000",
    }
    with engine.begin() as connection:
        connection.exec_driver_sql(waits[engine.dialect.name])
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def change(url: str) -> None:
    """Delete the first deal, retype the second, change the third, and add one."""
    write(
        url,
        "DELETE FROM deals WHERE id = 1",
        "UPDATE deals SET deal_type = 'divestiture' WHERE id = 2",
        "UPDATE deals SET amount = 99 WHERE id = 3",
        "INSERT INTO deals VALUES (4, 'Four', 'carveout', 40)",
    )


def seen(source: SQLSource) -> list[tuple[str, str | None, object]]:
    """Return id, stored type and amount of every deal."""
    return [(ref.id, ref.stored_type, source.fetch(ref)["amount"]) for ref in source.refs()]


BEFORE = [("1", "carveout", 10), ("2", "carveout", 20), ("3", "carveout", 30)]
AFTER = [("2", "divestiture", 20), ("3", "carveout", 99), ("4", "carveout", 40)]


@pytest.mark.parametrize("kind", KINDS)
def test_list_and_rows_are_of_one_state(database: Database, opened: Open, kind: str) -> None:
    """Whatever others write meanwhile; they are not kept waiting, and the state ends when it is let go."""
    url = database(kind)
    source = opened(url)
    source.freeze()
    refs = source.refs()
    change(url)
    assert seen(source) == BEFORE
    assert [type(source.moved(ref)) for ref in refs] == [DealNotFoundError, DealChangedError, type(None)]
    assert source._link.frozen is not None
    source._link.frozen.let_go()
    assert seen(source) == AFTER
    assert [type(found) for found in source.fetch_many(refs)] == [DealNotFoundError, DealChangedError, Deal]


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_kept_state_keeps_no_table_locked(database: Database, opened: Open, kind: str) -> None:
    """A migration's ALTER TABLE beside a run does not wait for it, nor everybody behind the ALTER TABLE."""
    url = database(kind)
    source = opened(url)
    source.freeze()
    assert seen(source) == BEFORE
    assert source._link.frozen is not None
    assert source._link.frozen.is_held
    write(url, "ALTER TABLE deals ADD COLUMN note VARCHAR(20)")


def test_processes_share_one_state_of_postgresql(database: Database, opened: Open) -> None:
    """A worker that begins after a change still sees what the controller's list was read from."""
    url = database("postgresql")
    controller, worker = opened(url), opened(url)
    controller.freeze()
    refs = controller.refs()
    change(url)
    worker.follow(controller.shared_state)
    assert [found.name for found in worker.fetch_many(refs) if isinstance(found, Deal)] == ["One", "Two", "Three"]
    controller.close()  # the controller's time is over: the worker goes on, and sees its own moment
    assert [type(found) for found in worker.fetch_many(refs)] == [DealNotFoundError, DealChangedError, Deal]


@pytest.mark.parametrize("kind", ["mariadb", "sqlite"])
def test_a_worker_sees_a_state_of_its_own(database: Database, opened: Open, kind: str) -> None:
    """Where a state cannot be shared: what moved before it began is an error of that deal."""
    url = database(kind)
    controller, worker = opened(url), opened(url)
    controller.freeze()
    refs = controller.refs()
    change(url)
    worker.follow(controller.shared_state)
    assert [type(found) for found in worker.fetch_many(refs)] == [DealNotFoundError, DealChangedError, Deal]


def test_a_state_is_let_go_after_its_time(database: Database, opened: Open) -> None:
    """Though nobody asks anything meanwhile: the server's own limits, and ours, end the transaction."""
    url = database("postgresql")
    source = opened(url, "snapshot_seconds = 0.05")
    source.freeze()
    frozen = source._link.frozen
    assert frozen is not None
    assert frozen._timer is not None
    frozen._timer.join()
    assert not frozen.is_held
    change(url)
    assert seen(source) == AFTER


def test_no_state_is_kept_where_none_is_wanted(database: Database, opened: Open) -> None:
    """``deals.snapshot_seconds = 0``."""
    url = database("postgresql")
    source = opened(url, "snapshot_seconds = 0")
    source.freeze()
    source.follow(None)
    refs = source.refs()
    change(url)
    assert source.shared_state is None
    assert seen(source) == AFTER
    assert [type(source.moved(ref)) for ref in refs] == [DealNotFoundError, DealChangedError, type(None)]


def test_a_sqlite_file_without_wal_has_no_long_reader(database: Database, opened: Open) -> None:
    """A reader would keep its writers waiting: each question sees its own moment."""
    url = database("sqlite-delete")
    source = opened(url)
    source.freeze()
    assert seen(source) == BEFORE
    change(url)
    assert seen(source) == AFTER


def test_no_state_is_kept_through_a_pooler(pgbouncer: str, database: Database, opened: Open) -> None:
    """A transaction that stays open would keep the pool's only connection: others write during the run."""
    database("postgresql")
    for driver in ("psycopg", "psycopg2", "pg8000"):
        url = make_url(pgbouncer).set(drivername=f"postgresql+{driver}").render_as_string(hide_password=False)
        source = opened(url)
        source.freeze()
        assert len(source.refs()) == 3
        assert source.shared_state is None
        write(pgbouncer, "UPDATE deals SET amount = amount")


def test_each_driver_of_postgresql_keeps_a_state(database: Database, opened: Open) -> None:
    """Without a pooler."""
    url = make_url(database("postgresql"))
    for driver in ("psycopg", "psycopg2"):
        source = opened(url.set(drivername=f"postgresql+{driver}").render_as_string(hide_password=False))
        source.freeze()
        assert source.shared_state is not None
        source.close()


def test_a_server_that_ends_idle_transactions_sooner(database: Database, opened: Open, fill: Fill) -> None:
    """The state lasts no longer than the server lets a transaction wait."""
    url = database("postgresql")
    name = make_url(url).database
    fill(url, f"ALTER DATABASE \"{name}\" SET idle_in_transaction_session_timeout = '50s'")
    try:
        source = opened(url)
        source.freeze()
        assert source._link.frozen is not None
        assert source._link.frozen._timer is not None
        assert source._link.frozen._timer.interval == 40.0
        source.close()
    finally:
        fill(url, f'ALTER DATABASE "{name}" RESET idle_in_transaction_session_timeout')
