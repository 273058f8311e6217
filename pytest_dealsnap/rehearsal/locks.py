"""Which locks a migration takes, as far as the database shows them, seen from another connection while it runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from pytest_dealsnap.deals.dialects import Dialect, dialect_of
from pytest_dealsnap.model.rehearsals import LockFact
from pytest_dealsnap.secrets import redact
from pytest_dealsnap.text import printable

__all__ = ["OURS", "LockWatch", "longest_locks", "watch_locks"]

OURS = "dealsnap"  # application_name of connections that are not the migration's
EVERY = 0.002  # seconds: the change of a small table holds its lock no longer
BETWEEN_WAITS = 0.15  # InnoDB renews its table of transactions only once nobody has read it for 0.1 s
REST = 2.0  # times as long as a look took, so that looking leaves the migration its processor


class LockWatch:
    """Asks for the locks that are held, in a thread of its own, until it is stopped."""

    def __init__(self, url: URL, known: Dialect) -> None:
        self._known, self._modes = known, known.lock_modes
        self._default = ("public", url.database)  # schemas that are not worth saying
        self._engine = create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            poolclass=NullPool,
            connect_args=known.arguments(url, f"{OURS}-watch"),
        )
        self._stop = threading.Event()
        self._since: dict[tuple[int, str, str], tuple[float, float]] = {}
        self._longest: dict[tuple[str, str], float] = {}
        self._waiting: dict[tuple[int, str, str], float] = {}
        self._waits: dict[tuple[str, str], float] = {}
        self.failed = ""  # the first statement after which a transaction had failed
        self._thread = threading.Thread(target=self._watch, name="dealsnap-locks", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End, and let go of the connection."""
        self._stop.set()
        self._thread.join()
        self._engine.dispose()

    def seen(self) -> tuple[LockFact, ...]:
        """Return every lock that was seen, the strongest first; a time is at least that long."""
        facts = [LockFact(relation, mode, seconds) for (relation, mode), seconds in self._longest.items()]
        return tuple(sorted(facts, key=lambda fact: (-self._modes.index(fact.mode), fact.relation)))

    def waits(self) -> tuple[str, ...]:
        """Return in words who waited for a lock, the longest wait first; a time is at least that long."""
        longest = sorted(self._waits.items(), key=lambda item: -item[1])
        shown = [(f"{seconds:,.2f} s" if seconds else "a moment", *key) for key, seconds in longest]
        return tuple(
            f"waited {time_shown} for a lock ({kind}): {printable(redact(statement))}"
            for time_shown, statement, kind in shown
        )

    def _watch(self) -> None:
        try:
            with self._engine.connect() as connection:
                question = text(self._known.lock_question(connection))
                waits, next_waits = self._known.wait_question(connection), 0.0
                while not self._stop.is_set():
                    asked = time.monotonic()
                    rows = connection.execute(question, {"ours": f"{OURS}%"}).all()
                    now = time.monotonic()
                    self._note([tuple(row) for row in rows], now)
                    if waits and now >= next_waits:
                        next_waits = now + BETWEEN_WAITS
                        waiting = connection.execute(text(waits)).all()
                        self._note_waits([tuple(row) for row in waiting], time.monotonic())
                    if self._known.failed and not self.failed:
                        failed = connection.scalar(text(self._known.failed), {"ours": f"{OURS}%"})
                        self.failed = printable(redact(str(failed or "")))
                    now = time.monotonic()
                    self._stop.wait(max(EVERY, REST * (now - asked)))
        except DBAPIError:  # the server ended it: what was seen until then was seen
            return

    def _note(self, rows: list[tuple[int, str, str, str]], now: float) -> None:
        there = {}
        for pid, schema, name, mode in rows:
            if mode in self._modes:
                there[pid, name if schema in self._default else f"{schema}.{name}", mode] = now
        self._since = {key: (self._since.get(key, (now, now))[0], now) for key in there}
        for (_, relation, mode), (first, last) in self._since.items():
            self._longest[relation, mode] = max(self._longest.get((relation, mode), 0.0), last - first)

    def _note_waits(self, rows: list[tuple[int, str | None, str]], now: float) -> None:
        there = {(int(number), str(statement or "?"), str(kind)) for number, statement, kind in rows}
        self._waiting = {key: self._waiting.get(key, now) for key in there}
        for (_, statement, kind), since in self._waiting.items():
            waited = now - since
            self._waits[statement, kind] = max(self._waits.get((statement, kind), 0.0), waited)


def longest_locks(locks: Iterable[LockFact]) -> tuple[LockFact, ...]:
    """Return each lock once, with its longest time, in the order in which they came."""
    longest: dict[tuple[str, str], LockFact] = {}
    for lock in locks:
        known = longest.get((lock.relation, lock.mode))
        if known is None or lock.seconds > known.seconds:
            longest[lock.relation, lock.mode] = lock
    return tuple(longest.values())


@contextmanager
def watch_locks(url: str) -> Iterator[LockWatch | None]:
    """Watch the locks of the database at *url* while the block runs, where it shows them."""
    parsed = make_url(url)
    known = dialect_of(parsed.get_backend_name())
    if not known.locks:
        yield None
        return
    watch = LockWatch(parsed, known)
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()
