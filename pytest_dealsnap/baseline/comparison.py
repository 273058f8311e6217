"""One captured baseline judged against another, offline, by the same rules as the gate's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.baseline.manifest import listed_ids, read_manifest
from pytest_dealsnap.baseline.recording import Gate, lost_result, result_of
from pytest_dealsnap.baseline.snapshot_consistency import Consistency
from pytest_dealsnap.deals.deal import Deal, DealRef, id_order
from pytest_dealsnap.errors import SnapshotError
from pytest_dealsnap.judging.findings import DealResult
from pytest_dealsnap.judging.money_moved import numbers_of
from pytest_dealsnap.reasoning.calls import failure_of

__all__ = ["compare_baselines", "lost_on_both_sides"]


def compare_baselines(
    pre: DealSnapshots, post: DealSnapshots, gate: Gate, *, default_type: str
) -> Iterator[DealResult]:
    """Yield the result of every deal of either baseline, in id order; *pre* is what *post* is judged against."""
    before, after = pre.ids(), post.ids()
    lost = dict.fromkeys(_listed(pre) - before, pre) | dict.fromkeys(_listed(post) - after, post)
    consistency = gate.consistency_of(post)
    for deal_id in sorted(before | after, key=id_order):
        try:
            old, new = pre.recall(deal_id), post.recall(deal_id)
            broken = pre if old is None and deal_id in before else post if new is None and deal_id in after else None
            gone = lost.get(deal_id, broken)
            if gone is not None:
                yield lost_result(DealRef(deal_id, deal_id, None, default_type), gone.path(deal_id))
            else:
                yield _compare(deal_id, pre, post, gate, consistency)
        except SnapshotError as error:
            yield DealResult(deal_id, None, default_type, None, "errored", error=failure_of(error), compared=False)


def lost_on_both_sides(pre: DealSnapshots, post: DealSnapshots) -> int:
    """Count the deals that a manifest lists and neither folder has: nothing can be said of them."""
    return len((_listed(pre) | _listed(post)) - pre.ids() - post.ids())


def _listed(snapshots: DealSnapshots) -> set[str]:
    return listed_ids(read_manifest(snapshots.folder.parent))


def _compare(deal_id: str, pre: DealSnapshots, post: DealSnapshots, gate: Gate, consistency: Consistency) -> DealResult:
    old, new = pre.recall(deal_id), post.recall(deal_id)
    if old is None:
        snapshot = post.decode(deal_id, new or b"")
        return result_of(snapshot, "new", compared=False, reason="it is not in the first baseline")
    recorded = pre.decode(deal_id, old)
    if new is None:
        return gate.gone(recorded)
    if old == new and recorded.error is None and gate.policy[recorded.deal_type].holds_when_unchanged:
        return replace(result_of(recorded, "matched"), unchanged=numbers_of(recorded.metrics or {}))
    current = post.decode(deal_id, new)
    deal = Deal(deal_id, current.deal_name, current.deal_type, current.stored_type)
    return gate.judge(recorded, consistency.checked(current, recorded), deal)
