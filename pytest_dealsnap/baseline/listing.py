"""The manifest's list of deals, kept in step by the commands that add snapshots or drop them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pytest_dealsnap.baseline.journal import Changes
from pytest_dealsnap.baseline.manifest import MANIFEST, listed_ids, manifest_text, parse_manifest, sorted_ids

__all__ = ["relist"]


def relist(changes: Changes, snapshots: Path, *, added: Iterable[str] = (), removed: Iterable[str] = ()) -> None:
    """Have the manifest list *added* deals, and no *removed* ones; one without a list stays as it is.

    Raises :class:`ManifestError` for a manifest that cannot be read.
    """
    path = snapshots / MANIFEST
    data = changes.read(path)
    manifest = None if data is None else parse_manifest(data, path)
    if manifest is None or "ids" not in manifest:
        return
    listed = listed_ids(manifest)
    wanted = listed.union(added).difference(removed)
    if wanted != listed:
        changes.write(path, manifest_text({**manifest, "ids": sorted_ids(wanted)}))
