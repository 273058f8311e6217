"""Whether a baseline changes while a gate reads it: the gate does not lock writers out, it looks before and after."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pytest_dealsnap.baseline.layout import relative_path
from pytest_dealsnap.baseline.ledger import LEDGER
from pytest_dealsnap.baseline.manifest import MANIFEST
from pytest_dealsnap.baseline.pins import PINS
from pytest_dealsnap.errors import SnapshotError

__all__ = ["state_of"]


def state_of(snapshots: Path, deal_ids: Sequence[str] = ()) -> int:
    """Return a number that another one follows when any file of the baseline is written, added or deleted.

    It costs one look at each file's directory entry, and is good for this process only. With *deal_ids*, of the
    snapshots only those of these deals are looked at.
    """
    state = sum(_look(snapshots / name) for name in (MANIFEST, LEDGER)) + _below(str(snapshots / PINS))
    if not deal_ids:
        return state + _below(str(snapshots / "deals"))
    return state + sum(_look(snapshots / "deals" / path) for path in map(_path, deal_ids) if path)


def _path(deal_id: str) -> str:
    try:
        return relative_path(deal_id)
    except SnapshotError:  # no baseline has a deal with such an id
        return ""


def _look(path: Path) -> int:
    try:
        found = path.stat()
    except OSError:
        return 0
    return hash((path.name, found.st_ino, found.st_mtime_ns, found.st_size))


def _below(folder: str) -> int:
    state = 0
    try:
        entries = os.scandir(folder)
    except OSError:
        return state
    with entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.name.endswith("%") and entry.is_dir():
                state += _below(entry.path)
                continue
            try:
                found = entry.stat()
            except OSError:
                continue
            state += hash((entry.path, found.st_ino, found.st_mtime_ns, found.st_size))
    return state
