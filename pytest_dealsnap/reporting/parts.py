"""What a run of a part of the deals says: a sample by bounds, a chosen part of itself alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pytest_dealsnap.deals.selection import Shard
from pytest_dealsnap.judging.bounds import Stratum, lower_bound, sure, upper_bound
from pytest_dealsnap.judging.sample import decide_sample
from pytest_dealsnap.judging.sequence import bounds_so_far, decide_looked
from pytest_dealsnap.model.finished_run import Drawn, PartOutcome, RunFacts
from pytest_dealsnap.model.looked import Looked
from pytest_dealsnap.model.results import AFFECTED, COMPARED, DealResult
from pytest_dealsnap.model.verdicts import Summary, Verdict
from pytest_dealsnap.text import agree, plural

__all__ = ["claims_nothing", "outcome_of_part", "sample_bounds", "sample_notes", "sample_verdict"]


def claims_nothing(facts: RunFacts) -> bool:
    """Whether the run was about deals that a person or a CI job chose: it says nothing of the rollout."""
    return facts.part in ("chosen", "shard")


def outcome_of_part(facts: RunFacts, results: Sequence[DealResult], summary: Summary) -> PartOutcome:
    """Return what a run of a chosen part came to.

    It passes where every deal does, and none that was selected is left without a judgement; tests of the user's own
    may run without any deal.
    """
    judged = summary.compared
    failing = summary.affected + sum(result.status == "errored" and not result.compared for result in results)
    if facts.judging.new == "fail":
        failing += summary.counts["new"]
    words = f"{judged:,} of {plural(facts.total, 'deal')} judged"
    doubt = _doubt(facts, results, judged)
    if failing:
        words += f", {failing:,} {agree(failing, 'fails', 'fail')}"
    elif doubt:
        words += f", {doubt}"
    elif judged:
        words += ", all pass"
    return PartOutcome(f"{words}: no verdict for the rollout", passed=not failing and not doubt)


def _doubt(facts: RunFacts, results: Sequence[DealResult], judged: int) -> str:
    """Return why a part in which no deal fails does not pass; ``""`` if it does."""
    if facts.not_judged:
        return f"{len(facts.not_judged):,} selected {agree(len(facts.not_judged), 'is', 'are')} not judged"
    if facts.selected and not judged:
        return "nothing was compared"
    if judged and all(result.error is not None for result in results if result.compared):
        return "every deal fails as it did in the baseline"
    return ""


def sample_verdict(facts: RunFacts, results: Iterable[DealResult]) -> Verdict:
    """Return the verdict of a sample whose deals were all judged, or of a run that stopped before its end."""
    if facts.looked is not None:
        return _verdict_so_far(facts, facts.looked, results)
    return decide_sample(list(_strata(facts, results).values()), facts.judging.thresholds)


def _verdict_so_far(facts: RunFacts, looked: Looked, results: Iterable[DealResult]) -> Verdict:
    gone = facts.judging.missing == "fail"
    told = [one for one in results if one.compared and one.status in COMPARED and (gone or one.status != "missing")]
    affected = sum(one.status in AFFECTED for one in told)
    certain = sum(one.status == "missing" for one in told)
    sound = len(told) - affected
    return decide_looked(looked, facts.judging.thresholds, affected=affected, sound=sound, certain=certain)


def sample_bounds(facts: RunFacts, results: Iterable[DealResult]) -> tuple[float, float]:
    """Return how many deals of all are affected, at the least and at the most, in percent."""
    strata, confidence = list(_strata(facts, results).values()), facts.judging.thresholds.confidence
    deals = sum(one.deals for one in strata)
    if not deals:
        return 0.0, 100.0
    bounds = (bound(strata, confidence=confidence) for bound in (lower_bound, upper_bound))
    least, most = (100 * bound / deals for bound in bounds)
    return least, most


def sample_notes(facts: RunFacts, results: Iterable[DealResult]) -> list[str]:
    """Return the bound of each deal type, where there are several, and how the run came to its end."""
    if facts.looked is not None:
        return _notes_so_far(facts, facts.looked)
    by_type: dict[str, list[Stratum]] = {}
    for drawn, stratum in _strata(facts, results).items():
        by_type.setdefault(drawn.deal_type, []).append(stratum)
    if len(by_type) < 2:
        return []
    confidence = facts.judging.thresholds.confidence
    each = [
        f"{name} at most {upper_bound(parts, confidence=confidence):,} of {sum(one.deals for one in parts):,}"
        for name, parts in by_type.items()
    ]
    return [f"affected by deal type, each {sure(confidence)}: {', '.join(each)}"]


def _notes_so_far(facts: RunFacts, looked: Looked) -> list[str]:
    seed = f"--dealsnap-seed {looked.seed}"
    notes = [f"the run stopped after {plural(looked.judged, 'deal')}, as its verdict was decided ({seed})"]
    if not looked.decided:
        notes = [f"{plural(looked.judged, 'deal')} of a random order did not decide the verdict ({seed})"]
    if len(looked.types) > 1:
        confidence = facts.judging.thresholds.confidence
        bounds = [(one, bounds_so_far(looked, confidence=confidence, deal_type=one.deal_type)) for one in looked.types]
        each = ", ".join(f"{one.deal_type} at most {most:,} of {one.deals:,}" for one, (_, most) in bounds)
        notes.append(f"affected by deal type, each {sure(confidence)}: {each}")
    return notes


def _holds(drawn: Drawn, result: DealResult) -> bool:
    """Whether a deal is one of those that a sample was drawn from."""
    if result.deal_type != drawn.deal_type:
        return False
    return drawn.shard is None or Shard.parse(drawn.shard).holds(result.id)


def _strata(facts: RunFacts, results: Iterable[DealResult]) -> Mapping[Drawn, Stratum]:
    """Return how many deals were judged of what each was drawn from; one that was not compared counts as not drawn."""
    drawn = facts.drawn or (Drawn("", facts.total),)  # of unknown types
    if facts.judging.missing != "fail":
        results = [result for result in results if result.status != "missing"]
    left = [result for result in results if result.compared and result.status in COMPARED]
    shares: dict[Drawn, list[DealResult]] = {}
    for one in drawn:
        shares[one] = [result for result in left if _holds(one, result)]
        left = [result for result in left if not _holds(one, result)]
    if left:  # the baseline's type of a deal that has another now: it was drawn all the same
        shares[max(drawn, key=lambda one: one.deals)] += left
    return {one: _stratum(one, mine) for one, mine in shares.items()}


def _stratum(drawn: Drawn, results: Sequence[DealResult]) -> Stratum:
    affected = sum(result.status in AFFECTED for result in results)
    return Stratum(max(drawn.deals, len(results)), len(results), affected)
