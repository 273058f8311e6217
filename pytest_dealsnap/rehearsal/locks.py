"""Which locks a migration takes on PostgreSQL, seen from another connection while it runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from pytest_dealsnap.deals.dialects import unprepared
from pytest_dealsnap.reporting.rehearsal_facts import LockFact

__all__ = ["OURS", "LockWatch", "watch_locks"]

OURS = "dealsnap"  # application_name of connections that are not the migration's
EVERY = 0.002  # seconds: the change of a small table holds its lock no longer
REST = 2.0  # times as long as a look took, so that looking leaves the migration its processor
# Strongest last, as in PostgreSQL's manual; what only reads take is not told.
MODES = (
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
_QUESTION = text("""
    SELECT l.pid, n.nspname, c.relname, l.mode FROM pg_locks l
    JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND l.granted
      AND c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND a.application_name NOT LIKE :ours
""")


class LockWatch:
    """Looks at ``pg_locks`` in a thread of its own until it is told to stop."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            poolclass=NullPool,
            connect_args={"application_name": f"{OURS}-watch", **unprepared(make_url(url))},
        )
        self._stop = threading.Event()
        self._since: dict[tuple[int, str, str], tuple[float, float]] = {}
        self._longest: dict[tuple[str, str], float] = {}
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
        return tuple(sorted(facts, key=lambda fact: (-MODES.index(fact.mode), fact.relation)))

    def _watch(self) -> None:
        try:
            with self._engine.connect() as connection:
                while not self._stop.is_set():
                    asked = time.monotonic()
                    rows = connection.execute(_QUESTION, {"ours": f"{OURS}%"}).all()
                    now = time.monotonic()
                    self._note([tuple(row) for row in rows], now)
                    self._stop.wait(max(EVERY, REST * (now - asked)))
        except DBAPIError:  # the server ended it: what was seen until then was seen
            return

    def _note(self, rows: list[tuple[int, str, str, str]], now: float) -> None:
        there = {}
        for pid, schema, name, mode in rows:
            if mode in MODES:
                there[pid, name if schema == "public" else f"{schema}.{name}", mode] = now
        self._since = {key: (self._since.get(key, (now, now))[0], now) for key in there}
        for (_, relation, mode), (first, last) in self._since.items():
            self._longest[relation, mode] = max(self._longest.get((relation, mode), 0.0), last - first)


@contextmanager
def watch_locks(url: str) -> Iterator[LockWatch | None]:
    """Watch the locks of the database at *url* while the block runs; of PostgreSQL only."""
    if not url.startswith("postgresql"):
        yield None
        return
    watch = LockWatch(url)
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()
