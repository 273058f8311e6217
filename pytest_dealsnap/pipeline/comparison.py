"""One captured baseline judged against another, offline, by the same rules as the gate's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any

from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.baseline.manifest import listed_ids, read_manifest
from pytest_dealsnap.baseline.recording import result_of
from pytest_dealsnap.baseline.snapshot_consistency import Consistency
from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.deal import Deal, DealRef, id_order
from pytest_dealsnap.deals.open_source import open_source
from pytest_dealsnap.deals.source import DealSource
from pytest_dealsnap.errors import DealNotFoundError, DealsnapError, SnapshotError
from pytest_dealsnap.judging.money_moved import numbers_of
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import DealResult
from pytest_dealsnap.pipeline.gate import Gate, Judged, lost_result
from pytest_dealsnap.reasoning.calls import failure_of

__all__ = ["CurrentRows", "compare_baselines", "lost_on_both_sides"]


def compare_baselines(pre: DealSnapshots, post: DealSnapshots, gate: Gate, *, default_type: str) -> Iterator[Judged]:
    """Yield the result of every deal of either baseline, in id order; *pre* is what *post* is judged against."""
    before, after = pre.ids(), post.ids()
    lost = dict.fromkeys(_listed(pre) - before, pre) | dict.fromkeys(_listed(post) - after, post)
    check = gate.consistency_of(post)
    for deal_id in sorted(before | after, key=id_order):
        try:
            old, new = pre.recall(deal_id), post.recall(deal_id)
            broken = pre if old is None and deal_id in before else post if new is None and deal_id in after else None
            gone = lost.get(deal_id, broken)
            if gone is not None:
                yield Judged(lost_result(DealRef(deal_id, deal_id, None, default_type), gone.path(deal_id)))
            else:
                yield _compare(deal_id, (pre, old), (post, new), gate, check)
        except SnapshotError as error:
            facts = (deal_id, None, default_type, None, "errored")
            yield Judged(DealResult(*facts, error=failure_of(error), compared=False))


def lost_on_both_sides(pre: DealSnapshots, post: DealSnapshots) -> int:
    """Count the deals that a manifest lists and neither folder has: nothing can be said of them."""
    return len((_listed(pre) | _listed(post)) - pre.ids() - post.ids())


def _listed(snapshots: DealSnapshots) -> set[str]:
    return listed_ids(read_manifest(snapshots.folder.parent))


Side = tuple[DealSnapshots, bytes | None]


def _compare(deal_id: str, one: Side, other: Side, gate: Gate, check: Consistency) -> Judged:
    (pre, old), (post, new) = one, other
    if old is None:
        snapshot = post.decode(deal_id, new or b"")
        return Judged(result_of(snapshot, "new", compared=False, reason="it is not in the first baseline"))
    recorded = pre.decode(deal_id, old)
    if new is None:
        return Judged(gate.gone(recorded))
    if old == new and recorded.error is None and gate.policy[recorded.deal_type].holds_when_unchanged:
        matched = replace(result_of(recorded, "matched"), unchanged=numbers_of(recorded.metrics or {}))
        return Judged(matched, recorded, recorded)
    current = post.decode(deal_id, new)
    deal = Deal(deal_id, current.deal_name, current.deal_type, current.stored_type)
    return gate.compare(recorded, check.checked(current, recorded), deal)


class CurrentRows:
    """The rows of deals as the database has them now, read only when an entry names a column; a context manager.

    ``problem`` says why they could not be read, where they could not: an entry that names a column takes no deal then.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._source: DealSource | None = None
        self.problem = ""

    def __enter__(self) -> CurrentRows:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._source is not None:
            self._source.close()

    def __call__(self, deal_id: str) -> Mapping[str, Any]:
        """Return the columns of one deal's row, by name; empty where there is no such row, or none can be read."""
        if self.problem:
            return {}
        try:
            if self._source is None:
                self._source = open_source(self._config)
            refs = self._source.refs([deal_id])
            return self._source.fetch(refs[0]).fields if len(refs) == 1 else {}
        except DealNotFoundError:
            return {}
        except DealsnapError as error:
            self.problem = str(error)
            return {}
