"""DuckDB: the file is opened by ``access_mode = READ_ONLY``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import Inspector
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

    def advice(self, error: Exception, url: URL, folder: Path) -> str:
        """Reflection of duckdb-engine asks for what DuckDB does not have."""
        if url.get_dialect().__module__.partition(".")[0] != "duckdb_engine":
            return ""
        return (
            " duckdb-engine cannot describe tables with this release of SQLAlchemy and DuckDB. Put duckdb-sqlalchemy "
            "in its place: pip uninstall duckdb-engine; pip install 'pytest-dealsnap[duckdb]'"
        )

    def other_schemas(self, inspector: Inspector) -> list[str]:
        """Each name has its database's in front; ``system`` and ``temp`` are DuckDB's own."""
        names = [name.partition(".") for name in inspector.get_schema_names()]
        return [schema for database, _, schema in names if database not in ("system", "temp") and schema != "main"]

    def file_of(self, url: URL, folder: Path) -> Path | None:
        database = url.database
        if not database or database == ":memory:" or database.startswith(_REMOTE):
            return None
        return folder / database

    def path_in(self, url: URL) -> str:
        database = url.database or ""
        return "" if database == ":memory:" or database.startswith(_REMOTE) else database
