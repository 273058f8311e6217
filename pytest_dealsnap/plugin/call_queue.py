"""The reasoner's calls in one process: made at their turn, or begun ahead of it; each output kept while needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pytest_dealsnap.callables import import_object
from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.deals.selection import Entry
from pytest_dealsnap.deals.window import ReadAhead
from pytest_dealsnap.errors import ReasonerError, SourceError, WrongDatabaseError
from pytest_dealsnap.plugin.shared_outputs import Outputs
from pytest_dealsnap.reasoning.calls import Caller, Reasoning, excused, excused_by
from pytest_dealsnap.reasoning.environment import Environment
from pytest_dealsnap.reasoning.executors import ExecutorEngine
from pytest_dealsnap.reasoning.prefetch import CallEngine, LocalEngine, Prefetch
from pytest_dealsnap.reasoning.reasoner import Reasoner, bind_reasoner, needs_type

if TYPE_CHECKING:
    from pytest_dealsnap.deals.reasoner_database import ReasonerDatabases
    from pytest_dealsnap.plugin.options import Mode

__all__ = ["CallQueue", "Order", "executor_factory", "variant_key"]

# Given the entry whose turn it is, the entries from it on, as far as this process knows them.
Order = Callable[[Entry], Iterator[Entry]]

# Calls handed to an executor beyond --dealsnap-workers: a cluster has its own idea of how many run at once.
EXECUTOR_WINDOW = 64
BOUND_KEPT = 64


def variant_key(deal_id: str, deal_type: str) -> str:
    """Return what names a deal's output under another type; no id holds a NUL beside a deal type."""
    return f"{deal_id}\0{deal_type}"


def executor_factory(config: Config) -> Callable[..., Any] | None:
    """Import the factory that the setting ``executor`` names; raises ``ConfigError`` for a bad name."""
    if config.executor is None:
        return None
    return import_object(config.executor, root=config.root, place=config.place("executor"))


class CallQueue:
    """Rows are read, and calls begun, in the order in which the deals will run.

    ``order`` tells that order; ``shared`` is the reasoner that all deals have in common, where the fixture
    ``deal_reasoner`` is of session scope: only its calls can be begun ahead.
    """

    def __init__(self, config: Config, mode: Mode, rows: ReadAhead) -> None:
        self._config = config
        self._mode = mode
        self._rows = rows
        self._environment = Environment(config.environment_errors)
        self._caller = Caller(timeout=config.timeout, environment=self._environment)
        self._bound: dict[int, tuple[Callable[..., Any], Reasoner]] = {}
        self.outputs = Outputs()
        self.order: Order = lambda entry: iter((entry,))
        self.shared: Callable[..., Any] | None = None
        self.databases: ReasonerDatabases | None = None

    @cached_property
    def _ahead(self) -> Prefetch | None:
        config = self._config
        factory = executor_factory(config)
        if factory is not None:
            spec = str(config.executor)
            engine: CallEngine = ExecutorEngine(
                factory, spec=spec, timeout=config.timeout, environment=self._environment
            )
            return Prefetch(engine, window=max(config.workers, EXECUTOR_WINDOW))
        if config.workers > 1:
            engine = LocalEngine(workers=config.workers, timeout=config.timeout, environment=self._environment)
            return Prefetch(engine, window=2 * config.workers)
        return None

    def prepare(self) -> None:
        """Make the executor now, if one was asked for: a bad one is refused before the first deal."""
        if self._config.executor is not None:
            _ = self._ahead

    @property
    def _begun(self) -> Prefetch | None:
        """The calls begun ahead, where any were: asking must not start an engine."""
        ahead: Prefetch | None = self.__dict__.get("_ahead")
        return ahead

    @property
    def under_way(self) -> int:
        """How many calls are running right now."""
        return self._begun.engine.under_way() if self._begun is not None else 0

    def begin(self, entry: Entry, function: Callable[..., Any]) -> Deal:
        """Read *entry*'s row, begin its call and those of the deals that will run next.

        Raises :class:`SourceError` where the row cannot be read.
        """
        ahead = self._ahead
        if ahead is None or function is not self.shared:
            return self._rows.fetch(entry.ref)
        for following in self.order(entry):
            ref = following.ref
            if ref.id in ahead or not self._will_call(following):
                continue
            if ahead.full:
                break
            try:
                ahead.begin(function, self._bind(function), self._rows.fetch(ref))
            except SourceError:
                continue  # asked again, and reported, when the deal's own turn comes
        return ahead.deal(entry.ref.id) or self._rows.fetch(entry.ref)

    def _will_call(self, entry: Entry) -> bool:
        recorded = self._mode == "capture" or entry.kind == "present"
        return recorded and entry.kind != "missing" and entry.ref.copies == 1 and not self.outputs.has(entry.ref.id)

    def finish(self, deal: Deal, function: Callable[..., Any]) -> Reasoning:
        """Return the reasoning of *deal* by *function*, computed once while anybody still needs it."""
        return self.outputs.get(deal.key, function, lambda: self._read_rightly(deal, function))

    def _read_rightly(self, deal: Deal, function: Callable[..., Any]) -> Reasoning:
        """Return the reasoning of *deal*, excused where the reasoner was seen to read another database."""
        databases = self.databases
        if databases is None:
            return excused(deal, self._call(deal, function))
        databases.watch()
        reasoning = excused(deal, self._call(deal, function))
        try:
            databases.check()
        except WrongDatabaseError as error:
            return excused_by(error, seconds=reasoning.seconds)
        return reasoning

    def finish_as(self, deal: Deal, function: Callable[..., Any]) -> Reasoning:
        """Return the reasoning of a deal that was given another type than its own.

        Raises :class:`ReasonerError` for a reasoner that would not notice.
        """
        if not needs_type(function):
            raise ReasonerError(
                "the reasoner takes neither the deal nor its type, so that its output is the same under every type: "
                "let it take deal_type or the whole deal"
            )
        key = variant_key(deal.key, deal.deal_type)
        return self.outputs.get(key, function, lambda: excused(deal, self._caller(self._bind(function), deal)))

    def _call(self, deal: Deal, function: Callable[..., Any]) -> Reasoning:
        ahead = self._ahead
        if ahead is not None and deal.key in ahead:
            return ahead.finish(deal.key)
        if ahead is not None and self._config.executor is not None:
            try:
                ahead.begin(function, self._bind(function), deal)
            except SourceError as error:  # its row goes with it, and is read for that
                return excused_by(error)
            return ahead.finish(deal.key)
        return self._caller(self._bind(function), deal)

    def _bind(self, function: Callable[..., Any]) -> Reasoner:
        known = self._bound.get(id(function))
        if known is None or known[0] is not function:
            if len(self._bound) >= BOUND_KEPT:  # a function-scoped fixture makes a new callable for every deal
                self._bound.clear()
            known = self._bound[id(function)] = (function, bind_reasoner(function))
        return known[1]

    def close(self) -> None:
        """Let go of threads, loops and executors, without waiting for what still runs."""
        if self._begun is not None:
            self._begun.engine.close()
        if self.databases is not None:
            self.databases.close()
        self._caller.close()
