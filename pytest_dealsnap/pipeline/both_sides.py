"""Fresh runs of both sides for a deal that lies beyond rule and floor of noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pytest_dealsnap.baseline.recording import Recorder
from pytest_dealsnap.callables import import_object
from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.judging.confirmation import confirmed_finding, is_suspect
from pytest_dealsnap.judging.policy import TypePolicy
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import DealResult, Finding
from pytest_dealsnap.pipeline.paid_runs import Numbered, NumberedRuns
from pytest_dealsnap.reasoning.calls import Reasoning
from pytest_dealsnap.reasoning.copies import copy_engine
from pytest_dealsnap.reasoning.environment import Environment
from pytest_dealsnap.reasoning.reasoner import bind_reasoner
from pytest_dealsnap.reasoning.stored import StoreSettings

__all__ = ["Confirmation", "Fresh", "FreshRuns", "ImportedRuns", "new_indexes", "old_indexes"]


@dataclass(frozen=True, slots=True)
class Fresh:
    """What one fresh run came to: its metrics; ``None`` where it failed. ``stopped`` says why it was not made."""

    metrics: Mapping[str, Any] | None
    stopped: str = ""


class FreshRuns(Protocol):
    """One side that can be run again."""

    words: str

    def runs(self, deal: Deal, indexes: Sequence[int]) -> list[Fresh]:
        """Return fresh runs of *deal*, one for each number; one that was made before under its number is reused."""

    def close(self) -> None:
        """Let go of processes."""


def new_indexes(runs: int) -> list[int]:
    """Return the numbers of the new side's fresh runs; the judged run is number 0."""
    return [2 * number + 1 for number in range(runs)]


def old_indexes(runs: int) -> list[int]:
    """Return the numbers of the old side's fresh runs."""
    return [2 * number + 2 for number in range(runs)]


@dataclass(frozen=True, slots=True)
class ImportedReasoner:
    """The configured reasoner by its name, imported in the process that calls it."""

    spec: str
    root: Path

    def __call__(self, deal: Deal) -> Any:
        return bind_reasoner(import_object(self.spec, root=self.root, place="reasoner"))(deal)


class ImportedRuns:
    """The code of this checkout in a process of its own, with *variables* set before anything is imported.

    Nothing is replayed there: fresh runs ask anew.
    """

    def __init__(
        self, config: Config, recorder: Recorder, settings: StoreSettings | None, variables: Mapping[str, str]
    ) -> None:
        self.words = ", ".join(f"{name}={value}" for name, value in variables.items()) or "this code"
        self._recorder = recorder
        environment = Environment(config.environment_errors)
        self._engine = copy_engine(variables, timeout=config.timeout, window=2, environment=environment)
        reasoner = ImportedReasoner(str(config.reasoner), config.root)
        self._runs = NumberedRuns(self._engine, reasoner, settings=settings)

    def runs(self, deal: Deal, indexes: Sequence[int]) -> list[Fresh]:
        """Return fresh runs of *deal*."""
        return [self._fresh(one) for _, one in self._runs.each([Numbered(deal, index) for index in indexes])]

    def _fresh(self, reasoning: Reasoning) -> Fresh:
        if reasoning.excused:
            return Fresh(None, str(reasoning.failure.message if reasoning.failure else "it was not made"))
        return Fresh(None if reasoning.output is None else self._recorder.measure(reasoning.output))

    def close(self) -> None:
        """End the process."""
        self._engine.close()


class Confirmation:
    """Reasons suspected deals anew, on both sides.

    Args:
        new: The code that is judged.
        old: The code, or the state of the flag, that it replaces.
        runs: How many fresh runs each side makes.
    """

    def __init__(self, new: FreshRuns, old: FreshRuns, runs: int) -> None:
        self._new = new
        self._old = old
        self._count = runs

    def settle(self, result: DealResult, deal: Deal, policy: TypePolicy) -> DealResult:
        """Return *result* as fresh runs leave it; a deal that is no suspect is left alone."""
        if result.status != "regressed" or not is_suspect(result.findings):
            return result
        # The suspect run is number 0, and not among these.
        new = self._new.runs(deal, new_indexes(self._count))
        stopped = next((one.stopped for one in new if one.stopped), "")
        old = [] if stopped else self._old.runs(deal, old_indexes(self._count))
        stopped = stopped or next((one.stopped for one in old if one.stopped), "")
        findings = tuple(
            finding if not finding.gates else self._finding(finding, old, new, policy, deal, stopped)
            for finding in result.findings
        )
        gates = any(finding.gates for finding in findings)
        return replace(result, findings=findings, status="regressed" if gates else "changed")

    def _finding(
        self,
        finding: Finding,
        old: Sequence[Fresh],
        new: Sequence[Fresh],
        policy: TypePolicy,
        deal: Deal,
        stopped: str,
    ) -> Finding:
        if stopped:
            return replace(finding, note=f"not confirmed: a fresh run was not made: {stopped}")
        before, after = (
            [None if one.metrics is None else one.metrics.get(finding.metric) for one in side] for side in (old, new)
        )
        rule = policy[finding.metric]
        return confirmed_finding(finding, before, after, rule, deal, old_side=self._old.words)

    def close(self) -> None:
        """Let go of both sides."""
        self._new.close()
        self._old.close()
