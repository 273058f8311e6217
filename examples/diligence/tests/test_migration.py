"""The migration up and down with data, on SQLite and on PostgreSQL."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.pool import NullPool

from examples.diligence import database
from examples.diligence.models import Base

from .conftest import stored_types

ROOT = Path(database.__file__).parents[2]
STORED = ["acquisition", None, "carveout", "merger", "", "carve-out ", "Acquisition", "divestiture"]
EFFECTIVE = ["acquisition"] * 2 + ["carveout"] + ["acquisition"] * 4 + ["divestiture"]


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A transaction, committed at the end."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        yield connection


@pytest.fixture
def old_url(empty_url: str) -> str:
    """A database before the migration, with a deal for each kind of stored type."""
    database.migrate(empty_url, "0001")
    with connected(empty_url) as connection:
        for stored in STORED:
            _insert(connection, stored)
        connection.execute(
            text("INSERT INTO work_items (deal_id, name, domain, effort_hours) VALUES (1, 'w', 'network', 8)")
        )
    return empty_url


def test_the_backfill_gives_every_deal_a_valid_type(old_url: str) -> None:
    """NULL and invalid types become acquisitions; valid ones stay."""
    database.migrate(old_url, "head")
    assert [*stored_types(old_url).values()] == EFFECTIVE


def test_the_migration_touches_nothing_else(old_url: str) -> None:
    """All other columns and rows are what they were, up and down again."""
    start = _rows(old_url)
    database.migrate(old_url, "head")
    assert _without_types(_rows(old_url)) == _without_types(start)
    database.migrate(old_url, "-1")
    assert _rows(old_url) == start


def test_the_migration_says_what_it_changed(old_url: str) -> None:
    """It prints how many deals it changed, from what, and which; and again on the way down."""
    up, down = io.StringIO(), io.StringIO()
    database.migrate(old_url, "head", stdout=up)
    database.migrate(old_url, "-1", stdout=down)
    assert up.getvalue().splitlines() == [
        "5 deals without a valid type are now of type acquisition",
        "  '': 1 (ids 5)",
        "  'Acquisition': 1 (ids 7)",
        "  'carve-out ': 1 (ids 6)",
        "  'merger': 1 (ids 4)",
        "  None: 1 (ids 2)",
    ]
    assert down.getvalue().startswith("5 deals have the type back")


@pytest.mark.parametrize("stored", [None, "merger", "", "Acquisition", "carveout "])
def test_invalid_types_are_refused_afterwards(old_url: str, stored: str | None) -> None:
    """The database refuses a deal without a valid type, by insert and by update."""
    database.migrate(old_url, "head")
    with pytest.raises(IntegrityError, match=r"valid_deal_type|NOT NULL|not-null"), connected(old_url) as c:
        _insert(c, stored)
    with pytest.raises(IntegrityError), connected(old_url) as connection:
        connection.execute(text("UPDATE deals SET deal_type = :stored WHERE id = 1"), {"stored": stored})


@pytest.mark.parametrize("stored", ["acquisition", "carveout", "divestiture"])
def test_valid_types_are_taken_afterwards(old_url: str, stored: str) -> None:
    """A deal of a valid type is stored, with its defaults."""
    database.migrate(old_url, "head")
    with connected(old_url) as connection:
        _insert(connection, stored)
        status = connection.scalar(text("SELECT status FROM deals WHERE id = 9"))
    assert status == "active"


def test_the_downgrade_restores_what_the_backfill_replaced(old_url: str) -> None:
    """NULL and invalid types come back, the constraints and the memory of the backfill go."""
    database.migrate(old_url, "head")
    database.migrate(old_url, "-1")
    assert [*stored_types(old_url).values()] == STORED
    with connected(old_url) as connection:
        _insert(connection, "merger")
        assert not inspect(connection).has_table("deal_type_backfill")


def test_the_downgrade_keeps_a_type_chosen_since(old_url: str) -> None:
    """A backfilled deal that someone retyped keeps the type they gave it."""
    database.migrate(old_url, "head")
    with connected(old_url) as connection:
        connection.execute(text("UPDATE deals SET deal_type = 'divestiture' WHERE id = 4"))
    database.migrate(old_url, "-1")
    assert stored_types(old_url)[4] == "divestiture"


def test_up_down_and_up_again(old_url: str) -> None:
    """A second upgrade does what the first did."""
    for revision in ("head", "-1", "head"):
        database.migrate(old_url, revision)
    assert [*stored_types(old_url).values()] == EFFECTIVE


def test_a_failed_upgrade_leaves_no_trace(old_url: str) -> None:
    """If a step fails, schema, rows and revision are as before."""
    with connected(old_url) as connection:
        connection.execute(text("CREATE TABLE deal_type_backfill (deal_id INTEGER)"))
    start = _rows(old_url)
    with pytest.raises(Exception, match="already exists"):
        database.migrate(old_url, "head")
    assert _rows(old_url) == start
    with connected(old_url) as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "0001"


@pytest.mark.parametrize(("revision", "step"), [("head", "UPDATE deals"), ("-1", "DROP TABLE deal_type_backfill")])
def test_nobody_stores_a_deal_meanwhile(old_url: str, revision: str, step: str) -> None:
    """Until it is done, up or down, the migration has the deals to itself: none slips in between two steps."""
    if revision == "-1":
        database.migrate(old_url, "head")
    refused: list[str] = []

    def store_a_deal(*arguments: object) -> None:
        if str(arguments[2]).lstrip().startswith(step):
            refused.append(_refusal(old_url))

    event.listen(Engine, "before_cursor_execute", store_a_deal)
    try:
        database.migrate(old_url, revision)
    finally:
        event.remove(Engine, "before_cursor_execute", store_a_deal)
    assert len(refused) == 1
    assert "lock" in refused[0]


def _refusal(url: str) -> str:
    impatient: dict[str, object] = {"timeout": 0}
    if url.startswith("postgresql"):
        impatient = {"options": "-c lock_timeout=100"}
    engine = create_engine(url, poolclass=NullPool, connect_args=impatient)
    with pytest.raises(OperationalError) as error, engine.begin() as connection:
        _insert(connection, "carveout")
    return str(error.value.orig)


def test_the_newest_schema_is_the_models(empty_url: str) -> None:
    """Migrations and models agree on every table but the migration's own."""
    database.migrate(empty_url, "head")
    with connected(empty_url) as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
        checks = [check["name"] for check in inspect(connection).get_check_constraints("deals")]
    assert [difference[0] for difference in differences] == ["remove_table"]
    assert checks == ["valid_deal_type"]


