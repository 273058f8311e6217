"""What each database is made to refuse, and what is refused where a database cannot be made to."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from pytest_dealsnap.deals.database import open_read_only
from pytest_dealsnap.deals.dialects import dialect_of, dialect_of_django
from pytest_dealsnap.errors import ConfigError, SourceError
from tests.builders import configure
from tests.cli.console import dealsnap
from tests.deals.conftest import Fill
from tests.plugin.project import Project, deal

STATEMENTS = ("INSERT INTO deals VALUES (2)", "DELETE FROM deals", "DROP TABLE deals", "CREATE TABLE t (x INTEGER)")
UNENFORCED = "mssql+pymssql://ana:s3cret@127.0.0.1:1/x"


def test_duckdb_is_opened_read_only(tmp_path: Path, fill: Fill) -> None:
    """By its access mode, whatever the URL asks for; a file that is not there is not made."""
    fill(f"duckdb:///{tmp_path / 'x.duckdb'}", "CREATE TABLE deals (id INTEGER)", "INSERT INTO deals VALUES (1)")
    for url in ("duckdb:///x.duckdb", "duckdb:///x.duckdb?access_mode=READ_WRITE"):
        engine = open_read_only(url, folder=tmp_path)
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM deals")) == 1
            connection.rollback()
            for statement in STATEMENTS:
                with pytest.raises(DBAPIError, match=r"(?i)read-only"):
                    connection.execute(text(statement))
                connection.rollback()
        engine.dispose()
    with pytest.raises(SourceError, match="no such DuckDB file"):
        open_read_only("duckdb:///nowhere.duckdb", folder=tmp_path)
    assert not (tmp_path / "nowhere.duckdb").exists()
    for empty in ("duckdb:///:memory:", "duckdb://"):
        with pytest.raises(SourceError, match="an in-memory database is empty"):
            open_read_only(empty, folder=tmp_path)


@pytest.mark.slow
def test_duckdbs_deals_are_audited_captured_and_judged(tmp_path: Path, fill: Fill) -> None:
    """With duckdb-sqlalchemy; ``init`` finds the table."""
    url = f"duckdb:///{tmp_path / 'x.duckdb'}"
    fill(
        url,
        "CREATE SCHEMA crm",
        "CREATE TABLE crm.transactions (deal_no INTEGER PRIMARY KEY, title TEXT, kind TEXT, amount DECIMAL(18,2))",
        "INSERT INTO crm.transactions VALUES (1, 'Acme', 'acquisition', 10.25), (2, 'Zeta', NULL, 20)",
    )
    project = Project(tmp_path)
    config = project.config.replace("sqlite:///book.db", "duckdb:///x.duckdb")
    project = project.with_config(config.replace('"transactions"', '"crm.transactions"'))
    assert project.capture().code == 0
    assert "The backfill would change 1 row of 2" in dealsnap(tmp_path, "audit").out
    fill(url, "UPDATE crm.transactions SET amount = 11 WHERE deal_no = 1")
    assert project.gate().statuses == {"1": "regressed", "2": "matched"}
    assert 'table = "crm.transactions"' in dealsnap(tmp_path, "init", url, "--output", "-").out


def test_duckdb_engine_is_said_not_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It describes no table to today's SQLAlchemy; another dialect of DuckDB's has no advice."""
    url = make_url("duckdb:///x.duckdb")
    assert dialect_of("duckdb").advice(ValueError("x"), url, tmp_path) == ""
    monkeypatch.setattr(url.get_dialect(), "__module__", "duckdb_engine")
    assert "pip install 'pytest-dealsnap[duckdb]'" in dialect_of("duckdb").advice(ValueError("x"), url, tmp_path)


