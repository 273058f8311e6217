"""Files that are whole or not there: temporary file, rename, and a sync for many at a time."""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from pytest_dealsnap.baseline.locking import claim, try_claim

__all__ = [
    "Syncer",
    "is_special",
    "leads_nowhere",
    "read_whole",
    "remove_leftovers",
    "sync",
    "why_unwritable",
    "write_atomic",
    "write_report",
]

_TEMPORARY = ".dealsnap-"
_counter = itertools.count()
_CHUNK = 1 << 16
_BINARY: int = getattr(os, "O_BINARY", 0)  # Windows would change line ends
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY


def read_whole(path: str) -> bytes:
    """Return the bytes of the file at *path*, with as few system calls as a small file needs."""
    descriptor = os.open(path, os.O_RDONLY | _BINARY)
    try:
        chunks = []
        while chunk := os.read(descriptor, _CHUNK):
            chunks.append(chunk)
        return b"".join(chunks)
    finally:
        os.close(descriptor)


def write_atomic(path: str, data: bytes) -> None:
    """Write *data* to *path* so that a reader, or a kill at any moment, finds all of it or none.

    The rename is atomic at once; that it survives a power cut is :class:`Syncer`'s part.
    """
    folder, _ = os.path.split(path)
    # With the time: in a container, a killed process and the next one may have the same number.
    temporary = os.path.join(folder, f"{_TEMPORARY}{os.getpid()}-{time.time_ns():x}-{next(_counter)}.tmp")
    try:
        try:
            descriptor = os.open(temporary, _NEW_FILE, 0o666)
        except FileNotFoundError:
            os.makedirs(folder, exist_ok=True)
            descriptor = os.open(temporary, _NEW_FILE, 0o666)
        with open(descriptor, "wb", buffering=0) as file:
            claim(descriptor)
            view = memoryview(data)
            while view:
                view = view[file.write(view) :]
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):  # of two errors, the first says why
            os.unlink(temporary)
        raise


def is_special(path: Path) -> bool:
    """Whether *path* is there, and leads to a device, a pipe or a socket: to be written to, never replaced."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def leads_nowhere(path: Path) -> bool:
    """Whether *path* is a link to something that is not there."""
    return path.is_symlink() and not path.exists()


def why_unwritable(path: Path) -> str:
    """Return why no file can be written at *path*, as far as that can be seen before; ``""`` where one can."""
    if is_special(path):
        return "" if os.access(path, os.W_OK) else "permission denied"
    if path.is_dir():
        return "a folder is in its place"
    if leads_nowhere(path):
        return "a link to nothing is in its place"
    folder = path.parent
    while not os.path.lexists(folder):
        folder = folder.parent
    if not folder.is_dir():
        return f"{folder} is no folder"
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"no permission to write in {folder}"


def write_report(path: Path, data: bytes) -> None:
    """Write *data* to a path that a person named: a file whole or not at all, into anything else as it is."""
    if is_special(path):
        with path.open("wb") as file:
            file.write(data)
    else:
        write_atomic(str(path), data)


def remove_leftovers(folder: Path, *, deep: bool = True) -> int:
    """Remove the temporary files that killed processes left in *folder* (*deep*: and below); return how many.

    One that a living process is writing is left to it.
    """
    pattern = f"{_TEMPORARY}*.tmp"
    return sum(map(_remove_leftover, list(folder.rglob(pattern) if deep else folder.glob(pattern))))


def _remove_leftover(path: Path) -> bool:
    with contextlib.suppress(OSError):  # gone meanwhile, written by a living process, or not ours to delete
        descriptor = os.open(path, os.O_RDWR | _BINARY)
        try:
            dead = try_claim(descriptor)
        finally:
            os.close(descriptor)
        if dead:
            path.unlink()
            return True
    return False


class Syncer:
    """Brings written files to the disk in batches: *period* seconds after a batch's first, and at the end.

    One ``sync`` of the system for a batch costs far less than an ``fsync`` for each file, and may take long
    where others write too: a thread waits for it, not the run. Where the system has none, each file of the
    batch is synced.
    """

    def __init__(self, *, period: float = 1.0) -> None:
        self._period = period
        self._pending: list[str] = []
        self._guard = threading.Lock()
        self._syncing = threading.Lock()

    def wrote(self, path: str) -> None:
        """Take note of a written file; the first of a batch starts its time."""
        with self._guard:
            self._pending.append(path)
            first = len(self._pending) == 1
        if first:
            timer = threading.Timer(self._period, self.flush)
            timer.daemon = True
            timer.start()

    def flush(self) -> None:
        """Sync what is pending; returns when it, and every batch before it, is on the disk."""
        with self._syncing:
            with self._guard:
                pending, self._pending = self._pending, []
            if pending:
                sync(pending)


def sync(paths: Sequence[str]) -> None:
    """Bring the written files *paths* to the disk."""
    if hasattr(os, "sync"):
        os.sync()
        return
    for path in paths:
        with open(path, "rb+") as file:
            os.fsync(file.fileno())
