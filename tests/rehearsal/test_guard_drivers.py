"""No Python driver opens the original in a step, by whichever name; the scratch copy is opened, and that is noted."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

from pytest_dealsnap.rehearsal.protection import protect, read_notes, target_of
from tests.mariadb import as_root
from tests.plugin.project import clean_environment
from tests.postgresql import as_owner

POSTGRESQL = {
    "psycopg": "import psycopg; psycopg.connect({dsn!r}).close()",
    "psycopg, imported by name": "from psycopg import connect, Connection; connect({dsn!r}).close()",
    "psycopg, asynchronous": "import asyncio, psycopg\n"
    "async def go(): await (await psycopg.AsyncConnection.connect({dsn!r})).close()\n"
    "asyncio.run(go())",
    "psycopg2": "from psycopg2 import connect; connect({dsn!r}).close()",
    "asyncpg": "import asyncio, asyncpg\n"
    "async def go(): await (await asyncpg.connect(host={host!r}, port={port}, user={user!r}, "
    "database={name!r})).close()\nasyncio.run(go())",
    "asyncpg's pool": "import asyncio, asyncpg\n"
    "async def go(): await (await asyncpg.create_pool(host={host!r}, port={port}, user={user!r}, "
    "database={name!r}, min_size=1)).close()\nasyncio.run(go())",
    "pg8000": "import pg8000.dbapi; pg8000.dbapi.connect({user!r}, database={name!r}, "
    "unix_sock={host!r} + '/.s.PGSQL.{port}').close()",
    "pg8000.native": "import pg8000.native; pg8000.native.Connection({user!r}, database={name!r}, "
    "unix_sock={host!r} + '/.s.PGSQL.{port}').close()",
    "the environment": "import os, psycopg; os.environ.update(PGHOST={host!r}, PGPORT='{port}', PGUSER={user!r}, "
    "PGDATABASE={name!r}); psycopg.connect().close()",
    "SQLAlchemy": "import sqlalchemy; sqlalchemy.create_engine({url!r}).connect().close()",
}
MARIADB = {
    "pymysql": "import pymysql; pymysql.connect(host={host!r}, port={port}, user='root', database={name!r}).close()",
    "pymysql, another name of the host": "import pymysql; "
    "pymysql.connect(host='localhost', port={port}, user='root', db={name!r}).close()",
    "MySQLdb": "import MySQLdb; MySQLdb.connect({host!r}, 'root', '', {name!r}, {port}).close()",
    "mariadb": "import mariadb; mariadb.connect(host={host!r}, port={port}, user='root', database={name!r}).close()",
    "mysql.connector": "import mysql.connector; mysql.connector.connect(host={host!r}, port={port}, user='root', "
    "database={name!r}).close()",
    "aiomysql": "import asyncio, aiomysql\nasync def go(): (await aiomysql.connect(host={host!r}, port={port}, "
    "user='root', db={name!r})).close()\nasyncio.run(go())",
}
DUCKDB = "import duckdb; duckdb.connect({path!r}).close()"


def run(folder: Path, original: str, copy: str, code: str, *flags: str) -> tuple[str, list[str], list[str]]:
    """Run *code* as a step's Python: return what it says last, and by what original and copy were asked for."""
    record = folder / "notes"
    record.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, *flags, "-c", f"{code}\nprint('opened')"],
        env=clean_environment(**protect(folder / "guard", original, copy, record)), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    notes = read_notes(record)
    return (done.stdout + done.stderr).strip().splitlines()[-1], list(notes.original), list(notes.copy)


def parts(text: str) -> dict[str, object]:
    """Return what a driver is given for the URL."""
    url = make_url(text)
    host = url.host or url.query.get("host")
    port = url.port or url.query.get("port") or {"postgresql": 5432, "mysql": 3306}[url.get_backend_name()]
    dsn = f"host={host} port={port} dbname={url.database} user={url.username}"
    return {"host": host, "port": port, "user": url.username, "name": url.database, "dsn": dsn, "url": text}


@pytest.mark.parametrize("driver", POSTGRESQL)
def test_no_driver_opens_postgresqls_original(tmp_path: Path, postgresql: str, driver: str) -> None:
    """It is refused before, or at the latest after connecting; the copy on the same server opens."""
    as_owner(postgresql, "DROP DATABASE IF EXISTS copied WITH (FORCE)", "CREATE DATABASE copied")
    copy = make_url(postgresql).set(database="copied").render_as_string(hide_password=False)
    try:
        said, original, copied = run(tmp_path, postgresql, copy, POSTGRESQL[driver].format(**parts(postgresql)))
        assert "OriginalDatabaseError" in said
        assert (len(original), copied) == (1, [])
        said, original, copied = run(tmp_path, postgresql, copy, POSTGRESQL[driver].format(**parts(copy)))
        assert (said, original, len(copied)) == ("opened", [], 1)
    finally:
        as_owner(postgresql, "DROP DATABASE copied WITH (FORCE)")


