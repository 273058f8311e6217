"""Through a pooler that shares sessions: what dealsnap reads leaves nothing behind for the next client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from pytest_dealsnap.deals.database import open_read_only
from pytest_dealsnap.errors import SourceError
from tests.cli.console import dealsnap
from tests.deals.conftest import Fill
from tests.plugin.project import CONFIG, Project

REFUSED = r"(?i)read.only transaction"
DRIVERS = ["psycopg", "psycopg2", "pg8000"]
TABLE = "CREATE TABLE transactions (deal_no TEXT PRIMARY KEY, title TEXT, kind TEXT, amount INTEGER)"
ROWS = "INSERT INTO transactions SELECT 'd' || n, 'Orion', 'acquisition', 100 FROM generate_series(1, 40) AS n"
SETTINGS = "SELECT name || '=' || setting FROM pg_settings WHERE source = 'session' ORDER BY 1"


def by(driver: str, url: str) -> str:
    """Return *url* for another driver."""
    return make_url(url).set(drivername=f"postgresql+{driver}").render_as_string(hide_password=False)


class Application:
    """Another client of the pool, which writes and looks at what its session came with."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        """Connect as an application does, with the pool's only server connection."""
        url = self._url
        return psycopg.connect(host=url.host, port=url.port, user=url.username, dbname=url.database)

    def check(self) -> None:
        """Write, and find a session without any setting or statement of dealsnap's."""
        with self.connect() as connection:
            connection.execute("UPDATE transactions SET amount = amount")
            connection.execute("CREATE TEMPORARY TABLE scratch (x INTEGER) ON COMMIT DROP")
            assert connection.execute("SHOW default_transaction_read_only").fetchone() == ("off",)
            prepared = connection.execute("SELECT name FROM pg_prepared_statements").fetchall()
            assert prepared == []


@pytest.fixture
def application(pgbouncer: str, postgresql: str, fill: Fill) -> Iterator[Application]:
    """The other client, and the deals; with the settings of its session before and after."""
    fill(postgresql, TABLE, ROWS)
    client = Application(pgbouncer)
    with client.connect() as connection:
        before = connection.execute(SETTINGS).fetchall()
    yield client
    with client.connect() as connection:
        assert connection.execute(SETTINGS).fetchall() == before


@pytest.mark.parametrize("driver", DRIVERS)
def test_after_any_command_another_client_of_the_pool_writes(
    application: Application, pgbouncer: str, tmp_path: Path, driver: str
) -> None:
    """Capture, gate, audit and init, with more questions than a driver needs to prepare a statement."""
    url = by(driver, pgbouncer)
    project = Project(tmp_path, config=CONFIG.replace("sqlite:///book.db", url))
    assert project.capture().code == 0
    application.check()
    outcome = project.gate()
    assert outcome.code == 0, outcome.text
    assert outcome.action == "proceed"
    application.check()
    for arguments in (("audit",), ("init", url, "--output", "-")):
        answer = dealsnap(tmp_path, *arguments)
        assert answer.code == 0, answer.err + answer.out
        application.check()


@pytest.mark.parametrize("driver", DRIVERS)
def test_each_transaction_through_a_pooler_refuses_to_write(
    application: Application, pgbouncer: str, tmp_path: Path, driver: str
) -> None:
    """The first and every later transaction is read-only; in between another client may write."""
    engine = open_read_only(by(driver, pgbouncer), folder=tmp_path)
    with engine.connect() as connection:
        for _ in range(7):  # psycopg prepares a statement that it has seen five times
            assert connection.scalar(text("SELECT count(*) FROM transactions WHERE kind <> :x"), {"x": "y"}) == 40
            with pytest.raises(DBAPIError, match="read-only transaction"):
                connection.execute(text("DELETE FROM transactions"))
            connection.rollback()
            application.check()
    engine.dispose()


@pytest.mark.parametrize("driver", [*DRIVERS, "pymysql"])
def test_nothing_is_set_for_a_session(request: pytest.FixtureRequest, tmp_path: Path, fill: Fill, driver: str) -> None:
    """Of every statement that is sent, none sets something that outlives its transaction."""
    server = str(request.getfixturevalue("mariadb" if driver == "pymysql" else "pgbouncer"))
    fill(server, "CREATE TABLE deals (id INTEGER PRIMARY KEY, name TEXT)", "INSERT INTO deals VALUES (1, 'One')")
    engine = open_read_only(server if driver == "pymysql" else by(driver, server), folder=tmp_path)
    sent: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda c, cursor, statement, *rest: sent.append(statement))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT name FROM deals")) == "One"
        with pytest.raises((DBAPIError, SourceError), match=REFUSED):
            connection.execute(text("DELETE FROM deals"))
        connection.rollback()
        with pytest.raises((DBAPIError, SourceError), match=REFUSED):
            connection.execute(text("CREATE TABLE other (id INTEGER)"))
    engine.dispose()
    lasting = [line for line in sent if line.startswith("SET ") and not line.startswith("SET TRANSACTION ")]
    assert lasting == []


def test_mariadb_refuses_every_write_in_every_transaction(mariadb: str, tmp_path: Path, fill: Fill) -> None:
    """``START TRANSACTION READ ONLY``; a client that gets the session next may write."""
    fill(mariadb, "CREATE TABLE deals (id INTEGER PRIMARY KEY, name TEXT)", "INSERT INTO deals VALUES (1, 'One')")
    engine = open_read_only(mariadb, folder=tmp_path)
    with engine.connect() as connection:
        for statement in (
            "UPDATE deals SET name = 'x'",
            "DELETE FROM deals",
            "CREATE TABLE t (x INTEGER)",
            "DROP TABLE deals",
        ):
            with pytest.raises((DBAPIError, SourceError), match=REFUSED):
                connection.execute(text(statement))
            connection.rollback()
        driver: object = connection.connection.driver_connection
        with driver.cursor() as cursor:  # type: ignore[attr-defined]  # PyMySQL's: what the session's next user finds
            cursor.execute("SELECT @@SESSION.tx_read_only, @@SESSION.autocommit")
            assert cursor.fetchone() == (0, 1)
            cursor.execute("UPDATE deals SET name = 'Two'")
    engine.dispose()
