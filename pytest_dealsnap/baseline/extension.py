"""The syrupy extension that keeps one canonical JSON file for each deal.

The only module that imports syrupy. The gate and the capture go through :class:`DealSnapshots`;
``assert deal_output == deal_baseline`` goes through syrupy's own assertion, with the same extension.

syrupy's ways are overruled where they endanger a baseline: its discovery finds nothing here, so it
never counts a deal's snapshot as unused, and it deletes none (``dealsnap prune`` does, when asked).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syrupy.assertion import SnapshotAssertion
from syrupy.data import Snapshot as SyrupySnapshot
from syrupy.data import SnapshotCollection, SnapshotCollections
from syrupy.extensions.single_file import SingleFileSnapshotExtension
from syrupy.location import PyTestLocation

from pytest_dealsnap._compat import RecordedSide
from pytest_dealsnap.baseline import codec
from pytest_dealsnap.baseline.files import Syncer, read_whole, remove_leftovers, write_atomic
from pytest_dealsnap.baseline.layout import relative_path, stored_ids
from pytest_dealsnap.errors import BaselineError, SnapshotError, UnwritableError
from pytest_dealsnap.judging.values import same
from pytest_dealsnap.reasoning.canonical import canonical, dumps

if TYPE_CHECKING:
    import pytest
    from syrupy.types import SerializableData, SerializedData, SnapshotIndex

__all__ = ["DealAssertion", "DealSnapshotExtension", "DealSnapshots", "deal_assertion"]

DEALS_FOLDER = "deals"
# What the next deal would meet as well.
_NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO))


class DealSnapshotExtension(SingleFileSnapshotExtension):
    """Storage and comparison of deal snapshots, in syrupy's terms; the index is the deal id.

    ``folder`` is set on a subclass of its own for each baseline, because syrupy asks the class.
    """

    file_extension = "json"
    write_immediately = True
    folder: str

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        return cls.folder

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:
        return str(index)

    @classmethod
    def get_location(cls, *, test_location: PyTestLocation, index: SnapshotIndex) -> str:
        return cls.location_of(str(index))

    @classmethod
    def location_of(cls, deal_id: str) -> str:
        """Return the path of *deal_id*'s file."""
        return os.path.join(cls.folder, *relative_path(deal_id).split("/"))

    def discover_snapshots(
        self, *, test_location: PyTestLocation, ignore_extensions: list[str] | None = None
    ) -> SnapshotCollections:
        """Find nothing: what the database has no deal for is an orphan of ours, not syrupy's to delete."""
        return SnapshotCollections()

    def delete_snapshots(self, *, snapshot_location: str, snapshot_names: set[str]) -> None:
        """Refuse: only ``dealsnap prune`` deletes a snapshot."""
        raise SnapshotError(f"syrupy asked to delete {snapshot_location}; dealsnap never deletes by an update")

    def read_snapshot_data_from_location(
        self, *, snapshot_location: str, snapshot_name: str, session_id: str
    ) -> SerializedData | None:
        try:
            return read_whole(snapshot_location)
        except FileNotFoundError:
            return None

    @classmethod
    def write_snapshot_collection(
        cls, *, snapshot_collection: SnapshotCollection, name_order: dict[str, int] | None = None
    ) -> None:
        for snapshot in snapshot_collection:
            data: Any = snapshot.data
            write_atomic(snapshot_collection.location, data if isinstance(data, bytes) else str(data).encode())

    def serialize(self, data: SerializableData, **options: Any) -> SerializedData:
        return dumps(canonical(data))

    def matches(self, *, serialized_data: SerializableData, snapshot_data: SerializableData) -> bool:
        return bool(serialized_data == snapshot_data)

    def diff_lines(self, serialized_data: SerializedData, snapshot_data: SerializedData) -> Iterator[str]:
        before, after = str(snapshot_data).splitlines(), str(serialized_data).splitlines()
        yield from unified_diff(before, after, "baseline", "current", lineterm="", n=2)


