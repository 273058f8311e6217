"""Keeps a step of the rehearsal away from the original database, whichever driver asks for it.

An application that does not read the variable that ``rehearsal.database_env`` names would migrate, or reason over,
the original: in silence. Every ``python`` that a rehearsal starts refuses to open it instead, and notes which
database it opened. :data:`ORDERS` says which database is which. Like :mod:`guard_targets`, this needs the standard
library only.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

from pytest_dealsnap.rehearsal.guard_targets import Asked, Target, ask_for, file_of, judge_identity

__all__ = ["ALIAS", "ORDERS", "Guard", "OriginalDatabaseError", "guard_original"]

ORDERS = "_DEALSNAP_REHEARSAL_ORIGINAL"
ALIAS = "_dealsnap_guard"  # the package of the copied modules
ATTACH = 24  # SQLITE_ATTACH, which sqlite3 names from Python 3.11 on
# What stands between a driver's connect and who asked for the connection.
_BETWEEN = (
    ALIAS, "pytest_dealsnap.rehearsal.guard", "sqlalchemy", "psycopg", "psycopg_pool", "psycopg2", "asyncpg", "pg8000",
    "pymysql", "MySQLdb", "mariadb", "mysql", "aiomysql", "sqlite3", "aiosqlite", "duckdb", "duckdb_engine",
    "contextlib", "functools", "threading", "asyncio", "concurrent", "importlib",
)  # fmt: skip


class OriginalDatabaseError(RuntimeError):
    """A step of the rehearsal asked for the original database."""

    def __init__(self) -> None:
        super().__init__(
            "dealsnap refused to open the original database, since this process works on a scratch copy: the "
            "application does not read its database from the variable that rehearsal.database_env names"
        )


class Guard:
    """The orders of one step: original, copy, and the file that notes go into."""

    def __init__(self, orders: dict[str, Any]) -> None:
        self.original = Target(*orders["original"])
        self.copy = Target(*orders["copy"])
        self._record = orders.get("record")
        self._noted: set[tuple[str, ...]] = set()
        self.errors = 0  # of the database's, that this process met

    def before(self, driver: str, asked: Target) -> Asked:
        """Refuse the original; return what is known of *asked* by its address."""
        found = ask_for(asked, self.original, self.copy)
        if found != "unknown":
            self._met(driver, found)
        return found

    def after(self, driver: str, asked: Target, seen: str | None, close: Callable[[], object]) -> None:
        """Judge a connection by what the server said; the original's is closed and refused."""
        found = judge_identity(seen, asked, self.original, self.copy)
        if found == "original":
            close()
        self._met(driver, found)

    def _met(self, driver: str, found: Asked) -> None:
        self.note(found, driver, "dealsnap" if _asked_by_dealsnap() else "user")
        if found == "original":
            raise OriginalDatabaseError

    def note(self, *words: str) -> None:
        """Append *words* to the record, once in a process."""
        if self._record and words not in self._noted:
            self._noted.add(words)
            line = json.dumps([os.getpid(), *words]) + "\n"
            with open(self._record, "a", encoding="utf-8") as file:  # noqa: PTH123  # appended in one write
                file.write(line)

    def forget(self) -> None:
        """Note everything anew: a fork is a process of its own."""
        self._noted.clear()
        self.note("guarded", sys.executable)

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        """Listen to Python's audit events: every sqlite3 connection, whoever makes it."""
        if event == "sqlite3.connect":
            self.before("sqlite3", Target("sqlite", database=file_of(args[0])))

    def authorize(self, action: int, first: str | None, *others: str | None) -> int:
        """Return SQLite's code for whether a statement may do that: all but attach the original."""
        if action == ATTACH and first:
            target = Target("sqlite", database=file_of(first))
            if ask_for(target, self.original, self.copy) == "original":
                self.note("original", "sqlite3 ATTACH", "user")
                return 1  # SQLITE_DENY
        return 0


def _asked_by_dealsnap() -> bool:
    """Whether dealsnap itself opens the connection, to read the deals: that says nothing of the application."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if not any(name == module or name.startswith((f"{module}.", f"{module}_")) for module in _BETWEEN):
            return name.startswith("pytest_dealsnap.")
        frame = frame.f_back
    return False


def guard_original() -> None:
    """Guard this process as the environment's orders say, once; without orders, do nothing."""
    from pytest_dealsnap.rehearsal.guard_drivers import watch_drivers

    text = os.environ.get(ORDERS)
    if not text or getattr(sys, ALIAS, False):
        return
    setattr(sys, ALIAS, True)
    guard = Guard(json.loads(text))
    sys.addaudithook(guard.hear)
    watch_drivers(guard)
    guard.note("guarded", sys.executable)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=guard.forget)
