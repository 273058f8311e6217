"""Whether a saved report agrees with itself: what a file says of a deal is not believed against its findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pytest_dealsnap.model.finished_run import FinishedRun, LedgerFact, RunFacts
from pytest_dealsnap.model.results import DealResult, Kind

__all__ = ["contradiction", "impossible"]

# No finding of such a deal can fail it.
_PASSED = ("matched", "changed", "new")


def impossible(facts: RunFacts, results: Iterable[DealResult]) -> str:
    """Return what is wrong with the deals of a saved report, in words; empty where each agrees with its findings.

    It is asked before anything is concluded from *results*, whose statuses may be none at all.
    """
    seen: set[str] = set()
    accepting = {fact.metric for fact in facts.ledger if fact.matched and not fact.expired}
    for result in results:
        if result.id in seen:
            return f"deal {result.id} stands there twice"
        seen.add(result.id)
        problem = next(_problems(facts, result, accepting), "")
        if problem:
            return f"deal {result.id} {problem}"
    return _lost(facts, seen)


def _problems(facts: RunFacts, result: DealResult, accepting: set[str]) -> Iterator[str]:
    status = result.status
    gone = any(finding.kind is Kind.GONE for finding in result.findings)
    if facts.mode == "capture":
        return
    if status in _PASSED and result.gating:
        yield f"is {status} beside a finding that fails it ({result.gating[0].metric})"
    if status == "matched" and result.findings:
        yield f"is matched beside a finding ({result.findings[0].metric})"
    if status in ("matched", "regressed", "accepted") and result.error is not None and not result.findings:
        yield f"is {status} beside an error"
    if status in ("regressed", "accepted") and not result.gating:
        yield f"is {status} without a finding that fails it"
    if gone != (status == "missing"):
        yield f"is {status}, and its findings say {'that it is gone' if gone else 'nothing of that'}"
    if any(finding.kind is Kind.FAILED and finding.gates for finding in result.findings) and status != "errored":
        yield f"is {status}, and its findings say that its reasoner failed"
    if status == "errored" and result.error is None:
        yield "is errored without an error"
    if not result.compared and (status in ("matched", "changed", "regressed", "accepted") or result.gating):
        yield f"is {status}, and said not to be compared"
    if status == "accepted":
        yield from _unaccepted(result, accepting)
    if gone and any(finding.gates for finding in result.findings if finding.kind is Kind.GONE) != bool(result.corrupt):
        yield "is gone, and its finding and its corruption disagree"


def _unaccepted(result: DealResult, accepting: set[str]) -> Iterator[str]:
    """Yield why a deal cannot have been accepted: the ledger's entries that the report names are not about it."""
    if result.corrupt:
        yield "is accepted, and corrupt"
    for finding in result.gating:
        if finding.metric not in accepting:
            yield f"is accepted, and no live entry of the ledger has matched {finding.metric}"


def _lost(facts: RunFacts, seen: set[str]) -> str:
    """Return what is wrong with the number of deals."""
    known = len(seen.union(facts.not_judged))
    if known != facts.selected:
        return f"{facts.selected:,} deals were selected, and {known:,} are named"
    if facts.mode in ("gate", "matrix") and not facts.partial and facts.selected < facts.total:
        return f"{facts.selected:,} of {facts.total:,} deals were selected, and the run is said to be a whole one"
    return ""


def contradiction(document: Mapping[str, Any], run: FinishedRun) -> str:
    """Return where the conclusions that *document* holds are not those of its deals, in words; empty where they are."""
    written, summary = document["summary"], run.summary
    counted = {"deals": summary.deals, "compared": summary.compared, **summary.counts}
    for name, count in counted.items():
        if written[name] != count:
            return f"the summary says {name}: {written[name]}, and the deals come to {count}"
    if float(written["affected_percent"]) != float(summary.affected_percent):
        return (
            f"the summary says that {written['affected_percent']} % are affected, "
            f"and the deals come to {summary.affected_percent} %"
        )
    said, reached = document["verdict"], run.verdict.action if run.verdict else None
    action = None if said is None else said["action"]
    if action != reached:
        return f"the verdict says {action or 'nothing'}, and the deals come to {reached or 'none'}"
    return _entries(run.facts.ledger)


def _entries(ledger: Iterable[LedgerFact]) -> str:
    places: set[str] = set()
    for fact in ledger:
        if fact.place in places:
            return f"{fact.place} of the ledger stands there twice"
        places.add(fact.place)
    return ""
