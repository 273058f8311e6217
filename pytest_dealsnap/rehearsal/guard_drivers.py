"""The guard at every driver's own ``connect``: before it, by the address; after it, by what the server says.

A driver is patched as its module is imported. Like :mod:`guard_targets`, this needs the standard library only.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Awaitable, Callable
from importlib import import_module
from importlib.abc import MetaPathFinder
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from pytest_dealsnap.rehearsal.guard import Guard
from pytest_dealsnap.rehearsal.guard_errors import ERROR_PATCHES
from pytest_dealsnap.rehearsal.guard_targets import IDENTITY, Target, file_of, mysql_target, pg_target

__all__ = ["watch_drivers"]

Patch = Callable[[Guard, Any], None]
_ORDER = ("host", "user", "password", "database", "port")
_NOT_LIBPQ = ("autocommit", "prepare_threshold", "context", "row_factory", "cursor_factory", "server_cursor_factory")


def watch_drivers(guard: Guard) -> None:
    """Patch every driver that is imported already, and the others as they come."""
    for name, patch in PATCHES.items():
        if name in sys.modules:
            patch(guard, sys.modules[name])
    sys.meta_path.insert(0, _Patching(guard))


class _Patching(MetaPathFinder):
    """Finds drivers as everybody does, and patches them once their module has run."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        patch = PATCHES.get(fullname)
        if patch is None:
            return None
        others = (finder for finder in sys.meta_path if finder is not self and hasattr(finder, "find_spec"))
        spec = next(filter(None, (finder.find_spec(fullname, path, target) for finder in others)), None)
        if spec is not None and spec.loader is not None:
            loader: Any = spec.loader
            run, guard = loader.exec_module, self._guard

            def exec_module(module: Any) -> None:
                run(module)
                if module.__name__ == fullname:
                    patch(guard, module)

            loader.exec_module = exec_module
        return spec


def _asked(cursor: Any, kind: str) -> str | None:
    cursor.execute(IDENTITY[kind])
    row = cursor.fetchone()
    cursor.close()
    return _first(row)


def _first(row: Any) -> str | None:
    value = next(iter(row.values())) if hasattr(row, "values") and not isinstance(row, (tuple, list)) else row[0]
    return value.decode() if isinstance(value, bytes) else None if value is None else str(value)


def _identity(connection: Any, kind: str, cursor: Callable[[], Any]) -> str | None:
    """Ask the server which database this is, and leave no transaction; ``None`` where it does not say."""
    try:
        seen = _asked(cursor(), kind)
    except Exception:  # each driver has its own; the address decides then
        seen = None
    if getattr(connection, "autocommit", False) is not True:
        connection.rollback()
    return seen


def _psycopg(guard: Guard, module: Any) -> None:
    conninfo_to_dict = import_module("psycopg.conninfo").conninfo_to_dict

    def target(conninfo: str, options: dict[str, Any]) -> Target:
        given = {name: value for name, value in options.items() if name not in _NOT_LIBPQ}
        return pg_target(conninfo_to_dict(conninfo, **given))

    if hasattr(module, "Connection"):
        connect = module.Connection.__dict__["connect"].__func__

        def guarded(cls: Any, /, conninfo: str = "", **options: Any) -> Any:
            asked = target(conninfo, options)
            known = guard.before("psycopg", asked)
            connection = connect(cls, conninfo, **options)
            if known == "unknown":
                seen = _identity(connection, "postgresql", lambda: _plain_cursor(connection))
                guard.after("psycopg", asked, seen, connection.close)
            return connection

        functools.update_wrapper(guarded, connect)
        module.Connection.connect = classmethod(guarded)
        _again("psycopg", "connect", module.Connection.connect)
    if hasattr(module, "AsyncConnection"):
        connect_async = module.AsyncConnection.__dict__["connect"].__func__

        async def guarded_async(cls: Any, /, conninfo: str = "", **options: Any) -> Any:
            asked = target(conninfo, options)
            known = guard.before("psycopg", asked)
            connection = await connect_async(cls, conninfo, **options)
            if known == "unknown":
                cursor = _plain_cursor(connection)
                seen = await _first_of(lambda: cursor.execute(IDENTITY["postgresql"]), cursor.fetchone)
                await connection.rollback()
                if seen is not None and seen == guard.original.identity:
                    await connection.close()
                guard.after("psycopg", asked, seen, lambda: None)
            return connection

        functools.update_wrapper(guarded_async, connect_async)
        module.AsyncConnection.connect = classmethod(guarded_async)


