"""What a finished run was: everything that a writer of reports needs, and nothing live."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pytest_dealsnap.judging.causes import Cause
from pytest_dealsnap.judging.findings import STATUSES, DealResult
from pytest_dealsnap.judging.verdict import Summary, Verdict

__all__ = ["FinishedRun"]


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run's facts, its results in deal order, and what was concluded.

    ``verdict`` is ``None`` for a capture. ``notes`` are warnings for the user, ready to be shown;
    ``next_steps`` are commands.
    """

    mode: str
    started_at: datetime
    seconds: float
    database: str
    reasoner: str
    git_commit: str | None
    partial: bool
    results: tuple[DealResult, ...]
    summary: Summary
    verdict: Verdict | None
    causes: tuple[Cause, ...] = ()
    baseline: Mapping[str, Any] | None = None
    shard: str | None = None
    notes: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def by_type(self) -> dict[str, dict[str, int]]:
        """Count the results by deal type and status; types in configured order, others after."""
        counts = Counter((result.deal_type, result.status) for result in self.results)
        found = {result.deal_type for result in self.results}
        order = [*(t for t in self.types if t in found), *sorted(found.difference(self.types))]
        return {name: {status: counts[name, status] for status in STATUSES} for name in order}
