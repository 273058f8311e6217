"""A copy of a MySQL or MariaDB database on its own server, by the server's own dump and client programs.

``mariadb-dump --single-transaction`` reads one consistent state of InnoDB's tables and locks nobody out. Events are
not copied: the server would run them. Triggers, views and routines are; one that names the original by its schema
would write there, so that it ends the copying.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from pytest_dealsnap.deals.database import public_url
from pytest_dealsnap.deals.dialects import dialect_of
from pytest_dealsnap.errors import SourceError
from pytest_dealsnap.rehearsal.clients import uses_schema
from pytest_dealsnap.rehearsal.dump_copy import KEPT_COMMENT, PREFIX, WAY_OUT, dump_folder, dump_into, without_password
from pytest_dealsnap.rehearsal.owners import this_process

__all__ = ["administration_of_server", "copy_mysql", "drop_mysql", "keep_mysql", "scratch_schemas"]

NO_RIGHT = (1044, 1045, 1142, 1227)
_PROGRAMS = (("mariadb-dump", "mariadb"), ("mysqldump", "mysql"))
_ARGUMENTS = (
    "--single-transaction", "--quick", "--skip-lock-tables", "--no-tablespaces", "--hex-blob", "--skip-comments",
    "--routines", "--triggers", "--default-character-set=utf8mb4",
)  # fmt: skip
_BODIES = (
    ("trigger", "SELECT trigger_name, action_statement FROM information_schema.triggers WHERE trigger_schema = :name"),
    (
        "routine",
        "SELECT routine_name, routine_definition FROM information_schema.routines WHERE routine_schema = :name",
    ),
    ("view", "SELECT table_name, view_definition FROM information_schema.views WHERE table_schema = :name"),
)
_NAMES = "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE :begin ORDER BY schema_name"
_COMMENTS = "SELECT schema_name, schema_comment FROM information_schema.schemata WHERE schema_name LIKE :begin"
_SESSIONS = "SELECT db, count(*) FROM information_schema.processlist WHERE db IS NOT NULL GROUP BY db"
_COUNTS = "SELECT table_type, count(*) FROM information_schema.tables WHERE table_schema = :name GROUP BY table_type"


@dataclass(frozen=True, slots=True)
class _Programs:
    dump: str
    client: str
    own: bool  # MySQL's own dump, which knows options that MariaDB's refuses


def copy_mysql(source: URL, name: str, *, place: str) -> str:
    """Make the database *name* a copy of *source*; it may be there after a failure.

    Args:
        source: the original, which is only read.
        name: of the copy, on the same server.
        place: where the URL is from, for messages.

    Returns:
        In words how the copy was made.

    Raises:
        SourceError: without secrets; it names the right that is missing.
    """
    programs = _programs(place, source)
    try:
        with administration_of_server(source) as connection:
            _create_empty(connection, source, name)
            _dump_and_restore(source, name, programs, place)
            _check_whole(connection, source, name, place)
            _check_bodies(connection, source, name, place)
    except DBAPIError as error:
        raise SourceError(
            f"{place}: {public_url(source)} cannot be copied: {_reason(error, source)}. {WAY_OUT}"
        ) from None
    return f"{Path(programs.dump).name} and {Path(programs.client).name}"


def drop_mysql(source: URL, name: str) -> str | None:
    """Drop the database *name* if it is there, whoever is connected to it; return why that failed, if it did."""
    sessions = text("SELECT id FROM information_schema.processlist WHERE db = :name")
    try:
        with administration_of_server(source) as connection:
            for number in connection.scalars(sessions, {"name": name}).all():
                with suppress(DBAPIError):  # it has just gone, or is another user's: then the DROP waits for it
                    connection.exec_driver_sql(f"KILL {int(number)}")
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS `{name}`")
    except DBAPIError as error:
        return _reason(error, source)
    return None


def keep_mysql(source: URL, name: str) -> None:
    """Say in the database's comment, where there are such, that its user wants it kept."""
    with suppress(DBAPIError), administration_of_server(source) as connection:  # it is kept in any case
        connection.exec_driver_sql(f"ALTER DATABASE `{name}` {_comment(KEPT_COMMENT)}")


def scratch_schemas(source: URL) -> list[tuple[str, str, int]]:
    """Return each scratch database of the server, its comment (MySQL has none), and how many are connected to it."""
    begin = {"begin": PREFIX.replace("_", r"\_") + "%"}
    with administration_of_server(source) as connection:
        names = connection.scalars(text(_NAMES), begin).all()
        comments: dict[str, str] = {}
        with suppress(DBAPIError):
            comments = {str(name): str(comment) for name, comment in connection.execute(text(_COMMENTS), begin)}
        sessions = {str(name): int(count) for name, count in connection.execute(text(_SESSIONS))}
    return [(str(name), comments.get(str(name), ""), sessions.get(str(name), 0)) for name in names]


