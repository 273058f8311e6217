"""A snapshot says everything twice, as output and as metrics: a file in which the two disagree is a bad snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_dealsnap.baseline.codec import Snapshot
from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.baseline.manifest import read_manifest
from pytest_dealsnap.errors import SnapshotError
from pytest_dealsnap.judging.metrics import Metric
from pytest_dealsnap.judging.values import same

__all__ = ["Consistency"]


class Consistency:
    """Holds the metrics of one baseline's snapshots against their recorded outputs."""

    def __init__(self, snapshots: DealSnapshots, metrics: Sequence[Metric], *, drops: bool) -> None:
        """Take the baseline's *metrics* as configured now; *drops* says whether ``output.drop`` names any path."""
        self._snapshots = snapshots
        self._drops = drops
        defined = (read_manifest(snapshots.folder.parent) or {}).get("metrics")
        paths = defined if isinstance(defined, Mapping) else {}
        self._stale = frozenset(m.name for m in metrics if paths.get(m.name, m.spec.path) != m.spec.path)
        self._metrics = [metric for metric in metrics if metric.name not in self._stale]

    def checked(self, snapshot: Snapshot, other: Snapshot | None = None) -> Snapshot:
        """Return *snapshot* without metrics whose path has changed since it was recorded: they are taken anew.

        *other* is the same deal's other side. It shows which metrics need values that ``output.drop`` keeps out of
        the recorded output; these cannot be checked. A text that ``max_chars`` cut elsewhere counts as the same.

        Raises :class:`SnapshotError` where a metric disagrees with the output.
        """
        if snapshot.output is None or snapshot.metrics is None:
            return snapshot
        for metric in self._metrics:
            if self._disagrees(metric, snapshot) and (not self._drops or self._shows(metric, other)):
                path = self._snapshots.path(snapshot.deal_id)
                raise SnapshotError(
                    f"the snapshot {path} contradicts itself: its metric {metric.name} is "
                    f"{_shown(snapshot.metrics[metric.name])}, and its output says {_shown(metric(snapshot.output))} "
                    f"({metric.spec.path}). Restore it from git"
                )
        if self._stale.isdisjoint(snapshot.metrics):
            return snapshot
        kept = {name: value for name, value in snapshot.metrics.items() if name not in self._stale}
        return replace(snapshot, metrics=kept)

    @staticmethod
    def _disagrees(metric: Metric, snapshot: Snapshot) -> bool:
        if snapshot.output is None or metric.name not in (snapshot.metrics or {}):
            return False
        recorded, said = (snapshot.metrics or {})[metric.name], metric(snapshot.output)
        if isinstance(recorded, str) and isinstance(said, str) and metric.spec.max_chars is not None:
            return not (recorded.startswith(said) or said.startswith(recorded))
        return not same(recorded, said)

    def _shows(self, metric: Metric, other: Snapshot | None) -> bool:
        """Whether *other* shows that *metric* needs nothing but what is recorded."""
        known = other is not None and other.output is not None and metric.name in (other.metrics or {})
        return known and other is not None and not self._disagrees(metric, other)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
