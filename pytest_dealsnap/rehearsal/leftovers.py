"""What killed commands left on this machine: half-written files, folders, and steps that still run.

What a living process owns is never one of them; nor is what ``--keep`` kept.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_dealsnap.errors import DealsnapError
from pytest_dealsnap.rehearsal.owners import OWNER_VARIABLE, is_alive, is_running, owner_of
from pytest_dealsnap.text import plural

__all__ = ["KEPT", "CleaningError", "Leftover", "local_leftovers", "remove_local", "summary"]

Kind = Literal["process", "folder", "file", "database"]
PREFIX = "dealsnap-"
KEPT = "dealsnap-kept"  # a file in a folder that --keep leaves to the user
# A folder that does not say whose it is was made by an earlier version, or a moment ago.
A_DAY = 86_400.0
_GRACE = 5.0
_WRITER = re.compile(rf"\.{PREFIX}(\d+)-[0-9a-f]+-\d+\.tmp$")
_PLURALS = {"process": "processes", "folder": "folders", "file": "files", "database": "databases"}


class CleaningError(DealsnapError):
    """Something that a killed command left cannot be removed."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """One thing that a killed command left: its kind, its name (a path, a number) and what it was for."""

    kind: Kind
    name: str
    what: str


def local_leftovers(folders: Iterable[Path], *, deep: bool) -> list[Leftover]:
    """Return what is left on this machine: running steps, folders in the temporary one, files in *folders*.

    *deep* looks for files below *folders*, too.
    """
    return [*_steps(), *_temporary_folders(), *_files(folders, deep=deep)]


def summary(left: Iterable[Leftover]) -> str | None:
    """Return one line that tells of *left*; ``None`` where nothing is."""
    counts: dict[str, int] = {}
    for one in left:
        counts[one.kind] = counts.get(one.kind, 0) + 1
    if not counts:
        return None
    parts = [f"{plural(count, kind, _PLURALS[kind])}" for kind, count in counts.items()]
    return f"a killed command left {' and '.join(parts)}: dealsnap clean lists what it left"


def remove_local(one: Leftover) -> None:
    """End a step that still runs, or delete a folder or a file; raises :class:`CleaningError` where that fails."""
    try:
        if one.kind == "process":
            _end(int(one.name))
        elif one.kind == "folder":
            shutil.rmtree(one.name)
        else:
            Path(one.name).unlink(missing_ok=True)
    except OSError as error:
        raise CleaningError(f"{one.kind} {one.name} cannot be removed: {error.strerror or error}") from None


def _files(folders: Iterable[Path], *, deep: bool) -> Iterable[Leftover]:
    pattern = f".{PREFIX}*.tmp"
    found = [path for folder in folders for path in (folder.rglob(pattern) if deep else folder.glob(pattern))]
    abandoned = dict.fromkeys(str(path.absolute()) for path in sorted(found) if _is_half_written(path))
    return [Leftover("file", path, "a file that was not written to its end") for path in abandoned]


def _is_half_written(path: Path) -> bool:
    """Whether *path* is a temporary file whose writer is gone: its number is in the name, and it holds a lock."""
    writer = _WRITER.match(path.name)
    if writer is None or path.is_symlink() or not path.is_file() or is_running(int(writer[1])):
        return False
    return not _is_locked(path)


def _is_locked(path: Path) -> bool:
    """Whether a process that cannot be seen from here, such as one in another container, still writes the file."""
    try:
        import fcntl
    except ImportError:  # Windows, which deletes no file that is open
        return False
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True  # it has been written to its end meanwhile
    except OSError as error:
        return isinstance(error, BlockingIOError)
    return False


def _temporary_folders() -> Iterable[Leftover]:
    with suppress(OSError):
        for entry in sorted(os.scandir(tempfile.gettempdir()), key=lambda one: one.name):
            if entry.name.startswith(PREFIX) and entry.is_dir(follow_symlinks=False) and _is_abandoned(entry):
                yield Leftover("folder", entry.path, "a killed run's files")


def _is_abandoned(entry: os.DirEntry[str]) -> bool:
    path = Path(entry.path)
    try:
        about = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return False
    if (hasattr(os, "getuid") and about.st_uid != os.getuid()) or (path / KEPT).exists():
        return False
    owner = owner_of(path)
    if not owner:
        return time.time() - about.st_mtime > A_DAY
    return is_alive(owner) is False


def _steps() -> Iterable[Leftover]:
    """Yield the processes of rehearsals that are gone; where there is no ``/proc``, they cannot be found."""
    for number in _processes():
        owner = _owner(number)
        if owner is not None and is_alive(owner) is False:
            yield Leftover("process", str(number), f"a step of a rehearsal: {_command(number)}")


def _processes() -> list[int]:
    try:
        numbers = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
    except OSError:
        return []
    return sorted(number for number in numbers if number != os.getpid())


def _owner(number: int) -> str | None:
    """Return the rehearsal that started the process; ``None`` for any other process, and for a stranger's."""
    begin = f"{OWNER_VARIABLE}=".encode()
    try:
        with open(f"/proc/{number}/environ", "rb", buffering=0) as file:  # noqa: PTH123  # often, and cheap
            variables = file.read()
    except OSError:
        return None
    if begin not in variables:  # nearly always: to look at each variable would cost every gate's first second
        return None
    found = [variable[len(begin) :] for variable in variables.split(b"\0") if variable.startswith(begin)]
    return found[0].decode("utf-8", "replace") if found else None


def _command(number: int) -> str:
    with suppress(OSError):
        words = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
        return " ".join(word.decode("utf-8", "replace") for word in words if word)[:120]
    return "?"


def _end(number: int) -> None:
    """End the process, unless its number is another one's by now."""
    for ask in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        owner = _owner(number)
        if owner is None or is_alive(owner) is not False:
            return
        with suppress(ProcessLookupError):
            os.kill(number, ask)
        end = time.monotonic() + _GRACE
        while _owner(number) is not None and time.monotonic() < end:
            time.sleep(0.02)
