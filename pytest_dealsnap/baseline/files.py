"""Files that are whole or not there: temporary file, rename, and a sync for many at a time."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["Syncer", "remove_leftovers", "write_atomic"]

_TEMPORARY = ".dealsnap-"
_counter = itertools.count()


def write_atomic(path: str, data: bytes) -> None:
    """Write *data* to *path* so that a reader, or a kill at any moment, finds all of it or none.

    The rename is atomic at once; that it survives a power cut is :class:`Syncer`'s part.
    """
    folder, _ = os.path.split(path)
    # With the time: in a container, a killed process and the next one may have the same number.
    temporary = os.path.join(folder, f"{_TEMPORARY}{os.getpid()}-{time.time_ns():x}-{next(_counter)}.tmp")
    try:
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileNotFoundError:
            os.makedirs(folder, exist_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with open(descriptor, "wb", buffering=0) as file:
            view = memoryview(data)
            while view:
                view = view[file.write(view) :]
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):  # of two errors, the first says why
            os.unlink(temporary)
        raise


def remove_leftovers(folder: Path) -> int:
    """Remove the temporary files that a killed capture left below *folder*; return how many."""
    leftovers = list(folder.rglob(f"{_TEMPORARY}*.tmp"))
    for leftover in leftovers:
        leftover.unlink(missing_ok=True)
    return len(leftovers)


class Syncer:
    """Brings written files to the disk in batches: once a *period* in seconds, and at the end.

    One ``sync`` of the system for a batch costs far less than an ``fsync`` for each file. Where the
    system has none, each file of the batch is synced.
    """

    def __init__(self, *, period: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._period = period
        self._clock = clock
        self._pending: list[str] = []
        self._since = clock()

    def wrote(self, path: str) -> None:
        """Take note of a written file, and sync the batch when its time has come."""
        if not self._pending:
            self._since = self._clock()
            self._start_timer()
        self._pending.append(path)
        if self._clock() - self._since >= self._period:
            self.flush()

    def _start_timer(self) -> None:
        """See to it that the batch is synced in time, however long the next write takes to come."""
        timer = threading.Timer(self._period, self.flush)
        timer.daemon = True
        timer.start()

    def flush(self) -> None:
        """Sync what is pending."""
        pending, self._pending = self._pending, []
        if not pending:
            return
        if hasattr(os, "sync"):
            os.sync()
            return
        for path in pending:
            with open(path, "rb+") as file:
                os.fsync(file.fileno())
