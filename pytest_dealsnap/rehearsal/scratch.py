"""A scratch copy of the user's database: made by the database's own means, gone at the end.

::

    with scratch_copy("postgresql://ana@db/deals") as scratch:
        scratch.url  # to be given to a process; scratch.shown is the one to be printed

The original is only ever read. The copy is dropped when the block is left: normally, by an exception,
by Ctrl-C, SIGTERM or SIGHUP. Only a process that is killed outright leaves it behind.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL

from pytest_dealsnap.deals.database import parse_url, public_url
from pytest_dealsnap.deals.dialects import dialect_of
from pytest_dealsnap.deals.identity import same_database
from pytest_dealsnap.errors import SourceError
from pytest_dealsnap.reasoning.signals import signals_raise, signals_wait
from pytest_dealsnap.rehearsal.leftovers import KEPT
from pytest_dealsnap.rehearsal.mysql_copy import copy_mysql, drop_mysql, keep_mysql
from pytest_dealsnap.rehearsal.postgresql_copy import (
    copy_postgresql,
    drop_postgresql,
    keep_postgresql,
    new_name,
    refuse_pooler,
)
from pytest_dealsnap.rehearsal.sqlite_copy import copy_sqlite, drop_sqlite, new_file

__all__ = ["ScratchDatabase", "scratch_copy"]


@dataclass(frozen=True, slots=True)
class ScratchDatabase:
    """A database that may be changed.

    ``url`` works and may hold a password, ``shown`` is for people. ``means`` says in words how the copy
    was made, ``own`` whether it is the user's (``--scratch-url``), which is never dropped.
    """

    url: str
    shown: str
    dialect: str
    means: str
    own: bool = False


def _to_stderr(line: str) -> None:
    sys.stderr.write(line + "\n")


@contextmanager
def scratch_copy(
    url: str | URL,
    *,
    keep: bool = False,
    folder: Path | None = None,
    place: str = "database",
    scratch_url: str | None = None,
    say: Callable[[str], None] = _to_stderr,
) -> Iterator[ScratchDatabase]:
    """Copy the database at *url*, and yield the copy; it is dropped when the block is left.

    A relative SQLite path is relative to *folder* (the current one). *keep* leaves the copy and has
    *say* tell where it is. *scratch_url* names a copy that the user made, for databases that dealsnap
    cannot copy: it is used as it is, changed, and left.

    Raises :class:`SourceError`, without secrets, where the database cannot be copied.
    """
    source = parse_url(url if isinstance(url, str) else url.render_as_string(hide_password=False), place)
    if scratch_url is not None:
        yield _users_own(source, scratch_url, folder or Path.cwd(), place)
        return
    with signals_raise():
        copying = dialect_of(source.get_backend_name()).copying
        if copying == "backup":
            yield from _sqlite(source, folder or Path.cwd(), place, keep, say)
        elif copying == "database":
            yield from _postgresql(source, folder or Path.cwd(), place, keep, say)
        elif copying == "dump":
            yield from _mysql(source, folder or Path.cwd(), place, keep, say)
        else:
            raise SourceError(
                f"{place}: dealsnap copies SQLite, PostgreSQL, MySQL and MariaDB databases, not "
                f"{public_url(source)}. Make a copy by the database's own means and give it as --scratch-url URL: the "
                "rehearsal migrates it, and leaves it"
            )


def _sqlite(source: URL, folder: Path, place: str, keep: bool, say: Callable[[str], None]) -> Iterator[ScratchDatabase]:
    path = new_file()
    target = source.set(database=str(path), query={k: v for k, v in source.query.items() if k not in ("mode", "uri")})
    try:
        copy_sqlite(source, path, folder=folder, place=place)
        _check_apart(source, target, folder, place)
        yield _described(target, "SQLite's online backup")
    finally:
        _end(target, lambda: drop_sqlite(path), lambda: (path.parent / KEPT).touch(), keep, say)


def _postgresql(
    source: URL, folder: Path, place: str, keep: bool, say: Callable[[str], None]
) -> Iterator[ScratchDatabase]:
    refuse_pooler(source, folder=folder, place=place)
    name = new_name()
    target = source.set(database=name)
    try:
        means = copy_postgresql(source, name, place=place)
        _check_apart(source, target, folder, place)
        yield _described(target, means)
    finally:
        _end(target, lambda: drop_postgresql(source, name), lambda: keep_postgresql(source, name), keep, say)


def _mysql(source: URL, folder: Path, place: str, keep: bool, say: Callable[[str], None]) -> Iterator[ScratchDatabase]:
    name = new_name()
    target = source.set(database=name)
    try:
        means = copy_mysql(source, name, place=place)
        _check_apart(source, target, folder, place)
        yield _described(target, means)
    finally:
        _end(target, lambda: drop_mysql(source, name), lambda: keep_mysql(source, name), keep, say)


def _described(target: URL, means: str, *, own: bool = False) -> ScratchDatabase:
    text = target.render_as_string(hide_password=False)
    return ScratchDatabase(text, public_url(target), target.get_backend_name(), means, own)


def _end(
    target: URL, drop: Callable[[], str | None], kept: Callable[[], None], keep: bool, say: Callable[[str], None]
) -> None:
    """Keep the copy, or drop it undisturbed: a second Ctrl-C must not leave half of it."""
    if keep and sys.exc_info()[0] is not SourceError:
        kept()
        say(f"the scratch database is kept: {public_url(target)}")
        return
    with signals_wait():
        problem = drop()
    # Where the copy could not even be begun, the error that is under way says why.
    if problem is not None and not isinstance(sys.exc_info()[1], SourceError):
        say(f"the scratch database {public_url(target)} could not be dropped: {problem}")


def _users_own(source: URL, scratch_url: str, folder: Path, place: str) -> ScratchDatabase:
    target = parse_url(scratch_url, "--scratch-url")
    target = dialect_of(target.get_backend_name()).absolute(target, folder)
    if same_database(source, target, folder=folder, places=(place, "--scratch-url")):
        raise SourceError(
            f"--scratch-url names the database itself: {public_url(target)} and {public_url(source)} are one database, "
            "which a rehearsal would migrate. Name a copy of it"
        )
    return _described(target, "the copy named by --scratch-url", own=True)


def _check_apart(source: URL, target: URL, folder: Path, place: str) -> None:
    """Refuse a copy whose URL leads to the original: by a query that names it, or a pooler that does."""
    if same_database(source, target, folder=folder, places=(place, "the scratch copy")):
        raise SourceError(
            f"{place}: the copy was made, but {public_url(target)} leads to the original: is the database named in the "
            "URL's query, or by a pooler for every name? Name the server itself, and the database in the URL's path"
        )
