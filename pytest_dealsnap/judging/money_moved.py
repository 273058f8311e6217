"""How far a run moved money: totals of a number over all deals, by type, and the deals that moved most."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Any

from pytest_dealsnap.judging.values import Number, exact, is_number, percent_change
from pytest_dealsnap.model.money import SUMS, Money, Mover, TypeMoney
from pytest_dealsnap.model.results import DealResult, Finding, Kind

__all__ = ["money_moved", "numbers_of"]

MOST_MOVERS = 3


def numbers_of(metrics: Mapping[str, Any]) -> dict[str, Number]:
    """Return those of *metrics* that are finite numbers."""
    return {name: value for name, value in metrics.items() if _is_finite(value)}


def _is_finite(value: Any) -> bool:
    return is_number(value) and exact(value).is_finite()


@dataclass(slots=True)
class _Tally:
    """The changes of one metric among the deals of one type, and the totals of those without one."""

    unchanged: Decimal = Decimal(0)
    still: int = 0
    moved: list[Mover] = field(default_factory=list)
    rules: set[str] = field(default_factory=set)
    lost: int = 0


def money_moved(
    results: Iterable[DealResult], *, order: Sequence[str] = (), leading: Sequence[str] = ()
) -> tuple[Money, ...]:
    """Return the totals of the *leading* metrics, or of the first in *order* that holds numbers.

    Args:
        results: The deals' results; those that were not compared count nowhere.
        order: The metrics as they are configured; others follow by name.
        leading: The metrics that were given a rank. Where there is none, one metric is told.
    """
    tallies: dict[str, dict[str, _Tally]] = defaultdict(lambda: defaultdict(_Tally))
    with localcontext(SUMS):
        for result in results:
            if not result.compared:
                continue
            for name, value in result.unchanged.items():
                tally = tallies[name][result.deal_type]
                tally.unchanged += exact(value)
                tally.still += 1
            for finding in result.findings:
                _take(tallies, result, finding)
    found = [name for name in (*order, *sorted(tallies.keys() - set(order))) if name in tallies]
    told = [name for name in leading if name in tallies] or found[:1]
    return tuple(_money(name, tallies[name]) for name in told)


def _take(tallies: Mapping[str, Mapping[str, _Tally]], result: DealResult, finding: Finding) -> None:
    before, after = finding.baseline, finding.current
    if finding.kind not in (Kind.METRIC, Kind.LOST) or not _is_finite(before):
        return
    tally = tallies[finding.metric][result.deal_type]
    if _is_finite(after):
        percent = percent_change(before, after)
        tally.moved.append(Mover(result.id, result.name, result.deal_type, before, after, percent))
        tally.rules.add(finding.allowed)
    else:
        tally.lost += 1


def _money(metric: str, tallies: Mapping[str, _Tally]) -> Money:
    moved = [mover for tally in tallies.values() for mover in tally.moved if mover.difference]
    return Money(
        metric,
        tuple(_type_money(kind, tallies[kind]) for kind in sorted(tallies)),
        tuple(heapq.nsmallest(MOST_MOVERS, moved, key=lambda mover: -abs(mover.difference))),
    )


def _type_money(deal_type: str, tally: _Tally) -> TypeMoney:
    changed = [mover for mover in tally.moved if mover.difference]
    percents = [mover.change_percent for mover in changed if mover.change_percent is not None]
    with localcontext(SUMS):
        return TypeMoney(
            deal_type=deal_type,
            deals=tally.still + len(tally.moved),
            baseline=tally.unchanged + sum((exact(mover.baseline) for mover in tally.moved), Decimal(0)),
            current=tally.unchanged + sum((exact(mover.current) for mover in tally.moved), Decimal(0)),
            more=sum(mover.difference > 0 for mover in changed),
            less=sum(mover.difference < 0 for mover in changed),
            percent=(min(percents), max(percents)) if percents and len(percents) == len(changed) else None,
            rules=tuple(sorted(tally.rules)),
            lost=tally.lost,
        )
