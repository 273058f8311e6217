"""The user's database is only ever read, and its secrets never told."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from pytest_dealsnap.deals.database import open_read_only, parse_url, public_url
from pytest_dealsnap.errors import SourceError
from tests.deals.conftest import Fill, Open

TABLE = "CREATE TABLE deals (id INTEGER PRIMARY KEY, name TEXT, deal_type TEXT)"
ROWS = "INSERT INTO deals VALUES (1, 'One', 'carveout')"


def checksums(folder: Path) -> dict[str, str]:
    """Return the checksum of each file in *folder*."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_a_sqlite_file_is_left_as_it_was(tmp_path: Path, opened: Open, fill: Fill, journal: str) -> None:
    """Not a byte of the file changes, and no other file appears beside it."""
    folder = tmp_path / "db"
    folder.mkdir()
    fill(f"sqlite:///{folder / 'x.db'}", f"PRAGMA journal_mode = {journal}", TABLE, ROWS)
    before = checksums(folder)
    source = opened(f"sqlite:///{folder / 'x.db'}")
    assert source.fetch(source.refs()[0])["name"] == "One"
    assert source.facts["dialect"] == "sqlite"
    source.close()
    assert {name: value for name, value in checksums(folder).items() if name == "x.db"} == before


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO deals VALUES (2, 'Two', NULL)",
        "UPDATE deals SET name = 'x'",
        "DELETE FROM deals",
        "CREATE TABLE other (id INTEGER)",
        "DROP TABLE deals",
    ],
)
def test_the_database_itself_refuses_to_write(
    request: pytest.FixtureRequest, tmp_path: Path, fill: Fill, kind: str, statement: str
) -> None:
    """On dealsnap's own connection every write is an error of the database, in every transaction."""
    url = f"sqlite:///{tmp_path / 'x.db'}" if kind == "sqlite" else str(request.getfixturevalue("postgresql"))
    fill(url, TABLE, ROWS)
    engine = open_read_only(url, folder=tmp_path)
    with engine.connect() as connection:
        for _ in range(2):
            with pytest.raises(DBAPIError, match=r"(?i)read-?\s?only"):
                connection.execute(text(statement))
            connection.rollback()
    engine.dispose()
    check = create_engine(url)
    with check.connect() as connection:
        assert connection.execute(text("SELECT id, name FROM deals")).all() == [(1, "One")]
    check.dispose()


def test_a_sqlite_file_is_guarded_twice(tmp_path: Path, fill: Fill) -> None:
    """The connection is told not to write, and the file is opened so that it cannot, either way."""
    fill(f"sqlite:///{tmp_path / 'x.db'}", TABLE, ROWS)
    for url in (f"sqlite:///{tmp_path / 'x.db'}", f"sqlite:///file:{tmp_path / 'x.db'}?uri=true"):
        engine = open_read_only(url, folder=tmp_path)
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA query_only").scalar() == 1
            connection.exec_driver_sql("PRAGMA query_only = OFF")
            with pytest.raises(DBAPIError, match=r"(?i)read-?only"):
                connection.execute(text("DELETE FROM deals"))
        engine.dispose()


def test_a_condition_cannot_write(postgresql: str, opened: Open, fill: Fill) -> None:
    """A ``where`` that calls a writing function is refused by PostgreSQL, and nothing was written."""
    fill(
        postgresql,
        TABLE,
        ROWS,
        "CREATE SEQUENCE numbers",
        "CREATE FUNCTION wipe() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN DELETE FROM deals; RETURN true; END $$",
    )
    for where in ("wipe()", "nextval('numbers') > 0"):
        with pytest.raises(SourceError, match="read-only transaction"):
            opened(postgresql, f'where = "{where}"').refs()
    assert len(opened(postgresql).refs()) == 1


