"""PostgreSQL: each transaction is read-only by itself; nothing is set for the session, which a pooler shares."""

from __future__ import annotations

import secrets
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from pytest_dealsnap.deals.dialects.base import Dialect

__all__ = ["PostgreSQL"]

_DATABASE = text(
    "SELECT (SELECT oid FROM pg_database WHERE datname = current_database()), "
    "pg_postmaster_start_time()::text, pg_is_in_recovery()"
)
_SYSTEM = text("SELECT system_identifier::text FROM pg_control_system()")
_MAY_ASK_SYSTEM = text("SELECT has_function_privilege('pg_control_system()', 'EXECUTE')")
_LOCK = text("SELECT pg_try_advisory_xact_lock(:key)")


class PostgreSQL(Dialect):
    """A database of a PostgreSQL server."""

    names: ClassVar = ("postgresql",)
    begin: ClassVar = ("SET TRANSACTION READ ONLY",)

    def unenforced(self, url: URL) -> str | None:
        return None

    def read_only(self, url: URL, folder: Path, place: str) -> tuple[URL, Mapping[str, Any]]:
        # A statement that is prepared on one connection of a pooler is unknown to the next.
        unprepared = {"prepare_threshold": None} if url.get_driver_name() == "psycopg" else {}
        return url, unprepared

    def identity(self, connection: Connection) -> Hashable | None:
        """Return system identifier, database oid and start of the server.

        The start tells a cluster from its physical copies, which share the system identifier.
        """
        oid, started, _ = connection.execute(_DATABASE).one()
        return _system(connection), oid, started

    def is_same(self, first: Connection, second: Connection) -> bool | None:
        """Whether two connections lead to one database, or to a standby of one.

        The proof asks for no rights: a lock that one connection holds is refused to the other.
        """
        one, other = first.execute(_DATABASE).one(), second.execute(_DATABASE).one()
        if one[0] != other[0]:
            return False
        if one[2] or other[2]:  # a standby repeats what is written to its primary
            return _system(first) == _system(second)
        key = {"key": secrets.randbits(63)}
        if not first.scalar(_LOCK, key):
            return True  # cannot be: nobody else has this key
        return not second.scalar(_LOCK, key)


def _system(connection: Connection) -> str | None:
    """Return the cluster's identifier; ``None`` where the user may not ask for it."""
    try:
        with connection.begin_nested():
            if not connection.scalar(_MAY_ASK_SYSTEM):
                return None
            return str(connection.scalar(_SYSTEM))
    except DBAPIError:  # a relative of PostgreSQL's that has no such function
        return None
