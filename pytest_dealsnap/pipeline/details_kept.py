"""Which deals a report holds in full: those that changed most, of every kind of change.

They stand first in every list of deals, so what a reader opens first can be looked into.

The choice depends on the deals alone, neither on the order in which they ran nor on who ran them: workers
and shards choose for themselves, and what all of them kept holds what one process would have kept.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable

from pytest_dealsnap.deals.deal import id_order
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import DealResult, Finding, Kind

__all__ = ["DEALS_A_KIND", "MOST_KINDS", "DetailBudget", "kind_of_change", "without_surplus"]

DEALS_A_KIND = 40
MOST_KINDS = 100
# Percent: changes of one band are of one kind.
_BANDS = (1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 1000.0)

KindOfChange = tuple[bool, int, str, tuple[tuple[str, str], ...], int]
Order = tuple[float, tuple[int, int, str]]


def kind_of_change(result: DealResult) -> KindOfChange:
    """Return what deals that changed alike have in common: type, findings, directions, size of the largest.

    Kinds are ordered: what gates comes first, then what has fewer findings.
    """
    findings = result.gating or result.findings
    moves = tuple(sorted({(finding.issue, _direction(finding)) for finding in findings}))
    return not result.gating, len(moves), result.deal_type, moves, bisect_left(_BANDS, _largest(findings))


def _largest(findings: Iterable[Finding]) -> float:
    return max((abs(finding.change_percent or 0.0) for finding in findings), default=0.0)


def _order(result: DealResult) -> Order:
    """Return by what deals of one kind are chosen: the largest change first, alike ones in deal order."""
    return -_largest(result.gating or result.findings), id_order(result.id)


def _direction(finding: Finding) -> str:
    if finding.kind is Kind.FAILED:
        return str(finding.current).split(":", 1)[0]
    change = finding.change_percent or 0.0
    return "+" if change > 0 else "-" if change < 0 else ""


class DetailBudget:
    """Has room for ``DEALS_A_KIND`` deals of each kind of change, the largest first, and for ``MOST_KINDS`` kinds."""

    def __init__(self, *, deals: int = DEALS_A_KIND, kinds: int = MOST_KINDS) -> None:
        self._most_deals = deals
        self._most_kinds = kinds
        self._places: dict[KindOfChange, list[Order]] = {}
        self._kinds: list[KindOfChange] = []

    def admits(self, result: DealResult) -> bool:
        """Whether *result* is among the first of its kind so far, whatever the order; it then takes a place."""
        kind, order = kind_of_change(result), _order(result)
        places = self._places.get(kind)
        if places is None:
            if len(self._kinds) >= self._most_kinds and kind > self._kinds[-1]:
                return False
            places = self._places[kind] = []
            insort(self._kinds, kind)
            if len(self._kinds) > self._most_kinds:
                del self._places[self._kinds.pop()]
        if len(places) >= self._most_deals and order > places[-1]:
            return False
        if order not in places:
            insort(places, order)
            del places[self._most_deals :]
        return True

    def holds(self, result: DealResult) -> bool:
        """Whether *result* has a place still."""
        return _order(result) in self._places.get(kind_of_change(result), ())


def without_surplus(results: Iterable[DealResult]) -> list[DealResult]:
    """Return *results* without the details that only a worker or a shard by itself had room for."""
    everyone = list(results)
    room = DetailBudget()
    for result in everyone:
        if result.details is not None:
            room.admits(result)
    return [
        replace(result, details=None) if result.details is not None and not room.holds(result) else result
        for result in everyone
    ]
