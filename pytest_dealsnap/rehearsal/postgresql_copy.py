"""A copy of a PostgreSQL database on its own server.

``CREATE DATABASE … TEMPLATE`` copies files, exactly and fast, but only a database to which nobody else is
connected. Where somebody is, ``pg_dump`` reads one snapshot and ``psql`` restores it. A schema
rebuilt from reflection would lack triggers, policies and functions, and a rehearsal on it would prove
less than it says: without the client programs this is an error, not a third way.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from pytest_dealsnap.deals.database import public_url
from pytest_dealsnap.deals.dialects import unprepared
from pytest_dealsnap.deals.identity import is_pooled
from pytest_dealsnap.errors import SourceError
from pytest_dealsnap.rehearsal.dump_copy import KEPT_COMMENT, PREFIX, WAY_OUT, dump_folder, dump_into, without_password
from pytest_dealsnap.rehearsal.owners import this_process

__all__ = [
    "administration",
    "copy_postgresql",
    "drop_postgresql",
    "keep_postgresql",
    "new_name",
    "refuse_pooler",
]

IN_USE, NOT_ALLOWED = "55006", "42501"
SECONDS_TO_GO = 2.0


def new_name() -> str:
    """Return a name that no database has."""
    return PREFIX + secrets.token_hex(6)


def copy_postgresql(source: URL, name: str, *, place: str) -> str:
    """Make the database *name* a copy of *source*, and return in words how; it may be there after a failure.

    Raises :class:`SourceError`, without secrets.
    """
    try:
        with administration(source) as connection:
            if _alone(connection, source) and _from_template(connection, source, name):
                _comment(connection, name, this_process())
                means = "CREATE DATABASE … TEMPLATE"
            else:
                _create_empty(connection, source, name)
                _comment(connection, name, this_process())
                _dump_and_restore(connection, source, name, place)
                means = "pg_dump and psql"
            _same_settings(connection, source, name)
    except DBAPIError as error:
        raise _uncopied(error, source, place) from None
    return means


def refuse_pooler(source: URL, *, folder: Path, place: str) -> None:
    """Raise :class:`SourceError` where *source* leads to a pooler; nothing is set for its session."""
    try:
        pooled = is_pooled(source, folder=folder, place=place)
    except DBAPIError as error:
        raise _uncopied(error, source, place) from None
    if pooled:
        raise SourceError(
            f"{place}: {public_url(source)} leads to a connection pooler, and pg_dump would leave its settings on the "
            f"sessions that the pooler hands to the application. Name the server itself: --database URL. {WAY_OUT}"
        )


def _uncopied(error: DBAPIError, source: URL, place: str) -> SourceError:
    return SourceError(f"{place}: {public_url(source)} cannot be copied: {_reason(error, source)}. {WAY_OUT}")


def drop_postgresql(source: URL, name: str) -> str | None:
    """Drop the database *name* if it is there, whoever is connected to it; return why that failed, if it did."""
    disconnect = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
    try:
        with administration(source) as connection:
            connection.execute(disconnect, {"name": name})
            connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}"')
    except DBAPIError as error:
        return _reason(error, source)
    return None


def keep_postgresql(source: URL, name: str) -> None:
    """Say in the database's comment that its user wants it kept: ``dealsnap clean`` leaves it."""
    with suppress(DBAPIError), administration(source) as connection:  # it is kept in any case
        _comment(connection, name, KEPT_COMMENT)


def _comment(connection: Connection, name: str, words: str) -> None:
    """Write *words* into the comment of the scratch database: whose it is, if its rehearsal is killed."""
    quoted = words.replace("'", "''")
    connection.exec_driver_sql(f"COMMENT ON DATABASE \"{name}\" IS '{quoted}'".replace("%", "%%"))


@contextmanager
def administration(source: URL) -> Iterator[Connection]:
    """Connect to the server, but not to the database: one that is connected to cannot be a template."""
    problem: DBAPIError | None = None
    for database in ("postgres", "template1"):
        if database == source.database:
            continue
        engine = create_engine(
            source.set(database=database),
            isolation_level="AUTOCOMMIT",
            poolclass=NullPool,
            connect_args=unprepared(source),
        )
        try:
            connection = engine.connect()
        except DBAPIError as error:
            problem = problem or error
            continue
        with connection:
            yield connection
        return
    assert problem is not None
    raise problem


def _alone(connection: Connection, source: URL) -> bool:
    """Whether nobody is connected to the source; a connection that was just closed may take a moment to go."""
    began = time.monotonic()
    while _others(connection, source):
        if time.monotonic() - began > SECONDS_TO_GO:
            return False
        time.sleep(0.05)
    return True


