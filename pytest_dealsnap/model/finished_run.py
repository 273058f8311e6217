"""What a run was, and what was concluded from it: all that a writer of reports needs, and nothing live."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pytest_dealsnap.config import Config, VerdictConfig
from pytest_dealsnap.model.cause import Cause, Features
from pytest_dealsnap.model.earlier_run import EarlierRun
from pytest_dealsnap.model.looked import Looked
from pytest_dealsnap.model.money import Money
from pytest_dealsnap.model.noise import NoiseFacts
from pytest_dealsnap.model.record import Record, always, described, one_of, time_of
from pytest_dealsnap.model.results import STATUSES, DealResult, alike_outputs
from pytest_dealsnap.model.verdicts import Summary, Verdict

if TYPE_CHECKING:
    from pytest_dealsnap.judging.policy import Policy

__all__ = [
    "MODES",
    "Drawn",
    "FinishedRun",
    "IdleRule",
    "JudgingFacts",
    "LedgerFact",
    "OldSide",
    "Part",
    "PartOutcome",
    "RunAbout",
    "RunFacts",
]


class Drawn(Record, frozen=True):
    """What a sample was drawn from: so many *deals* of a type, of one *shard* where the run was sharded."""

    deal_type: str
    deals: Annotated[int, described("How many there are.", ge=0)]
    shard: str | None = always(None)


class IdleRule(Record, frozen=True):
    """A gating *rule* of a deal type whose *metric* no compared deal has.

    For ``"*"``, the rest of the output, one deal whose output is not recorded is enough.
    """

    deal_type: str
    metric: str
    rule: str


class JudgingFacts(Record, frozen=True):
    """What the verdict, its words and the next steps depend on beside the results.

    ``flag`` is the assignment that disables the feature flag (``DEAL_TYPE_AWARENESS=false``), empty where none is
    configured. ``metrics`` are in the order in which reports tell of them, ``ranked`` those of them that were given a
    rank. ``unjudged`` has, by metric and deal type, the rule that lets every number pass.
    """

    thresholds: VerdictConfig
    missing: Annotated[str, one_of(("fail", "report"))]
    new: Annotated[str, one_of(("skip", "fail"))]
    types: tuple[str, ...]
    default_type: str
    default_type_gates: Annotated[bool, described("Whether any rule can fail a changed value of the default type.")]

    flag: Annotated[
        str, described("The assignment that disables the feature flag; empty where none is configured.")
    ] = always("")
    metrics: Annotated[tuple[str, ...], described("In the order of the reports.")] = always(())
    ranked: Annotated[tuple[str, ...], described("The metrics that have a rank; reports show their totals.")] = always(
        ()
    )
    unjudged: Annotated[
        Mapping[str, Mapping[str, str]],
        described("By metric and deal type, the rule that lets every value pass."),
    ] = always({})

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


class LedgerFact(Record, frozen=True):
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
    metric: str = always("")
    cause: Annotated[str | None, described("Its cause's id, where it is one by cause.")] = always(None)
    ticket: str | None = always(None)
    deals: Annotated[int | None, described("How many deals were accepted, where the entry names them.")] = always(None)
    judged: Annotated[int, described("Those of them that were judged in this run.")] = always(0)
    shown: Annotated[int, described("Those of them that show what was accepted.")] = always(0)
    others: Annotated[int, described("Deals that the entry has come to cover.")] = always(0)
    made_for: Annotated[int | None, described("For how many deals the entry was made, where it says so.")] = always(
        None
    )
    pattern: Annotated[str, described("The change for which it was made.")] = always("")
    total_then: Annotated[str | None, described("What its metric summed up to in its deals when it was made.")] = (
        always(None)
    )
    total_now: Annotated[
        str | None, described("What its metric sums up to in the deals that it covers in this run.")
    ] = always(None)


class OldSide(Record, frozen=True):
    """The old code whose answers are the baseline: a commit, how long it took, and what its calls cost."""

    ref: Annotated[str, described("The commit, branch or tag as it was given to --dealsnap-against.")]
    commit: str
    seconds: Annotated[float, described("How long its answers took.", ge=0)]
    spent: Annotated[str, described("What its calls cost, as a text; it counts in the spending of the run.")] = "0"
    calls: Annotated[int, described("How many of its calls were paid.", ge=0)] = 0
    reused: Annotated[int, described("How many of its answers were in the run store.", ge=0)] = 0

    @property
    def words(self) -> str:
        """The commit in words: ``main (1a2b3c4d5e6f)``."""
        short = self.commit[:12]
        return short if self.commit.startswith(self.ref) else f"{self.ref} ({short})"


# Which part of the deals a run was about: a drawn sample, a part that somebody chose, or one whole shard.
Part = Literal["sample", "chosen", "shard"]
MODES = ("gate", "capture", "compare", "matrix", "rehearsal")


class RunAbout(Record, frozen=True, kw_only=True):
    """What a run was, as its report says it. Times are aware UTC."""

    mode: Annotated[str, one_of(MODES)]
    started_at: Annotated[datetime, time_of("When the run began")]
    seconds: Annotated[float, described("How long the run took.", ge=0)]
    database: Annotated[str, described("Where the deals came from, without secrets.")]
    reasoner: str
    git_commit: str | None
    partial: Annotated[bool, described("Whether deals were left out: by a sample, a shard, or any other choice.")]
    shard: Annotated[str, described("I/N, where the run was one of several.", pattern=r"^[0-9]+/[0-9]+$")] | None
    total: Annotated[int, described("All deals there are.", ge=0)]
    selected: Annotated[int, described("Deals that were to be judged.", ge=0)]
    not_judged: Annotated[tuple[str, ...], described("Ids of selected deals without a result.")]
    snapshots: Annotated[str, described("The baseline's folder.")]
    strangers: Annotated[tuple[str, ...], described("Files in the baseline's folder that are no snapshot.")] = always(
        ()
    )
    part: Annotated[
        Part | None,
        described(
            "What a partial run was about: a drawn sample, a part that somebody chose, or one whole shard. "
            "Only a sample has a verdict."
        ),
    ] = always(None)
    drawn: Annotated[tuple[Drawn, ...], described("What a sample was drawn from.")] = always(())
    why_not_judged: Annotated[
        Mapping[str, str], described("Why a deal was not judged, by id, where that is known.")
    ] = always({})
    outage: Annotated[str, described("Why the source of the deals gave no answer any more; empty where it did.")] = (
        always("")
    )
    flaky: Annotated[tuple[str, ...], described("Ids of deals whose test passed only when it was run again.")] = always(
        ()
    )
    allow_errors: Annotated[bool, described("Whether a capture may record errors in place of outputs.")] = always(False)
    doubts: Annotated[tuple[str, ...], described("Reasons, each a sentence, why the run cannot end with proceed.")] = (
        always(())
    )
    spending: Annotated[
        Mapping[str, Any] | None, described("What the run, and what it resumed, spent; amounts are texts.")
    ] = None
    portfolio: Annotated[tuple[str, ...], described("What the rules over all deals found, each a sentence.")] = ()
    against: Annotated[
        OldSide | None, described("The old code whose answers are the baseline, in place of a stored one.")
    ] = None
    noise: Annotated[NoiseFacts | None, described("What the run took from noise.json, where it took anything.")] = None
    looked: Annotated[Looked | None, described("What was seen of the random order in which deals began.")] = None
    earlier_look: Annotated[str, described("An earlier sample by another seed that did not proceed.")] = ""


class RunFacts(RunAbout, frozen=True, kw_only=True):
    """The facts of a run, and what stands beside them in its report.

    ``absent_metrics`` maps metrics that no deal has to their paths; ``traits`` are what deals have in common.
    ``allow_constant``: a capture was told that all outputs may be alike. ``idle_rules`` are gating rules that had
    nothing to judge. ``report`` is the JSON report of the run, as it can be typed; empty where none is.
    ``earlier`` are the runs that this one is compared with, the oldest first.
    """

    baseline: Mapping[str, Any] | None
    judging: JudgingFacts
    ledger: tuple[LedgerFact, ...] = ()
    absent_metrics: Mapping[str, str] | None = None
    traits: Features | None = None
    allow_constant: bool = False
    idle_rules: tuple[IdleRule, ...] = ()
    report: str = ""
    earlier: tuple[EarlierRun, ...] = ()


class PartOutcome(Record, frozen=True):
    """What is said in place of a verdict of a part that claims nothing about the rollout, and whether it passed."""

    words: str
    passed: bool


class FinishedRun(Record, frozen=True):
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
