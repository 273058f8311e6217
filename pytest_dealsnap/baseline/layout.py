"""How a deal id becomes a file name: one to one, reversible, and never outside the folder.

Lower-case ASCII letters, digits, ``-``, ``_`` and inner dots stand for themselves; every other byte
of the UTF-8 text is ``%xx``. Upper case is escaped as well, so two ids never meet where a file system
folds case, nor where it normalizes Unicode. An id too long for one file name goes into folders
whose names end in ``%``, which no escape does.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from pytest_dealsnap.errors import BaselineError, SnapshotError

__all__ = ["SUFFIX", "id_of", "relative_path", "stored_ids"]

SUFFIX = ".json"
_PLAIN = re.compile(r"[a-z0-9_\-][a-z0-9_.\-]*")
_KEPT = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_-.")
# Names that Windows keeps for devices, with or without an extension.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?=\.|$)")
# 255 bytes is what file systems allow; some tools add a suffix of their own while they write.
_PART = 200
_LONGEST_PATH = 3_000


def relative_path(deal_id: str) -> str:
    """Return the path of *deal_id*'s snapshot below the deals folder, with ``/`` between folders.

    Raises :class:`SnapshotError` for an id that is longer than any path may be.
    """
    name = deal_id if _PLAIN.fullmatch(deal_id) and not _DEVICE.match(deal_id) else _escape(deal_id)
    if len(name) <= _PART:
        return name + SUFFIX
    if len(name) > _LONGEST_PATH:
        raise SnapshotError(f"the deal id {deal_id[:40]!r}… has {len(deal_id)} characters, too many for a path")
    parts = [_visible(part) for part in _parts(name)]
    return "".join(f"{part}%/" for part in parts[:-1]) + parts[-1] + SUFFIX


def _escape(deal_id: str) -> str:
    """Return the escaped id; the empty id is ``%``."""
    encoded = deal_id.encode("utf-8", "surrogatepass")
    name = "".join(chr(byte) if byte in _KEPT else f"%{byte:02x}" for byte in encoded)
    return _visible(name) or "%"


def _visible(name: str) -> str:
    """Escape the first character of a name that would be hidden, or a device's."""
    return f"%{ord(name[0]):02x}{name[1:]}" if name.startswith(".") or _DEVICE.match(name) else name


def _parts(name: str) -> list[str]:
    """Split *name* into parts of at most ``_PART`` characters, never inside an escape."""
    parts = []
    while len(name) > _PART:
        cut = _PART
        for back in (1, 2):
            if name[cut - back] == "%":
                cut -= back
                break
        parts.append(name[:cut])
        name = name[cut:]
    return [*parts, name]


def id_of(path: str) -> str | None:
    """Return the id whose snapshot stands at *path* (relative, ``/``), or ``None`` if no id's does."""
    if not path.endswith(SUFFIX):
        return None
    name = path.removesuffix(SUFFIX).replace("%/", "")
    try:
        plain = re.sub(rb"%([0-9a-f]{2})", lambda match: bytes([int(match[1], 16)]), name.encode("ascii"))
        deal_id = "" if name == "%" else plain.decode("utf-8", "surrogatepass")
        return deal_id if relative_path(deal_id) == path else None
    except (UnicodeError, SnapshotError):
        return None


def stored_ids(folder: Path) -> Iterator[tuple[str | None, str]]:
    """Yield ``(id, path)`` of every file below *folder*; the id is ``None`` for a file that is no snapshot.

    A folder or a broken link that has a snapshot's name counts as one, so that reading it fails and is noticed.

    Files whose name starts with a dot are passed over: temporary ones, and a file manager's own.
    Raises :class:`BaselineError` for a folder that cannot be read.
    """
    yield from _walk(str(folder), "")


def _walk(folder: str, prefix: str) -> Iterator[tuple[str | None, str]]:
    try:
        entries = os.scandir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise BaselineError(f"{folder} cannot be read: {error.strerror or error}") from None
    with entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.name.endswith("%") and entry.is_dir():
                yield from _walk(entry.path, f"{prefix}{entry.name}/")
                continue
            if not entry.name.endswith(SUFFIX) and entry.is_dir():
                continue
            path = prefix + entry.name
            # The common case first: a plain name is its own id.
            stem = entry.name[: -len(SUFFIX)]
            plain = not prefix and path.endswith(SUFFIX) and _PLAIN.fullmatch(stem) and not _DEVICE.match(stem)
            yield (stem if plain and len(stem) <= _PART else id_of(path)), path
