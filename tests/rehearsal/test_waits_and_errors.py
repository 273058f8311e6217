"""Who waited for a lock, and what the database refused: seen from beside the upgrade, whatever it says itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from pytest_dealsnap.rehearsal.locks import LockWatch, watch_locks
from pytest_dealsnap.rehearsal.rollout import carry_out
from pytest_dealsnap.rehearsal.step_environment import StepEnvironment
from tests.mariadb import as_root
from tests.rehearsal.sample_project import Firm, run_statements

TABLE = ("CREATE TABLE notes (id INTEGER PRIMARY KEY, body VARCHAR(20))", "INSERT INTO notes VALUES (1, 'one')")


def until(condition: Callable[[], object]) -> None:
    """Wait until *condition* holds; 20 s are enough on any machine."""
    for _ in range(2_000):
        if condition():
            return
        time.sleep(0.01)
    pytest.fail("it never came to that")


def waits_behind(url: str, statement: str) -> tuple[str, ...]:
    """Run *statement* while another session has changed the only row and not committed, and return the waits seen."""
    run_statements(url, *TABLE)
    engine = create_engine(url, poolclass=NullPool)
    with watch_locks(url) as watch, ThreadPoolExecutor(1) as pool:
        assert isinstance(watch, LockWatch)
        with engine.connect() as holder:
            holder.exec_driver_sql("UPDATE notes SET body = 'two' WHERE id = 1")
            waiting = pool.submit(run_statements, url, statement)
            until(watch.waits)
            holder.rollback()
        waiting.result()
    engine.dispose()
    return watch.waits()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("ALTER TABLE notes ADD COLUMN x INT", "table metadata lock"),
        ("UPDATE notes SET body = 'three' WHERE id = 1", "row lock"),
    ],
)
def test_waits_are_measured_on_mariadb(mariadb: str, statement: str, kind: str) -> None:
    """The ALTER waits for the metadata lock, the UPDATE for its row."""
    [told] = waits_behind(mariadb, statement)
    assert told.endswith(f" for a lock ({kind}): {statement}")


@pytest.mark.slow
def test_metadata_waits_are_told_without_further_rights(mariadb: str) -> None:
    """A user without PROCESS sees no InnoDB transactions; the process list shows its own sessions all the same."""
    user = "'owner'@'127.0.0.1'"
    as_root(mariadb, f"CREATE OR REPLACE USER {user} IDENTIFIED BY 'x'", f"GRANT ALL ON deals.* TO {user}")
    url = make_url(mariadb).set(username="owner", password="x").render_as_string(hide_password=False)
    [told] = waits_behind(url, "ALTER TABLE notes ADD COLUMN x INT")
    assert "(table metadata lock)" in told


@pytest.mark.slow
def test_waits_are_measured_on_postgresql(postgresql: str) -> None:
    """By what each session says that it waits for."""
    [told] = waits_behind(postgresql, "ALTER TABLE notes ADD COLUMN x INT")
    assert told.endswith(" for a lock (relation): ALTER TABLE notes ADD COLUMN x INT")


@pytest.mark.slow
def test_a_failed_transaction_is_seen_from_beside(postgresql: str) -> None:
    """PostgreSQL shows the statement that a session is left with, also of a program that says nothing."""
    run_statements(postgresql, *TABLE)
    engine = create_engine(postgresql, poolclass=NullPool)
    with watch_locks(postgresql) as watch:
        assert watch is not None
        with engine.connect() as connection:
            with pytest.raises(DBAPIError):
                connection.exec_driver_sql("INSERT INTO notes VALUES (1, 'again')")
            until(lambda: watch.failed)
    engine.dispose()
    assert watch.failed == "INSERT INTO notes VALUES (1, 'again')"


SWALLOWS = {
    "sqlalchemy": """
from sqlalchemy import create_engine
with create_engine(URL).connect() as connection:
    for statement in STATEMENTS:
        try: connection.exec_driver_sql(statement)
        except Exception: pass
""",
    "psycopg": """
import psycopg
with psycopg.connect(PLAIN) as connection:
    for statement in STATEMENTS:
        try: connection.execute(statement)
        except Exception: pass
    connection.rollback()
""",
    "django": """
from django.conf import settings
settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": U.database,
    "USER": U.username, "HOST": U.query["host"]}})
import django; django.setup()
from django.db import connection
from django.db import transaction
with connection.cursor() as cursor:
    for statement in STATEMENTS:
        try: cursor.execute(statement)
        except Exception: pass
""",
    "pymysql": """
import pymysql
connection = pymysql.connect(host=U.host, port=U.port, user=U.username, database=U.database)
for statement in STATEMENTS:
    try: connection.cursor().execute(statement)
    except Exception: pass
""",
}
BEGINNING = """
import os
from sqlalchemy.engine import make_url
URL = os.environ["FIRM_DB"]
U = make_url(URL)
PLAIN = U.set(drivername="postgresql").render_as_string(hide_password=False)
STATEMENTS = ["INSERT INTO notes VALUES (1, 'again')", "SELECT nothing FROM notes"]
"""


@pytest.mark.slow
@pytest.mark.parametrize("library", ["sqlalchemy", "psycopg", "django"])
def test_a_swallowed_error_is_known_on_postgresql(postgresql: str, tmp_path: Path, library: str) -> None:
    """The step prints nothing and ends well; the drivers were told."""
    assert swallowed(postgresql, tmp_path, library)[0].startswith("UniqueViolation: duplicate key value")


@pytest.mark.slow
@pytest.mark.parametrize("library", ["sqlalchemy", "pymysql"])
def test_a_swallowed_error_is_known_on_mariadb(mariadb: str, tmp_path: Path, library: str) -> None:
    """The first is the cause."""
    assert "Duplicate entry '1'" in swallowed(mariadb, tmp_path, library)[0]


def swallowed(url: str, folder: Path, library: str) -> tuple[str, ...]:
    """Return the errors that are known of a step which catches two of them and says nothing."""
    firm = Firm.found(folder, rehearsal='upgrade = "python up.py"')
    run_statements(url, *TABLE)
    (folder / "up.py").write_text(BEGINNING + SWALLOWS[library])
    environment = StepEnvironment(firm.config(), "sqlite:///nowhere.db", url, folder, 60, lambda line: None)
    done, _ = carry_out(environment, "upgrade", "python up.py")
    assert (done.code, done.output) == (0, "")
    assert len(done.errors) == 2
    return done.errors


def test_an_upgrade_that_says_nothing_is_explained(tmp_path: Path) -> None:
    """A command of the user's catches what SQLite refuses: the finding shows it."""
    firm = Firm.found(tmp_path, rehearsal='upgrade = "python up.py"')
    statement = "INSERT INTO notes VALUES (1, 'again')"
    (tmp_path / "up.py").write_text(
        BEGINNING + SWALLOWS["sqlalchemy"].replace("in STATEMENTS", f"in [{statement!r}]") + "raise SystemExit(3)"
    )
    problem = firm.upgraded(chain=False)["upgrade_failed"]
    assert problem.evidence[0] == "the first database error: IntegrityError: UNIQUE constraint failed: notes.id"