def _others(connection: Connection, source: URL) -> int:
    """Return how many are connected; PostgreSQL sends its own autovacuum away by itself."""
    question = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = :name AND backend_type NOT LIKE 'autovacuum%'"
    )
    prepared = text("SELECT count(*) FROM pg_prepared_xacts WHERE database = :name")
    name = {"name": source.database}
    return int(connection.scalar(question, name) or 0) + int(connection.scalar(prepared, name) or 0)


def _from_template(connection: Connection, source: URL, name: str) -> bool:
    """Whether the copy could be made of the files; not if somebody connected, or the source is not ours."""
    original = connection.dialect.identifier_preparer.quote_identifier(str(source.database))
    try:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE {original}')
    except DBAPIError as error:
        if _state(error) in (IN_USE, NOT_ALLOWED):
            return False
        raise
    return True


def _create_empty(connection: Connection, source: URL, name: str) -> None:
    """Create an empty database that sorts and encodes as the source does."""
    question = text("SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = :name")
    encoding, collate, ctype = connection.execute(question, {"name": source.database}).one()
    connection.exec_driver_sql(
        f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE '{collate}' LC_CTYPE '{ctype}'"
    )


def _same_settings(connection: Connection, source: URL, name: str) -> None:
    """Give the copy what ``ALTER DATABASE … SET`` gave the source, such as a search path."""
    question = text(
        "SELECT unnest(setconfig) FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase "
        "WHERE setrole = 0 AND datname = :name"
    )
    for setting in connection.scalars(question, {"name": source.database}).all():
        key, _, value = str(setting).partition("=")
        connection.exec_driver_sql("BEGIN")  # the value is set for this transaction alone
        connection.execute(text("SELECT set_config(:key, :value, true)"), {"key": key, "value": value})
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET {key} FROM CURRENT')
        connection.exec_driver_sql("COMMIT")


def _dump_and_restore(connection: Connection, source: URL, name: str, place: str) -> None:
    server = int(connection.scalar(text("SHOW server_version_num")) or 0) // 10_000
    dump, psql = _programs(server, place, source)
    with dump_folder() as folder:
        arguments = ["--format=plain", "--no-owner", "--no-privileges", "--no-comments", "--dbname=service=dealsnap"]
        options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", "service=dealsnap"]
        environments = _service(source, folder / "from"), _service(source.set(database=name), folder / "to")
        said = dump_into([dump, *arguments], [psql, *options], folder=folder, environments=environments)
    if said is not None:
        raise SourceError(
            f"{place}: {public_url(source)} cannot be copied: somebody else is connected to it, and pg_dump and psql "
            f"failed: {without_password(said, source)}. {WAY_OUT}"
        )


def _programs(server: int, place: str, source: URL) -> tuple[str, str]:
    """Return pg_dump and psql of one installation that is no older than the server."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    seen = []
    for folder in folders:
        dump, psql = shutil.which("pg_dump", path=str(folder)), shutil.which("psql", path=str(folder))
        if dump and psql:
            version = _version(dump)
            if version >= server:
                return dump, psql
            seen.append(str(version))
    found = f"only of version {', '.join(dict.fromkeys(seen))}" if seen else "none here"
    raise SourceError(
        f"{place}: somebody else is connected to {public_url(source)}, so its copy takes pg_dump and psql of version "
        f"{server} or newer ({found}). Install PostgreSQL's client programs, or disconnect the others. {WAY_OUT}"
    )


def _version(program: str) -> int:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = re.search(r"\) (\d+)", done.stdout)
    return int(found[1]) if found else 0


def _service(url: URL, path: Path) -> dict[str, str]:
    """Return an environment in which ``service=dealsnap`` is *url*: a command line would show its secrets."""
    settings = {"host": url.host, "port": url.port, "user": url.username, "dbname": url.database}
    if url.drivername.partition("+")[2] != "pg8000":  # whose query is not libpq's
        settings |= {key: value if isinstance(value, str) else ",".join(value) for key, value in url.query.items()}
    lines = [f"{key}={value}" for key, value in settings.items() if value not in (None, "")]
    path.touch(mode=0o600)
    path.write_text("\n".join(["[dealsnap]", *lines, ""]), encoding="utf-8")
    password = {"PGPASSWORD": str(url.password)} if url.password is not None else {}
    return {**os.environ, "PGSERVICEFILE": str(path), "LC_MESSAGES": "C", **password}


def _state(error: DBAPIError) -> str | None:
    """Return the SQLSTATE, which drivers call by different names."""
    return getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)


def _reason(error: DBAPIError, source: URL) -> str:
    hint = ""
    if _state(error) == NOT_ALLOWED:
        hint = f" (the rehearsal needs the right to create a database: ALTER ROLE {source.username or '…'} CREATEDB)"
    return without_password(" ".join(str(error.orig).split()), source) + hint
