"""What a run was, and what was concluded from it: all that a writer of reports needs, and nothing live."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from pytest_dealsnap.baseline.ledger import Acceptance, Ledger
from pytest_dealsnap.baseline.made_for import total
from pytest_dealsnap.causes.clustering import Cause
from pytest_dealsnap.causes.features import Features
from pytest_dealsnap.config import Config, VerdictConfig
from pytest_dealsnap.deals.selection import Drawn
from pytest_dealsnap.judging.findings import STATUSES, DealResult
from pytest_dealsnap.judging.likeness import alike_outputs
from pytest_dealsnap.judging.money_moved import Money
from pytest_dealsnap.judging.policy import Policy
from pytest_dealsnap.judging.verdict import Summary, Verdict
from pytest_dealsnap.reporting.idle import IdleRule

__all__ = [
    "FinishedRun",
    "JudgingFacts",
    "LedgerFact",
    "Part",
    "PartOutcome",
    "RunFacts",
    "absent_everywhere",
    "ledger_facts",
]


@dataclass(frozen=True, slots=True)
class JudgingFacts:
    """What the verdict, its words and the next steps depend on beside the results.

    ``flag`` is the assignment that disables the feature flag (``DEAL_TYPE_AWARENESS=false``), empty where none is
    configured. ``metrics`` are in the order in which reports tell of them, ``ranked`` those of them that were given a
    rank. ``unjudged`` has, by metric and deal type, the rule that lets every number pass.
    """

    thresholds: VerdictConfig
    missing: str
    new: str
    types: tuple[str, ...]
    default_type: str
    default_type_gates: bool
    flag: str = ""
    metrics: tuple[str, ...] = ()
    ranked: tuple[str, ...] = ()
    unjudged: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, config: Config, policy: Policy) -> JudgingFacts:
        """Take the facts out of *config* and the *policy* that is compiled from it."""
        deals, rehearsal = config.deals, config.rehearsal
        by_rank = sorted(config.metrics, key=lambda spec: (spec.rank is None, spec.rank or 0))
        rules = {spec.name: {kind: policy[kind][spec.name] for kind in deals.types} for spec in by_rank}
        return cls(
            config.verdict,
            deals.missing,
            deals.new,
            deals.types,
            deals.default_type,
            policy[deals.default_type].gates_values,
            f"{rehearsal.flag}={rehearsal.flag_off}" if rehearsal.flag else "",
            metrics=tuple(spec.name for spec in by_rank),
            ranked=tuple(spec.name for spec in by_rank if spec.rank is not None),
            unjudged={
                name: {kind: rule.text for kind, rule in by_type.items() if not rule.gates}
                for name, by_type in rules.items()
                if not all(rule.gates for rule in by_type.values())
            },
        )


@dataclass(frozen=True, slots=True)
class LedgerFact:
    """One entry of the ledger: where it stands, why, until when, and whether it matched a finding.

    ``deals`` counts the deals that were accepted, where the entry names them: ``judged`` of them were judged in
    this run, and ``shown`` show what was accepted. ``others`` counts the deals that it has come to cover.
    ``made_for`` and ``pattern`` say for how many deals and which change it was made, ``total_then`` and ``total_now``
    what its metric summed up to in them then, and sums up to in those that it covers now, as decimal texts.
    """

    place: str
    reason: str
    who: str
    expires: str | None
    expired: bool
    matched: bool
    metric: str = ""
    cause: str | None = None
    ticket: str | None = None
    deals: int | None = None
    judged: int = 0
    shown: int = 0
    others: int = 0
    made_for: int | None = None
    pattern: str = ""
    total_then: str | None = None
    total_now: str | None = None


# Which part of the deals a run was about: a drawn sample, a part that somebody chose, or one whole shard.
Part = Literal["sample", "chosen", "shard"]


@dataclass(frozen=True, slots=True)
class RunFacts:
    """The facts of a run. Times are aware UTC; ``seconds`` is the run's length.

    ``selected`` counts the deals that were to be judged, ``not_judged`` names those that were not, and
    ``why_not_judged`` says why where that is known; ``outage`` is why the source gave no answer any more.
    ``total`` counts all there are. ``absent_metrics`` maps metrics that no deal has to their paths;
    ``strangers`` are files in the baseline's folder that are no snapshot; ``traits`` tell what deals have
    in common. ``allow_constant``: a capture was told that all outputs may be alike.
    ``part`` says what kind of part a partial run was about, ``drawn`` what its sample was drawn from.
    ``flaky`` are deals whose test passed only when it was run again.
    ``idle_rules`` are gating rules that had nothing to judge.
    ``allow_errors`` says whether a capture may record errors; ``doubts`` are reasons, each a sentence, why the run
    cannot end with ``proceed``. ``spending`` is what was spent, where calls go through the
    run store. ``report`` is the JSON report of the run, as it can be typed; empty where none is.
    """

    mode: str
    started_at: datetime
    seconds: float
    database: str
    reasoner: str
    git_commit: str | None
    partial: bool
    shard: str | None
    total: int
    selected: int
    not_judged: tuple[str, ...]
    baseline: Mapping[str, Any] | None
    snapshots: str
    judging: JudgingFacts
    ledger: tuple[LedgerFact, ...] = ()
    absent_metrics: Mapping[str, str] | None = None
    strangers: tuple[str, ...] = ()
    traits: Features | None = None
    allow_constant: bool = False
    part: Part | None = None
    drawn: tuple[Drawn, ...] = ()
    why_not_judged: Mapping[str, str] = field(default_factory=dict)
    outage: str = ""
    flaky: tuple[str, ...] = ()
    idle_rules: tuple[IdleRule, ...] = ()
    allow_errors: bool = False
    doubts: tuple[str, ...] = ()
    report: str = ""
    spending: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class PartOutcome:
    """What is said in place of a verdict of a part that claims nothing about the rollout, and whether it passed."""

    words: str
    passed: bool


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run's facts, its results in deal order, and what was concluded.

    A capture has no verdict, and a run of a chosen part has a ``part_outcome`` in place of one. ``money`` says how far
    the leading numbers moved.
    """

    facts: RunFacts
    results: tuple[DealResult, ...]
    summary: Summary
    verdict: Verdict | None
    causes: tuple[Cause, ...]
    notes: tuple[str, ...]
    next_steps: tuple[str, ...]
    part_outcome: PartOutcome | None = None
    money: tuple[Money, ...] = ()

    @property
    def judged(self) -> bool:
        """Whether deals were judged: a capture only records them."""
        return self.verdict is not None or self.part_outcome is not None

    @property
    def green(self) -> bool:
        """Whether nothing that was judged asks for a person."""
        if self.part_outcome is not None:
            return self.part_outcome.passed
        return self.verdict is not None and self.verdict.action == "proceed"

    @property
    def suspicious(self) -> bool:
        """Whether a capture recorded outputs that are all alike, and was not told that they may be."""
        alike = self.facts.mode == "capture" and not self.facts.allow_constant and alike_outputs(self.results)
        return bool(alike)

    def by_type(self) -> dict[str, dict[str, int]]:
        """Count the results by deal type and status; types in configured order, others after."""
        counts = Counter((result.deal_type, result.status) for result in self.results)
        found = {result.deal_type for result in self.results}
        types = self.facts.judging.types
        order = [*(name for name in types if name in found), *sorted(found.difference(types))]
        return {name: {status: counts[name, status] for status in STATUSES} for name in order}


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
