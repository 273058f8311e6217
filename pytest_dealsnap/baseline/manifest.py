"""``manifest.json``: where the baseline came from."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pytest_dealsnap.baseline.files import leads_nowhere, why_unwritable, write_atomic
from pytest_dealsnap.errors import ManifestError
from pytest_dealsnap.model.kept_files import ManifestFile, check_manifest
from pytest_dealsnap.model.record import RecordError, to_plain
from pytest_dealsnap.reasoning.canonical import dumps, loads

__all__ = [
    "MANIFEST",
    "MANIFEST_FORMAT",
    "check_place",
    "git_state",
    "listed_ids",
    "manifest_text",
    "old_manifest",
    "parse_manifest",
    "read_manifest",
    "sorted_ids",
    "without_ids",
    "write_manifest",
]

MANIFEST = "manifest.json"
MANIFEST_FORMAT = 1


def read_manifest(snapshots: Path) -> dict[str, Any] | None:
    """Return the manifest below *snapshots*; ``None`` where there is none.

    Raises :class:`ManifestError` for a file that is no manifest, or one of a newer format.
    """
    path = snapshots / MANIFEST
    try:
        return parse_manifest(path.read_bytes(), path)
    except FileNotFoundError:
        if leads_nowhere(path):  # what it listed is lost, which is not the same as a baseline without one
            raise ManifestError(f"{path} cannot be read: it is a link to nothing. Restore it from git") from None
        return None
    except OSError as error:
        raise ManifestError(f"{path} cannot be read: {error.strerror or error}. Restore it from git") from None


def parse_manifest(data: bytes, path: Path) -> dict[str, Any]:
    """Return the manifest that *data* is, which stands at *path*; raises :class:`ManifestError` for what is none."""
    try:
        manifest = loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ManifestError(
            f"{path} cannot be read: {error}. Restore it from git, or capture the baseline again"
        ) from None
    if not isinstance(manifest, dict) or manifest.get("format") != MANIFEST_FORMAT:
        given = manifest.get("format") if isinstance(manifest, dict) else None
        raise ManifestError(
            f"{path} has format {given!r}; this version of pytest-dealsnap knows format {MANIFEST_FORMAT}. "
            "Upgrade pytest-dealsnap, or capture the baseline again"
        )
    try:
        check_manifest(manifest)
    except RecordError as error:
        raise ManifestError(f"{path}: {error}. Restore it from git, or capture the baseline again") from None
    return dict(manifest)


def listed_ids(manifest: Mapping[str, Any] | None) -> set[str]:
    """Return the deals that the baseline must have a snapshot of; none where the manifest lists none."""
    return set((manifest or {}).get("ids", ()))


def sorted_ids(ids: Iterable[str]) -> list[str]:
    """Return *ids* in the order of the manifest, which is that of their digests.

    Two branches that each record new deals then rarely change neighbouring lines, so git merges them.
    """
    return sorted(ids, key=_digest)


def _digest(deal_id: str) -> bytes:
    return hashlib.blake2b(deal_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def without_ids(manifest: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return *manifest* as a report holds it: one digest in place of a list of maybe 100,000 ids."""
    if manifest is None or "ids" not in manifest:
        return None if manifest is None else dict(manifest)
    whole = hashlib.sha256()
    for deal_id in sorted_ids(manifest["ids"]):
        whole.update(_digest(deal_id))
    return {**{key: value for key, value in manifest.items() if key != "ids"}, "ids_sha256": whole.hexdigest()}


def old_manifest(snapshots: Path) -> dict[str, Any]:
    """Return the manifest of old code's answers, which stand for a baseline, without what differs from run to run."""
    own = ("captured_at", "ids", "deals", "complete", "partial", "resume", "rules")
    manifest = {key: value for key, value in (read_manifest(snapshots) or {}).items() if key not in own}
    return {**manifest, "git": {"commit": manifest.get("git", {}).get("commit"), "dirty": False}}


def check_place(snapshots: Path) -> None:
    """Raise :class:`ManifestError` where no manifest could be written below *snapshots*."""
    path = snapshots / MANIFEST
    why = why_unwritable(path)
    if why:
        raise ManifestError(f"{path} cannot be written: {why}")


def write_manifest(snapshots: Path, manifest: ManifestFile | Mapping[str, Any]) -> None:
    """Write *manifest*, whole or not at all; raises :class:`ManifestError`."""
    path = snapshots / MANIFEST
    try:
        write_atomic(str(path), manifest_text(manifest))
    except OSError as error:
        raise ManifestError(f"{path} cannot be written: {error.strerror or error}") from None


def manifest_text(manifest: ManifestFile | Mapping[str, Any]) -> bytes:
    """Return the bytes of *manifest*'s file; plain values are those of one that was read, so that no key is lost."""
    plain = to_plain(manifest) if isinstance(manifest, ManifestFile) else manifest
    return (dumps({**plain, "format": MANIFEST_FORMAT}) + "\n").encode()


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
