"""Fresh runs of the reasoner that are numbered, kept in the run store, and paid once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.reasoning.calls import Reasoning
from pytest_dealsnap.reasoning.engine import Engine
from pytest_dealsnap.reasoning.replay import Replay
from pytest_dealsnap.reasoning.stored import StoredCalls, StoreSettings

__all__ = ["Numbered", "NumberedRuns"]


@dataclass(frozen=True, slots=True)
class Numbered:
    """One run of one deal: the *index*-th."""

    deal: Deal
    index: int


class NumberedRuns:
    """Runs of one reasoner, each of a deal and a number.

    Args:
        engine: What calls it.
        function: The user's reasoner.
        settings: The run store; ``None`` keeps nothing.
        replay: What records or replays the calls of the reasoner, where some are named.
    """

    def __init__(
        self,
        engine: Engine,
        function: Callable[..., Any],
        *,
        settings: StoreSettings | None = None,
        replay: Replay | None = None,
    ) -> None:
        self._engine = engine
        self._taped = function if replay is None else replay.reasoner(function)
        self._settings = settings
        self._replay = replay
        self._stored: dict[int, StoredCalls] = {}
        self.reused = 0

    def each(self, runs: Sequence[Numbered]) -> Iterator[tuple[Numbered, Reasoning]]:
        """Yield what each of *runs* comes to, in their order; as many are under way as the engine takes."""
        begun = 0
        for place, run in enumerate(runs):
            begun = max(begun, place)
            while self._engine.ahead and begun < len(runs) and not self._engine.full:
                one = runs[begun]
                self._engine.begin(_key(one), self._reasoner(one.index), one.deal)
                begun += 1
            yield run, self._finished(run)

    def one(self, run: Numbered) -> Reasoning:
        """Return what one run comes to."""
        return self._finished(run)

    def _finished(self, run: Numbered) -> Reasoning:
        if _key(run) in self._engine:
            reasoning = self._engine.finish(_key(run))
        else:
            reasoning = self._engine(self._reasoner(run.index), run.deal)
        if self._settings is not None:
            reasoning = self._calls(run.index).settle(run.deal, reasoning)
        if reasoning.reused:
            self.reused += 1
            return reasoning
        return reasoning if self._replay is None else self._replay.settle(run.deal, reasoning)

    def _reasoner(self, index: int) -> Callable[..., Any]:
        return self._taped if self._settings is None else self._calls(index).reasoner(self._taped)

    def _calls(self, index: int) -> StoredCalls:
        assert self._settings is not None
        if index not in self._stored:
            self._stored[index] = StoredCalls(replace(self._settings, index=index))
        return self._stored[index]


def _key(run: Numbered) -> tuple[str, int]:
    return run.deal.key, run.index