class DealSnapshots:
    """The ``deals/`` folder of a baseline: list, recall and record, each linear in the deals."""

    def __init__(self, snapshots: Path) -> None:
        self.folder = snapshots / DEALS_FOLDER
        self.extension: DealSnapshotExtension = type(
            "DealSnapshotExtension", (DealSnapshotExtension,), {"folder": str(self.folder)}
        )()
        self._syncer = Syncer()

    def check_folder(self) -> None:
        """Raise :class:`BaselineError` where no snapshot could be written: before the first deal is reasoned."""
        parent = self.folder if self.folder.is_dir() else self.folder.parent
        if os.path.lexists(self.folder) and not self.folder.is_dir():
            raise BaselineError(f"{self.folder} cannot be written: it is no folder")
        if not os.access(parent, os.W_OK | os.X_OK):
            raise BaselineError(f"{parent} cannot be written: permission denied")

    def each_id(self) -> Iterator[str]:
        """Yield the ids of the recorded deals, in the order of the folder."""
        return (deal_id for deal_id, _ in stored_ids(self.folder) if deal_id is not None)

    def ids(self) -> set[str]:
        """Return the ids of all recorded deals."""
        return set(self.each_id())

    def has(self, deal_id: str) -> bool:
        """Whether the deal has a snapshot, be it a bad one: a broken link, or a folder in its place."""
        return os.path.lexists(self.path(deal_id))

    def strangers(self) -> list[str]:
        """Return the files in the folder that are no deal's snapshot."""
        return sorted(path for deal_id, path in stored_ids(self.folder) if deal_id is None)

    def path(self, deal_id: str) -> str:
        """Return where *deal_id*'s snapshot is, or would be."""
        return self.extension.location_of(deal_id)

    def recall(self, deal_id: str) -> bytes | None:
        """Return the bytes of the deal's file; ``None`` where there is none.

        Raises :class:`SnapshotError` for a file that cannot be read.
        """
        path = self.path(deal_id)
        try:
            data: Any = self.extension.read_snapshot_data_from_location(
                snapshot_location=path, snapshot_name=deal_id, session_id=""
            )
        except OSError as error:
            raise SnapshotError(f"the snapshot {path} cannot be read: {error.strerror or error}") from error
        return None if data is None else bytes(data)

    def decode(self, deal_id: str, data: bytes) -> codec.Snapshot:
        """Return the snapshot that *data* is; raises :class:`SnapshotError` for a bad file."""
        return codec.decode(data, deal_id=deal_id, path=self.path(deal_id))

    def record(self, deal_id: str, data: bytes) -> None:
        """Write the deal's file, whole or not at all; synced to disk within a second, or by :meth:`flush`."""
        path = self.path(deal_id)
        collection = SnapshotCollection(location=path)
        collection.add(SyrupySnapshot(name=deal_id, data=data))
        try:
            self.extension.write_snapshot_collection(snapshot_collection=collection)
        except OSError as error:
            kind = UnwritableError if error.errno in _NO_ROOM else SnapshotError
            raise kind(f"the snapshot {path} cannot be written: {error.strerror or error}") from error
        self._syncer.wrote(path)

    def errors_among(self, ids: Iterable[str]) -> set[str]:
        """Return those of *ids* that are recorded as errors; a bad file counts as one, to be captured anew."""
        return {deal_id for deal_id in ids if self._is_error(deal_id)}

    def _is_error(self, deal_id: str) -> bool:
        data = self.recall(deal_id)
        if data is None:
            return False
        try:
            return self.decode(deal_id, data).error is not None
        except SnapshotError:
            return True

    def clean(self) -> int:
        """Remove what a killed capture left half-written."""
        return remove_leftovers(self.folder) if self.folder.is_dir() else 0

    def flush(self) -> None:
        """Bring everything recorded so far to the disk."""
        self._syncer.flush()


@dataclass(eq=False, order=False, repr=False)
class DealAssertion(RecordedSide, SnapshotAssertion):
    """syrupy's assertion for one deal: equal to an output that is the same as the recorded one.

    A missing or bad snapshot was refused before this was made, so that it cannot look like a mere
    difference. ``recorded`` is the decoded snapshot; ``project`` turns an output into what a
    snapshot holds of one (without dropped paths, or the metrics only).
    """

    recorded: codec.Snapshot = field(kw_only=True)
    project: Callable[[Any], Any] = field(kw_only=True)

    __hash__ = None  # type: ignore[assignment]  # like syrupy's own: compared by ==, never a key

    @property
    def index(self) -> SnapshotIndex:
        return self.recorded.deal_id

    @property
    def output(self) -> Any:
        """The recorded output; ``None`` where only metrics are recorded."""
        return self.recorded.output

    @property
    def metrics(self) -> Any:
        """The recorded metrics."""
        return self.recorded.metrics

    def recorded_text(self) -> str:
        return dumps(canonical(self._recorded_value))

    @property
    def _recorded_value(self) -> Any:
        return self.recorded.metrics if self.recorded.output is None else self.recorded.output

    def text_of(self, data: SerializableData) -> str:
        plain = self.project(canonical(data))
        # 5 and 5.0 are the same number: an equal output is shown as the baseline writes it.
        return dumps(canonical(self._recorded_value) if same(plain, self._recorded_value) else plain)


def deal_assertion(
    snapshots: DealSnapshots,
    recorded: codec.Snapshot,
    *,
    project: Callable[[Any], Any],
    node: pytest.Item,
    session: Any,
) -> DealAssertion:
    """Return syrupy's assertion against *recorded*, for a test *node* and syrupy's *session*."""
    return DealAssertion(
        session=session,
        extension_class=type(snapshots.extension),
        test_location=PyTestLocation(node),
        update_snapshots=False,
        recorded=recorded,
        project=project,
    )
