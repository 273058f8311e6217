"""DuckDB: the file is opened by ``access_mode = READ_ONLY``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy.engine import URL

from pytest_dealsnap.deals.dialects.base import Dialect
from pytest_dealsnap.errors import SourceError

__all__ = ["DuckDB"]

_REMOTE = ("md:", "motherduck:")


class DuckDB(Dialect):
    """A DuckDB file."""

    names: ClassVar = ("duckdb",)
    is_file: ClassVar = True

    def unenforced(self, url: URL) -> str | None:
        if (url.database or "").startswith(_REMOTE):
            return "MotherDuck has no access mode that refuses writes"
        return None

    def read_only(self, url: URL, folder: Path, place: str) -> tuple[URL, Mapping[str, Any]]:
        database = url.database
        if not database or database == ":memory:":
            raise SourceError(f'{place} = "{url}": an in-memory database is empty; name a file, "duckdb:///deals.db"')
        if database.startswith(_REMOTE):
            return url, {}
        path = (folder / database).absolute()
        if not path.is_file():
            raise SourceError(f"{place}: no such DuckDB file: {path}")
        # In both places: the URL's own query must not say otherwise.
        query = {key: value for key, value in url.query.items() if key not in ("access_mode", "read_only")}
        return url.set(database=str(path), query=query), {"read_only": True}

    def file_of(self, url: URL, folder: Path) -> Path | None:
        database = url.database
        if not database or database == ":memory:" or database.startswith(_REMOTE):
            return None
        return folder / database

    def path_in(self, url: URL) -> str:
        database = url.database or ""
        return "" if database == ":memory:" or database.startswith(_REMOTE) else database
