"""Watches the original while a step runs, for what no guard holds back: the server's sessions, a file's openers.

A session is a step's where the server names a client port that a socket of the step's processes has, where it carries
the step's application name (libpq takes it from the environment), or where the client gave the server its process
id (MySQL's connection attributes). Over a Unix socket nothing else tells a client; neither does a pooler's session.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from pytest_dealsnap.deals.dialects import dialect_of, unprepared
from pytest_dealsnap.rehearsal.guard_targets import FILES, addresses_of, file_of
from pytest_dealsnap.rehearsal.step_processes import SEES, StepProcesses
from pytest_dealsnap.secrets import redact

__all__ = ["Session", "SessionWatch"]

EVERY = 0.01  # seconds between two looks
REST = 5.0  # times as long as a look took, so that looking leaves the step its processor
_POSTGRESQL = (
    "SELECT pid, backend_start::text, host(client_addr) || ' ' || client_port, coalesce(application_name, ''), 0 "
    "FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)
_TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid = :number AND backend_start::text = :began AND coalesce(application_name, '') = :name"
)
BEHIND_A_POOLER = (
    "the original's URL leads to a connection pooler, behind which nobody can tell a step's session on the original: "
    "its sessions were not watched, and its rows not compared"
)
_MYSQL = "SELECT ID, '', HOST, '', 0 FROM information_schema.PROCESSLIST WHERE DB = '{name}' AND ID <> CONNECTION_ID()"
_MYSQL_PIDS = (
    "SELECT p.ID, '', p.HOST, '', a.ATTR_VALUE FROM information_schema.PROCESSLIST p "
    "LEFT JOIN performance_schema.session_connect_attrs a ON a.PROCESSLIST_ID = p.ID AND a.ATTR_NAME = '_pid' "
    "WHERE p.DB = '{name}' AND p.ID <> CONNECTION_ID()"
)


@dataclass(frozen=True, slots=True)
class Session:
    """A session on the original: the server's number for it, and what it says of the client.

    ``address`` and ``port`` are empty over a Unix socket; ``name`` and ``pid`` are what the client says of itself.
    """

    number: int
    began: str
    address: str
    port: int
    name: str
    pid: int

    def is_of(self, token: str, pids: Set[int], ends: Set[tuple[str, int]]) -> bool:
        """Whether a step's process opened it."""
        # Over the network another machine's process may have the same number; there the port tells.
        if token in self.name or (self.pid in pids and not self.port):
            return True
        ports = {port for _, port in ends}
        return self.port in ports and any((address, self.port) in ends for address in addresses_of(self.address))


