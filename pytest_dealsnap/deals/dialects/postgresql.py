"""PostgreSQL: each transaction is read-only by itself; nothing is set for the session, which a pooler shares."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Connection, Inspector, Table, cast, func, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import LargeBinary, Text, TypeEngine

from pytest_dealsnap.deals.dialects.base import Dialect
from pytest_dealsnap.deals.dialects.postgresql_values import unprepared

__all__ = ["PostgreSQL"]

_DATABASE = text(
    "SELECT (SELECT oid FROM pg_database WHERE datname = current_database())::bigint, "
    "extract(epoch FROM pg_postmaster_start_time())::text, pg_is_in_recovery()"
)
_SYSTEM = text("SELECT system_identifier::text FROM pg_control_system()")
# Milliseconds after which the server itself ends a transaction that waits, or runs.
_LIMIT = text(
    "SELECT min(setting::bigint) FROM pg_settings "
    "WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout') AND setting::bigint > 0"
)
_LOCKS = """
    SELECT l.pid, n.nspname, c.relname, l.mode FROM pg_locks l
    JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND l.granted
      AND c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND a.application_name NOT LIKE :ours
"""
# Strongest last, as in PostgreSQL's manual; what only reads take is not reported.
_LOCK_MODES = (
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
_REPEATABLE = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
PART_OF_LIMIT = 0.8


@dataclass(frozen=True, slots=True)
class Identity:
    """Which database it is: in which cluster, by which oid, and of which of the cluster's physical copies.

    ``system`` is ``None`` where the user may not ask. Copies share it; the start of the server tells them apart.
    """

    system: str | None
    oid: int
    started: str
    standby: bool


class PostgreSQL(Dialect):
    """A database of a PostgreSQL server."""

    names: ClassVar = ("postgresql",)
    begin: ClassVar = ("SET TRANSACTION READ ONLY",)
    freezing: ClassVar = "shared"
    is_not_true: ClassVar = True
    deferring: ClassVar = "SET CONSTRAINTS ALL DEFERRED"
    sqlglot: ClassVar = "postgres"
    django_engines: ClassVar = ("postgresql", "postgis")
    django_drivers: ClassVar = {"psycopg": "psycopg", "psycopg2": "psycopg2"}
    default_port: ClassVar = 5432
    copying: ClassVar = "database"
    locks: ClassVar = _LOCKS
    lock_modes: ClassVar = _LOCK_MODES
    waits: ClassVar = (
        "SELECT pid, left(regexp_replace(query, '\\s+', ' ', 'g'), 80), wait_event FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    # The last statement of a transaction that has failed: the one that failed, or one that it refused since.
    failed: ClassVar = (
        "SELECT left(regexp_replace(query, '\\s+', ' ', 'g'), 200) FROM pg_stat_activity WHERE datname = "
        "current_database() AND state LIKE '%(aborted)' AND application_name NOT LIKE :ours ORDER BY state_change"
    )
    giving_up: ClassVar = ("SET LOCAL lock_timeout = '500ms'",)  # half of PostgreSQL's deadlock_timeout
    triggers: ClassVar = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    others: ClassVar = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )

    def unenforced(self, url: URL) -> str | None:
        return None

    def read_only(self, url: URL, folder: Path, place: str) -> tuple[URL, Mapping[str, Any]]:
        return url, unprepared(url)

    def arguments(self, url: URL, application: str) -> dict[str, Any]:
        return {"application_name": application, **unprepared(url)}

    def tool_variables(self, url: URL, values: Mapping[str, str]) -> dict[str, str]:
        return {
            "PGHOST": values["host"] if url.host or url.query.get("host") else "",
            "PGPORT": values["port"],
            "PGDATABASE": values["name"],
            "PGUSER": values["user"],
            "PGPASSWORD": url.password or "",
        }

    def identity(self, connection: Connection) -> Identity:
        oid, started, standby = connection.execute(_DATABASE).one()
        return Identity(_system(connection), int(oid), str(started), bool(standby))

    def may_be_same(self, one: Hashable, other: Hashable) -> bool:
        """Whether both are one database, or one repeats what is written to the other."""
        if not isinstance(one, Identity) or not isinstance(other, Identity) or one.oid != other.oid:
            return False
        if one.standby or other.standby:
            return one.system is None or other.system is None or one.system == other.system
        return one.started == other.started and (None in (one.system, other.system) or one.system == other.system)

    def pooled(self, connection: Connection) -> bool:
        """Whether another process answers than the one that greeted; also where the driver does not tell which did."""
        server = connection.scalar(text("SELECT pg_backend_pid()"))
        return bool(server != _own_pid(connection.connection.driver_connection))

    def seconds_to_freeze(self, connection: Connection, seconds: float) -> float:
        """Through a pooler none: an open transaction would keep one of its few connections from the others."""
        if self.pooled(connection):
            return 0.0
        limit = connection.scalar(_LIMIT)
        return seconds if limit is None else min(seconds, int(limit) / 1_000 * PART_OF_LIMIT)

    def export(self, connection: Connection) -> str:
        connection.exec_driver_sql(_REPEATABLE)
        return str(connection.scalar(text("SELECT pg_export_snapshot()")))

    def join(self, connection: Connection, shared: str) -> None:
        connection.exec_driver_sql(_REPEATABLE)
        connection.exec_driver_sql(f"SET TRANSACTION SNAPSHOT '{shared}'")

    def text_bytes(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.convert_to(cast(column, Text), func.getdatabaseencoding(), type_=LargeBinary)

    def other_schemas(self, inspector: Inspector) -> list[str]:
        system = (inspector.default_schema_name, "information_schema")
        return [name for name in inspector.get_schema_names() if name not in system and not name.startswith("pg_")]

    def view_names(self, inspector: Inspector, schema: str | None) -> Collection[str]:
        return {*inspector.get_view_names(schema=schema), *inspector.get_materialized_view_names(schema=schema)}

    def nulls_alike(self, constraint: Any) -> bool:
        return bool(constraint.dialect_options["postgresql"].get("nulls_not_distinct"))

    def domain_of(self, column_type: TypeEngine[Any]) -> Any | None:
        from sqlalchemy.dialects.postgresql import DOMAIN  # not for the sake of other databases

        return column_type if isinstance(column_type, DOMAIN) else None

    def with_given_identities(self, statement: str) -> str:
        return statement.replace(") VALUES (", ") OVERRIDING SYSTEM VALUE VALUES (", 1)

    def move_sequence_on(self, connection: Connection, table: Table, numbers: Iterable[Any]) -> None:
        name, column = connection.dialect.identifier_preparer.format_table(table), table.autoincrement_column
        assert column is not None
        sequence = connection.scalar(select(func.pg_get_serial_sequence(name, column.name)))
        if sequence is not None:
            connection.execute(select(func.setval(sequence, max(numbers))))


def _own_pid(driver_connection: Any) -> int | None:
    """Return the process of the server that greeted the driver; a pooler greets with a number of its own."""
    info = getattr(driver_connection, "info", None)
    if info is not None:  # psycopg, psycopg2
        return int(info.backend_pid)
    if hasattr(driver_connection, "get_backend_pid"):  # psycopg2cffi
        return int(driver_connection.get_backend_pid())
    key = getattr(driver_connection, "_backend_key_data", None)  # pg8000
    return int.from_bytes(key[:4], "big") if key else None


def _system(connection: Connection) -> str | None:
    """Return the cluster's identifier; ``None`` where the user may not ask for it."""
    try:
        with connection.begin_nested():
            return str(connection.scalar(_SYSTEM))
    except DBAPIError:  # no right to, or a relative of PostgreSQL's that has no such function
        return None
