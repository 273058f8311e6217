"""A read-only engine for the user's database, and its URL without secrets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from pytest_dealsnap.errors import SourceError, redact
from pytest_dealsnap.secrets import is_secret_key, remember

__all__ = ["open_read_only", "public_url"]

# Whatever stands between user and host, blanks included.
_PASSWORD = re.compile(r"((?:://|^)[^:/@]*):.*@", re.DOTALL)
# Statements that make a session refuse to write, for dialects that have one.
_READ_ONLY_SESSION = {
    "sqlite": "PRAGMA query_only = ON",
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
}


def parse_url(text: str, place: str) -> URL:
    """Return *text* as an SQLAlchemy URL; raises :class:`SourceError` naming *place*, without secrets."""
    try:
        url = make_url(text)
        url.get_dialect()
        if "@" in (url.host or ""):
            raise ValueError(text)
    except NoSuchModuleError:
        name = text.split(":", 1)[0]
        raise SourceError(f'{place}: SQLAlchemy knows no database "{name}"; is its dialect installed?') from None
    except (ArgumentError, ValueError):
        shown = redact(_PASSWORD.sub(r"\1:***@", text))
        raise SourceError(
            f'{place} = "{shown}": not a database URL. An SQLAlchemy URL looks like '
            '"sqlite:///deals.db" or "postgresql://user:password@host/name"; an @ in a password is written %40'
        ) from None
    remember(url.password, beside=(url.username, url.database))
    return url


def public_url(url: URL) -> str:
    """Return *url* as text with password and secret-looking query values masked."""
    query = {name: "***" if is_secret_key(name) else value for name, value in url.query.items()}
    return redact(url.set(query=query).render_as_string(hide_password=True))


def open_read_only(text: str, *, folder: Path, place: str = "database") -> Engine:
    """Return an engine on which the database itself refuses every write.

    SQLite is opened with ``mode=ro`` (a relative path is relative to *folder*) and ``query_only``;
    PostgreSQL and MySQL get a read-only session. Of other databases dealsnap only asks SELECTs.
    """
    url = parse_url(text, place)
    arguments: dict[str, Any] = {}
    if url.get_backend_name() == "sqlite":
        url = _read_only_sqlite(url, folder, place)
    try:
        engine = create_engine(url, **arguments)
    except ImportError as error:
        raise SourceError(f"{place}: the driver for {public_url(url)} is not installed: {error}") from None
    if engine.dialect.is_async:
        raise SourceError(
            f'{place}: "{url.drivername}" is an asynchronous driver; name a synchronous one, '
            f'such as "{url.get_backend_name()}://…"'
        )
    statement = _READ_ONLY_SESSION.get(engine.dialect.name)
    if statement is not None:
        event.listen(engine, "connect", lambda connection, record: _execute(connection, statement))
    return engine


def _execute(connection: Any, statement: str) -> None:
    cursor = connection.cursor()
    cursor.execute(statement)
    cursor.close()
    connection.commit()


def _read_only_sqlite(url: URL, folder: Path, place: str) -> URL:
    """Return the URL of the same file opened read-only; an in-memory database has no deals."""
    database = url.database
    if not database or database == ":memory:":
        raise SourceError(f'{place} = "{url}": an in-memory database is empty; name a file, "sqlite:///deals.db"')
    if database.startswith("file:"):
        query = {**url.query, "mode": "ro", "uri": "true"}
        return url.set(query=query)
    path = (folder / database).absolute()
    if not path.exists():
        raise SourceError(f"{place}: no such SQLite file: {path}")
    if not path.is_file():
        raise SourceError(f"{place}: {path} is not a file")
    return url.set(database=f"file:{quote(str(path))}", query={**url.query, "mode": "ro", "uri": "true"})
