"""A read-only engine for the user's database, and its URL without secrets."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from pytest_dealsnap.deals.dialects import Dialect, dialect_of
from pytest_dealsnap.errors import SourceError
from pytest_dealsnap.secrets import MASK, is_secret_key, redact, remember

__all__ = ["OWN_ENGINE", "check_enforced", "driver_reason", "open_read_only", "parse_url", "public_url"]

OWN_ENGINE = "dealsnap_own_engine"  # tells dealsnap's own questions from a reasoner's

# Whatever stands between user and host, blanks included.
_PASSWORD = re.compile(r"((?:://|^)[^:/@]*):.*@", re.DOTALL)


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
    query = {name: MASK if is_secret_key(name) else value for name, value in url.query.items()}
    return redact(url.set(query=query).render_as_string(hide_password=True))


def driver_reason(error: Exception, url: URL) -> str:
    """Return what a driver says went wrong at *url*, on one line: its error's name and message, without secrets."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    reason = redact(" ".join(str(cause).split()))
    if url.password:  # a short one may be a word of harmless texts, so that it is masked here only
        reason = reason.replace(str(url.password), MASK)
    return f"{type(cause).__name__}: {reason}"


def open_read_only(text: str, *, folder: Path, place: str = "database", trust: bool = False) -> Engine:
    """Return an engine on which the database itself refuses every write.

    SQLite and DuckDB files are opened read-only (a relative path is relative to *folder*). On servers each
    transaction is read-only by itself: nothing is set for a session, because poolers share sessions.

    Raises :class:`SourceError` for a database where that cannot be enforced, unless *trust* says that its
    user's rights keep it from being written.
    """
    url = parse_url(text, place)
    known = dialect_of(url.get_backend_name())
    check_enforced(url, place, trust=trust)
    url, arguments = known.read_only(url, folder, place)
    try:
        engine = create_engine(url, connect_args=dict(arguments), execution_options={OWN_ENGINE: True})
    except ImportError as error:
        raise SourceError(f"{place}: the driver for {public_url(url)} is not installed: {error}") from None
    if engine.dialect.is_async:
        raise SourceError(
            f'{place}: "{url.drivername}" is an asynchronous driver; name a synchronous one, '
            f'such as "{url.get_backend_name()}://…"'
        )
    event.listen(engine, "connect", lambda connection, record: known.on_connect(connection))
    event.listen(engine, "begin", lambda connection: _begin_read_only(connection, known))
    if known.reads:
        event.listen(engine, "before_cursor_execute", lambda c, cursor, statement, *rest: _refuse(known, statement))
    return engine


def check_enforced(url: URL, place: str, *, trust: bool) -> None:
    """Refuse a database that cannot be kept from writing, unless *trust*; raises :class:`SourceError`."""
    reason = dialect_of(url.get_backend_name()).unenforced(url)
    if reason is not None and not trust:
        raise SourceError(
            f"{place}: {public_url(url)} could be written to: {reason}. If its user cannot write, say so: "
            "--dealsnap-trust-source, DEALSNAP_TRUST_SOURCE=true, or trust_source = true in [tool.dealsnap]"
        )


def _begin_read_only(connection: Connection, known: Dialect) -> None:
    for statement in known.begin:
        connection.exec_driver_sql(statement)


def _refuse(known: Dialect, statement: str) -> None:
    word = statement.lstrip(" (\n\t").partition(" ")[0].strip().upper()
    if word not in known.reads:
        raise SourceError(f"dealsnap only reads: {word} is refused in a read-only transaction")