def _plain_cursor(connection: Any) -> Any:
    return connection.cursor(row_factory=import_module("psycopg.rows").tuple_row)


async def _first_of(execute: Callable[[], Awaitable[Any]], fetch: Callable[[], Awaitable[Any]]) -> str | None:
    try:
        await execute()
        return _first(await fetch())
    except Exception:  # each driver has its own; the address decides then
        return None


def _psycopg2(guard: Guard, module: Any) -> None:
    connect, extensions = module._connect, sys.modules["psycopg2.extensions"]

    def guarded(dsn: Any = "", connection_factory: Any = None, **options: Any) -> Any:
        asked = pg_target(extensions.parse_dsn(dsn or ""))
        known = guard.before("psycopg2", asked)
        connection = connect(dsn, connection_factory=connection_factory, **options)
        if known == "unknown":
            waits = any(options.values())  # an asynchronous connection is not there yet
            seen = None
            if not waits:
                seen = _identity(connection, "postgresql", lambda: connection.cursor(cursor_factory=extensions.cursor))
            guard.after("psycopg2", asked, seen, connection.close)
        return connection

    module._connect = guarded


def _asyncpg(guard: Guard, module: Any) -> None:
    connect = module._connect

    @functools.wraps(connect)
    async def guarded(**options: Any) -> Any:
        asked = pg_target({**_dsn(options.get("dsn")), **{k: v for k, v in options.items() if v is not None}})
        known = guard.before("asyncpg", asked)
        connection = await connect(**options)
        if known == "unknown":
            try:
                seen = str(await connection.fetchval(IDENTITY["postgresql"]))
            except Exception:  # the address decides then
                seen = None
            if seen is not None and seen == guard.original.identity:
                connection.terminate()
            guard.after("asyncpg", asked, seen, lambda: None)
        return connection

    module._connect = guarded


def _dsn(text: str | None) -> dict[str, Any]:
    parts = urlsplit(text or "")
    try:
        port = parts.port
    except ValueError:  # a list of hosts: the server says which database it is
        return {}
    found = {"host": parts.hostname, "port": port, "user": parts.username, "database": unquote(parts.path[1:])}
    found.update(parse_qsl(parts.query))
    return {name: value for name, value in found.items() if value}


def _pg8000(guard: Guard, module: Any) -> None:
    begin = module.CoreConnection.__init__

    @functools.wraps(begin)
    def guarded(self: Any, user: Any, host: Any = "localhost", database: Any = None, port: Any = 5432, *args: Any,
                **options: Any) -> None:  # fmt: skip
        path = options.get("unix_sock") or (args[2] if len(args) > 2 else None)
        where = _folder_of(path) if path else {"host": host or "localhost", "port": port}
        asked = pg_target({"user": user, "database": database or user, **where})
        known = guard.before("pg8000", asked)
        begin(self, user, host, database, port, *args, **options)
        if known == "unknown":
            try:
                seen = _first(self.execute_simple(IDENTITY["postgresql"]).rows[0])
            except Exception:  # the address decides then
                seen = None
            guard.after("pg8000", asked, seen, self.close)

    module.CoreConnection.__init__ = guarded


def _folder_of(path: str) -> dict[str, Any]:
    folder, _, port = str(path).rpartition("/.s.PGSQL.")
    return {"host": folder or path, "port": port or 5432}


def _pymysql(guard: Guard, module: Any) -> None:
    connect = module.Connection.connect

    @functools.wraps(connect)
    def guarded(self: Any, sock: Any = None) -> Any:
        where = {"unix_socket": self.unix_socket, "host": self.host, "port": self.port, "database": self.db}
        asked = mysql_target(where)
        known = guard.before("pymysql", asked)
        made = connect(self, sock)
        if known == "unknown":
            cursor = sys.modules["pymysql.cursors"].Cursor
            guard.after("pymysql", asked, _identity(self, "mysql", lambda: self.cursor(cursor)), self.close)
        return made

    module.Connection.connect = guarded


