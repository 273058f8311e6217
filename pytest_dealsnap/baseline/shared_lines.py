"""A file of JSON lines that several processes append to, each decision under its lock, on all that the file holds."""

from __future__ import annotations

import errno
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pytest_dealsnap.baseline.locking import try_claim

__all__ = ["SharedLines"]

_PAUSE = 0.002


class SharedLines:
    """The file as one process sees it; the file is never rewritten.

    Args:
        path: The file.
        take: Is given each whole line, in the order of the file, those of other processes too.
        synced: Whether a line is on the disk before :meth:`changing` goes on.
    """

    def __init__(self, path: Path, take: Callable[[bytes], None], *, synced: bool) -> None:
        self.path = path
        self._take = take
        self._synced = synced
        self._guard = threading.Lock()
        self._offset = 0

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Take in what the file holds, and keep this process's other threads away."""
        with self._guard:
            self._catch_up()
            yield

    @contextmanager
    def changing(self) -> Iterator[Callable[[Mapping[str, Any]], None]]:
        """Take in what the file holds, keep everybody else away, and yield what appends a line."""
        with self._guard:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                while not try_claim(descriptor):
                    time.sleep(_PAUSE)
                self._catch_up()
                if os.fstat(descriptor).st_size > self._offset:
                    os.ftruncate(
                        descriptor, self._offset
                    )  # a line that its writer could not end, such as on a full disk
                yield lambda line: self._append(descriptor, line)
            finally:
                os.close(descriptor)

    def _append(self, descriptor: int, line: Mapping[str, Any]) -> None:
        data = f"{json.dumps(line)}\n".encode()
        if os.write(descriptor, data) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        if self._synced:
            os.fsync(descriptor)
        self._catch_up()

    def _catch_up(self) -> None:
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return
        whole, newline, _ = data.rpartition(b"\n")
        for line in whole.splitlines():
            self._take(line)
        self._offset += len(whole) + len(newline)
