"""Errors, lost values and broken equalities that unchanged code has, too: judged by how many there are of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from pytest_dealsnap.judging.noise_floors import chance_of_more
from pytest_dealsnap.judging.noise_rules import broken_pairs
from pytest_dealsnap.model.noise import TypeNoise
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import DealResult, Finding, Kind

__all__ = ["Rate", "by_rates", "rates"]

ALPHA = Fraction(1, 20)


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something happened in a run, and in pairs of unchanged code; ``chance`` is Fisher's.

    ``more`` says that it happened more often than noise explains, at 5 % over all rates of a run.
    """

    deal_type: str
    metric: str
    issue: str
    events: int
    trials: int
    known_events: int
    known_trials: int
    chance: Fraction
    more: bool = False

    @property
    def words(self) -> str:
        """The rate as a sentence."""
        what = f"{self.metric} of {self.deal_type}" if self.metric != "output" else f"outputs of {self.deal_type}"
        happened = {"reasoning_failed": "failed"}.get(self.issue, "was lost" if self.is_loss else "differs")
        than = "more than noise" if self.more else "no more than noise"
        return (
            f"{what}: {happened} in {self.events:,} of {self.trials:,} deals and in {self.known_events:,} of "
            f"{self.known_trials:,} pairs of unchanged code, {than} (Fisher's exact test, p = {float(self.chance):.2g})"
        )

    @property
    def is_loss(self) -> bool:
        """Whether a value was lost."""
        return self.issue.endswith("_lost")


def rates(results: Sequence[DealResult], noise: Mapping[str, TypeNoise]) -> tuple[Rate, ...]:
    """Return the rates that a run has findings of, each held against that of unchanged code."""
    counts: dict[tuple[str, str, str], tuple[int, Finding]] = {}
    for result in results:
        for finding in result.findings:
            if finding.noise == "rate":
                key = (result.deal_type, finding.metric, finding.issue)
                counts[key] = (counts.get(key, (0, finding))[0] + 1, finding)
    found = []
    for (deal_type, metric, issue), (events, finding) in sorted(counts.items(), key=lambda item: item[0]):
        measured = noise.get(deal_type)
        if measured is None:
            continue
        known, pairs = _known(measured, finding)
        trials = sum(_tried(result, finding) for result in results if result.deal_type == deal_type)
        chance = chance_of_more(events, trials, known_events=known, known_trials=pairs)
        found.append(Rate(deal_type, metric, issue, events, trials, known, pairs, chance))
    return tuple(replace(rate, more=rate.chance <= ALPHA / len(found)) for rate in found)


def _known(noise: TypeNoise, finding: Finding) -> tuple[int, int]:
    """Return how often it happened in pairs of unchanged code, and how many pairs could have had it."""
    if finding.kind is Kind.FAILED:
        return noise.errors, noise.pairs
    metric = noise.metrics[finding.metric]
    if finding.kind is Kind.LOST:
        return metric.errors, noise.pairs
    return broken_pairs(finding.allowed, metric), metric.pairs


def _tried(result: DealResult, finding: Finding) -> bool:
    """Whether the deal could have shown *finding*: it had an output before, and for a value one now."""
    if not result.compared or result.status in ("missing", "new"):
        return False
    if result.error is None:
        return True
    return finding.kind is Kind.FAILED and any(one.kind is Kind.FAILED and one.noise for one in result.findings)


def by_rates(results: Sequence[DealResult], found: Sequence[Rate]) -> list[DealResult]:
    """Return *results* with the findings that are judged by their rate gating where there are more than noise makes."""
    verdicts = {(rate.deal_type, rate.metric, rate.issue): rate for rate in found}
    return [_settled(result, verdicts) for result in results]


def _settled(result: DealResult, verdicts: Mapping[tuple[str, str, str], Rate]) -> DealResult:
    if result.status == "accepted" or not any(finding.noise == "rate" for finding in result.findings):
        return result
    findings = []
    for finding in result.findings:
        rate = verdicts.get((result.deal_type, finding.metric, finding.issue)) if finding.noise == "rate" else None
        findings.append(finding if rate is None else replace(finding, gates=rate.more))
    gating = [finding for finding in findings if finding.gates]
    failed = any(finding.kind is Kind.FAILED for finding in gating)
    status = "errored" if failed else "regressed" if gating else "changed"
    return replace(result, findings=tuple(findings), status=status)
