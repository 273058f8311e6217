"""A rehearsal as every report of it needs it: its phases, what they found, and what follows. Nothing live."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.record import Record, always
from pytest_dealsnap.model.verdicts import Verdict

__all__ = [
    "DIGITS",
    "Attributed",
    "Exposure",
    "LoadFact",
    "LockFact",
    "Phase",
    "Problem",
    "Rehearsal",
    "Share",
    "Weight",
    "share_of",
]

PhaseStatus = Literal["passed", "failed", "noted", "skipped"]
Weight = Literal["corrupts", "fails", "unfinished", "note"]
Origin = Literal["data", "code", "both"]
DIGITS = 4  # as in the JSON report, from which every other can be written again


class Problem(Record, frozen=True):
    """One thing that the rehearsal found.

    ``weight``: it ``corrupts`` data, ``fails`` the rehearsal, left it ``unfinished``, or is a ``note``.
    ``evidence`` are lines for a person; ``deals`` the ids it is about; ``advice`` is what to do.
    """

    code: str
    phase: str
    title: str
    weight: Weight = always("fails")
    evidence: tuple[str, ...] = always(())
    advice: str = always("")
    deals: tuple[str, ...] = always(())


class Phase(Record, frozen=True):
    """One step of the timeline: what it was, how it ended, how long it took, what it showed."""

    name: str
    title: str
    status: PhaseStatus
    seconds: float
    headline: str
    lines: tuple[str, ...] = always(())


class LockFact(Record, frozen=True):
    """A lock that the migration was seen to hold: table, PostgreSQL's mode, and the longest time in seconds."""

    relation: str
    mode: str
    seconds: float


class LoadFact(Record, frozen=True):
    """Requests that ran beside the upgrade; ``seconds`` is how long it took, waits are in seconds."""

    seconds: float
    reads: int
    failed_reads: int
    writes: int
    failed_writes: int
    longest_read: float
    longest_write: float
    reasons: Mapping[str, int]


class Attributed(Record, frozen=True):
    """A deal whose answer changed from the start (old schema, flag off) to the end (new schema, flag on)."""

    id: str
    name: str | None
    deal_type: str
    origin: Origin
    regressed: bool
    paths: tuple[str, ...]


class Exposure(Record, frozen=True):
    """The most that one gating number moved, and all of them together; amounts are exact texts."""

    metric: str
    largest: str
    deal_id: str
    deal_name: str | None
    total: str
    deals: int


class Share(Record, frozen=True):
    """Affected deals among the compared ones, in percent.

    Where the run was a sample, also the bounds of all deals, each with ``confidence``.
    """

    affected: int
    compared: int
    percent: float
    low: float | None = always(None)
    high: float | None = always(None)
    confidence: float = 95.0


class Rehearsal(Record, frozen=True):
    """A whole rehearsal. Times are aware UTC; ``gate`` is the run with the flag on, judged by the rules."""

    started_at: datetime
    seconds: float
    database: str
    scratch: str
    means: str
    kept: bool
    flag: str | None
    git_commit: str | None
    phases: tuple[Phase, ...]
    problems: tuple[Problem, ...]
    attributed: tuple[Attributed, ...]
    share: Share | None
    exposures: tuple[Exposure, ...]
    locks: tuple[LockFact, ...]
    load: LoadFact | None
    gate: FinishedRun | None
    verdict: Verdict
    next_steps: tuple[str, ...]

    def origins(self) -> dict[Origin, int]:
        """Count the changed deals by what their change is put down to."""
        counts = Counter(deal.origin for deal in self.attributed)
        order: tuple[Origin, ...] = ("data", "code", "both")
        return {origin: counts[origin] for origin in order}


def share_of(affected: int, compared: int, *, bounds: tuple[float, float] | None, confidence: float = 95.0) -> Share:
    """Return the affected share; of a sample with its *bounds* of all deals, each with *confidence*, in percent."""
    if not compared:
        return Share(affected, compared, 0.0)
    percent = round(100 * affected / compared, DIGITS)
    if bounds is None:
        return Share(affected, compared, percent)
    low, high = (round(bound, DIGITS) for bound in bounds)
    return Share(affected, compared, percent, low, high, confidence)
