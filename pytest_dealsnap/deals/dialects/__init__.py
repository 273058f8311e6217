"""What dealsnap must know of each database; no other room asks for a database by its name.

One module for each. ``dialect_of`` returns the one that serves an SQLAlchemy URL; extensions add others by the hook
``pytest_dealsnap_dialects``.
"""

from __future__ import annotations

from collections.abc import Iterable
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
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.extensions import answers

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

HOOK = "pytest_dealsnap_dialects"
_ALL: tuple[Dialect, ...] = (PostgreSQL(), SQLite(), MySQL(), DuckDB(), SQLServer(), Oracle())
_BY_NAME = {name: dialect for dialect in _ALL for name in dialect.names}
_BY_DJANGO = {name: dialect for dialect in _ALL for name in dialect.django_engines}
# In the order in which a condition of unknown origin is tried.
SQLGLOT_NAMES = tuple(dialect.sqlglot for dialect in _ALL if dialect.sqlglot)


def dialect_of(name: str) -> Dialect:
    """Return what is known of the database that SQLAlchemy calls *name*, such as ``postgresql``.

    Extensions are asked only for one that is not built in. Raises :class:`ConfigError` for one that cannot be used.
    """
    return _BY_NAME.get(name) or _added().get(name) or Dialect()


def _added() -> dict[str, Dialect]:
    found: dict[str, Dialect] = {}
    for extension, dialects in answers(HOOK):
        if not isinstance(dialects, Iterable) or isinstance(dialects, str):
            raise ConfigError(f"{HOOK} of {extension} returned {type(dialects).__name__}; it must return dialects")
        for dialect in dialects:
            if not isinstance(dialect, Dialect) or type(dialect.names) is not tuple or not dialect.names:
                raise ConfigError(
                    f"{HOOK} of {extension}: {dialect!r} is no dialect: it must be an object of a subclass of "
                    'pytest_dealsnap.hookspecs.Dialect, with names = ("…",) as SQLAlchemy knows the database'
                )
            for name in dialect.names:
                if name in _BY_NAME or name in found:
                    whose = "dealsnap's own" if name in _BY_NAME else "added by another, too"
                    raise ConfigError(f"{HOOK} of {extension}: the dialect {name} is {whose}")
                found[name] = dialect
    return found


def dialect_of_django(engine: str) -> Dialect | None:
    """Return the database of a Django ``ENGINE``, such as ``django.db.backends.postgresql``; ``None`` for another."""
    return _BY_DJANGO.get(engine.rpartition(".")[2])


def nulls_alike(constraint: Any) -> bool:
    """Whether an SQLAlchemy unique *constraint*, or index, takes two NULLs for equal in any built-in database."""
    return any(dialect.nulls_alike(constraint) for dialect in _ALL)


def domain_of(column_type: TypeEngine[Any]) -> Any | None:
    """Return *column_type* where it is a known domain, with a ``check`` and whether it is ``not_null``."""
    return next((found for dialect in _ALL if (found := dialect.domain_of(column_type)) is not None), None)
