"""A matrix run: each deal is reasoned under every type, and its outputs are judged beside each other.

No baseline takes part, so none is needed, and none is changed.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import Any

from pytest_dealsnap.baseline.recording import duplicated
from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.deal import Deal, DealRef
from pytest_dealsnap.deals.selection import Entry
from pytest_dealsnap.deals.types import DealTypes
from pytest_dealsnap.deals.window import ReadAhead
from pytest_dealsnap.errors import ConfigError, ReasonerError, SourceError
from pytest_dealsnap.judging.matrix import Side, judge_matrix
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import DealResult, Failure, Finding, Kind
from pytest_dealsnap.pipeline.calls_asked import COPIES_AHEAD, CallPlan, CallQueue
from pytest_dealsnap.pipeline.gate import Judged, canonical_finding
from pytest_dealsnap.plugin.run import Run
from pytest_dealsnap.plugin.unjudged import NotJudgedError
from pytest_dealsnap.reasoning.calls import Reasoning, excused_by, failure_of
from pytest_dealsnap.reasoning.copies import copy_engine
from pytest_dealsnap.reasoning.engine import Engine
from pytest_dealsnap.reasoning.environment import Environment
from pytest_dealsnap.reasoning.reasoner import import_reasoner, needs_type
from pytest_dealsnap.rehearsal.guard import guard_original
from pytest_dealsnap.rehearsal.type_copies import guard_variables, type_copies, type_words

__all__ = ["MatrixRun"]


class MatrixRun(Run):
    """The state of a matrix run in one process."""

    def __init__(self, config: Config, *, details: bool = False) -> None:
        if len(config.deals.types) < 2:
            raise ConfigError(f"--dealsnap-matrix needs two types to compare; {config.place('deals.types')} has one")
        super().__init__(config, "matrix", details=details)
        self._types = DealTypes.of(config.deals)
        self._copies = ExitStack()

    @property
    def judged_paths(self) -> Mapping[str, str]:
        return self.matrix_rules.texts

    def prepare(self, *, reasoner_overridden: bool, only_listed: bool) -> None:
        """Make a scratch copy for each type where the configured reasoner is given nothing that tells it one."""
        if self.config.reasoner is None or reasoner_overridden or only_listed or not self.plan.entries:
            return
        if needs_type(import_reasoner(self.config)):
            return
        if self.config.executor is not None:
            raise ConfigError(
                f"{self.config.place('executor')}: the reasoner takes neither the deal nor its type, so that "
                "--dealsnap-matrix runs it on scratch copies, in processes of its own. Let it take deal_type, or leave "
                "the executor out"
            )
        self._copies.enter_context(_terminated_as_interrupted())
        copies = self._copies.enter_context(type_copies(self.config, self._words))
        self.start(replace(self.plan, copies=copies))  # for the other processes of this run
        self.calls.plan = self._call_plan()

    @cached_property
    def _words(self) -> dict[str, str]:
        return type_words((entry.ref for entry in self.plan.entries), self._types)

    def _call_plan(self) -> CallPlan:
        return CallPlan(self._words, self.config.deals.type, copies=bool(self.plan.copies))

    @cached_property
    def calls(self) -> CallQueue:
        """The calls of each deal: one under each type."""
        calls = CallQueue(self.config, "matrix", ReadAhead(self.source, self.plan.entries), self._call_plan())
        calls.copy_engine = self._copy_engine
        calls.homes = lambda function: self.home_of(function)
        return calls

    def _copy_engine(self, deal_type: str, environment: Environment) -> Engine:
        url = self.plan.copies[deal_type]
        return copy_engine(
            {self.config.rehearsal.database_env: url, **guard_variables(self.config, url)},
            timeout=self.config.timeout,
            window=COPIES_AHEAD,
            environment=environment,
            first=guard_original,
        )

    def perform(self, entry: Entry, reasoner: Callable[[], Callable[..., Any]]) -> Judged:
        """Reason one deal under every type and judge what came out."""
        ref = entry.ref
        if ref.copies > 1:
            failure = duplicated(ref, gate=True)
            return Judged(_unjudged(ref, failure, corrupt=failure.message))
        function = reasoner()
        try:
            self._refuse_without_type(function)
            deal, outputs = self.calls.reason(entry, function)
        except ReasonerError as error:
            return Judged(_unjudged(ref, failure_of(error)))
        except SourceError as error:
            raise NotJudgedError.of(excused_by(error)) from error
        found = {asked.deal_type or ref.deal_type: reasoning for asked, reasoning in outputs.items()}
        reasonings = {name: found[name] for name in self._words}
        for reasoning in reasonings.values():
            if reasoning.excused:
                raise NotJudgedError.of(reasoning)
        if any(reasoning.failure is not None for reasoning in reasonings.values()):
            self.refuse_moved(ref)
        judged = Judged(self._judged(ref, deal, reasonings), reasoning=_told(reasonings))
        return self.judging.settle(judged, lambda: deal.fields)

    def _refuse_without_type(self, function: Callable[..., Any]) -> None:
        if needs_type(function) or (self.plan.copies and function is import_reasoner(self.config)):
            return
        raise ReasonerError(
            "the fixture deal_reasoner returns a reasoner that takes neither the deal nor its type, and it cannot be "
            "moved to a scratch copy of the database. Let it take deal_type or the whole deal; or name one in "
            'reasoner = "module:callable", which runs on copies whose type column was changed'
        )

    def _judged(self, ref: DealRef, deal: Deal, reasonings: Mapping[str, Reasoning]) -> DealResult:
        sides = {name: self._side(name, ref, reasoning) for name, reasoning in reasonings.items()}
        judgement = judge_matrix(sides, self.matrix_rules, metrics=self.recorder.metrics, deal=deal)
        failed = next(((name, side.error) for name, side in sides.items() if side.error is not None), None)
        return DealResult(
            ref.id,
            deal.name,
            ref.deal_type,
            ref.stored_type,
            judgement.status,
            seconds=sum(reasoning.seconds for reasoning in reasonings.values()),
            findings=tuple(canonical_finding(self._placed(finding)) for finding in judgement.findings),
            error=Failure(failed[1].type, f"as {failed[0]}: {failed[1].message}") if failed else None,
            absent_metrics=judgement.idle,
        )

    def _placed(self, finding: Finding) -> Finding:
        """Return *finding* with what else may be the cause of a type that has no effect: another database is read."""
        if finding.kind is not Kind.NO_EFFECT or not self.plan.copies:
            return finding
        variable = self.config.rehearsal.database_env
        return replace(
            finding,
            note=f"the reasoner ran on scratch copies, to which {variable} leads: does it read its database there?",
        )

    def _side(self, name: str, ref: DealRef, reasoning: Reasoning) -> Side:
        if reasoning.output is None:
            return Side(error=reasoning.failure or Failure("Error", ""))
        words = {name, self._words[name], *(alias for alias, target in self._types.aliases.items() if target == name)}
        if name == ref.deal_type and ref.stored_type is not None:
            words.add(ref.stored_type)
        return Side(reasoning.output, self.recorder.recorded_output(reasoning.output), words=frozenset(words))

    def close(self) -> None:
        """Let go of everything, then of the copies."""
        try:
            super().close()
        finally:
            self._copies.close()


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM end the run as Ctrl-C does: pytest takes any other exception for a failed test, and goes on."""
    listens = threading.current_thread() is threading.main_thread()
    if not listens or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _told(reasonings: Mapping[str, Reasoning]) -> Reasoning:
    """Return the reasoning whose traceback is shown: the first that failed, else the first."""
    failed = (reasoning for reasoning in reasonings.values() if reasoning.failure is not None)
    return next(failed, next(iter(reasonings.values())))


def _unjudged(ref: DealRef, failure: Failure, *, corrupt: str | None = None) -> DealResult:
    """Return the result of a deal that could not be judged; what counts as corruption counts here too."""
    facts = (ref.id, None, ref.deal_type, ref.stored_type, "errored")
    return DealResult(*facts, error=failure, corrupt=corrupt, compared=corrupt is not None)
