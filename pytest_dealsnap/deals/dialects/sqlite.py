"""SQLite: the file is opened by ``mode=ro``, and its connection told to refuse writes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote, unquote

from sqlalchemy import ColumnElement, Connection, type_coerce
from sqlalchemy import Dialect as SQLAlchemyDialect
from sqlalchemy.engine import URL
from sqlalchemy.types import LargeBinary, TypeEngine

from pytest_dealsnap.deals.dialects.base import Dialect
from pytest_dealsnap.deals.dialects.sqlite_values import WhereItCan, converts, decoded
from pytest_dealsnap.errors import SourceError

__all__ = ["SQLite", "sqlite_file"]

_SECONDS_FOR_A_LOCK = 5.0  # the usual ones of Python's driver


class SQLite(Dialect):
    """A SQLite file."""

    names: ClassVar = ("sqlite",)
    freezing: ClassVar = "own"
    is_not_true: ClassVar = True
    deferring: ClassVar = "PRAGMA defer_foreign_keys = ON"
    sqlglot: ClassVar = "sqlite"
    django_engines: ClassVar = ("sqlite3",)
    is_file: ClassVar = True
    copying: ClassVar = "backup"
    folds_case: ClassVar = True
    triggers: ClassVar = "SELECT name FROM sqlite_master WHERE type = 'trigger'"

    def unenforced(self, url: URL) -> str | None:
        return None

    def read_only(self, url: URL, folder: Path, place: str) -> tuple[URL, Mapping[str, Any]]:
        database = url.database
        if not database or database == ":memory:":
            raise SourceError(f'{place} = "{url}": an in-memory database is empty; name a file, "sqlite:///deals.db"')
        query = {**url.query, "mode": "ro", "uri": "true"}
        if database.startswith("file:"):
            return url.set(query=query), {}
        path = (folder / database).absolute()
        if not path.exists():
            raise SourceError(f"{place}: no such SQLite file: {path}")
        if not path.is_file():
            raise SourceError(f"{place}: {path} is not a file")
        return url.set(database=f"file:{quote(str(path))}", query=query), {}

    def on_connect(self, driver_connection: Any) -> None:
        driver_connection.execute("PRAGMA query_only = ON")

    def file_of(self, url: URL, folder: Path) -> Path | None:
        database = url.database
        if not database or database == ":memory:":
            return None
        if not database.startswith("file:"):
            return folder / database
        path = unquote(database.removeprefix("file:").partition("?")[0])
        if path.startswith("//"):  # file://host/path: only the local host is allowed, so it names nothing
            path = "/" + path.removeprefix("//").partition("/")[2]
        return folder / path

    def advice(self, error: Exception, url: URL, folder: Path) -> str:
        """A reader of a database in WAL mode makes its ``-shm`` file, which a read-only folder does not allow."""
        path = self.file_of(url, folder)
        known = ("attempt to write a readonly database", "unable to open database file", "disk I/O error")
        if path is None or not path.is_file() or not any(words in str(error) for words in known):
            return ""
        with path.open("rb") as file:
            is_wal = file.read(20)[18:] == b"\x02\x02"
        if not is_wal or os.access(path.parent, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
            return ""
        uri = f"sqlite:///file:{quote(str(path))}?immutable=1&uri=true"
        log = path.with_name(path.name + "-wal")
        if log.exists() and log.stat().st_size:
            return (
                f" {path.name} is in WAL mode, its newest rows are in {log.name}, and {path.parent} cannot be written "
                "to, which reading both needs. Copy the two files to a folder that can be written to, and name the copy"
            )
        return (
            f" {path.name} is in WAL mode, and {path.parent} cannot be written to, which reading it needs. "
            f'If nobody writes to the file while it is read: database = "{uri}". Else copy it to another folder'
        )

    def arguments(self, url: URL, application: str) -> dict[str, Any]:
        return {"timeout": _SECONDS_FOR_A_LOCK}

    def checked_files(self, url: URL, folder: Path, place: str) -> tuple[Path, ...]:
        """Return the file, and the write-ahead log that belongs to it."""
        path = sqlite_file(url, folder, place)
        return tuple(part for part in (path, path.with_name(path.name + "-wal")) if part.exists())

    def path_in(self, url: URL) -> str:
        database = url.database or ""
        return "" if database == ":memory:" or database.startswith("file:") else database

    def in_memory(self, url: URL) -> bool:
        database = str(url.database or ":memory:")
        return database == ":memory:" or "mode=memory" in database or url.query.get("mode") == "memory"

    def changes(self, connection: Connection) -> int | None:
        # Past SQLAlchemy, which would begin a transaction: it is asked for each deal that fails.
        driver: Any = connection.connection.driver_connection
        return int(driver.execute("PRAGMA data_version").fetchone()[0])

    def seconds_to_freeze(self, connection: Connection, seconds: float) -> float:
        """In WAL mode a reader keeps no writer waiting; in any other it would."""
        mode = str(connection.exec_driver_sql("PRAGMA journal_mode").scalar())
        return seconds if mode.lower() == "wal" else 0.0

    def hold(self, connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar()  # the first read fixes the state

    def prepare_values(self, driver_connection: Any, driver: str, loads: Callable[[Any], Any]) -> None:
        driver_connection.text_factory = decoded

    def changes_values(self, column_type: TypeEngine[Any], dialect: SQLAlchemyDialect) -> bool:
        return converts(column_type, dialect) or isinstance(column_type, LargeBinary)

    def exact_column(self, column: ColumnElement[Any], dialect: SQLAlchemyDialect) -> ColumnElement[Any]:
        return type_coerce(column, WhereItCan(column.type)) if converts(column.type, dialect) else column


def sqlite_file(source: URL, folder: Path, place: str) -> Path:
    """Return the path of the file that *source* names; raises :class:`SourceError` where there is none."""
    database = source.database
    if not database or database == ":memory:":
        raise SourceError(f'{place} = "{source}": an in-memory database is empty; name a file, "sqlite:///deals.db"')
    if database.startswith("file:"):
        database = database.removeprefix("file:").partition("?")[0]
    path = (folder / database).absolute()
    if not path.is_file():
        raise SourceError(f"{place}: no such SQLite file: {path}")
    return path
