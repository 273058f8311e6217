"""MySQL and MariaDB: each transaction begins as ``START TRANSACTION READ ONLY``; nothing is set for the session."""

from __future__ import annotations

import secrets
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Connection, text
from sqlalchemy import Dialect as SQLAlchemyDialect
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from pytest_dealsnap.deals.dialects.base import Dialect
from pytest_dealsnap.deals.dialects.mysql_values import exact_mysql_column

__all__ = ["MySQL"]

# server_uuid is MySQL's; MariaDB is known by where it runs.
_VARIABLES = (
    "server_uuid",
    "server_uid",
    "hostname",
    "port",
    "datadir",
    "server_id",
    "pid_file",
    "socket",
    "lower_case_table_names",
)
_DRIVERS_WITHOUT_AUTOCOMMIT = ("pymysql", "mysqldb")


RUNNING = "statement"
# By the best source that the server has: its instruments, MariaDB's plugin, or else what statements run.
_METADATA_LOCKS = """
SELECT t.PROCESSLIST_ID, m.OBJECT_SCHEMA, m.OBJECT_NAME, m.LOCK_TYPE FROM performance_schema.metadata_locks AS m
JOIN performance_schema.threads AS t ON t.THREAD_ID = m.OWNER_THREAD_ID
WHERE m.OBJECT_TYPE = 'TABLE' AND m.LOCK_STATUS = 'GRANTED' AND m.OBJECT_SCHEMA = DATABASE()
AND t.PROCESSLIST_ID <> CONNECTION_ID()
"""
_PLUGIN = """
SELECT THREAD_ID, TABLE_SCHEMA, TABLE_NAME, REPLACE(LOCK_MODE, 'MDL_', '') FROM information_schema.METADATA_LOCK_INFO
WHERE LOCK_TYPE = 'Table metadata lock' AND TABLE_SCHEMA = DATABASE() AND THREAD_ID <> CONNECTION_ID()
"""
_STATEMENTS = """
SELECT ID, DB, LEFT(REPLACE(TRIM(INFO), CHAR(10), ' '), 80), 'statement' FROM information_schema.processlist
WHERE DB = DATABASE() AND ID <> CONNECTION_ID() AND TRIM(INFO) REGEXP '^(ALTER|CREATE|DROP|RENAME|TRUNCATE)'
"""
# Metadata locks are told to everybody, InnoDB's waits for a row to those with the right PROCESS.
_WAITS = """
SELECT ID, LEFT(REPLACE(TRIM(INFO), CHAR(10), ' '), 80), LOWER(SUBSTR(STATE, 13)) FROM information_schema.processlist
WHERE DB = DATABASE() AND ID <> CONNECTION_ID() AND STATE LIKE 'Waiting for %lock%'
"""
_ROW_WAITS = """
SELECT t.TRX_MYSQL_THREAD_ID, LEFT(REPLACE(TRIM(t.TRX_QUERY), CHAR(10), ' '), 80), 'row lock'
FROM information_schema.INNODB_TRX AS t JOIN information_schema.processlist AS p ON p.ID = t.TRX_MYSQL_THREAD_ID
WHERE t.TRX_STATE = 'LOCK WAIT' AND p.DB = DATABASE()
"""
_INSTRUMENTED = "SELECT ENABLED FROM performance_schema.setup_instruments WHERE NAME = 'wait/lock/metadata/sql/mdl'"


@dataclass(frozen=True, slots=True)
class Identity:
    """Which schema of which server it is; ``cluster`` is Galera's, whose servers repeat each other."""

    server: tuple[tuple[str, str], ...]
    schema: str | None
    cluster: str | None


