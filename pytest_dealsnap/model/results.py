"""What a comparison found: findings, statuses, and one deal's result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Annotated, Any

from pytest_dealsnap.model.details import VALUE, Details
from pytest_dealsnap.model.exact_numbers import Number
from pytest_dealsnap.model.record import Record, always, described, field, one_of, replace

__all__ = [
    "AFFECTED",
    "BLANK",
    "COMPARED",
    "NOISE",
    "STATUSES",
    "DealResult",
    "Failure",
    "Finding",
    "Kind",
    "alike_outputs",
    "changed_issue",
    "lost_issue",
]

STATUSES = ("matched", "changed", "regressed", "errored", "missing", "new", "accepted")
AFFECTED = ("regressed", "errored", "missing")
COMPARED = ("matched", "changed", "regressed", "errored", "missing", "accepted")

# How noise decided of a finding: within the floor; beyond it; allowed one by one, and judged by its rate over all
# deals; without a floor to judge by; beyond the floor and confirmed, or not, by fresh runs.
NOISE = ("floor", "beyond", "rate", "no floor", "confirmed", "not confirmed")

# The mark of an output in which every metric is zero, empty or absent.
BLANK = "blank"


class Kind(Enum):
    """What a finding is about."""

    METRIC = "metric"
    LOST = "lost"
    OUTPUT = "output"
    DEAL_TYPE = "deal_type"
    GONE = "gone"
    FAILED = "failed"
    NO_EFFECT = "no_effect"
    BETWEEN_TYPES = "between_types"


class Failure(Record, frozen=True):
    """An error in place of an output: the exception's type and its message, without secrets."""

    type: str
    message: str

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type


class Finding(Record, frozen=True):
    """One metric's difference in one deal.

    ``gates`` says whether it can fail the deal; ``allowed`` is the rule that decided. For
    ``output_changed``, ``count`` is the number of changed paths outside every metric, and ``paths`` are
    the first of them. Where it gates, ``forms`` are all paths that gate, without the places in lists;
    ``None`` says that there are too many. ``digest`` stands for these paths with their values. ``reordered`` are the
    lists among them, by their forms, of which only the order changed.
    A rule of the user's own may return a Finding in place of a bool; its ``kind`` is that of what the rule judges.
    """

    metric: str
    issue: Annotated[
        str,
        described(
            "<metric>_changed, <metric>_lost, deal_type_changed, missing_from_database, reasoning_failed or "
            "output_changed."
        ),
    ]
    baseline: Annotated[Any, VALUE] = always(None)
    current: Annotated[Any, VALUE] = always(None)
    change_percent: Annotated[
        float | None, described("In percent of the baseline's magnitude; null where there is none.")
    ] = always(None)
    allowed: Annotated[str, described("The rule that decided.")] = always("")
    gates: Annotated[bool, described("Whether it can fail its deal.")] = always(True)
    count: Annotated[int, described("How many paths outside every metric changed.", ge=0)] | None = None
    paths: Annotated[tuple[str, ...], described("The first of them.")] = ()
    note: str = ""
    forms: Annotated[
        tuple[str, ...] | None,
        described("All changed paths without places in lists; absent where there are too many."),
    ] = None
    digest: Annotated[
        str, described("Stands for all changed paths and their values: what an acceptance of the output pins.")
    ] = ""
    reordered: Annotated[
        tuple[str, ...], described("Lists, without places in lists, that hold the same items in another order.")
    ] = ()
    noise: Annotated[
        str, one_of(NOISE), described("How noise decided, where the rule allows some: see the reference of rules.")
    ] = ""
    kind: Annotated[Kind, described("What it is about; a metric where a report of an earlier version is silent.")] = (
        always(Kind.METRIC)
    )


def changed_issue(metric: str) -> str:
    """Return ``<metric>_changed``; for ``cost_total`` the plan's ``cost_changed``."""
    return "cost_changed" if metric == "cost_total" else f"{metric}_changed"


def lost_issue(metric: str) -> str:
    """Return ``<metric>_lost``; for ``cost_total`` the plan's ``cost_lost``."""
    return "cost_lost" if metric == "cost_total" else f"{metric}_lost"


class DealResult(Record, frozen=True):
    """What one deal came to.

    ``deal_type`` is the effective type that it was judged by (the baseline's where there is one),
    ``seconds`` the time of the reasoner's call. ``corrupt`` names data corruption, which asks for a
    rollback at any rate; ``compared`` is false where no comparison could be made. ``details`` are kept
    for few deals only. ``likeness`` marks a captured output (``judging.likeness``). ``unsteady`` are the places where
    a second run of the captured deal differed, ``None`` where there was none. ``unchanged`` are the numbers of
    a compared deal that are what they were, by metric. ``evidence`` says how the output came about (``replayed``,
    ``reused``, ``computed``; empty where calls are not recorded), ``asked`` how many recorded calls were made anew,
    ``miss`` the first request that differs from the recorded ones, ``unfollowed`` a process that the reasoner started.
    """

    id: str
    name: str | None
    deal_type: Annotated[str, described("The effective type that it was judged by.")]
    stored_type: Annotated[str | None, described("What the column holds.")]
    status: Annotated[str, one_of(STATUSES)]
    seconds: Annotated[float, described("Time of the reasoner's call.", ge=0)] = always(0.0)
    findings: tuple[Finding, ...] = always(())
    error: Failure | None = always(None)
    corrupt: Annotated[str | None, described("Data corruption, in words.")] = None
    compared: Annotated[bool, described("False where no comparison could be made; else absent.")] = True
    absent_metrics: Annotated[tuple[str, ...], described("Of no saved report.")] = ()
    reason: Annotated[str, described("Why it was accepted, skipped or not compared.")] = ""
    details: Details | None = None
    likeness: Annotated[tuple[str, ...], described("Of no saved report.")] = ()
    unchanged: Annotated[Mapping[str, Number], described("The numbers that are what they were, by metric.")] = field(
        default_factory=dict
    )
    evidence: Annotated[
        str,
        one_of(("replayed", "reused", "computed")),
        described("How the output came about, where calls are recorded."),
    ] = ""
    asked: Annotated[int, described("How many recorded calls were made anew.", ge=0)] = 0
    miss: Annotated[str, described("The first request that differs from the recorded ones.")] = ""
    unsteady: Annotated[tuple[str, ...] | None, described("Of no saved report.")] = None
    unfollowed: Annotated[
        str, described("A process that the reasoner started, whose calls are neither recorded nor replayed.")
    ] = ""

    def with_status(self, status: str, *, reason: str = "") -> DealResult:
        """Return the result under another status, such as ``accepted``."""
        return replace(self, status=status, reason=reason or self.reason)

    @property
    def gating(self) -> tuple[Finding, ...]:
        """The findings that can fail the deal."""
        return tuple(finding for finding in self.findings if finding.gates)


def alike_outputs(results: Sequence[DealResult]) -> str:
    """Say what all recorded outputs of a capture have in common; empty where they differ, or are fewer than two."""
    recorded = [result for result in results if result.error is None and result.compared and result.status != "missing"]
    if len(recorded) < 2:
        return ""
    if all(BLANK in result.likeness for result in recorded):
        return f"every metric of all {len(recorded):,} outputs is zero, empty or absent"
    digests = {next((mark for mark in result.likeness if mark != BLANK), "") for result in recorded}
    if len(digests) == 1 and "" not in digests:
        return f"all {len(recorded):,} outputs are the same"
    return ""