def test_a_lost_connection_is_replaced_and_the_question_asked_again(postgresql: str, opened: Open, fill: Fill) -> None:
    """The server ended the connection in between: the same question is answered on a fresh one."""
    fill(postgresql, TABLE, ROWS)
    source = opened(postgresql)
    [ref] = source.refs()
    for _ in range(2):
        fill(
            postgresql,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        assert source.fetch(ref).name == "One"


@pytest.mark.parametrize("name", ["plain.db", "a b.db", "100%.db", "é.db", "a#b.db", "x&mode=rw.db", "q'uote.db"])
def test_a_sqlite_file_of_any_name(tmp_path: Path, opened: Open, fill: Fill, name: str) -> None:
    """The name is taken as it is, also where a file URI would read it otherwise."""
    folder = tmp_path / "odd #50%?"
    folder.mkdir()
    engine = create_engine("sqlite://", creator=lambda: __import__("sqlite3").connect(folder / name))
    with engine.begin() as connection:
        connection.exec_driver_sql(TABLE)
        connection.exec_driver_sql(ROWS)
    engine.dispose()
    (tmp_path / name).symlink_to(folder / name)
    assert len(opened(f"sqlite:///{tmp_path / name}").refs()) == 1
    engine = open_read_only(f"sqlite:///{name}", folder=folder)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM deals")).scalar() == 1
    engine.dispose()


def test_a_file_uri(tmp_path: Path, fill: Fill) -> None:
    """A ``file:`` database is opened read-only whatever mode it asks for."""
    fill(f"sqlite:///{tmp_path / 'x.db'}", TABLE, ROWS)
    engine = open_read_only(f"sqlite:///file:{tmp_path / 'x.db'}?mode=rwc&uri=true", folder=Path("/nowhere"))
    with engine.connect() as connection, pytest.raises(DBAPIError, match=r"(?i)read-?only"):
        connection.execute(text("DELETE FROM deals"))
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("sqlite:///nowhere.db", "database: no such SQLite file: {folder}/nowhere.db"),
        ("sqlite:///", 'an in-memory database is empty; name a file, "sqlite:///deals.db"'),
        ("sqlite://", "an in-memory database is empty"),
        ("sqlite:///:memory:", "an in-memory database is empty"),
        ("sqlite:///.", "is not a file"),
        ("deals.db", 'database = "deals.db": not a database URL'),
        ("", 'database = "": not a database URL'),
        ("postgresql://h:port/x", "not a database URL"),
        ("postgresql://ana:s3cr@et@localhost/x", "an @ in a password is written %40"),
        ("ana:s3cr@et@localhost/x", 'database = "ana:***@localhost/x": not a database URL'),
        ("oracel://h/x", 'SQLAlchemy knows no database "oracel"; is its dialect installed?'),
        ("postgresql+nope://h/x", 'SQLAlchemy knows no database "postgresql+nope"'),
        ("mysql+cymysql://u:s3cret@h/x", "the driver for mysql+cymysql://u:***@h/x is not installed"),
        (
            "postgresql+psycopg_async://u:s3cret@h/x",
            '"postgresql+psycopg_async" is an asynchronous driver; name a synchronous one, such as "postgresql://…"',
        ),
    ],
)
def test_a_database_that_cannot_be_opened(tmp_path: Path, url: str, what: str) -> None:
    """The message shows the value and what would be valid; no secret is in it."""
    with pytest.raises(SourceError) as caught:
        open_read_only(url, folder=tmp_path)
    assert what.format(folder=tmp_path) in str(caught.value)
    assert "s3cret" not in str(caught.value)


SECRETS: list[Any] = [
    "postgresql://ana:{}@127.0.0.1:1/x",
    "postgresql://ana:{}@127.0.0.1:port/x",
    "postgresql+nope://ana:{}@127.0.0.1/x",
    "postgresql+psycopg_async://ana:{}@127.0.0.1/x",
    "mysql+pymysql://ana:{}@127.0.0.1:1/x",
    "postgresql://127.0.0.1:1/x?user=ana&password={}",
    "sqlite:///nowhere.db?password={}",
    "sqlite://ana:{}@/:memory:",
]


@pytest.mark.parametrize("template", SECRETS)
@pytest.mark.parametrize(
    "secret", ["s3cret", "s3cr%65t", "s3cret/with/slashes", "s3cret:colons", "s3cret'quote", "s3cret with spaces"]
)
def test_a_password_is_never_told(opened: Open, template: str, secret: str) -> None:
    """Whatever goes wrong with a URL, and whatever is in its password, no message shows it."""
    url = template.format(secret.replace(" ", "%20") if "query" in template else secret)
    try:
        source = opened(url)
        shown = source.description
        source.refs()
    except SourceError as error:
        shown = str(error)
    for part in ("s3cret", "s3cr%65t", "with", "slashes", "colons", "quote"):
        assert part not in shown


def test_the_public_url_keeps_what_is_no_secret() -> None:
    """Driver, user, host, port, database and harmless options stay."""
    url = parse_url("postgresql+psycopg://ana:s3cret@db:5432/x?sslmode=require&sslpassword=p&api_token=t", "database")
    assert public_url(url) == "postgresql+psycopg://ana:***@db:5432/x?api_token=***&sslmode=require&sslpassword=***"


def test_a_server_that_is_not_there(opened: Open) -> None:
    """The driver's words come with the setting and the URL, secrets masked."""
    source = opened("postgresql://ana:s3cret@127.0.0.1:1/x?connect_timeout=2")
    with pytest.raises(SourceError) as caught:
        source.refs()
    assert str(caught.value).startswith(
        "default: postgresql://ana:***@127.0.0.1:1/x?connect_timeout=2 cannot be read: OperationalError: "
    )