def test_the_whole_way_down(old_url: str) -> None:
    """Base is an empty database."""
    database.migrate(old_url, "head")
    database.migrate(old_url, "base")
    with connected(old_url) as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]


def test_the_alembic_command_migrates_the_environments_database(old_url: str) -> None:
    """`alembic -c examples/diligence/alembic.ini upgrade head` works from the checkout's root."""
    assert "5 deals without a valid type" in _alembic("upgrade", "head", url=old_url).stdout
    assert [*stored_types(old_url).values()] == EFFECTIVE
    assert _alembic("downgrade", "-1", url=old_url).returncode == 0
    assert [*stored_types(old_url).values()] == STORED


def test_the_alembic_command_wants_a_database() -> None:
    """Without DATABASE_URL nothing is migrated by accident."""
    run = _alembic("upgrade", "head", url="")
    assert run.returncode != 0
    assert "set DATABASE_URL" in run.stdout + run.stderr


def _alembic(*arguments: str, url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "alembic", "-c", "examples/diligence/alembic.ini", *arguments],
        cwd=ROOT,
        env=os.environ | {database.VARIABLE: url},
        capture_output=True,
        text=True,
        check=False,
    )


def _insert(connection: Connection, stored: str | None) -> None:
    statement = text("INSERT INTO deals (name, target_name, deal_type) VALUES ('Test', 'Target', :stored)")
    connection.execute(statement, {"stored": stored})


def _rows(url: str) -> dict[str, list[tuple[object, ...]]]:
    with connected(url) as connection:
        return {
            table: [tuple(row) for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY id"))]
            for table in Base.metadata.tables
        }


def _without_types(rows: dict[str, list[tuple[object, ...]]]) -> dict[str, list[tuple[object, ...]]]:
    column = [column.name for column in Base.metadata.tables["deals"].columns].index("deal_type")
    deals = [row[:column] + row[column + 1 :] for row in rows["deals"]]
    return rows | {"deals": deals}