@contextmanager
def administration_of_server(source: URL) -> Iterator[Connection]:
    """Connect to the server of *source*, but to no database."""
    engine = create_engine(
        source.set(database=None),
        isolation_level="AUTOCOMMIT",
        poolclass=NullPool,
        connect_args=dialect_of(source.get_backend_name()).arguments(source, PREFIX),
    )
    with engine.connect() as connection:
        yield connection


def _comment(words: str) -> str:
    """Return the clause by which MariaDB comments on a database; MySQL passes over it."""
    quoted = words.replace("'", "''").replace("%", "%%")
    return f"/*M!100503 COMMENT '{quoted}' */"


def _create_empty(connection: Connection, source: URL, name: str) -> None:
    """Create an empty database whose texts are compared as the source's are, and say whose it is."""
    question = text(
        "SELECT default_character_set_name, default_collation_name FROM information_schema.schemata "
        "WHERE schema_name = :name"
    )
    characters, collation = connection.execute(question, {"name": source.database}).one()
    connection.exec_driver_sql(
        f"CREATE DATABASE `{name}` CHARACTER SET {characters} COLLATE {collation} {_comment(this_process())}"
    )


def _programs(place: str, source: URL) -> _Programs:
    for dump, client in _PROGRAMS:
        found = shutil.which(dump), shutil.which(client)
        if found[0] and found[1]:
            version = subprocess.run([found[0], "--version"], capture_output=True, text=True, check=False)  # noqa: S603
            return _Programs(found[0], found[1], "mariadb" not in version.stdout.lower())
    raise SourceError(
        f"{place}: {public_url(source)} is copied by mariadb-dump and mariadb, or mysqldump and mysql, and "
        "neither pair is in PATH: install the client programs (Debian: mariadb-client or default-mysql-client). "
        f"{WAY_OUT}"
    )


def _dump_and_restore(source: URL, name: str, programs: _Programs, place: str) -> None:
    # A password in the environment would win over the file's.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MYSQL_")}
    with dump_folder() as folder:
        options = _options_file(source, folder / "client.cnf")
        more = ["--set-gtid-purged=OFF", "--column-statistics=0"] if programs.own else []
        reading = [programs.dump, options, *_ARGUMENTS, *more, str(source.database)]
        writing = [programs.client, options, "--default-character-set=utf8mb4", name]
        said = dump_into(reading, writing, folder=folder, environments=(environment, environment))
    if said is not None:
        raise SourceError(
            f"{place}: {public_url(source)} cannot be copied by {Path(programs.dump).name} and "
            f"{Path(programs.client).name}: {without_password(said, source)}{_rights(said, source)}. {WAY_OUT}"
        )


def _options_file(url: URL, path: Path) -> str:
    """Write the connection's parameters into a file that only its owner reads; return the option that names it."""
    socket = url.query.get("unix_socket")
    settings = {
        "host": None if socket else url.host or "localhost",
        "port": None if socket else url.port or dialect_of(url.get_backend_name()).default_port,
        "socket": socket,
        "protocol": None if socket else "tcp",
        "user": url.username,
        "password": url.password,
        "ssl-ca": url.query.get("ssl_ca"),
    }
    lines = [f"{key}={_quoted(str(value))}" for key, value in settings.items() if value not in (None, "")]
    path.touch(mode=0o600)
    path.write_text("\n".join(["[client]", *lines, ""]), encoding="utf-8")
    return f"--defaults-file={path}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _check_whole(connection: Connection, source: URL, name: str, place: str) -> None:
    """Refuse a copy that lacks tables or views: a dump leaves out what its user may not read."""
    there, copied = (
        {str(kind): int(count) for kind, count in connection.execute(text(_COUNTS), {"name": database})}
        for database in (source.database, name)
    )
    if there != copied:
        raise SourceError(
            f"{place}: the copy of {public_url(source)} is not whole: {there} there, {copied} in the copy. "
            f"The user needs SELECT, SHOW VIEW and TRIGGER on all of the database. {WAY_OUT}"
        )


def _check_bodies(connection: Connection, source: URL, name: str, place: str) -> None:
    """Refuse a copy with a trigger, view or routine that reads or writes the original by its schema."""
    for kind, question in _BODIES:
        for part, body in connection.execute(text(question), {"name": name}):
            if uses_schema(str(body or ""), str(source.database)):
                raise SourceError(
                    f"{place}: the {kind} {part} names the database {source.database} itself, so its copy would reach "
                    f"the original. Leave the schema out of it. {WAY_OUT}"
                )


def _reason(error: DBAPIError, source: URL) -> str:
    said = " ".join(str(error.orig).split())
    return without_password(said, source) + _rights(said, source)


def _rights(said: str, source: URL) -> str:
    if not any(str(number) in said for number in NO_RIGHT):
        return ""
    user = f"'{source.username or '…'}'@'…'"
    return (
        f" (the rehearsal needs GRANT ALL ON `{PREFIX.replace('_', chr(92) + '_')}%`.* TO {user}, and on the database "
        "itself SELECT, SHOW VIEW and TRIGGER)"
    )
