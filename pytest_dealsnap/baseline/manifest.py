"""``manifest.json``: where the baseline came from."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_dealsnap.baseline.files import write_atomic
from pytest_dealsnap.errors import ManifestError
from pytest_dealsnap.reasoning.canonical import dumps, loads

__all__ = ["MANIFEST", "MANIFEST_FORMAT", "git_state", "read_manifest", "write_manifest"]

MANIFEST = "manifest.json"
MANIFEST_FORMAT = 1


def read_manifest(snapshots: Path) -> dict[str, Any] | None:
    """Return the manifest below *snapshots*; ``None`` where there is none.

    Raises :class:`ManifestError` for a file that is no manifest, or one of a newer format.
    """
    path = snapshots / MANIFEST
    try:
        manifest = loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise ManifestError(
            f"{path} cannot be read: {error}. Restore it from git, or capture the baseline again"
        ) from None
    if not isinstance(manifest, dict) or manifest.get("format") != MANIFEST_FORMAT:
        given = manifest.get("format") if isinstance(manifest, dict) else None
        raise ManifestError(
            f"{path} has format {given!r}; this version of pytest-dealsnap knows format {MANIFEST_FORMAT}. "
            "Upgrade pytest-dealsnap, or capture the baseline again"
        )
    return manifest


def write_manifest(snapshots: Path, manifest: Mapping[str, Any]) -> None:
    """Write *manifest* (without ``format``, which is added), whole or not at all."""
    document = {**manifest, "format": MANIFEST_FORMAT}
    write_atomic(str(snapshots / MANIFEST), (dumps(document) + "\n").encode())


def git_state(folder: Path) -> dict[str, Any]:
    """Return ``commit`` and ``dirty`` of the checkout that *folder* is in; both ``None`` outside of one."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return {"commit": None, "dirty": None}
    changes = _git(folder, "status", "--porcelain")
    return {"commit": commit.strip(), "dirty": None if changes is None else bool(changes.strip())}


def _git(folder: Path, *arguments: str) -> str | None:
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(  # noqa: S603  # fixed arguments, no shell
            ["git", "-C", str(folder), *arguments],  # noqa: S607  # the user's own git
            capture_output=True,
            encoding="utf-8",
            errors="replace",  # a changed file's name need not be text
            env=environment,
            check=False,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
