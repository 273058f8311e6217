"""What dealsnap must know of each database: how it is opened read-only, and which database it is.

One module for each. ``dialect_of`` returns the one that serves an SQLAlchemy URL.
"""

from __future__ import annotations

from pytest_dealsnap.deals.dialects.base import Dialect
from pytest_dealsnap.deals.dialects.duckdb import DuckDB
from pytest_dealsnap.deals.dialects.mssql import SQLServer
from pytest_dealsnap.deals.dialects.mysql import MySQL
from pytest_dealsnap.deals.dialects.oracle import Oracle
from pytest_dealsnap.deals.dialects.postgresql import PostgreSQL, unprepared
from pytest_dealsnap.deals.dialects.sqlite import SQLite

__all__ = ["Dialect", "dialect_of", "unprepared"]

_ALL: tuple[Dialect, ...] = (SQLite(), PostgreSQL(), MySQL(), DuckDB(), SQLServer(), Oracle())
_BY_NAME = {name: dialect for dialect in _ALL for name in dialect.names}


def dialect_of(name: str) -> Dialect:
    """Return what is known of the database that SQLAlchemy calls *name*, such as ``postgresql``."""
    return _BY_NAME.get(name) or Dialect()
