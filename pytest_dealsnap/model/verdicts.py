"""Counts over a run, and what the rollout should do."""

from __future__ import annotations

from typing import Annotated

from pytest_dealsnap.model.record import Record, one_of

__all__ = ["ACTIONS", "Summary", "Verdict"]

ACTIONS = ("proceed", "fix_forward", "disable_flag", "roll_back", "inconclusive")


class Summary(Record, frozen=True):
    """Counts over all deals of a run.

    ``selected`` are the deals that ought to have been compared, ``corrupt`` ids of deals with what is wrong.
    """

    counts: dict[str, int]
    compared: int
    affected: int
    selected: int
    corrupt: tuple[tuple[str, str], ...] = ()

    @property
    def deals(self) -> int:
        """How many deals the run knows of."""
        return sum(self.counts.values())

    @property
    def affected_percent(self) -> float:
        """Affected deals in percent of the compared ones; 0 where nothing was compared."""
        return round(100 * self.affected / self.compared, 4) if self.compared else 0.0


class Verdict(Record, frozen=True):
    """An action, one of ``ACTIONS``, and the reason in words."""

    action: Annotated[str, one_of(ACTIONS)]
    reason: str
