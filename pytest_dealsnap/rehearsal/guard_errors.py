"""Notes what the database refuses during a step, also where the step catches the error and says nothing.

SQLAlchemy, Django, psycopg and PyMySQL tell it themselves. Like :mod:`guard_targets`, this needs the standard library
only: the copy of this module runs in the user's own Python.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib import import_module
from typing import Any

from pytest_dealsnap.rehearsal.guard import Guard

__all__ = ["ERROR_PATCHES"]

MOST_ERRORS = 20
LONGEST = 500


def _note(guard: Guard, error: BaseException | None) -> None:
    """Note *error* in one line, which begins with the class of the driver's error."""
    if error is not None and guard.errors < MOST_ERRORS:
        guard.errors += 1
        guard.note("error", f"{type(error).__name__}: {' '.join(str(error).split())}"[:LONGEST])


def _sqlalchemy(guard: Guard, module: Any) -> None:
    """Listen as SQLAlchemy lets anybody; its module of events has just been imported, so that they are known."""
    listen, engine = import_module("sqlalchemy.event").listen, import_module("sqlalchemy.engine.base").Engine
    listen(engine, "handle_error", lambda context: _note(guard, context.original_exception))


def _django(guard: Guard, module: Any) -> None:
    """Django turns every driver's error into one of its own, at one place."""
    leave = module.DatabaseErrorWrapper.__exit__

    @functools.wraps(leave)
    def noting(self: Any, kind: Any, error: BaseException | None, trace: Any) -> Any:
        if isinstance(error, self.wrapper.Database.Error):
            _note(guard, error)
        return leave(self, kind, error, trace)

    module.DatabaseErrorWrapper.__exit__ = noting


def _psycopg(guard: Guard, module: Any) -> None:
    execute = module.Cursor.execute

    @functools.wraps(execute)
    def noting(self: Any, *args: Any, **options: Any) -> Any:
        try:
            return execute(self, *args, **options)
        except Exception as error:
            _note(guard, error)
            raise

    module.Cursor.execute = noting


def _pymysql(guard: Guard, module: Any) -> None:
    fail = module.raise_mysql_exception

    @functools.wraps(fail)
    def noting(data: Any) -> Any:
        try:
            return fail(data)
        except Exception as error:
            _note(guard, error)
            raise

    module.raise_mysql_exception = noting


ERROR_PATCHES: dict[str, Callable[[Guard, Any], None]] = {
    "sqlalchemy.engine.events": _sqlalchemy,
    "django.db.utils": _django,
    "psycopg.cursor": _psycopg,
    "pymysql.err": _pymysql,
}