@contextmanager
def read_only_folder() -> Iterator[Path]:
    """Yield a folder that its block may fill, and whose user may not write to it once the block calls ``chmod``."""
    folder = Path(tempfile.mkdtemp(prefix="read-only-"))
    try:
        yield folder
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs POSIX permissions")
@pytest.mark.parametrize(
    ("closed", "words"), [(True, ("immutable=1&uri=true", "copy it")), (False, ("newest rows are in x.db-wal",))]
)
def test_a_read_only_folder_with_a_wal_file_says_what_to_do(*, closed: bool, words: tuple[str, ...]) -> None:
    """``immutable=1`` where the file is whole; a copy of both where rows are in the log alone."""
    user = os.geteuid()
    with read_only_folder() as folder:
        path = folder / "x.db"
        writer = sqlite3.connect(path)
        writer.execute("PRAGMA journal_mode = WAL")
        writer.executescript("CREATE TABLE deals (id INTEGER); INSERT INTO deals VALUES (1)")
        if not closed:
            for part in ("x.db", "x.db-wal"):
                shutil.copy(folder / part, folder / f"copy-{part}")
        writer.close()
        if not closed:
            for part in ("x.db", "x.db-wal"):
                (folder / f"copy-{part}").rename(folder / part)
        folder.chmod(0o555)
        if user == 0:
            os.seteuid(65534)  # root may write anywhere
        try:
            engine = open_read_only(f"sqlite:///{path}", folder=folder)
            with pytest.raises(DBAPIError) as caught, engine.connect() as connection:
                connection.execute(text("SELECT count(*) FROM deals"))
            advice = dialect_of("sqlite").advice(caught.value, make_url(f"sqlite:///{path}"), folder)
            assert all(word in advice for word in words), (caught.value, advice)
            if closed:
                told = advice.partition('database = "')[2].partition('"')[0]
                whole = open_read_only(told, folder=folder)
                with whole.connect() as connection:
                    assert connection.scalar(text("SELECT count(*) FROM deals")) == 1
                whole.dispose()
            engine.dispose()
        finally:
            if user == 0:
                os.seteuid(user)


def test_no_advice_for_another_error_of_sqlites(tmp_path: Path) -> None:
    """Neither for a database of another mode, nor where the folder can be written to, nor where there is no file."""
    known, url = dialect_of("sqlite"), make_url(f"sqlite:///{tmp_path / 'x.db'}")
    error = ValueError("unable to open database file")
    assert known.advice(error, url, tmp_path) == ""
    sqlite3.connect(tmp_path / "x.db").execute("CREATE TABLE t (x INTEGER)").connection.close()
    assert known.advice(error, url, tmp_path) == ""
    assert known.advice(ValueError("no such table"), url, tmp_path) == ""
    assert dialect_of("postgresql").advice(error, make_url("postgresql://h/x"), tmp_path) == ""


def test_motherduck_cannot_be_enforced() -> None:
    """A remote DuckDB has no access mode; it names no file either."""
    url = make_url("duckdb:///md:deals")
    assert dialect_of("duckdb").unenforced(url)
    assert dialect_of("duckdb").read_only(url, Path(), "database") == (url, {})
    assert dialect_of("duckdb").file_of(url, Path()) is None


def test_oracle_begins_each_transaction_read_only() -> None:
    """As the database offers it."""
    assert dialect_of("oracle").begin == ("SET TRANSACTION READ ONLY",)
    assert dialect_of("oracle").unenforced(make_url("oracle://h/x")) is None


def test_a_database_that_cannot_be_kept_from_writing_is_refused(tmp_path: Path) -> None:
    """The message says why, that ApplicationIntent is not enough, and how to trust; no secret is in it."""
    for url in (UNENFORCED, f"{UNENFORCED}?ApplicationIntent=ReadOnly"):
        with pytest.raises(SourceError) as caught:
            open_read_only(url, folder=tmp_path)
        for part in (
            "has no read-only transactions",
            "ApplicationIntent=ReadOnly only chooses a replica",
            "--dealsnap-trust-source",
            "DEALSNAP_TRUST_SOURCE",
            "trust_source = true",
        ):
            assert part in str(caught.value)
        assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("arguments", [("audit",), ("init",), ("rehearse",)])
