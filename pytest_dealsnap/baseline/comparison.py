"""One captured baseline judged against another, offline, by the same rules as the gate's."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_dealsnap.baseline.consistency import Consistency
from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.baseline.recording import Gate, result_of
from pytest_dealsnap.deals.deal import Deal, id_order
from pytest_dealsnap.errors import SnapshotError
from pytest_dealsnap.judging.findings import DealResult
from pytest_dealsnap.reasoning.calls import failure_of

__all__ = ["compare_baselines"]


def compare_baselines(
    pre: DealSnapshots, post: DealSnapshots, gate: Gate, *, default_type: str
) -> Iterator[DealResult]:
    """Yield the result of every deal of either baseline, in id order; *pre* is what *post* is judged against."""
    before, after = pre.ids(), post.ids()
    consistency = gate.consistency_of(post)
    for deal_id in sorted(before | after, key=id_order):
        try:
            yield _compare(deal_id, pre, post, gate, consistency)
        except SnapshotError as error:
            yield DealResult(deal_id, None, default_type, None, "errored", error=failure_of(error), compared=False)


def _compare(deal_id: str, pre: DealSnapshots, post: DealSnapshots, gate: Gate, consistency: Consistency) -> DealResult:
    old, new = pre.recall(deal_id), post.recall(deal_id)
    if old is None:
        snapshot = post.decode(deal_id, new or b"")
        return result_of(snapshot, "new", compared=False, reason="it is not in the first baseline")
    recorded = pre.decode(deal_id, old)
    if new is None:
        return gate.gone(recorded)
    if old == new and recorded.error is None and gate.policy[recorded.deal_type].reflexive:
        return result_of(recorded, "matched")
    current = post.decode(deal_id, new)
    deal = Deal(deal_id, current.deal_name, current.deal_type, current.stored_type)
    return gate.judge(recorded, consistency.checked(current, recorded), deal)
