"""Joining the reports of shards: refused unless together they are exactly one whole run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from pytest_dealsnap.baseline.made_for import total
from pytest_dealsnap.causes.features import merge_features, worth_explaining
from pytest_dealsnap.deals.deal import id_order
from pytest_dealsnap.deals.selection import Shard
from pytest_dealsnap.errors import ConfigError, DealsnapError
from pytest_dealsnap.model.cause import Features
from pytest_dealsnap.model.finished_run import FinishedRun, LedgerFact, Part, RunFacts
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.reporting.conclusion import conclude
from pytest_dealsnap.reporting.idle import merged_idle
from pytest_dealsnap.reporting.spending_words import merged_spending
from pytest_dealsnap.text import agree, listed

__all__ = ["MergeError", "merge_runs"]


class MergeError(DealsnapError):
    """The reports are not the shards of one run."""


# What must be the same in all shards, and how a person calls it.
_SHARED = {
    "mode": "mode",
    "baseline": "baseline",
    "judging": "thresholds and types",
    "total": "number of deals in all",
    "git_commit": "git commit",
    "reasoner": "reasoner",
}


def merge_runs(runs: Sequence[tuple[str, FinishedRun]], *, report: str = "") -> FinishedRun:
    """Return the run that *runs*, each with the name of its report, are the shards of.

    *report* is where the joined report is going to be, as JSON. Raises :class:`MergeError` for a different baseline,
    an overlap or a hole.
    """
    _check_shards(runs)
    first_name, first = runs[0]
    for name, run in runs[1:]:
        for field, words in _SHARED.items():
            if getattr(run.facts, field) != getattr(first.facts, field):
                raise MergeError(f"{name} and {first_name} differ in their {words}: they are not shards of one run")
        if _ledger(run) != _ledger(first):
            raise MergeError(f"{name} and {first_name} differ in their ledger: they are not shards of one run")
    seen: dict[str, str] = {}
    for name, run in runs:
        for result in run.results:
            if result.id in seen:
                raise MergeError(f"deal {result.id} is in {seen[result.id]} and in {name}: the shards overlap")
            seen[result.id] = name
    _check_holes(runs)
    results = sorted((result for _, run in runs for result in run.results), key=lambda result: id_order(result.id))
    return conclude(_merged_facts([run for _, run in runs], report), results)


def _check_shards(runs: Sequence[tuple[str, FinishedRun]]) -> None:
    by_number: dict[int, str] = {}
    counts: set[int] = set()
    for name, run in runs:
        if run.facts.shard is None:
            raise MergeError(f"{name} is the report of a whole run, not of a shard (--dealsnap-shard I/N)")
        try:
            shard = Shard.parse(run.facts.shard)
        except ConfigError:
            raise MergeError(f"{name} is the report of shard {run.facts.shard!r}, a shard that cannot exist") from None
        if shard.number in by_number:
            raise MergeError(f"{by_number[shard.number]} and {name} are both shard {shard}: they overlap")
        by_number[shard.number] = name
        counts.add(shard.count)
    if len(counts) > 1:
        raise MergeError(f"the reports are of runs with {' and '.join(map(str, sorted(counts)))} shards")
    [shards] = counts
    lacking = [str(number) for number in range(1, shards + 1) if number not in by_number]
    if lacking:
        raise MergeError(
            f"{agree(len(lacking), 'Shard', 'Shards')} {listed(lacking)} of {shards} "
            f"{agree(len(lacking), 'has', 'have')} no report. Did {agree(len(lacking), 'its job', 'their jobs')} fail?"
        )


def _check_holes(runs: Sequence[tuple[str, FinishedRun]]) -> None:
    """Refuse a report that lost deals: each that was selected is judged, or named as not judged."""
    for name, run in runs:
        lost = run.facts.selected - len(run.results) - len(run.facts.not_judged)
        if lost > 0:
            raise MergeError(f"{name} has no result for {lost} of its {run.facts.selected} deals. Did its job fail?")


def _merged_facts(runs: Sequence[FinishedRun], report: str) -> RunFacts:
    facts = [run.facts for run in runs]
    selected = sum(one.selected for one in facts)
    part = _part(facts, selected)
    absent = [one.absent_metrics or {} for one, run in zip(facts, runs, strict=True) if run.results]
    never = set.intersection(*map(set, absent)) if absent else set()
    return replace(
        facts[0],
        started_at=min(one.started_at for one in facts),
        seconds=max(one.seconds for one in facts),
        shard=None,
        report=report,
        doubts=tuple(dict.fromkeys(doubt for one in facts for doubt in one.doubts)),
        traits=_merged_traits(runs),
        spending=merged_spending([one.spending for one in facts]),
        selected=selected,
        partial=part is not None,
        part=part,
        idle_rules=merged_idle([(run.facts.idle_rules, run.results) for run in runs]),
        drawn=tuple(drawn for one in facts for drawn in one.drawn),
        not_judged=tuple(sorted((deal_id for one in facts for deal_id in one.not_judged), key=id_order)),
        why_not_judged={deal_id: why for one in facts for deal_id, why in one.why_not_judged.items()},
        flaky=tuple(sorted((deal_id for one in facts for deal_id in one.flaky), key=id_order)),
        outage=next((one.outage for one in facts if one.outage), ""),
        ledger=tuple(_matched_anywhere(entries) for entries in zip(*(one.ledger for one in facts), strict=True)),
        absent_metrics={name: path for name, path in (absent[0] if absent else {}).items() if name in never},
    )


def _part(facts: Sequence[RunFacts], selected: int) -> Part | None:
    """Return what kind of part the shards make: a chosen part of one is a chosen part of all."""
    if any(one.part == "chosen" for one in facts):
        return "chosen"
    if any(one.drawn for one in facts):
        return "sample"
    return "chosen" if selected < facts[0].total else None


def _merged_traits(runs: Sequence[FinishedRun]) -> Features | None:
    """Return the traits of all shards; none where one has not told its own, for then nobody knows all totals."""
    told = [run.facts.traits for run in runs if run.facts.traits is not None]
    worth = worth_explaining(result for run in runs for result in run.results)
    return merge_features(told) if worth and len(told) == len(runs) else None


def _ledger(run: FinishedRun) -> list[LedgerFact]:
    """Return the entries without what a shard alone can say of them."""
    return [replace(fact, matched=False, judged=0, shown=0, others=0, total_now=None) for fact in run.facts.ledger]


def _matched_anywhere(entries: Sequence[LedgerFact]) -> LedgerFact:
    return replace(
        entries[0],
        matched=any(entry.matched for entry in entries),
        judged=sum(entry.judged for entry in entries),
        shown=sum(entry.shown for entry in entries),
        others=sum(entry.others for entry in entries),
        total_now=_total(entry.total_now for entry in entries),
    )


def _total(parts: Iterable[str | None]) -> str | None:
    """Return the sum of what an entry's metric comes to in each shard; none where one of them has no number."""
    known = list(parts)
    if any(part is None for part in known):
        return None
    whole = total(Decimal(part) for part in known if part is not None)
    return None if whole is None else f"{whole:f}"