class SessionWatch:
    """Looks at the original in a thread of its own while one step runs; *token* stands in the step's environment."""

    def __init__(self, original: str, token: str) -> None:
        self._url = make_url(original)
        self._kind = self._url.get_backend_name()  # as the guard names it, whose second pair of eyes this is
        self._token = token
        self._file = Path(file_of(self._url.database or "")) if self._kind in FILES else None
        self._stop = threading.Event()
        self._engine: Engine | None = None
        self._known: frozenset[tuple[int, str]] = frozenset()
        self.found: list[str] = []
        self.unguarded: dict[int, str] = {}
        self.blind = ""

    @contextmanager
    def before(self) -> Iterator[None]:
        """Note the sessions that were there before the step began; the block starts it, and ends with it."""
        if self._kind in ("postgresql", "mysql", "mariadb"):
            self._engine = create_engine(
                self._url, isolation_level="AUTOCOMMIT", poolclass=NullPool, connect_args=unprepared(self._url)
            )
        try:
            if self._engine is None:
                yield
                return
            try:
                with self._engine.connect() as connection:
                    if dialect_of(self._kind).pooled(connection):
                        self.blind = BEHIND_A_POOLER
                    else:
                        self._known = frozenset((found.number, found.began) for found in self._sessions(connection))
            except SQLAlchemyError as error:
                self._is_blind(error)
            yield
        finally:
            if self._engine is not None:
                self._engine.dispose()

    @contextmanager
    def over(self, leader: int) -> Iterator[None]:
        """Watch the step whose first process is *leader*, which leads a session of its own."""
        processes = StepProcesses(leader, self._token.encode())
        thread = threading.Thread(target=self._watch, args=(processes,), name="dealsnap-sessions", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _watch(self, processes: StepProcesses) -> None:
        try:
            if self._engine is None or self.blind == BEHIND_A_POOLER:
                self._look_at_processes(processes)
                return
            with self._engine.connect() as connection:
                while not self._stop.is_set():
                    asked = time.monotonic()
                    self._look_at_server(connection, processes)
                    self._rest(asked)
        except SQLAlchemyError as error:
            self._is_blind(error)

    def _is_blind(self, error: SQLAlchemyError) -> None:
        reason = " ".join(redact(str(getattr(error, "orig", None) or error)).split())
        self.blind = f"the original's sessions cannot be watched: {reason[:200]}"

    def _look_at_processes(self, processes: StepProcesses) -> None:
        while SEES and not self._stop.is_set():
            asked = time.monotonic()
            self._note_pythons(processes)
            if self._file is not None and (holders := processes.holders(self._file)):
                self._strike(processes, [f"{program} (process {pid})" for pid, program in holders.items()])
                return
            self._rest(asked)

    def _rest(self, asked: float) -> None:
        self._stop.wait(max(EVERY, REST * (time.monotonic() - asked)))

    def _look_at_server(self, connection: Connection, processes: StepProcesses) -> None:
        if SEES:
            self._note_pythons(processes)
        new = [
            found
            for found in self._sessions(connection)
            if (found.number, found.began) not in self._known or self._token in found.name  # a pooler's, lent to a step
        ]
        if not new:
            return
        pids, ends = (set(processes.pids()), processes.ends()) if SEES else (set(), set())
        for session in new:
            if session.is_of(self._token, pids, ends):
                self._end(connection, session)
                by = f"process {session.pid}" if session.pid else f"port {session.port or 'of a Unix socket'}"
                self._strike(processes, [f"session {session.number} of the server, from {by}"])

    def _sessions(self, connection: Connection) -> list[Session]:
        name = (self._url.database or "").replace("'", "''")
        if self._kind == "postgresql":
            rows = [tuple(row) for row in connection.exec_driver_sql(_POSTGRESQL.format(name=name))]
        else:
            rows = self._mysql_rows(connection, name)
        return [
            Session(int(row[0]), str(row[1]), *_end_of(row[2]), str(row[3]), int(row[4]) if row[4] else 0)
            for row in rows
        ]

    def _mysql_rows(self, connection: Connection, name: str) -> list[tuple[object, ...]]:
        try:
            return [tuple(row) for row in connection.exec_driver_sql(_MYSQL_PIDS.format(name=name))]
        except SQLAlchemyError:  # the user may not read performance_schema
            return [tuple(row) for row in connection.exec_driver_sql(_MYSQL.format(name=name))]

    def _end(self, connection: Connection, session: Session) -> None:
        """End the session at the server; it may have ended by itself, or been handed to another client by a pooler."""
        if self._kind == "postgresql":
            statement = text(_TERMINATE).bindparams(number=session.number, began=session.began, name=session.name)
        else:
            statement = text(f"KILL {session.number}")
        with suppress(SQLAlchemyError):
            connection.execute(statement)

    def _strike(self, processes: StepProcesses, evidence: list[str]) -> None:
        """End every process of the step."""
        self.found += [line for line in evidence if line not in self.found]
        with suppress(ProcessLookupError):
            os.killpg(processes.leader, signal.SIGKILL)
        for pid in processes.pids() if SEES else ():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)

    def _note_pythons(self, processes: StepProcesses) -> None:
        self.unguarded.update(processes.pythons())


def _end_of(value: object) -> tuple[str, int]:
    """Return the client's address and port: PostgreSQL's, with a blank between, or MySQL's ``HOST``."""
    address, _, port = str(value or "").replace(" ", ":").rpartition(":")
    return (address, int(port)) if port.isdecimal() and port.isascii() else ("", 0)
