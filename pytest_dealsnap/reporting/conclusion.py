"""From results to a finished run: summary, verdict, causes, notes, next steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from pytest_dealsnap.baseline.recording import KEPT
from pytest_dealsnap.causes.clustering import find_causes
from pytest_dealsnap.judging.matrix import settle
from pytest_dealsnap.judging.money_moved import money_moved
from pytest_dealsnap.judging.noise_rates import by_rates, rates
from pytest_dealsnap.judging.sequence import words_so_far
from pytest_dealsnap.judging.verdict import decide, summarize
from pytest_dealsnap.judging.volatile import drop_line, volatile_paths
from pytest_dealsnap.model.finished_run import FinishedRun, LedgerFact, OldSide, RunFacts
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import AFFECTED, DealResult, alike_outputs
from pytest_dealsnap.model.verdicts import Summary, Verdict
from pytest_dealsnap.pipeline.details_kept import without_surplus
from pytest_dealsnap.reporting.evidence_words import evidence_words, miss_notes, process_notes
from pytest_dealsnap.reporting.idle import idle_notes, idle_words
from pytest_dealsnap.reporting.matrix_notes import matrix_doubt, matrix_notes
from pytest_dealsnap.reporting.next_steps import capture_steps, gate_steps, incomplete, lost_snapshots
from pytest_dealsnap.reporting.noise_words import confirmation_notes, unsteady_notes
from pytest_dealsnap.reporting.parts import claims_nothing, outcome_of_part, sample_notes, sample_verdict
from pytest_dealsnap.text import agree, cut, plural, some_ids

__all__ = ["conclude", "with_unread_rows"]

REASONS_SHOWN = 3


def conclude(facts: RunFacts, results: Sequence[DealResult]) -> FinishedRun:
    """Return the finished run of *facts* and *results*, which are in deal order."""
    judging, order = facts.judging, facts.judging.metrics
    if facts.mode == "matrix" and not (facts.partial or facts.not_judged):
        results = settle(results)
    results, rate_notes = _by_noise(facts, results)
    summary = summarize(
        results,
        selected=facts.selected,
        missing_gates=judging.missing == "fail",
    )
    gate, chosen = facts.mode != "capture", claims_nothing(facts)
    verdict = _with_evidence(_verdict(facts, results, summary), results) if gate and not chosen else None
    outcome = outcome_of_part(facts, results, summary) if gate and chosen else None
    return FinishedRun(
        facts=facts,
        results=tuple(without_surplus(results)),
        summary=summary,
        verdict=verdict,
        causes=find_causes(results, facts.traits, order=order) if gate else (),
        notes=(*_notes(facts, results), *rate_notes),
        next_steps=tuple(gate_steps(facts, results, verdict) if gate else capture_steps(facts, results)),
        part_outcome=outcome,
        money=money_moved(results, order=order, leading=judging.ranked) if gate and facts.mode != "matrix" else (),
    )


def _by_noise(facts: RunFacts, results: Sequence[DealResult]) -> tuple[Sequence[DealResult], list[str]]:
    """Return the results with what is judged by its rate over all deals, and what to say of that."""
    if facts.noise is None:
        return results, []
    found = rates(results, facts.noise.types)
    notes = [*(rate.words for rate in found), *confirmation_notes(results)]
    return by_rates(results, found), [facts.noise.stale, *notes] if facts.noise.stale else notes


def with_unread_rows(run: FinishedRun, problem: str) -> FinishedRun:
    """Return *run* with a note where rows that the ledger asks for could not be read: *problem* says why."""
    if not problem:
        return run
    note = f"entries of the ledger that name a column take no deal, because no row can be read: {problem}"
    return replace(run, notes=(*run.notes, note))


def _verdict(facts: RunFacts, results: Sequence[DealResult], summary: Summary) -> Verdict:
    """Decide; what was never judged, or never captured, must not end in ``proceed``."""
    lost = lost_snapshots(results)
    if lost and not summary.corrupt:
        are = agree(lost, "is", "are")
        return Verdict("inconclusive", f"{plural(lost, 'snapshot')} of the baseline {are} missing")
    verdict = _without_floors(results) or _with_bound(facts, decide(summary, facts.judging.thresholds))
    if facts.outage and not summary.corrupt:
        left = plural(len(facts.not_judged), "selected deal")
        return Verdict("inconclusive", f"the source of the deals gave no answer; not judged: {left}")
    if verdict.action == "inconclusive" or summary.corrupt:
        return verdict
    if facts.part == "sample" and verdict.action != "proceed":
        return sample_verdict(facts, results)
    if verdict.action != "proceed":
        return verdict
    unread = sum(result.status == "errored" and not result.compared for result in results)
    if unread:
        return Verdict("inconclusive", f"{plural(unread, 'deal')} {agree(unread, 'was', 'were')} not judged")
    if facts.doubts:
        return Verdict("inconclusive", facts.doubts[0])
    if facts.not_judged:
        count = len(facts.not_judged)
        return Verdict("inconclusive", f"{plural(count, 'selected deal')} {agree(count, 'was', 'were')} not judged")
    if incomplete(facts):
        return Verdict("inconclusive", "the baseline is incomplete: its capture did not finish")
    if all(result.error is not None for result in results if result.compared):
        return Verdict("inconclusive", "no output was compared: every deal fails as it did in the baseline")
    doubt = matrix_doubt(facts, results) if facts.mode == "matrix" else idle_words(facts.idle_rules)
    if doubt:
        return Verdict("inconclusive", doubt)
    if facts.portfolio:  # no deal is affected by itself, and all of them together are not what they were
        return Verdict("fix_forward", facts.portfolio[0])
    return sample_verdict(facts, results) if facts.part == "sample" else verdict


def _without_floors(results: Sequence[DealResult]) -> Verdict | None:
    """Return the verdict where deals fail only for want of a floor of noise; ``None`` elsewhere."""
    affected = [result for result in results if result.status in AFFECTED]
    unknown = [one for one in affected if one.gating and all(f.noise == "no floor" for f in one.gating)]
    if not unknown or len(unknown) < len(affected) or any(result.corrupt for result in results):
        return None
    lie = "deal lies" if len(unknown) == 1 else "deals lie"
    return Verdict("inconclusive", f"{len(unknown):,} {lie} beyond a rule, and {unknown[0].gating[0].note}")


def _with_bound(facts: RunFacts, verdict: Verdict) -> Verdict:
    """Return *verdict* with the bound so far, where a budget left deals of a random order."""
    looked = facts.looked
    if looked is None or not facts.not_judged or verdict.action != "inconclusive":
        return verdict
    so_far = words_so_far(looked, facts.judging.thresholds.confidence)
    return replace(verdict, reason=f"{verdict.reason}; so far {so_far}")


def _with_evidence(verdict: Verdict, results: Sequence[DealResult]) -> Verdict:
    """Return *verdict* with how the outputs came about: a replay does not prove that a service answers so today."""
    words = evidence_words(results)
    return replace(verdict, reason=f"{verdict.reason} ({words})") if words else verdict


def _notes(facts: RunFacts, results: Sequence[DealResult]) -> list[str]:
    """Return the warnings for the user, each one sentence: above all, what was silently not judged."""
    notes = matrix_notes(facts, results) if facts.mode == "matrix" else _absent_metrics(facts)
    if facts.partial:
        shard = f"shard {facts.shard}, " if facts.shard else ""
        asked = f"{facts.selected:,} of {plural(facts.total, 'deal')}"
        if facts.selected == facts.total:
            asked = f"only {plural(facts.selected, 'deal')}, asked for by id"
        notes.append(f"this run was partial: {shard}{asked}")
    if facts.earlier_look:
        notes.append(facts.earlier_look)
    if facts.part == "sample" and facts.mode != "capture":
        notes += sample_notes(facts, results)
    if facts.not_judged:
        shown = ", ".join(cut(deal_id, 80) for deal_id in facts.not_judged[:10]) + (
            ", …" if len(facts.not_judged) > 10 else ""
        )
        done = "recorded" if facts.mode == "capture" else "judged"
        notes.append(f"not {done}: {plural(len(facts.not_judged), 'deal')} ({shown})")
        notes += _why_not_judged(facts, done)
    if facts.flaky:
        notes.append(f"{plural(len(facts.flaky), 'deal')} passed only when run again: {some_ids(facts.flaky, 60)}")
    notes += facts.portfolio
    notes += miss_notes(results)
    notes += process_notes(results)
    notes += facts.doubts
    notes += [f"{path} in the baseline's folder is no snapshot" for path in facts.strangers[:5]]
    if facts.mode == "matrix":
        return notes + _ledger_notes(facts)
    return notes + (_capture_notes(facts, results) if facts.mode == "capture" else _gate_notes(facts, results))


def _why_not_judged(facts: RunFacts, done: str) -> list[str]:
    """Return each reason, with how many deals it kept from being judged, the commonest first."""
    whys = Counter(facts.why_not_judged.values()).most_common(REASONS_SHOWN)
    return [f"{plural(count, 'deal')} not {done}, which is no failure of the reasoner: {why}" for why, count in whys]


def _absent_metrics(facts: RunFacts) -> list[str]:
    return [
        f"metric {name} ({path}) is absent in every deal: is its path right?"
        for name, path in (facts.absent_metrics or {}).items()
    ] + list(idle_notes(facts.idle_rules, facts.absent_metrics or {}))


def _capture_notes(facts: RunFacts, results: Sequence[DealResult]) -> list[str]:
    failed = [result for result in results if result.status == "errored"]
    recorded = [result for result in failed if result.compared]
    kept = [result for result in failed if result.reason == KEPT]
    notes = [f"{len(failed):,} of {plural(len(results), 'deal')} failed"] if failed else []
    alike = alike_outputs(results)
    if alike and not facts.allow_constant:
        notes.append(
            f"{alike}. Does the reasoner read the database of the deals ({facts.database})? "
            "--dealsnap-allow-constant accepts such a capture"
        )
    notes += unsteady_notes(results)
    if recorded:
        were = agree(len(recorded), "was recorded as an error", "were recorded as errors")
        notes.append(f"{plural(len(recorded), 'deal')} could not be reasoned and {were}: {recorded[0].error}")
    if kept:
        left = f"{plural(len(kept), 'deal')} failed; no error takes the place of a recorded output"
        notes.append(f"{left} (--dealsnap-allow-errors would): deal {kept[0].id}: {kept[0].error}")
    return notes


def _gate_notes(facts: RunFacts, results: Sequence[DealResult]) -> list[str]:
    notes = []
    if facts.against is not None:
        notes.append(_old_side(facts.against))
    if facts.baseline is None:
        notes.append(f"the baseline has no manifest.json, so nothing says where it came from: {facts.snapshots}")
    elif facts.mode == "gate" and facts.against is None and "ids_sha256" not in facts.baseline:
        notes.append("manifest.json does not list the deals, so a lost snapshot is not noticed: capture again")
    elif incomplete(facts):
        notes.append("the baseline is incomplete: its capture did not finish")
    if (facts.baseline or {}).get("record") == "metrics":
        notes.append("the baseline records metrics only: nothing else of the outputs is judged")
    notes += _volatile_notes(results)
    failing = [
        result
        for result in results
        if result.status == "changed" and result.error is not None and not any(f.noise for f in result.findings)
    ]
    if failing:
        fail = agree(len(failing), "fails", "fail")
        first = f"deal {failing[0].id}: {failing[0].error}"
        notes.append(f"{plural(len(failing), 'deal')} {fail} as in the baseline, with no output to compare: {first}")
    recovered = [result for result in results if result.status == "new" and result.findings]
    if recovered:
        it, has = ("its", "has") if len(recovered) == 1 else ("their", "have")
        ids = some_ids([result.id for result in recovered], 60)
        failed = f"{plural(len(recovered), 'deal')} failed in the baseline and {has} an output now"
        notes.append(f"{failed}, not judged until {it} new output is approved: {ids}")
    default = facts.judging.default_type
    if not facts.judging.default_type_gates and any(result.deal_type == default for result in results):
        notes.append(f"no rule can fail a changed value of {default}: [tool.dealsnap.rules.{default}] only reports")
    return notes + _ledger_notes(facts)


def _old_side(side: OldSide) -> str:
    paid = f", {plural(side.calls, 'paid call')}" if side.calls else ""
    reused = f", {plural(side.reused, 'answer')} reused from the run store" if side.reused else ""
    return f"the baseline is what the code of {side.words} answered just now ({side.seconds:,.1f} s{paid}{reused})"


def _volatile_notes(results: Sequence[DealResult]) -> list[str]:
    """Return what looks as if it differed in every run, with the line of the configuration that drops it."""
    paths, count, compared = volatile_paths(results)
    if not paths:
        return []
    named = some_ids(paths, 60)
    looks, are, them = (
        ("looks like a time, an id or a hash", "it is", "it")
        if len(paths) == 1
        else ("look like times, ids or hashes", "they are", "them")
    )
    return [
        f"{count:,} of {plural(compared, 'deal')} changed at {named}, which {looks}. If {are} volatile, add {them} to "
        f"[tool.dealsnap.output] and capture again: {drop_line(paths)}"
    ]


def _moved_on(fact: LedgerFact) -> bool:
    """Whether an entry takes just its deals, all of them, and other money than when it was made."""
    whole = fact.deals is not None and fact.deals == fact.shown == fact.made_for
    known = fact.total_then is not None and fact.total_now is not None
    return not fact.expired and whole and known and Decimal(fact.total_then or 0) != Decimal(fact.total_now or 0)


def _made_for(fact: LedgerFact) -> str:
    """Return what an entry was made for, where it says so."""
    if fact.made_for is None:
        return ""
    pattern = f" of {cut(fact.pattern, 80)}" if fact.pattern else ""
    return f"; made for {plural(fact.made_for, 'deal')}{pattern}"


def _ledger_notes(facts: RunFacts) -> list[str]:
    notes = [f"{fact.place} ({fact.reason}) expired on {fact.expires}" for fact in facts.ledger if fact.expired]
    if not facts.partial and not facts.not_judged:
        stale = [fact for fact in facts.ledger if not fact.expired and not fact.matched]
        notes += [f"{fact.place} ({fact.reason}) matches nothing: stale" for fact in stale]
    for fact in facts.ledger:
        gone = fact.judged - fact.shown
        if gone and not fact.expired and (fact.matched or facts.partial):
            verb = agree(gone, "shows", "show")
            notes.append(f"{fact.place} ({fact.reason}): {gone:,} of {fact.deals or 0:,} no longer {verb} it")
        if fact.others and not fact.expired:
            came = plural(fact.others, "deal that was not accepted", "deals that were not accepted")
            notes.append(f"{fact.place} ({fact.reason}) covers {came}: drifted{_made_for(fact)}")
        elif _moved_on(fact):
            then, now = (f"{Decimal(text):,f}" for text in (fact.total_then or "0", fact.total_now or "0"))
            notes.append(
                f"{fact.place} ({fact.reason}): {fact.metric} of its {plural(fact.shown, 'deal')} sums up to {now} now "
                f"and to {then} when it was accepted: drifted{_made_for(fact)}"
            )
    return notes
