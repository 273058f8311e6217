"""What of a report is decided on: causes, deals, types, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.model.cause import Cause
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.results import DealResult

__all__ = ["Chosen", "choose"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is decided on: causes, single deals, types."""

    causes: tuple[Cause, ...] = ()
    deals: tuple[DealResult, ...] = ()
    types: tuple[str, ...] = ()


def choose(run: FinishedRun, *, causes: Sequence[str], deals: Sequence[str], types: Sequence[str]) -> Chosen:
    """Return the causes, deals and types of those names; raises :class:`ConfigError` for one that there is not."""
    by_id = {cause.id: cause for cause in run.causes}
    results = {result.id: result for result in run.results}
    kinds = {result.deal_type for result in run.results}
    for name in causes:
        if name not in by_id:
            known = ", ".join(f"{cause.id} ({cause.title})" for cause in run.causes[:5]) or "none"
            raise ConfigError(f"the report has no cause {name!r}. It has: {known}")
    for name in deals:
        if name not in results:
            raise ConfigError(f"the report has no deal {name!r}")
    for name in types:
        if name not in kinds:
            raise ConfigError(f"the report has no deal of the type {name!r}. It has: {', '.join(sorted(kinds))}")
    return Chosen(tuple(by_id[name] for name in causes), tuple(results[name] for name in deals), tuple(types))
