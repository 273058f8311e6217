"""What dealsnap must know of each database; no other room asks for a database by its name.

One module for each. ``dialect_of`` returns the one that serves an SQLAlchemy URL.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.types import TypeEngine

from pytest_dealsnap.deals.dialects.base import Dialect
from pytest_dealsnap.deals.dialects.driver_values import Converted, Undecodable
from pytest_dealsnap.deals.dialects.duckdb import DuckDB
from pytest_dealsnap.deals.dialects.mssql import SQLServer
from pytest_dealsnap.deals.dialects.mysql import MySQL
from pytest_dealsnap.deals.dialects.oracle import Oracle
from pytest_dealsnap.deals.dialects.postgresql import PostgreSQL
from pytest_dealsnap.deals.dialects.postgresql_values import unprepared
from pytest_dealsnap.deals.dialects.sqlite import SQLite

__all__ = [
    "SQLGLOT_NAMES",
    "Converted",
    "Dialect",
    "Undecodable",
    "dialect_of",
    "dialect_of_django",
    "domain_of",
    "nulls_alike",
    "unprepared",
]

_ALL: tuple[Dialect, ...] = (PostgreSQL(), SQLite(), MySQL(), DuckDB(), SQLServer(), Oracle())
_BY_NAME = {name: dialect for dialect in _ALL for name in dialect.names}
_BY_DJANGO = {name: dialect for dialect in _ALL for name in dialect.django_engines}
# In the order in which a condition of unknown origin is tried.
SQLGLOT_NAMES = tuple(dialect.sqlglot for dialect in _ALL if dialect.sqlglot)


def dialect_of(name: str) -> Dialect:
    """Return what is known of the database that SQLAlchemy calls *name*, such as ``postgresql``."""
    return _BY_NAME.get(name) or Dialect()


def dialect_of_django(engine: str) -> Dialect | None:
    """Return the database of a Django ``ENGINE``, such as ``django.db.backends.postgresql``; ``None`` for another."""
    return _BY_DJANGO.get(engine.rpartition(".")[2])


def nulls_alike(constraint: Any) -> bool:
    """Whether an SQLAlchemy unique *constraint*, or index, takes two NULLs for equal in any database."""
    return any(dialect.nulls_alike(constraint) for dialect in _ALL)


def domain_of(column_type: TypeEngine[Any]) -> Any | None:
    """Return *column_type* where it is a domain of any database, with a ``check`` and whether it is ``not_null``."""
    return next((found for dialect in _ALL if (found := dialect.domain_of(column_type)) is not None), None)
