"""The lock of a baseline: one writer at a time. The system lets go of it when its process ends, however it ends.

On POSIX the folder itself is locked, so nothing is left in it. Windows locks no folders: a file in it is locked there.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pytest_dealsnap.errors import BaselineError, LockedError

__all__ = ["BaselineLock", "claim", "locked", "try_claim"]

LOCK_FILE = ".dealsnap.lock"
_PAUSE = 0.02


class BaselineLock:
    """The lock of the baseline in *folder*; makes the folder where there is none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._descriptor: int | None = None
        self._made = False

    def acquire(self, *, patience: float = 0.0) -> None:
        """Take the lock, waiting for another writer at most *patience* seconds.

        Raises :class:`LockedError` where another process holds it, :class:`BaselineError` where the folder cannot be
        made or locked.
        """
        if self._descriptor is not None:
            return
        try:
            self._made = not self.folder.is_dir()
            self.folder.mkdir(parents=True, exist_ok=True)
            self._descriptor = self._wait(time.monotonic() + patience)
        except OSError as error:
            raise BaselineError(f"{self.folder} cannot be written: {error.strerror or error}") from None
        if hasattr(os, "register_at_fork"):  # a child of the reasoner's that outlives the run must not hold the lock
            os.register_at_fork(after_in_child=self._forget)

    def _wait(self, end: float) -> int:
        """Return the descriptor of the locked folder."""
        while True:
            descriptor = _open(self.folder)
            if try_claim(descriptor):
                if _is_still(descriptor, self.folder):
                    return descriptor
                os.close(descriptor)  # whoever had it before has removed the empty folder
                self.folder.mkdir(parents=True, exist_ok=True)
                continue
            os.close(descriptor)
            if time.monotonic() >= end:
                raise LockedError(
                    f"another process writes the baseline {self.folder}: a capture, accept, review, reject or prune. "
                    "Run this again when it has ended"
                )
            time.sleep(_PAUSE)

    def release(self) -> None:
        """Let go of the lock; a folder that was made for it, and stayed empty, is removed."""
        if self._descriptor is None:
            return
        if self._made:
            with suppress(OSError):  # it holds something now
                self.folder.rmdir()
        self._forget()

    def _forget(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _is_still(descriptor: int, folder: Path) -> bool:
    try:
        return sys.platform == "win32" or os.path.samestat(os.fstat(descriptor), folder.stat())
    except FileNotFoundError:
        return False


@contextmanager
def locked(folder: Path, *, patience: float = 5.0) -> Iterator[None]:
    """Hold the lock of the baseline in *folder*; see :meth:`BaselineLock.acquire` for what is raised."""
    lock = BaselineLock(folder)
    lock.acquire(patience=patience)
    try:
        yield
    finally:
        lock.release()


if sys.platform == "win32":
    import msvcrt

    def _open(folder: Path) -> int:
        return os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT)

    def try_claim(descriptor: int) -> bool:
        """Lock an open file for this process; whether no other one has it."""
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def claim(descriptor: int) -> None:
        """Mark an open file as that of a living process; here nobody can delete one, anyway."""

else:
    import fcntl

    def _open(folder: Path) -> int:
        return os.open(folder, os.O_RDONLY)

    def try_claim(descriptor: int) -> bool:
        """Lock an open file for this process; whether no other one has it."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def claim(descriptor: int) -> None:
        """Mark an open file as that of a living process."""
        with suppress(OSError):  # a file system without locks: only a sweep would have asked for it
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
