"""Many files changed together: all of them or none, also where the process is killed amid it.

All new files are written aside, into ``.dealsnap-journal/`` in the baseline's folder; a journal that names them is the
one commit point; then they go where they belong. Whoever comes next finishes what a killed process had committed, and
drops what it had not.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_dealsnap.baseline.files import read_whole, remove_leftovers, sync, write_atomic
from pytest_dealsnap.baseline.locking import locked
from pytest_dealsnap.baseline.pins import PINS
from pytest_dealsnap.errors import BaselineError
from pytest_dealsnap.reasoning.canonical import dumps, loads

__all__ = ["JOURNAL", "Change", "Changes", "commit", "inverse", "settle", "take_over", "writing"]

JOURNAL = ".dealsnap-journal"
_INDEX = "journal.json"
_FORMAT = 1
# What may change outside of the baseline's folder: a journal from a stranger's repository must not reach further.
_OUTSIDE = ".decisions.json"


@dataclass(frozen=True, slots=True)
class Change:
    """One file's bytes before and after; ``None`` where there is no file."""

    path: Path
    before: bytes | None
    after: bytes | None


class Changes:
    """Files as they will be: what is written here is read back here, and reaches the disk by :func:`commit` only."""

    def __init__(self) -> None:
        self._before: dict[Path, bytes | None] = {}
        self._after: dict[Path, bytes | None] = {}

    def read(self, path: Path) -> bytes | None:
        """Return the file's bytes as they will be, ``None`` where there will be none."""
        if path not in self._before:
            self._before[path] = self._after[path] = _read(path)
        return self._after[path]

    def write(self, path: Path, data: bytes | None) -> None:
        """Have *data* in the file; ``None`` deletes it."""
        self.read(path)
        self._after[path] = data

    def below(self, folder: Path) -> dict[str, bytes]:
        """Return the files below *folder* that are to be written, by their path in it."""
        return {
            change.path.relative_to(folder).as_posix(): change.after
            for change in self.all()
            if change.after is not None and change.path.is_relative_to(folder)
        }

    def all(self) -> tuple[Change, ...]:
        """Return what differs from the disk, in the order in which it was first asked for."""
        return tuple(
            Change(path, before, self._after[path])
            for path, before in self._before.items()
            if before != self._after[path]
        )


