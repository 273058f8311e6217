"""The state of one run in one process: it takes a deal from the source to its result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest

from pytest_dealsnap.baseline.extension import DealAssertion, DealSnapshots, deal_assertion
from pytest_dealsnap.baseline.ledger import Ledger, read_ledger
from pytest_dealsnap.baseline.recording import Capture, Gate, Recorder, duplicated
from pytest_dealsnap.config import Config, import_object
from pytest_dealsnap.deals.deal import Deal, DealRef
from pytest_dealsnap.deals.selection import Entry
from pytest_dealsnap.deals.source import DealSource, open_source
from pytest_dealsnap.deals.window import ReadAhead
from pytest_dealsnap.errors import BaselineError, ConfigError, DealNotFoundError, SourceError
from pytest_dealsnap.judging.findings import DealResult
from pytest_dealsnap.plugin.outputs import Outputs
from pytest_dealsnap.reasoning.ahead import CallEngine, CallsAhead, LocalEngine
from pytest_dealsnap.reasoning.calls import Caller, Reasoning, failure_of
from pytest_dealsnap.reasoning.executors import ExecutorEngine
from pytest_dealsnap.reasoning.reasoner import Reasoner, bind_reasoner

if TYPE_CHECKING:
    from pytest_dealsnap.plugin.options import Mode
    from pytest_dealsnap.plugin.plan import Plan

__all__ = ["RUN", "Order", "Outcome", "Run"]

# Given the entry whose turn it is, the entries from it on, as far as this process knows them.
Order = Callable[[Entry], Iterator[Entry]]

# Calls handed to an executor beyond --dealsnap-workers: a cluster has its own idea of how many run at once.
EXECUTOR_WINDOW = 64


class Run:
    """Everything that judging or recording a deal needs; kept in ``config.stash`` under ``RUN``."""

    def __init__(self, config: Config, mode: Mode) -> None:
        self.config = config
        self.mode = mode
        self.started_at = datetime.now(UTC)
        self.source: DealSource = open_source(config)
        self.snapshots = DealSnapshots(config.snapshots)
        self.recorder = Recorder(config)
        self.gate = Gate(config, self.recorder, self.snapshots)
        self.ledger: Ledger = read_ledger(config.snapshots, today=self.started_at.date(), types=config.deals.types)
        self.caller = Caller(timeout=config.timeout)
        self.outputs = Outputs()
        self._capture = Capture(self.recorder, self.snapshots)
        self.shared_reasoner: Callable[..., Any] | None = None
        self.order: Order = lambda entry: iter((entry,))
        self._plan: Plan | None = None
        self._explained = 0
        self._bound: dict[int, tuple[Callable[..., Any], Reasoner]] = {}

    @property
    def plan(self) -> Plan:
        """The deals of the run; there from the start of the session on."""
        assert self._plan is not None
        return self._plan

    def start(self, plan: Plan) -> None:
        """Take the frozen *plan*, from the database or from xdist's controller."""
        self._plan = plan

    def executor_factory(self) -> Callable[..., Any] | None:
        """Import the factory that the setting ``executor`` names; raises :class:`ConfigError` for a bad name."""
        config = self.config
        if config.executor is None:
            return None
        return import_object(config.executor, root=config.root, place=config.place("executor"))

    @cached_property
    def ahead(self) -> CallsAhead | None:
        """The calls begun before their turn; ``None`` where calls are made one at a time."""
        config = self.config
        factory = self.executor_factory()
        if factory is not None and config.executor is not None:
            engine: CallEngine = ExecutorEngine(factory, spec=config.executor, timeout=config.timeout)
            return CallsAhead(engine, window=max(config.workers, EXECUTOR_WINDOW))
        if config.workers > 1:
            engine = LocalEngine(workers=config.workers, timeout=config.timeout)
            return CallsAhead(engine, window=2 * config.workers)
        return None

    @property
    def under_way(self) -> int:
        """How many calls of the reasoner are running in this process right now."""
        return self._begun_engine.under_way() if self._begun_engine is not None else 0

    @property
    def _begun_engine(self) -> CallEngine | None:
        """The engine of the calls begun ahead, where one was made: xdist's controller calls nothing."""
        ahead: CallsAhead | None = self.__dict__.get("ahead")
        return ahead.engine if ahead is not None else None

    @cached_property
    def rows(self) -> ReadAhead:
        """The rows of the plan's deals, read ahead."""
        return ReadAhead(self.source, self.plan.entries)

    def perform(self, entry: Entry, reasoner: Callable[[], Callable[..., Any]]) -> Outcome:
        """Take one deal through the run; *reasoner* is asked for the callable only where one is called."""
        ref = entry.ref
        if entry.kind == "missing":
            return Outcome(self.gate.missing(ref))
        if self.mode == "gate" and ref.copies > 1:
            failure = duplicated(ref, gate=True)
            facts = (ref.id, None, ref.deal_type, ref.stored_type, "errored")
            return Outcome(DealResult(*facts, error=failure, corrupt=failure.message))
        if self.mode == "gate" and entry.kind == "new":
            return Outcome(self._new(entry))
        deal, reasoning = self._reasoned(entry, reasoner)
        if self.mode == "capture":
            if deal is None and ref.copies == 1:
                return Outcome(self._unread(entry, reasoning))
            return Outcome(self._capture(ref, deal, reasoning), reasoning=reasoning)
        if deal is None and reasoning.failure is not None and reasoning.failure.type == DealNotFoundError.__name__:
            return Outcome(self.gate.missing(ref))
        result, used = self.ledger.apply(self.gate(ref, deal, reasoning))
        return Outcome(result, used, reasoning)

    @staticmethod
    def _unread(entry: Entry, reasoning: Reasoning) -> DealResult:
        """Return the result of a deal that a capture could not read: its snapshot is left as it was."""
        ref = entry.ref
        facts = (ref.id, None, ref.deal_type, ref.stored_type, "errored")
        return DealResult(*facts, error=reasoning.failure, compared=False, reason="it was not recorded")

    def _new(self, entry: Entry) -> DealResult:
        ref = entry.ref
        gates = self.config.deals.new == "fail"
        reason = "not in the baseline; pytest --dealsnap-update --dealsnap-only missing records it"
        return DealResult(
            ref.id,
            None,
            ref.deal_type,
            ref.stored_type,
            "new",
            compared=False,
            reason=reason if not gates else f"{reason} (deals.new = fail)",
        )

    def _reasoned(self, entry: Entry, reasoner: Callable[[], Callable[..., Any]]) -> tuple[Deal | None, Reasoning]:
        """Read the deal's row and reason it; a row that cannot be read is a failure of this deal alone."""
        if entry.ref.copies > 1:
            return None, Reasoning(failure=duplicated(entry.ref, gate=False))
        function = reasoner()
        begun = self._begin_ahead(entry, function)
        try:
            deal = begun or self.rows.fetch(entry.ref)
        except SourceError as error:
            return None, Reasoning(failure=failure_of(error))
        return deal, self.reason(deal, function)

    def _begin_ahead(self, entry: Entry, function: Callable[..., Any]) -> Deal | None:
        """Begin the calls of *entry* and of those that will run next; return *entry*'s deal if it was begun."""
        ahead = self.ahead
        if ahead is None or function is not self.shared_reasoner:
            return None
        for following in self.order(entry):
            ref = following.ref
            if ref.id in ahead or not self._will_call(following):
                continue
            if ahead.full:
                break
            try:
                ahead.begin(function, self.bind(function), self.rows.fetch(ref))
            except SourceError:
                continue  # asked again, and reported, when the deal's own turn comes
        return ahead.deal(entry.ref.id)

    def _will_call(self, entry: Entry) -> bool:
        recorded = self.mode == "capture" or entry.kind == "present"
        return recorded and entry.kind != "missing" and entry.ref.copies == 1 and not self.outputs.has(entry.ref.id)

    def reason(self, deal: Deal, function: Callable[..., Any]) -> Reasoning:
        """Return the reasoning of *deal* by *function*, computed once while anybody still needs it."""
        return self.outputs.get(deal.key, function, lambda: self._call(deal, function))

    def _call(self, deal: Deal, function: Callable[..., Any]) -> Reasoning:
        ahead = self.ahead
        if ahead is not None and deal.key in ahead:
            return ahead.finish(deal.key)
        if ahead is not None and self.config.executor is not None:
            ahead.begin(function, self.bind(function), deal)
            return ahead.finish(deal.key)
        return self.caller(self.bind(function), deal)

    def bind(self, function: Callable[..., Any]) -> Reasoner:
        """Return *function* as a callable of a deal, bound once."""
        known = self._bound.get(id(function))
        if known is None or known[0] is not function:
            known = self._bound[id(function)] = (function, bind_reasoner(function))
            if len(self._bound) > 64:  # a function-scoped fixture makes a new callable for every deal
                self._bound = {id(function): known}
        return known[1]

    def assertion(self, deal: Deal, node: pytest.Item) -> DealAssertion:
        """Return the deal's snapshot as syrupy's assertion; raises an error for a bad or missing one."""
        data = self.snapshots.recall(deal.key)
        if data is None:
            raise BaselineError(
                f"deal {deal.key} has no snapshot in {self.config.snapshots}; "
                "pytest --dealsnap-update --dealsnap-only missing records it"
            )
        recorded = self.snapshots.decode(deal.key, data)
        if recorded.error is not None:
            raise BaselineError(f"the baseline of deal {deal.key} is an error, not an output: {recorded.error}")
        session = getattr(node.config, "_syrupy", None)
        if session is None:
            raise ConfigError("deal_baseline needs syrupy's pytest plugin, which -p no:syrupy turned off")
        return deal_assertion(self.snapshots, recorded, project=self.recorder.project, node=node, session=session)

    def explain_another(self, limit: int) -> bool:
        """Count an explanation; whether it is within *limit* (each costs some milliseconds)."""
        self._explained += 1
        return self._explained <= limit

    def both_outputs(self, ref: DealRef, outcome: Outcome) -> tuple[Any, Any]:
        """Return the recorded and the current output of a deal, each ``None`` where it is not known."""
        data = self.snapshots.recall(ref.id)
        if data is None or outcome.reasoning is None or outcome.reasoning.output is None:
            return None, None
        return self.snapshots.decode(ref.id, data).output, self.recorder.recorded_output(outcome.reasoning.output)

    def close(self) -> None:
        """Bring snapshots to the disk, and let go of connection, loop and thread."""
        self.snapshots.flush()
        if self._begun_engine is not None:
            self._begun_engine.close()
        self.caller.close()
        self.source.close()


class Outcome:
    """A deal's result, which ledger entries matched it, and how it was reasoned."""

    __slots__ = ("reasoning", "result", "used_entries")

    def __init__(
        self, result: DealResult, used_entries: tuple[int, ...] = (), reasoning: Reasoning | None = None
    ) -> None:
        self.result = result
        self.used_entries = used_entries
        self.reasoning = reasoning


RUN = pytest.StashKey[Run]()
