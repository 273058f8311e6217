"""Deals that cannot be judged, through no failure of the reasoner's: how the run hears of them, and ends by them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_dealsnap.errors import BudgetStopError, DealsnapError, SourceAwayError, UnwritableError
from pytest_dealsnap.text import printable

if TYPE_CHECKING:
    import pytest

    from pytest_dealsnap.reasoning.calls import Reasoning

__all__ = ["DECIDED", "NotJudgedError", "Unjudged", "end_run"]

DECIDED = "not begun: the verdict is decided (--dealsnap-until decided)"


class NotJudgedError(DealsnapError):
    """A deal could not be judged; the text says why. ``source_away`` where no other deal can be, either."""

    def __init__(self, text: str, *, source_away: bool = False, skips: bool = False) -> None:
        super().__init__(text)
        self.source_away = source_away
        self.skips = skips  # by the budget: that fails no deal

    @staticmethod
    def of(reasoning: Reasoning) -> NotJudgedError:
        """Return the error for a reasoning that is excused."""
        failure = reasoning.failure
        if failure is not None and failure.type == BudgetStopError.__name__:
            return NotJudgedError(failure.message, skips=True)
        return NotJudgedError(str(failure), source_away=reasoning.source_away)


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Why a deal was not judged, as it travels from an xdist worker to the controller."""

    why: str
    source_away: bool
    unwritable: bool = False

    @staticmethod
    def by(error: DealsnapError) -> Unjudged:
        """Return what *error* came to."""
        return Unjudged(str(error), _is_away(error), isinstance(error, UnwritableError))

    def pack(self) -> list[object]:
        """Return plain values that xdist can carry."""
        return [self.why, self.source_away, self.unwritable]

    @staticmethod
    def unpack(plain: list[object]) -> Unjudged:
        """Return what :meth:`pack` packed."""
        why, source_away, unwritable = plain
        return Unjudged(str(why), bool(source_away), bool(unwritable))


def end_run(session: pytest.Session, error: DealsnapError) -> None:
    """End the run, as ``-x`` does, where *error* says that no other deal can be judged or recorded, either."""
    if session.shouldfail:
        return
    if _is_away(error):
        session.shouldfail = f"dealsnap: the run ends here, because no deal can be judged: {printable(str(error))}"
    elif isinstance(error, UnwritableError):
        session.shouldfail = f"dealsnap: the run ends here, because no deal can be recorded: {printable(str(error))}"


def _is_away(error: DealsnapError) -> bool:
    return isinstance(error, SourceAwayError) or (isinstance(error, NotJudgedError) and error.source_away)