def test_a_command_refuses_it_too_unless_told_to_trust(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """``audit``, ``init`` and ``rehearse`` have the flag; with it, the next obstacle is the missing driver."""
    (tmp_path / "pyproject.toml").write_text("[tool.other]\n")
    where = () if arguments == ("init",) else ("--database",)
    given = (*arguments, *where, UNENFORCED, *(("--scratch-url", UNENFORCED) if "rehearse" in arguments else ()))
    if "rehearse" in arguments:
        given = (*given, "--upgrade", "true")
    refused = dealsnap(tmp_path, *given)
    assert refused.code == 2, refused
    assert "--dealsnap-trust-source" in refused.err
    trusted = dealsnap(tmp_path, *given, "--trust-source")
    assert "--dealsnap-trust-source" not in trusted.err
    assert "is not installed" in trusted.err or "names the database itself" in trusted.err


def test_a_gate_refuses_it_unless_told_to_trust(tmp_path: Path) -> None:
    """Flag, environment and file say the same."""
    project = Project(tmp_path).with_deals(deal("1")).captured()
    elsewhere = project.with_environment(DEALSNAP_DATABASE=UNENFORCED)
    refused = elsewhere.gate()
    assert (refused.code, "--dealsnap-trust-source" in refused.text) == (4, True)
    assert "is not installed" in elsewhere.gate("--dealsnap-trust-source").text
    assert "is not installed" in elsewhere.with_environment(DEALSNAP_TRUST_SOURCE="yes").gate().text


def test_trust_source_is_true_or_false(tmp_path: Path) -> None:
    """In the file a truth value, in the environment a word for it."""
    assert configure(tmp_path, "trust_source = true\n").trust_source
    assert not configure(tmp_path, "", environ={"DEALSNAP_TRUST_SOURCE": "off"}).trust_source
    assert configure(tmp_path, "", environ={"DEALSNAP_TRUST_SOURCE": "1"}).trust_source
    wrong: list[tuple[str, dict[str, Any]]] = [
        ('trust_source = "true"\n', {}),
        ("", {"environ": {"DEALSNAP_TRUST_SOURCE": "maybe"}}),
    ]
    for settings, given in wrong:
        with pytest.raises(ConfigError, match="must be true or false"):
            configure(tmp_path, settings, **given)


def test_of_an_unknown_dialect_nothing_is_known(tmp_path: Path) -> None:
    """Neither how to make it read-only, nor which database it is."""
    unknown = dialect_of("cockroachdb")
    assert "no way to make sqlite refuse" in str(unknown.unenforced(make_url("sqlite:///x.db")))
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}")
    with engine.connect() as connection:
        assert unknown.identity(connection) is None
        assert unknown.confirm(connection, connection)  # nothing proves that they differ
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///a/x.db", "a/x.db"),
        ("sqlite:///:memory:", ""),
        ("sqlite:///file:x.db?uri=true", ""),
        ("duckdb:///x.duckdb", "x.duckdb"),
        ("duckdb:///:memory:", ""),
        ("duckdb:///md:deals", ""),
        ("postgresql://h/x", ""),
        ("mariadb://h/x", ""),
    ],
)
def test_the_path_of_a_file_is_made_absolute(url: str, path: str, tmp_path: Path) -> None:
    """Whatever is no path in a folder stays as it is written."""
    given = make_url(url)
    known = dialect_of(given.get_backend_name())
    assert known.path_in(given) == path
    found = known.absolute(given, tmp_path)
    assert found == (given.set(database=str(tmp_path / path)) if path else given)


@pytest.mark.parametrize(
    ("url", "memory"),
    [
        ("sqlite://", True),
        ("sqlite:///:memory:", True),
        ("sqlite:///file:x?mode=memory&uri=true", True),
        ("sqlite:///x.db", False),
        ("postgresql://h/x", False),
    ],
)
def test_a_database_in_memory_is_known(url: str, memory: bool) -> None:
    """Such a one is never the deals' database."""
    given = make_url(url)
    assert dialect_of(given.get_backend_name()).in_memory(given) is memory


def test_djangos_names() -> None:
    """PostGIS is PostgreSQL; a backend of others' is none that is known."""
    assert dialect_of_django("django.contrib.gis.db.backends.postgis") is dialect_of("postgresql")
    assert dialect_of_django("django.db.backends.sqlite3") is dialect_of("sqlite")
    assert dialect_of_django("mssql") is None


def test_an_unknown_database_has_an_answer_to_everything() -> None:
    """It is read as plain SQL allows, by PostgreSQL's drivers where it is a relative; nothing is claimed of it."""
    known, url = dialect_of("cockroachdb"), make_url("postgresql+psycopg://h/x")
    assert (known.names, known.copying, known.locks, known.others, known.triggers) == ((), "", "", "", "")
    assert known.arguments(url, "dealsnap-load") == {"prepare_threshold": None}
    assert known.tool_variables(url, {}) == {}
    assert known.checked_files(url, Path(), "database") == ()
    assert known.with_given_identities("INSERT INTO t (id) VALUES (1)") == "INSERT INTO t (id) VALUES (1)"
