"""The JSON reports of a run and of a rehearsal, as they stand in a file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pytest_dealsnap.model.cause import Cause
from pytest_dealsnap.model.earlier_run import CauseThen, EarlierRun
from pytest_dealsnap.model.finished_run import IdleRule, JudgingFacts, LedgerFact, RunAbout
from pytest_dealsnap.model.money import Mover
from pytest_dealsnap.model.record import Record, always, described, field, time_of
from pytest_dealsnap.model.rehearsals import Attributed, Exposure, LoadFact, LockFact, Phase, Problem, Share
from pytest_dealsnap.model.results import DealResult
from pytest_dealsnap.model.verdicts import Verdict

__all__ = [
    "REPORT_FORMAT",
    "Attribution",
    "Counts",
    "MoneyOfType",
    "MoneyReport",
    "MoneyTotals",
    "RehearsalAbout",
    "RehearsalReport",
    "Report",
    "SavedRehearsal",
    "SavedReport",
    "Tool",
    "Traits",
]

REPORT_FORMAT = 1

Count = Annotated[int, described("How many there are.", ge=0)]


class Tool(Record, frozen=True):
    """What wrote a report."""

    name: Literal["pytest-dealsnap"]
    version: str


class Counts(Record, frozen=True):
    """How many deals there are, by status."""

    deals: Count
    compared: Count
    matched: Count
    changed: Count
    regressed: Count
    errored: Count
    missing: Count
    new: Count
    accepted: Count
    affected_percent: Annotated[
        float, described("Regressed, errored and missing, in percent of the compared deals.", ge=0, le=100)
    ]
    evidence: Annotated[
        dict[str, int], described("Deals by how their output came about, where calls are recorded.")
    ] = field(default_factory=dict)


class MoneyTotals(Record, frozen=True, kw_only=True):
    """How far one number moved in some deals. Those that lost it are in no total."""

    deals: Annotated[int, described("Deals with a number on both sides.", ge=0)]
    baseline: Decimal
    current: Decimal
    more: Annotated[int, described("Deals that rose.", ge=0)]
    less: Annotated[int, described("Deals that fell.", ge=0)]
    percent: Annotated[tuple[float, float] | None, described("The least and the largest change, in percent.")]
    lost: Annotated[int, described("Deals that had a number and have none now; they are in no total.", ge=0)]


class MoneyOfType(MoneyTotals, frozen=True, kw_only=True):
    """How far one number moved in the deals of one type."""

    deal_type: str
    rules: Annotated[tuple[str, ...], described("The rules of the deals that changed.")]


class MoneyReport(MoneyTotals, frozen=True, kw_only=True):
    """How far one number moved in all deals, by type, and the deals that moved most."""

    metric: str
    text: Annotated[list[str], described("The same in words.")]
    types: tuple[MoneyOfType, ...]
    largest: Annotated[tuple[Mover, ...], described("The deals that moved most.")]


class Traits(Record, frozen=True):
    """What the common fields of causes are found from, in few characters.

    ``totals`` are counts by field and type, in the order of the field's values. A deal has one character a field.
    """

    compared: dict[str, int]
    values: dict[str, list[Any]]
    totals: dict[str, dict[str, str]]
    deals: dict[str, str]
    dropped: list[str]


class Report(Record, frozen=True, kw_only=True):
    """What a gate, a capture, a matrix or a comparison of deals came to.

    A later version may add keys; ``format`` rises when the meaning of a key changes.
    """

    format: Literal[1] = always(1)
    tool: Tool
    run: RunAbout
    judging: JudgingFacts
    baseline: Annotated[Mapping[str, Any] | None, described("The manifest of the baseline; null where there is none.")]
    summary: Counts
    verdict: Annotated[
        Verdict | None,
        described(
            "What the rollout should do; null where the run claims nothing about it: a capture, or a part that "
            "somebody chose (see run.part)."
        ),
    ]
    money: Annotated[
        tuple[MoneyReport, ...], described("Totals of the leading numbers: those with a rank, else the first.")
    ] = always(())
    causes: Annotated[tuple[Cause, ...], described("Findings of many deals that look like one change, heaviest first.")]
    deals: Annotated[tuple[DealResult, ...], described("In deal order.")]
    ledger: Annotated[tuple[LedgerFact, ...], described("The entries of accepted.toml.")]
    absent_metrics: Annotated[Mapping[str, str], described("Metrics that no deal has, with their paths.")]
    idle_rules: Annotated[
        tuple[IdleRule, ...],
        described(
            "Rules that had nothing to judge, though they can fail a deal: no compared deal has the metric, or, "
            'for "*", only metrics are recorded.'
        ),
    ] = always(())
    notes: Annotated[tuple[str, ...], described("What a person should know, each one sentence.")]
    traits: Annotated[
        Traits | None,
        described("What the common fields of causes are found from: values by field, and each affected deal's."),
    ] = always(None)
    earlier: Annotated[
        tuple[EarlierRun, ...], described("Runs that this one was compared with, the oldest first.")
    ] = ()
    gone: Annotated[
        tuple[CauseThen, ...], described("Causes of the latest earlier run that this run does not have.")
    ] = ()


class SavedReport(Report, frozen=True, kw_only=True):
    """A report as it is read: its conclusions are drawn anew, so their form may be that of another version."""

    tool: Any = None
    money: Any = None
    causes: Any = None
    gone: Any = None
    notes: Any = None


class RehearsalAbout(Record, frozen=True, kw_only=True):
    """What a rehearsal was. Times are aware UTC."""

    mode: Literal["rehearsal"] = always("rehearsal")
    started_at: Annotated[datetime, time_of("When the rehearsal began")]
    seconds: Annotated[float, described("How long it took.", ge=0)]
    database: Annotated[str, described("The original, without secrets.")]
    scratch: Annotated[str, described("The copy, without secrets.")]
    copied_by: str
    kept: Annotated[bool, described("Whether the copy is kept.")]
    flag: Annotated[str | None, described("The environment variable of the feature flag.")]
    partial: Annotated[bool, described("Whether only a sample of the deals was judged.")] = always(False)
    git_commit: str | None


class Attribution(Record, frozen=True):
    """How many changed deals are put down to the data, to the code, or to both, and which they are."""

    data: Count
    code: Count
    both: Count
    deals: tuple[Attributed, ...]


class RehearsalReport(Record, frozen=True, kw_only=True):
    """What a rehearsal of a rollout came to; ``gate`` is the report of the run with the flag on."""

    format: Literal[1] = always(1)
    tool: Tool
    run: RehearsalAbout
    verdict: Verdict
    next_steps: tuple[str, ...]
    phases: tuple[Phase, ...]
    findings: tuple[Problem, ...]
    affected: Share | None
    attribution: Attribution
    exposure: tuple[Exposure, ...]
    locks: tuple[LockFact, ...]
    load: LoadFact | None
    gate: Report | None


class SavedRehearsal(RehearsalReport, frozen=True, kw_only=True):
    """The report of a rehearsal as it is read; its gate is read by itself."""

    tool: Any = None
    gate: Any = None
