"""Facts of a run: what became of the ledger's entries, and which metrics no deal has."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from pytest_dealsnap.baseline.ledger import Acceptance, Ledger
from pytest_dealsnap.baseline.made_for import total
from pytest_dealsnap.model.finished_run import LedgerFact
from pytest_dealsnap.model.results import DealResult

__all__ = ["absent_everywhere", "ledger_facts"]


def ledger_facts(
    ledger: Ledger, used: Mapping[int, Collection[str]], results: Iterable[DealResult]
) -> tuple[LedgerFact, ...]:
    """Return the facts of all entries; *used* has, by the number of an entry, the deals in which it matched a finding.

    *results* are those of the run.
    """
    judged = {result.id: result for result in results}
    return tuple(
        LedgerFact(
            place=entry.place,
            reason=entry.reason,
            who=entry.who,
            expires=entry.expires.isoformat() if entry.expires else None,
            expired=entry.expired(ledger.today),
            matched=number in used,
            metric=entry.metric,
            cause=entry.cause,
            ticket=entry.ticket,
            **_coverage(entry.accepted_deals, judged, used.get(number, ())),
            **_made_for(entry, judged, used.get(number, ())),
        )
        for number, entry in enumerate(ledger.entries)
    )


def _coverage(
    accepted: Collection[str] | None, judged: Mapping[str, DealResult], shown: Collection[str]
) -> dict[str, Any]:
    if accepted is None:
        return {}
    own = sum(deal_id in accepted for deal_id in shown)
    there = sum(deal_id in judged for deal_id in accepted)
    return {"deals": len(accepted), "judged": there, "shown": own, "others": len(shown) - own}


def _made_for(entry: Acceptance, results: Mapping[str, DealResult], covered: Collection[str]) -> dict[str, Any]:
    made = entry.made_for
    if made is None:
        return {}
    own = [results[deal_id] for deal_id in covered if deal_id in results]
    findings = [finding for result in own for finding in result.findings if finding.metric == entry.metric]
    now = None if made.current is None else total(finding.current for finding in findings)
    return {
        "made_for": made.deals,
        "pattern": made.pattern,
        "total_then": None if made.current is None else f"{made.current:f}",
        "total_now": None if now is None else f"{now:f}",
    }


def absent_everywhere(results: Sequence[DealResult], paths: Mapping[str, str]) -> dict[str, str]:
    """Return each metric, with its path, that no reasoned deal has: a slip in it would judge nothing, in silence."""
    reasoned = [r for r in results if r.error is None and r.status != "missing" and (r.compared or r.absent_metrics)]
    if not reasoned:
        return {}
    never = set(reasoned[0].absent_metrics).intersection(*(result.absent_metrics for result in reasoned))
    return {name: path for name, path in paths.items() if name in never}
