"""Whether two URLs lead to one database: asked of the servers, because a URL has many spellings."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from pytest_dealsnap.deals.database import driver_reason, open_read_only, parse_url, public_url
from pytest_dealsnap.deals.dialects import Dialect, dialect_of
from pytest_dealsnap.errors import SourceError

__all__ = ["identity", "is_pooled", "same_database"]


def identity(connection: Connection) -> Hashable | None:
    """Return what the server of *connection* says of which database this is; ``None`` where it says nothing.

    By whichever host name, port, socket or pooler it was reached, one database gives one value, as long as
    its server is not restarted.
    """
    return dialect_of(connection.dialect.name).identity(connection)


def is_pooled(url: URL, *, folder: Path, place: str) -> bool:
    """Whether *url* leads to a pooler before the server; it is only read. Raises what SQLAlchemy raises."""
    known = dialect_of(url.get_backend_name())
    engine = open_read_only(url.render_as_string(hide_password=False), folder=folder, place=place, trust=True)
    try:
        with engine.connect() as connection:
            return known.pooled(connection)
    finally:
        engine.dispose()


def same_database(
    first: str | URL, second: str | URL, *, folder: Path, places: tuple[str, str] = ("database", "database")
) -> bool:
    """Whether two URLs lead to one database; both are only read. Relative paths are relative to *folder*.

    Where the databases themselves do not tell, as with an unknown dialect, equal names count as one database.
    Raises :class:`SourceError`, naming one of *places*, for a database that cannot be asked.
    """
    one, other = _parsed(first, places[0]), _parsed(second, places[1])
    known, known_too = dialect_of(one.get_backend_name()), dialect_of(other.get_backend_name())
    files = known.file_of(one, folder), known_too.file_of(other, folder)
    if files[0] is not None and files[1] is not None:
        return _same_file(files[0], files[1])
    if known is not known_too and (known.names or known_too.names):
        return False
    return _same_on_server(known, (one, other), folder, places)


def _parsed(url: str | URL, place: str) -> URL:
    return parse_url(url if isinstance(url, str) else url.render_as_string(hide_password=False), place)


def _same_file(first: Path, second: Path) -> bool:
    """Whether two paths name one file, also by a symbolic or a hard link; a file that is not there is another."""
    try:
        return first.samefile(second)
    except FileNotFoundError:
        return first.resolve() == second.resolve()
    except OSError as error:
        raise SourceError(f"{first} and {second} cannot be told apart: {error}") from None


def _same_on_server(known: Dialect, urls: tuple[URL, URL], folder: Path, places: tuple[str, str]) -> bool:
    """Ask one server after the other: through a pooler, two questions at once may need more than it has."""
    told = [_identity(url, folder, place) for url, place in zip(urls, places, strict=True)]
    if told[0] is None or told[1] is None:
        return urls[0].database == urls[1].database
    if not known.may_be_same(told[0], told[1]):
        return False
    return not known.confirms or _confirmed(known, urls, folder, places)


def _identity(url: URL, folder: Path, place: str) -> Hashable | None:
    engine = open_read_only(url.render_as_string(hide_password=False), folder=folder, place=place, trust=True)
    try:
        with engine.connect() as connection:
            return identity(connection)
    except SQLAlchemyError as error:
        raise _unreachable(error, url, place) from None
    finally:
        engine.dispose()


def _confirmed(known: Dialect, urls: tuple[URL, URL], folder: Path, places: tuple[str, str]) -> bool:
    engines = [
        open_read_only(url.render_as_string(hide_password=False), folder=folder, place=place, trust=True)
        for url, place in zip(urls, places, strict=True)
    ]
    try:
        with engines[0].connect() as first, engines[1].connect() as second:
            return known.confirm(first, second)
    except SQLAlchemyError as error:
        raise _unreachable(error, urls[1], places[1]) from None
    finally:
        for engine in engines:
            engine.dispose()


def _unreachable(error: SQLAlchemyError, url: URL, place: str) -> SourceError:
    return SourceError(f"{place}: {public_url(url)} cannot be asked which database it is: {driver_reason(error, url)}")
