"""One consistent state of the database for the list of deals and their rows, for a bounded time.

PostgreSQL: a transaction of its own exports its snapshot, and each question joins it, in this process and in
xdist's workers. No table stays locked between questions. MySQL, MariaDB, and SQLite in WAL mode: the transaction
of the questions themselves stays open. Elsewhere, and beyond the time, each question sees the state of its moment.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from pytest_dealsnap.deals.dialects import dialect_of

__all__ = ["Frozen"]


class Frozen:
    """The state of one run in one process.

    ``shared`` names the snapshot for other processes. *lock* guards the connection that the questions use.
    """

    def __init__(self, engine: Engine, lock: threading.RLock, seconds: float, shared: str | None = None) -> None:
        self._engine = engine
        self._known = dialect_of(engine.dialect.name)
        self._lock = lock
        self._seconds = seconds
        self.shared = shared
        self._exporter: Connection | None = None
        self._held: Connection | None = None
        self._begun = False
        self._timer: threading.Timer | None = None

    @property
    def is_held(self) -> bool:
        """Whether questions see the state of the beginning."""
        return self._held is not None or self.shared is not None

    def export(self) -> None:
        """Fix the state now, where it can be shared, and name it in ``shared``."""
        if self._known.freezing != "shared":
            return
        try:
            connection = self._engine.connect()
        except (SQLAlchemyError, OSError):  # the first question fails by it, and says so in one sentence
            return
        try:
            allowed = self._known.seconds_to_freeze(connection, self._seconds)
            connection.rollback()
            if allowed <= 0:
                connection.close()
                return
            self.shared = self._known.export(connection)
        except SQLAlchemyError:  # a standby or relative that cannot: each question sees its own moment
            connection.invalidate()
            connection.close()
            return
        self._exporter = connection
        self._let_go_after(allowed)

    @contextmanager
    def question(self, connection: Connection) -> Iterator[None]:
        """Let the statements inside see the state; afterwards no lock of theirs is left."""
        if connection.in_transaction() and connection is not self._held:
            yield  # a question within a question
            return
        self._enter(connection)
        try:
            yield
        except Exception:
            self._held = None  # whoever asked drops the connection
            raise
        except BaseException:
            self._held = None
            connection.rollback()
            raise
        if connection is self._held:
            for statement in self._known.after_question:
                connection.exec_driver_sql(statement)
        else:
            connection.rollback()

    def _enter(self, connection: Connection) -> None:
        if self.shared is not None:
            try:
                self._known.join(connection, self.shared)
            except DBAPIError as error:
                if error.connection_invalidated:
                    raise  # to be asked again on a fresh connection
                self.shared = None  # its time is over
                connection.rollback()
        elif self._seconds > 0 and self._known.freezing == "own" and not self._begun:
            self._begun = True
            allowed = self._known.seconds_to_freeze(connection, self._seconds)
            connection.rollback()
            if allowed > 0:
                self._known.hold(connection)
                self._held = connection
                self._let_go_after(allowed)

    def _let_go_after(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self.let_go)
        self._timer.daemon = True
        self._timer.start()

    def let_go(self) -> None:
        """End the transaction that keeps the state: a long one hampers the server's own cleaning up."""
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            held, self._held = self._held, None
            exporter, self._exporter, self.shared = self._exporter, None, None
            for connection in (held, exporter):
                if connection is not None and not connection.closed:
                    with suppress(SQLAlchemyError):  # the server may have ended it already
                        connection.rollback()
            if exporter is not None:
                exporter.close()
