"""The one connection that the questions about deals share, the state that they see, and what its errors become."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from threading import RLock
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Row, Select
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError, SQLAlchemyError

from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.database import driver_reason, open_read_only, parse_url, public_url
from pytest_dealsnap.deals.dialects import Dialect, dialect_of
from pytest_dealsnap.deals.exact_values import read_exactly
from pytest_dealsnap.deals.freezing import Frozen
from pytest_dealsnap.errors import SourceAwayError, SourceError
from pytest_dealsnap.secrets import redact

__all__ = ["SourceConnection"]

# What drivers raise for a value that they cannot convert; JSON of many levels, and C code that forgot its own error.
_CONVERSIONS = (TypeError, ValueError, ArithmeticError, LookupError, struct.error, RecursionError, SystemError)

T = TypeVar("T")


class SourceConnection:
    """The connection to the deals' database; it is opened by the first question.

    ``description`` is the database's URL without secrets. ``frozen`` is the state that a run sees, if one was fixed.
    """

    def __init__(self, config: Config, *, database: str, probe: Callable[[], Select[Any]]) -> None:
        """*probe* makes the SELECT that any database answers from which the deals can be read at all."""
        self._config = config
        self._place = config.place("database")
        self._url = parse_url(database, self._place)
        self._database = database
        self._probe = probe
        self._lock = RLock()
        self._connection: Connection | None = None
        self._listed: tuple[Connection, int] | None = None
        self.description = public_url(self._url)
        self.frozen: Frozen | None = None

    @cached_property
    def engine(self) -> Engine:
        """The engine, on which the database itself refuses every write."""
        folder, trust = self._config.database_folder, self._config.trust_source
        return read_exactly(open_read_only(self._database, folder=folder, place=self._place, trust=trust))

    @property
    def _known(self) -> Dialect:
        return dialect_of(self.engine.dialect.name)

    @cached_property
    def _as_it_is(self) -> Frozen:
        """No state is kept: each question sees that of its moment."""
        return Frozen(self.engine, self._lock, 0.0)

    @property
    def is_frozen(self) -> bool:
        """Whether questions see the state of the beginning."""
        return self.frozen is not None and self.frozen.is_held

    def freeze(self, seconds: float) -> None:
        """Fix the state for at most *seconds*, where the database can."""
        if seconds > 0:
            self.frozen = Frozen(self.engine, self._lock, seconds)
            self.frozen.export()

    def follow(self, seconds: float, shared: str | None) -> None:
        """See the state that another process fixed and named *shared*; ``None``: one of its own."""
        if seconds > 0:
            self.frozen = Frozen(self.engine, self._lock, seconds, shared)

    def count_changes(self) -> None:
        """Take note of the state that the first list of deals is of, where the database counts its changes."""
        if self._listed is not None:
            return
        with self.asking() as connection:
            count = self._known.changes(connection)
        if count is not None:
            self._listed = connection, count

    def is_as_listed(self) -> bool:
        """Whether nobody can have changed a deal since the list was read."""
        listed = self._listed
        if listed is None or self.is_frozen:
            return False
        with self._lock:
            return self._connection is listed[0] and self._known.changes(listed[0]) == listed[1]

    @contextmanager
    def now(self) -> Iterator[Connection]:
        """Lend a connection apart from the state that the other questions see; SQLAlchemy's errors come through."""
        with self._lock, self.engine.connect() as connection:
            yield connection

    def all_of(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        """Return every row of *statement*."""
        return self.ask(lambda connection: connection.execute(statement).all())

    def ask(self, question: Callable[[Connection], T]) -> T:
        """Return the answer to *question*; where the database is away, it is asked once more on a fresh connection."""
        try:
            with self.asking() as connection:
                return question(connection)
        except SourceAwayError:
            pass
        try:
            with self.asking() as connection:
                return question(connection)
        except SourceAwayError as error:
            if self._answers():  # then it is about this question
                raise SourceError(str(error)) from error
            raise

    def _answers(self) -> bool:
        """Whether the deals can be read at all."""
        try:
            with self.asking() as connection:
                connection.execute(self._probe()).all()
        except SourceError:
            return False
        return True

    @contextmanager
    def asking(self) -> Iterator[Connection]:
        """Lend the one connection; its transaction ends with the question, so no lock is held on.

        A driver's error becomes a :class:`SourceError` without secrets, and the next question gets
        a fresh connection; so does a value that is not of its column's type, as SQLite allows.
        """
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self.engine.connect()
                try:
                    with (self.frozen or self._as_it_is).question(self._connection):
                        yield self._connection
                except Exception:
                    self._drop()  # a driver that failed halfway is out of step with its server
                    raise
            except SQLAlchemyError as error:
                self._drop()
                kind = SourceAwayError if _is_away(error) else SourceError
                raise kind(self._explain(error)) from error
            except OSError as error:  # some drivers let the network's own errors through
                self._drop()
                raise SourceAwayError(self._explain(error)) from error
            except _CONVERSIONS as error:
                raise SourceError(self._explain(error)) from error

    def _explain(self, error: Exception) -> str:
        condition = self._config.deals.where
        where = f' (deals.where = "{condition}")' if condition.strip() else ""
        advice = redact(self._known.advice(error, self._url, self._config.database_folder))
        reason = driver_reason(error, self._url)
        return f"{self._place}: {self.description} cannot be read{where}: {reason}{advice}"

    def close(self) -> None:
        """Let go of the state that was kept, and of the connection."""
        if self.frozen is not None:
            self.frozen.let_go()
        self._drop()

    def _drop(self) -> None:
        """Let go of the connection; a broken one must not hide the error that broke it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()
        if "engine" in self.__dict__:  # else nothing was opened
            self.engine.dispose()


def _is_away(error: SQLAlchemyError) -> bool:
    """Whether *error* says that the database cannot be reached, or cannot answer; others are about the question."""
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return lost or isinstance(error, (OperationalError, InterfaceError, InternalError))
