"""Reads and writes beside an upgrade, as a running application's, and what became of them.

A write sets a deal's column to what it holds, so that it takes the locks of a write and changes nothing.
It gives up waiting before a server looks for deadlocks, so that it never is the load that a
migration fails by.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, column, create_engine, select, table, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from pytest_dealsnap.config import DealsConfig
from pytest_dealsnap.deals.dialects import dialect_of
from pytest_dealsnap.deals.table_names import place_of
from pytest_dealsnap.model.rehearsals import DIGITS, LoadFact
from pytest_dealsnap.rehearsal.locks import OURS
from pytest_dealsnap.secrets import redact

__all__ = ["Load", "under_load"]

PAUSE = 0.005
KEYS = 200


class Load:
    """One reader and one writer, each with a connection of its own, until told to stop."""

    def __init__(self, url: str, deals: DealsConfig) -> None:
        self._deals = deals
        self._engine = _engine(url)
        self._stop = threading.Event()
        self._begun = threading.Barrier(3, timeout=60)
        self._done: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._longest: Counter[str] = Counter()
        self._waits: dict[str, float] = {"read": 0.0, "write": 0.0}
        self._reasons: Counter[str] = Counter()
        self._started = time.monotonic()
        schema, name = place_of(deals.table)
        names = dict.fromkeys([deals.id, deals.name or deals.type or deals.id])
        self._table = table(name, *map(column, names), schema=schema)
        self._column = [*names][-1]
        with self._engine.connect() as connection:
            self._keys = list(connection.scalars(select(self._table.c[deals.id]).limit(KEYS)))
        self._threads = [
            threading.Thread(target=self._run, args=(kind, request), name=f"dealsnap-{kind}", daemon=True)
            for kind, request in (("read", self._read), ("write", self._write))
        ]

    def start(self) -> None:
        """Begin; return when both have had a first answer."""
        for thread in self._threads:
            thread.start()
        self._begun.wait()
        self._started = time.monotonic()

    def stop(self) -> LoadFact:
        """End, and return what became of the requests."""
        seconds = time.monotonic() - self._started
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._engine.dispose()
        longest = {kind: round(wait, DIGITS) for kind, wait in self._waits.items()}
        return LoadFact(
            round(seconds, DIGITS),
            self._done["read"],
            self._failed["read"],
            self._done["write"],
            self._failed["write"],
            longest["read"],
            longest["write"],
            dict(self._reasons),
        )

    def _run(self, kind: str, request: Callable[[Any, Any], None]) -> None:
        waiting = True
        for key in itertools.cycle(self._keys or [None]):
            started = time.monotonic()
            try:
                with self._engine.begin() as connection:
                    request(connection, key)
                self._done[kind] += 1
            except SQLAlchemyError as error:
                self._failed[kind] += 1
                cause = getattr(error, "orig", None) or error
                reason = redact(str(cause).strip().partition("\n")[0])
                self._reasons[f"{type(cause).__name__}: {reason}"[:200]] += 1
            self._waits[kind] = max(self._waits[kind], time.monotonic() - started)
            if waiting:
                waiting = False
                self._begun.wait()
            if self._stop.wait(PAUSE):
                return

    def _read(self, connection: Any, key: Any) -> None:
        connection.execute(select(self._table).where(self._table.c[self._deals.id] == key)).all()

    def _write(self, connection: Any, key: Any) -> None:
        for statement in dialect_of(connection.dialect.name).giving_up:
            connection.exec_driver_sql(statement)
        held = self._table.c[self._column]
        connection.execute(update(self._table).where(self._table.c[self._deals.id] == key).values({held: held}))


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    known = dialect_of(parsed.get_backend_name())
    arguments = known.arguments(parsed, f"{OURS}-load")
    if known.is_file:
        return create_engine(url, poolclass=NullPool, connect_args=arguments)
    return create_engine(url, pool_size=2, connect_args=arguments)


@contextmanager
def under_load(url: str, deals: DealsConfig) -> Iterator[Callable[[], LoadFact]]:
    """Run the block beside the load; what is yielded ends it, and tells what became of its requests."""
    load = Load(url, deals)
    load.start()
    facts: list[LoadFact] = []

    def end() -> LoadFact:
        if not facts:
            facts.append(load.stop())
        return facts[0]

    try:
        yield end
    finally:
        end()