@pytest.mark.parametrize("driver", MARIADB)
def test_no_driver_opens_mariadbs_original(tmp_path: Path, mariadb: str, driver: str) -> None:
    """The same for MariaDB and MySQL."""
    module = driver.partition(",")[0].partition(".")[0]
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{driver} is not installed")
    as_root(mariadb, "CREATE DATABASE IF NOT EXISTS copied")
    copy = make_url(mariadb).set(database="copied").render_as_string(hide_password=False)
    try:
        said, original, copied = run(tmp_path, mariadb, copy, MARIADB[driver].format(**parts(mariadb)))
        assert "OriginalDatabaseError" in said
        assert (len(original), copied) == (1, [])
        said, original, copied = run(tmp_path, mariadb, copy, MARIADB[driver].format(**parts(copy)))
        assert (said, original, len(copied)) == ("opened", [], 1)
    finally:
        as_root(mariadb, "DROP DATABASE copied")


def test_a_database_by_another_address_is_asked_which_it_is(tmp_path: Path, pgbouncer: str, postgresql: str) -> None:
    """Through a pooler nothing in the address is the original's; its server says that it is."""
    code = f"import sqlalchemy; sqlalchemy.create_engine({pgbouncer!r}).connect().close()"
    said, original, _ = run(tmp_path, postgresql, f"sqlite:///{tmp_path}/copy.db", code)
    assert "OriginalDatabaseError" in said
    assert original == ["psycopg"]


def test_duckdbs_original_is_refused(tmp_path: Path) -> None:
    """A file like SQLite's, opened by a driver that tells nobody; a hard link of it is the same file."""
    path = tmp_path / "deals.duckdb"
    subprocess.run([sys.executable, "-c", DUCKDB.format(path=str(path))], check=True)
    linked = tmp_path / "linked.duckdb"
    os.link(path, linked)
    for name in (path, linked):
        said, original, _ = run(tmp_path, f"duckdb:///{path}", "duckdb:///copy", DUCKDB.format(path=str(name)))
        assert "OriginalDatabaseError" in said
        assert original == ["duckdb"]
    other = DUCKDB.format(path=str(tmp_path / "copy"))
    assert run(tmp_path, f"duckdb:///{path}", f"duckdb:///{tmp_path}/copy", other) == ("opened", [], ["duckdb"])


USERS_OWN = "import sys; sys.flags_of_mine = ['sitecustomize']"


def test_the_guard_is_silent_and_lets_the_users_own_customization_run(tmp_path: Path) -> None:
    """In every Python that a step starts, also one with a ``sitecustomize`` and a ``usercustomize``."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "sitecustomize.py").write_text(USERS_OWN)
    environment = protect(tmp_path / "guard", f"sqlite:///{tmp_path}/a.db", "sqlite:///b.db", tmp_path / "notes")
    paths = [environment["PYTHONPATH"], str(tmp_path / "own")]
    code = "import sitecustomize, sys, json; print(json.dumps([sitecustomize.__file__, sys.flags_of_mine]))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env=clean_environment(**{**environment, "PYTHONPATH": os.pathsep.join(paths)}),
    )  # fmt: skip
    assert done.stderr == ""
    assert json.loads(done.stdout) == [str(tmp_path / "own" / "sitecustomize.py"), ["sitecustomize"]]
    assert read_notes(tmp_path / "notes").guarded
    bare = subprocess.run(
        [sys.executable, "-c", "pass"], capture_output=True, text=True, env=clean_environment(**environment), check=True
    )
    assert (bare.stdout, bare.stderr) == ("", "")


@pytest.mark.parametrize("flag", ["-I", "-S", "-E"])
def test_a_python_that_reads_no_pythonpath_is_silent_and_not_noted(tmp_path: Path, flag: str) -> None:
    """Only the watch sees it; the guard does not claim it."""
    environment = protect(tmp_path / "guard", f"sqlite:///{tmp_path}/a.db", "sqlite:///b.db", tmp_path / "notes")
    done = subprocess.run(
        [sys.executable, flag, "-c", "pass"], capture_output=True, text=True, env=clean_environment(**environment),
        check=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("", "")
    assert not read_notes(tmp_path / "notes").guarded


def test_a_python_of_another_environment_is_guarded_too(tmp_path: Path) -> None:
    """It need not have dealsnap: the guard is files of the standard library only."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    environment = protect(tmp_path / "guard", f"sqlite:///{tmp_path}/a.db", "sqlite:///b.db", tmp_path / "notes")
    code = f"import sqlite3; sqlite3.connect({str(tmp_path / 'a.db')!r})"
    done = subprocess.run(
        [str(tmp_path / "venv" / "bin" / "python"), "-c", code], capture_output=True, text=True,
        env=clean_environment(**environment), check=False,
    )  # fmt: skip
    assert "OriginalDatabaseError" in done.stderr
    assert not (tmp_path / "a.db").exists()


def test_a_role_without_privileges_is_told_which_database_it_is_in(tmp_path: Path, postgresql: str) -> None:
    """The guard knows the original by another role, and by another address, too."""
    as_owner(postgresql, "DROP ROLE IF EXISTS plain", "CREATE ROLE plain LOGIN")
    url = make_url(postgresql).set(username="plain")
    link = tmp_path / "other"
    link.symlink_to(str(url.query["host"]))
    try:
        assert target_of(url.render_as_string(hide_password=False)).identity == target_of(postgresql).identity
        assert target_of(postgresql).identity is not None
        code = f"import psycopg; psycopg.connect('host={link} dbname={url.database} user=plain')"
        assert run(tmp_path, postgresql, "sqlite:///copy.db", code)[1] == ["psycopg"]
    finally:
        as_owner(postgresql, "DROP ROLE plain")
