"""What every report shows first: the causes with their weight, and the deals that changed most."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

from pytest_dealsnap.causes.clustering import Cause
from pytest_dealsnap.judging.findings import AFFECTED, DealResult
from pytest_dealsnap.reporting.run_facts import FinishedRun

__all__ = ["WEIGHTS", "failed_results", "weighed_causes", "worst_results"]

# How a cause counts: it fails its deals, a person has accepted all of it, or it is only shown.
WEIGHTS = ("fails", "accepted", "reported")


def weighed_causes(run: FinishedRun) -> list[tuple[str, Cause]]:
    """Return the causes of *run* with their weights: those that fail, then accepted, then reported ones."""
    return sorted(_weighed(run), key=lambda pair: WEIGHTS.index(pair[0]))


def _weighed(run: FinishedRun) -> Iterator[tuple[str, Cause]]:
    """Weigh each cause.

    One that a person has accepted may be found in deals that fail by another: it counts as accepted
    where deals of it are, and none fails by it alone.
    """
    accepted = {result.id for result in run.results if result.status == "accepted"}
    failing: set[tuple[str, str, str]] = set()
    alone: set[tuple[str, str, str]] = set()
    for result in failed_results(run):
        marks = {(finding.metric, finding.issue, result.id) for finding in result.gating}
        failing |= marks
        alone |= marks if len(marks) == 1 else set()
    for cause in run.causes:
        marks = {(cause.metric, cause.issue, deal_id) for deal_id in cause.deals}
        on_top = {(cause.metric, cause.issue, deal_id) for deal_id in cause.mixed}
        taken = not accepted.isdisjoint(cause.deals) and alone.isdisjoint(marks - on_top)
        if not cause.gates:
            yield "reported", cause
        else:
            yield "accepted" if taken or failing.isdisjoint(marks) else "fails", cause


def failed_results(run: FinishedRun) -> list[DealResult]:
    """Return the results that failed, in deal order."""
    return [result for result in run.results if result.status in AFFECTED]


def worst_results(failed: Sequence[DealResult], count: int) -> list[DealResult]:
    """Return the *count* of *failed* that changed most, in percent of a metric that gates."""
    return heapq.nsmallest(count, failed, key=lambda result: -_severity(result))


def _severity(result: DealResult) -> float:
    return max((abs(finding.change_percent or 0.0) for finding in result.gating), default=0.0)
