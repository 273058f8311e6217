"""What every report shows first: the causes with their weight, and the worst deals of each."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

from pytest_dealsnap.judging.values import exact, is_number
from pytest_dealsnap.model.cause import Cause
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.results import AFFECTED, DealResult, Finding, Kind

__all__ = ["WEIGHTS", "failed_results", "failing_deals", "weighed_causes", "worst_results"]

# How a cause counts: it fails its deals, a person has accepted all of it, or it is only shown.
WEIGHTS = ("fails", "accepted", "reported")
WORST_OF_A_CAUSE = 2


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
        taken = not accepted.isdisjoint(cause.deals) and alone.isdisjoint(marks)
        if not cause.gates:
            yield "reported", cause
        else:
            yield "accepted" if taken or failing.isdisjoint(marks) else "fails", cause


def failed_results(run: FinishedRun) -> list[DealResult]:
    """Return the results that failed, in deal order."""
    return [result for result in run.results if result.status in AFFECTED]


def failing_deals(run: FinishedRun, cause: Cause) -> list[str]:
    """Return the ids of the deals that break a rule by *cause*, in deal order."""
    mark = (cause.metric, cause.issue)
    found = {result.id for result in run.results for one in result.gating if (one.metric, one.issue) == mark}
    return [deal_id for deal_id in cause.deals if deal_id in found]


def worst_results(run: FinishedRun, count: int) -> list[DealResult]:
    """Return at most *count* failed deals, the worst two of each cause.

    Crashes, lost values and NaN come first, then missing deals, then the others: by how far money moved in the deal,
    and where none did, by how far another number did. A deal of several causes is shown once, under the heaviest.
    """
    money = frozenset(money.metric for money in run.money)
    results = {result.id: result for result in run.results if result.status in AFFECTED}
    shown: dict[str, DealResult] = {}
    for weight, cause in weighed_causes(run):
        if weight != "fails":
            break
        mark = (cause.metric, cause.issue)
        own = [results[deal] for deal in cause.deals if deal in results and deal not in shown]
        failing = [one for one in own if any((f.metric, f.issue) == mark for f in one.gating)]
        for result in heapq.nsmallest(WORST_OF_A_CAUSE, failing, key=partial(_severity, money)):
            shown[result.id] = result
    return heapq.nsmallest(count, shown.values(), key=partial(_severity, money))


def _severity(money: Collection[str], result: DealResult) -> tuple[int, Decimal, Decimal, Decimal, float]:
    """Return a key that is smallest for the worst result: what went wrong, then how far numbers moved.

    First counts money that breaks a rule, then money that its rule let pass, then other amounts, then percent.
    """
    gating = result.gating
    rank = min((_rank(finding) for finding in gating), default=len(_RANKS))
    failing = _largest(finding for finding in gating if finding.metric in money)
    moved = _largest(finding for finding in result.findings if finding.metric in money)
    percent = max((abs(finding.change_percent or 0.0) for finding in gating), default=0.0)
    return rank, -failing, -moved, -_largest(gating), -percent


def _largest(findings: Iterable[Finding]) -> Decimal:
    return max(map(_amount, findings), default=Decimal(0))


_RANKS = (Kind.FAILED, Kind.LOST, Kind.GONE)


def _rank(finding: Finding) -> int:
    return _RANKS.index(finding.kind) if finding.kind in _RANKS else len(_RANKS)


def _amount(finding: Finding) -> Decimal:
    """Return how far a number moved; all of it, where it is lost; 0 for everything else."""
    before = _finite(finding.baseline)
    if before is None:
        return Decimal(0)
    after = Decimal(0) if finding.kind is Kind.LOST else _finite(finding.current)
    return Decimal(0) if after is None else abs(after - before)


def _finite(value: Any) -> Decimal | None:
    return number if is_number(value) and (number := exact(value)).is_finite() else None
