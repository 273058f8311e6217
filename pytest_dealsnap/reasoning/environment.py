"""What a reasoner raises and is no failure of its own: the environment's, or dealsnap's.

A service that refused a connection says nothing of a deal. Such a deal is not judged, and never recorded as an error.
"""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Iterator, Sequence

from pytest_dealsnap.errors import DealsnapError, OutputError, ReasonerError, SourceAwayError

__all__ = ["Environment", "causes_of", "is_ours", "is_source_away"]

MOST_CAUSES = 100

_NETWORK = (ConnectionRefusedError, ConnectionResetError, ConnectionAbortedError)
_NETWORK_NUMBERS = frozenset(
    getattr(errno, name)
    for name in ("EHOSTUNREACH", "ENETUNREACH", "ENETDOWN", "ENETRESET", "EHOSTDOWN", "ETIMEDOUT")
    if hasattr(errno, name)
)
# SQLSTATEs: class 08 is the connection, 53300 too many connections, 57P a server that stops or starts.
_SQLSTATE_PREFIXES = ("08", "53300", "57P01", "57P02", "57P03")
# MySQL's and MariaDB's: too many connections (3), cannot connect (2), connection lost or killed, server stopping.
_MYSQL_NUMBERS = frozenset({1040, 1053, 1158, 1159, 1160, 1161, 1203, 1226, 1927, 2002, 2003, 2006, 2013, 2055, 4031})
# Modules of drivers, not databases: a reasoner may use one where SQLAlchemy, and deals/dialects/, are not loaded.
_MYSQL_DRIVERS = ("pymysql", "MySQLdb", "mysql", "mariadb")


class Environment:
    """Recognizes exceptions of the environment: the usual ones, and those of ``errors.environment`` by dotted *names*.

    A name is compared with every class of an exception's MRO, and along its chain of causes. Nothing is imported
    for it: a class that was never imported was never raised.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.names = tuple(names)

    def __reduce__(self) -> tuple[type[Environment], tuple[tuple[str, ...]]]:
        return Environment, (self.names,)

    def explains(self, error: BaseException) -> bool:
        """Whether *error* is not the reasoner's: the environment's, or one of dealsnap's own, also as a cause."""
        return any(is_ours(cause) or _is_usual(cause) or self._is_named(type(cause)) for cause in causes_of(error))

    def names_one_of(self, error: BaseException) -> bool:
        """Whether *error*, or one of its causes, is one of the named exceptions."""
        return any(self._is_named(type(cause)) for cause in causes_of(error))

    def _is_named(self, kind: type[BaseException]) -> bool:
        return bool(self.names) and any(_has_name(base, name) for base in kind.__mro__ for name in self.names)


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """Yield *error*, what it was raised from or while, what it groups and what it wraps, each once."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < MOST_CAUSES:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        own = getattr(current, "__dict__", {})
        wrapped = (own.get("orig"), own.get("reason"))  # SQLAlchemy's, urllib's
        inner = current.exceptions if isinstance(current, BaseExceptionGroup) else ()
        following = (current.__cause__, current.__context__, *wrapped, *inner)
        waiting += [cause for cause in following if isinstance(cause, BaseException)]


def is_ours(error: BaseException) -> bool:
    """Whether *error* is one of dealsnap's own that says nothing of the reasoner, such as a row that cannot be read."""
    return isinstance(error, DealsnapError) and not isinstance(error, (ReasonerError, OutputError))


def is_source_away(error: BaseException) -> bool:
    """Whether the source of the deals gave no answer, as *error* or one of its causes says."""
    return any(isinstance(cause, SourceAwayError) for cause in causes_of(error))


def _has_name(kind: type, name: str) -> bool:
    if f"{kind.__module__}.{kind.__qualname__}" == name or (kind.__module__ == "builtins" and kind.__name__ == name):
        return True
    module, _, attribute = name.rpartition(".")  # a package may offer what a module of its own defines
    return bool(module) and getattr(sys.modules.get(module), attribute, None) is kind


def _is_usual(error: BaseException) -> bool:
    if isinstance(error, OSError):
        temporary = isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN
        return isinstance(error, _NETWORK) or error.errno in _NETWORK_NUMBERS or temporary
    return _is_lost_database(error)


def _is_lost_database(error: BaseException) -> bool:
    """Whether a driver of a database says that it lost its connection, or got none."""
    driver = type(error).__module__.partition(".")[0]
    if driver == "sqlalchemy":
        return getattr(error, "connection_invalidated", False) is True  # it asked its dialect
    first = error.args[0] if error.args else None
    if driver in _MYSQL_DRIVERS:
        number = getattr(error, "errno", None) or first
        return isinstance(number, int) and number in _MYSQL_NUMBERS
    state: object = None
    if driver in ("psycopg", "asyncpg"):
        state = getattr(error, "sqlstate", None)
    elif driver == "psycopg2":
        state = getattr(error, "pgcode", None)
    elif driver == "pg8000" and isinstance(first, dict):
        state = first.get("C")
    elif driver == "pyodbc":
        state = first
    if isinstance(state, str):
        return state.startswith(_SQLSTATE_PREFIXES)
    # libpq has no SQLSTATE for what it did not hear from the server: no connection, or a lost one.
    return driver in ("psycopg", "psycopg2") and any(
        base.__name__ == "OperationalError" for base in type(error).__mro__
    )