def inverse(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Return what takes *changes* back."""
    return tuple(Change(change.path, change.after, change.before) for change in changes)


@contextmanager
def writing(folder: Path, *, patience: float = 5.0) -> Iterator[None]:
    """Hold the lock of the baseline in *folder*, with what a killed process left there settled."""
    with locked(folder, patience=patience):
        take_over(folder)
        yield


def take_over(folder: Path) -> None:
    """Finish, or drop, what a killed process left half done in *folder*, and sweep it; the lock is held."""
    _roll_forward(folder)
    remove_leftovers(folder, deep=False)
    for below in ("deals", PINS):
        remove_leftovers(folder / below, deep=True)


def settle(folder: Path) -> None:
    """Finish, or drop, what a killed process left half done in *folder*; costs nothing where there is nothing."""
    if os.path.lexists(folder / JOURNAL):
        with writing(folder):
            pass


def commit(folder: Path, changes: Sequence[Change], *, otherwise: str = "nothing was written") -> None:
    """Make all *changes* or none; the lock of the baseline in *folder* is held by the caller.

    *otherwise* says what has not been done where a file is not as it was before.

    Raises :class:`BaselineError` where a file is not as it was before, or cannot be written; then nothing has changed.
    """
    for change in changes:
        if _read(change.path) != change.before:
            raise BaselineError(f"{change.path} was edited since: {otherwise}")
    if not changes:
        return
    journal = folder / JOURNAL
    try:
        _write_aside(folder, journal, changes)
    except OSError as error:
        shutil.rmtree(journal, ignore_errors=True)
        where = error.filename or folder
        raise BaselineError(f"{where} cannot be written: {error.strerror or error}; nothing was changed") from None
    done: list[Change] = []
    try:
        for change in changes:
            done.append(change)
            _apply(change.path, change.after)
    except OSError as error:
        for change in reversed(done):
            with suppress(OSError):  # of two errors, the first says why; what did not change needs no undoing
                _apply(change.path, change.before)
        if all(_read(change.path) == change.before for change in changes):
            shutil.rmtree(journal, ignore_errors=True)
        raise BaselineError(f"{error.filename} cannot be written: {error.strerror}; nothing was changed") from None
    _close(journal, [change.path for change in changes])


def _write_aside(folder: Path, journal: Path, changes: Sequence[Change]) -> None:
    if journal.is_dir():
        shutil.rmtree(journal)
    journal.mkdir(parents=True)
    entries: list[dict[str, Any]] = []
    for number, change in enumerate(changes):
        aside = None if change.after is None else str(number)
        if aside is not None and change.after is not None:
            try:
                (journal / aside).write_bytes(change.after)
            except OSError as error:
                raise OSError(error.errno, error.strerror, str(change.path)) from None
        inside = change.path.is_relative_to(folder)
        shown = change.path.relative_to(folder).as_posix() if inside else str(change.path.absolute())
        entries.append(
            {"path": shown, "aside": aside, "before": _digest(change.before), "after": _digest(change.after)}
        )
    sync([str(journal / entry["aside"]) for entry in entries if entry["aside"] is not None])
    write_atomic(str(journal / _INDEX), dumps({"format": _FORMAT, "changes": entries}).encode())
    sync([str(journal / _INDEX)])


def _close(journal: Path, paths: Sequence[Path]) -> None:
    """Drop a journal whose changes are all made; its index goes first, so that the rest says nothing."""
    sync([str(path) for path in paths if path.exists()])
    (journal / _INDEX).unlink(missing_ok=True)
    shutil.rmtree(journal, ignore_errors=True)


def _roll_forward(folder: Path) -> None:
    """Make the changes of a journal that a killed process had committed; drop one that it had not."""
    journal = folder / JOURNAL
    if not os.path.lexists(journal):
        return
    index = _read(journal / _INDEX)
    if index is None:
        shutil.rmtree(journal, ignore_errors=True)
        return
    way_out = f"Delete the folder {journal} to leave everything as it stands"
    paths = []
    try:
        for entry in _entries(index):
            path, after = _target(folder, entry["path"]), None
            if entry["aside"] is not None:
                after = _read(journal / str(int(entry["aside"])))
            current = _digest(_read(path))
            if current != entry["after"]:
                if current != entry["before"] or _digest(after) != entry["after"]:
                    raise BaselineError(
                        f"{path} is neither as it was before a command that was killed, nor after. {way_out}"
                    )
                _apply(path, after)
            paths.append(path)
    except OSError as error:
        raise BaselineError(
            f"a command was killed while it changed {folder}, and {error.filename} cannot be written: {error.strerror}"
        ) from None
    except (KeyError, TypeError, ValueError, RecursionError):
        raise BaselineError(f"{journal / _INDEX} is no journal of this version. {way_out}") from None
    _close(journal, paths)
    for beside in {path.parent for path in paths if not path.is_relative_to(folder)}:
        remove_leftovers(beside, deep=False)


def _entries(index: bytes) -> list[dict[str, Any]]:
    document = loads(index.decode("utf-8"))
    if document["format"] != _FORMAT or not isinstance(document["changes"], list):
        raise ValueError("unknown format")
    return document["changes"]


def _target(folder: Path, shown: str) -> Path:
    """Return the path that a journal names; raises :class:`ValueError` for one that no command of ours would change."""
    path = Path(shown)
    if path.is_absolute():
        if not path.name.endswith(_OUTSIDE):
            raise ValueError(shown)
        return path
    inner = path.parts[:1] in (("deals",), (PINS,)) and ".." not in path.parts
    if not inner and (len(path.parts) != 1 or path.name.startswith(".")):
        raise ValueError(shown)
    return folder / path


def _apply(path: Path, data: bytes | None) -> None:
    if data is not None:
        write_atomic(str(path), data)
        return
    path.unlink(missing_ok=True)
    with suppress(OSError):  # a folder that is not empty stays
        for parent in path.parents:
            if not parent.name.endswith("%"):  # only a long id needs one
                break
            parent.rmdir()


def _read(path: Path) -> bytes | None:
    """Return the bytes of a file; ``None`` where there is none, or something that is never written in place."""
    try:
        if not (path.is_file() or path.is_dir()):
            return None
        return read_whole(str(path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise BaselineError(f"{path} cannot be read: {error.strerror or error}") from None


def _digest(data: bytes | None) -> str | None:
    return None if data is None else hashlib.sha256(data).hexdigest()