def _aiomysql(guard: Guard, module: Any) -> None:
    connect = module.Connection._connect

    @functools.wraps(connect)
    async def guarded(self: Any) -> Any:
        where = {"unix_socket": self._unix_socket, "host": self._host, "port": self._port, "database": self._db}
        asked = mysql_target(where)
        known = guard.before("aiomysql", asked)
        made = await connect(self)
        if known == "unknown":
            cursor = await self.cursor(sys.modules["aiomysql.cursors"].Cursor)
            seen = await _first_of(lambda: cursor.execute(IDENTITY["mysql"]), cursor.fetchone)
            guard.after("aiomysql", asked, seen, self.close)
        return made

    module.Connection._connect = guarded


def _by_arguments(driver: str) -> Patch:
    """Guard a class whose ``__init__`` connects by keyword arguments, or by position in MySQL's old order."""

    def patch(guard: Guard, module: Any) -> None:
        begin = module.Connection.__init__

        @functools.wraps(begin)
        def guarded(self: Any, *args: Any, **options: Any) -> None:
            given = {**dict(zip(_ORDER, args)), **options}  # noqa: B905  # Python 3.9 has no strict
            asked = mysql_target(given)
            known = guard.before(driver, asked)
            begin(self, *args, **options)
            if known == "unknown":
                guard.after(driver, asked, _identity(self, "mysql", self.cursor), self.close)

        module.Connection.__init__ = guarded

    return patch


def _mysql_connector(guard: Guard, module: Any) -> None:
    connect = module.MySQLConnectionAbstract.connect

    @functools.wraps(connect)
    def guarded(self: Any, **options: Any) -> None:
        if options:
            self.config(**options)
        where = {"unix_socket": self._unix_socket, "host": self._host, "port": self._port, "database": self._database}
        asked = mysql_target(where)
        known = guard.before("mysql.connector", asked)
        connect(self, **options)
        if known == "unknown":
            guard.after("mysql.connector", asked, _identity(self, "mysql", self.cursor), self.close)

    module.MySQLConnectionAbstract.connect = guarded


def _duckdb(guard: Guard, module: Any) -> None:
    connect = module.connect

    @functools.wraps(connect)
    def guarded(database: Any = ":memory:", *args: Any, **options: Any) -> Any:
        guard.before("duckdb", Target("duckdb", database=file_of(database)))
        return connect(database, *args, **options)

    module.connect = guarded


def _sqlite3(guard: Guard, module: Any) -> None:
    """Hear of ATTACH; the audit event of a connection comes before that has what it takes."""
    connect = module.connect

    @functools.wraps(connect)
    def guarded(*args: Any, **options: Any) -> Any:
        connection = connect(*args, **options)
        if guard.original.kind == "sqlite":
            connection.set_authorizer(guard.authorize)
        return connection

    module.connect = guarded
    _again("sqlite3", "connect", guarded)


def _sqlalchemy(guard: Guard, module: Any) -> None:
    """Guard the drivers of other databases, as far as SQLAlchemy opens their connections."""
    connect = module.DefaultDialect.connect

    @functools.wraps(connect)
    def guarded(self: Any, *args: Any, **options: Any) -> Any:
        if self.name == guard.original.kind and self.name not in ("postgresql", "mysql", "mariadb", "sqlite", "duckdb"):
            database = options.get("database") or options.get("dbname") or options.get("service_name") or ""
            host, port = str(options.get("host") or ""), int(options.get("port") or 0)
            if guard.before(self.driver, Target(self.name, host, port, str(database))) == "unknown":
                guard.note("other", self.driver, "user")
        return connect(self, *args, **options)

    module.DefaultDialect.connect = guarded


def _again(name: str, attribute: str, value: Any) -> None:
    """Put *value* in the place of the unguarded function that a module imported before the guard was there."""
    module = sys.modules.get(name)
    if module is not None and hasattr(module, attribute):
        setattr(module, attribute, value)


PATCHES: dict[str, Patch] = {
    "psycopg.connection": _psycopg,
    "psycopg.connection_async": _psycopg,
    "psycopg2": _psycopg2,
    "asyncpg.connect_utils": _asyncpg,
    "pg8000.core": _pg8000,
    "pymysql.connections": _pymysql,
    "aiomysql.connection": _aiomysql,
    "MySQLdb.connections": _by_arguments("MySQLdb"),
    "mariadb.connections": _by_arguments("mariadb"),
    "mysql.connector.abstracts": _mysql_connector,
    "duckdb": _duckdb,
    "sqlite3.dbapi2": _sqlite3,
    "sqlalchemy.engine.default": _sqlalchemy,
    **ERROR_PATCHES,
}