class MySQL(Dialect):
    """A schema of a MySQL or MariaDB server."""

    names: ClassVar = ("mysql", "mariadb")
    confirms: ClassVar = True
    freezing: ClassVar = "own"
    is_not_true: ClassVar = True
    copying: ClassVar = "dump"
    ddl_commits: ClassVar = True
    locks: ClassVar = _STATEMENTS
    lock_modes: ClassVar = (RUNNING, "SHARED_UPGRADABLE", "SHARED_NO_WRITE", "SHARED_NO_READ_WRITE", "EXCLUSIVE")
    waits: ClassVar = _WAITS
    giving_up: ClassVar = ("SET SESSION lock_wait_timeout = 1, SESSION innodb_lock_wait_timeout = 1",)
    triggers: ClassVar = "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()"
    sqlglot: ClassVar = "mysql"
    django_engines: ClassVar = ("mysql",)
    default_port: ClassVar = 3306
    others: ClassVar = (
        "SELECT count(*) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
    )
    django_drivers: ClassVar = {"MySQLdb": "mysqldb", "pymysql": "pymysql"}
    # Lets go of the metadata locks that would keep an ALTER TABLE waiting, and everybody behind it.
    after_question: ClassVar = ("ROLLBACK TO SAVEPOINT dealsnap",)
    begin: ClassVar = ("START TRANSACTION READ ONLY",)
    # MariaDB ends a read-only transaction at a CREATE, DROP or ALTER, and carries it out.
    reads: ClassVar = ("SELECT", "WITH", "SHOW", "DESCRIBE", "START", "SET", "SAVEPOINT", "ROLLBACK", "RELEASE")

    def unenforced(self, url: URL) -> str | None:
        return None

    def read_only(self, url: URL, folder: Path, place: str) -> tuple[URL, Mapping[str, Any]]:
        # None: the driver does not SET autocommit for the session.
        return url, {"autocommit": None} if url.get_driver_name() in _DRIVERS_WITHOUT_AUTOCOMMIT else {}

    def tool_variables(self, url: URL, values: Mapping[str, str]) -> dict[str, str]:
        password, path = url.password or "", values["host"] if values["host"].startswith("/") else ""
        return {
            "MYSQL_HOST": "localhost" if path else values["host"],
            "MYSQL_TCP_PORT": values["port"],
            "MYSQL_UNIX_PORT": path,
            "MYSQL_PWD": password,
            "MYSQL_DATABASE": values["name"],
            "MYSQL_USER": values["user"],
            "MYSQL_PASSWORD": password,
        }

    def lock_question(self, connection: Connection) -> str:
        for probe, question in ((_INSTRUMENTED, _METADATA_LOCKS), (f"{_PLUGIN} LIMIT 1", _PLUGIN)):
            try:
                answer = connection.exec_driver_sql(probe).scalar()
            except DBAPIError:  # no such table, or no right to read it
                continue
            if probe is not _INSTRUMENTED or answer == "YES":
                return question
        return self.locks

    def wait_question(self, connection: Connection) -> str:
        try:
            connection.exec_driver_sql(f"{_ROW_WAITS} LIMIT 1")
        except DBAPIError:  # no right to read it
            return self.waits
        return f"{_WAITS} UNION ALL {_ROW_WAITS}"

    def hold(self, connection: Connection) -> None:
        for statement in (
            "ROLLBACK",
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",  # of the next transaction alone
            "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
            "SAVEPOINT dealsnap",
        ):
            connection.exec_driver_sql(statement)

    def identity(self, connection: Connection) -> Identity:
        return Identity(_server(connection), _schema(connection), _cluster(connection))

    def may_be_same(self, one: Hashable, other: Hashable) -> bool:
        """Whether both are one schema of one server or Galera cluster; no schema chosen means any."""
        if not isinstance(one, Identity) or not isinstance(other, Identity):
            return False
        if None not in (one.schema, other.schema) and one.schema != other.schema:
            return False
        return one.server == other.server or (one.cluster is not None and one.cluster == other.cluster)

    def confirm(self, first: Connection, second: Connection) -> bool:
        """Whether the second connection sees a lock that the first holds: containers may call themselves the same.

        The proof asks for no rights, and the lock is let go at once.
        """
        if _cluster(first) is not None:
            return True
        name = {"name": f"dealsnap-{secrets.token_hex(16)}"}
        if first.scalar(text("SELECT GET_LOCK(:name, 0)"), name) != 1:
            return True  # nothing proves that they differ
        try:
            return second.scalar(text("SELECT IS_USED_LOCK(:name)"), name) is not None
        finally:
            first.execute(text("SELECT RELEASE_LOCK(:name)"), name)

    def exact_column(self, column: ColumnElement[Any], dialect: SQLAlchemyDialect) -> ColumnElement[Any]:
        exact = exact_mysql_column(column)
        return column if exact is None else exact.label(str(column.key))


def _server(connection: Connection) -> tuple[tuple[str, str], ...]:
    names = ", ".join(f"'{name}'" for name in _VARIABLES)
    rows = connection.exec_driver_sql(f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})")
    return tuple(sorted((str(name), str(value)) for name, value in rows))


def _schema(connection: Connection) -> str | None:
    """Return the schema, folded where the server folds it."""
    name, folds = connection.exec_driver_sql("SELECT DATABASE(), @@lower_case_table_names").one()
    return None if name is None else str(name).lower() if folds else str(name)


def _cluster(connection: Connection) -> str | None:
    row = connection.exec_driver_sql("SHOW GLOBAL STATUS LIKE 'wsrep_cluster_state_uuid'").first()
    return str(row[1]) if row is not None and row[1] else None
