"""The calls that deals are asked for: which, as data, and their outputs, each computed once and kept while needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from pytest_dealsnap.callables import import_object
from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.deal import Deal, DealRef, LazyFields
from pytest_dealsnap.deals.selection import Entry
from pytest_dealsnap.deals.window import ReadAhead
from pytest_dealsnap.errors import ReasonerError, SourceError, WrongDatabaseError
from pytest_dealsnap.reasoning.calls import Reasoning, excused, excused_by
from pytest_dealsnap.reasoning.copies import NamedReasoner
from pytest_dealsnap.reasoning.engine import Engine
from pytest_dealsnap.reasoning.environment import Environment
from pytest_dealsnap.reasoning.executors import ExecutorLane
from pytest_dealsnap.reasoning.loops import Home
from pytest_dealsnap.reasoning.reasoner import needs_type

if TYPE_CHECKING:
    from pytest_dealsnap.deals.reasoner_database import ReasonerDatabases
    from pytest_dealsnap.plugin.options import Mode

__all__ = ["Asked", "CallPlan", "CallQueue", "Order", "Outputs", "engine_of", "executor_factory", "variant_key"]

# Given the entry whose turn it is, the entries from it on, as far as this process knows them.
Order = Callable[[Entry], Iterator[Entry]]

# Calls handed to an executor beyond --dealsnap-workers: a cluster has its own idea of how many run at once.
EXECUTOR_WINDOW = 64
# Deals whose calls on the copies are begun before their turn, so that no copy's process waits for this one.
COPIES_AHEAD = 3


def variant_key(deal_id: str, deal_type: str) -> str:
    """Return what names a deal's output under another type; no id holds a NUL beside a deal type."""
    return f"{deal_id}\0{deal_type}"


@dataclass(frozen=True, slots=True)
class Asked:
    """One call that a deal is asked for.

    ``key`` names its output in the run; ``deal_type`` is the type that it is made under, ``None`` for the deal's own;
    ``on_copy`` says that it is made in the process of that type's scratch copy.
    """

    key: str
    deal_type: str | None = None
    on_copy: bool = False


@dataclass(frozen=True, slots=True)
class CallPlan:
    """Which calls each deal is asked for: one, or, with ``words``, one under each type.

    ``words`` are the types with their spellings in the database's ``column``; ``copies`` says that all types but the
    deal's own are computed on scratch copies.
    """

    words: Mapping[str, str] = field(default_factory=dict)
    column: str | None = None
    copies: bool = False

    def calls(self, ref: DealRef) -> tuple[Asked, ...]:
        """Return the calls of one deal, in the order in which they are made: the one under its own type first."""
        others = (name for name in self.words if name != ref.deal_type)
        return Asked(ref.id), *(Asked(variant_key(ref.id, name), name, self.copies) for name in others)

    def variant(self, deal: Deal, asked: Asked) -> Deal:
        """Return *deal* as the call gets it: as one of another type, in its column too."""
        name = asked.deal_type
        if name is None:
            return deal
        word, column = self.words[name], self.column

        def fields() -> Mapping[str, Any]:
            stored = deal.fields.stored() if isinstance(deal.fields, LazyFields) else deal.fields
            return {**stored, column: word} if column else stored

        return replace(deal, deal_type=name, stored_type=word, fields=LazyFields(fields, base=deal.fields))


class Outputs:
    """Reasonings by key and reasoner, each kept until the last test that needs it: never a hundred thousand at once."""

    def __init__(self) -> None:
        self._wanted: Counter[str] = Counter()
        self._kept: dict[str, tuple[Callable[..., Any], Reasoning]] = {}

    def want(self, key: str) -> None:
        """Announce one test that will ask for the output *key*."""
        self._wanted[key] += 1

    def has(self, key: str) -> bool:
        """Whether the output *key* is at hand."""
        return key in self._kept

    def renew(self, key: str) -> None:
        """Have the output *key* computed anew for one test more than was announced."""
        self._kept.pop(key, None)
        if self._wanted:
            self._wanted[key] += 1

    def get(self, key: str, function: Callable[..., Any], compute: Callable[[], Reasoning]) -> Reasoning:
        """Return the reasoning *key* by *function*, computing it where it is not at hand."""
        if not self._wanted:
            return compute()
        kept = self._kept.get(key)
        reasoning = kept[1] if kept is not None and kept[0] is function else compute()
        self._wanted[key] -= 1
        if self._wanted[key] > 0:
            self._kept[key] = (function, reasoning)
        else:
            self._kept.pop(key, None)
            del self._wanted[key]
        return reasoning


def executor_factory(config: Config) -> Callable[..., Any] | None:
    """Import the factory that the setting ``executor`` names; raises ``ConfigError`` for a bad name."""
    if config.executor is None:
        return None
    return import_object(config.executor, root=config.root, place=config.place("executor"))


def engine_of(
    config: Config,
    environment: Environment,
    *,
    on_lost: Callable[[Deal], bool] | None = None,
    window: int | None = None,
) -> Engine:
    """Return the engine that the configuration asks for: here, in threads, or of an executor.

    Args:
        config: The settings ``workers``, ``timeout`` and ``executor``.
        environment: Tells failures of the reasoner's environment from its own.
        on_lost: Told of a call that was lost with an executor's process; whether it is made again.
        window: How many calls may be begun before they are asked for; ``None`` for the engine's own number.
    """
    factory = executor_factory(config)
    if factory is None:
        return Engine(workers=config.workers, timeout=config.timeout, environment=environment, window=window)
    lane = ExecutorLane(factory, spec=str(config.executor), timeout=config.timeout, environment=environment)
    lane.on_lost = on_lost
    return Engine(lane=lane, window=window or max(config.workers, EXECUTOR_WINDOW))


class CallQueue:
    """Rows are read, and calls begun, in the order in which the deals will run.

    Attributes:
        order: Tells that order.
        shared: The reasoner that all deals have in common, where the fixture ``deal_reasoner`` is of session scope:
            only its calls can be begun ahead.
        plan: Which calls each deal is asked for.
        copy_engine: Makes the engine of one type's scratch copy.
        homes: Tells the event loop of the fixture that a reasoner comes from.
        databases: Sees which databases the reasoner reads, where that is watched.
        window: How many calls may be begun before their deals' turns; ``None`` for the engine's own number.
        begins_ahead: Whether calls may be begun before their deals' turns; not once the verdict is decided.
        on_lost: Told of a paid call that was lost with an executor's process, whether it is made again.
    """

    def __init__(self, config: Config, mode: Mode, rows: ReadAhead, plan: CallPlan | None = None) -> None:
        self._config = config
        self._mode = mode
        self._rows = rows
        self._environment = Environment(config.environment_errors)
        self._fetched: dict[str, Deal] = {}
        self._copies: dict[str, Engine] = {}
        self.outputs = Outputs()
        self.order: Order = lambda entry: iter((entry,))
        self.shared: Callable[..., Any] | None = None
        self.plan = plan or CallPlan()
        self.copy_engine: Callable[[str, Environment], Engine] | None = None
        self.homes: Callable[[Callable[..., Any]], Home | None] = lambda function: None
        self.databases: ReasonerDatabases | None = None
        self.window: int | None = None
        self.begins_ahead = True
        self.on_lost: Callable[[Deal], bool] | None = None

    @cached_property
    def _engine(self) -> Engine:
        engine = engine_of(self._config, self._environment, on_lost=self.on_lost, window=self.window)
        engine.homes = self.homes
        return engine

    def prepare(self) -> None:
        """Make the executor now, if one was asked for: a bad one is refused before the first deal."""
        if self._config.executor is not None:
            _ = self._engine

    @property
    def _engines(self) -> list[Engine]:
        """The engines that were made: asking must not start one."""
        made = self.__dict__.get("_engine")
        return [*self._copies.values(), *([made] if made is not None else [])]

    @property
    def under_way(self) -> int:
        """How many calls are running right now."""
        return sum(engine.under_way() for engine in self._engines)

    def has_begun(self, entry: Entry) -> bool:
        """Whether the deal's call was begun, or its output is at hand."""
        return any(
            self.outputs.has(asked.key) or any(asked.key in engine for engine in self._engines)
            for asked in self.plan.calls(entry.ref)
        )

    def reason(self, entry: Entry, function: Callable[..., Any]) -> tuple[Deal, dict[Asked, Reasoning]]:
        """Return *entry*'s deal and what each of its calls came to.

        Raises :class:`SourceError` where the row cannot be read.
        """
        deal = self.begin(entry, function)
        return deal, {asked: self.finish(deal, function, asked) for asked in self.plan.calls(entry.ref)}

    def begin(self, entry: Entry, function: Callable[..., Any]) -> Deal:
        """Read *entry*'s row, begin its calls and those of the deals that will run next.

        Raises :class:`SourceError` where the row cannot be read.
        """
        if self.plan.copies:
            self._begin_on_copies(entry)
        elif self.begins_ahead and self._engine.ahead and function is self.shared:
            self._begin_ahead(entry, function)
        return self._fetched.pop(entry.ref.id, None) or self._rows.fetch(entry.ref)

    def _begin_ahead(self, entry: Entry, function: Callable[..., Any]) -> None:
        engine = self._engine
        for following in self.order(entry):
            ref = following.ref
            if not self._will_call(following):
                continue
            wanted = [a for a in self.plan.calls(ref) if a.key not in engine and not self.outputs.has(a.key)]
            if not wanted:
                continue
            if engine.full:
                break
            try:
                deal = self._fetched[ref.id] = self._rows.fetch(ref)
                for asked in wanted:
                    engine.begin(asked.key, function, self.plan.variant(deal, asked))
            except SourceError:
                continue  # asked again, and reported, when the deal's own turn comes

    def _will_call(self, entry: Entry) -> bool:
        reasoned = self._mode != "gate" or entry.kind == "present"
        return reasoned and entry.kind != "missing" and entry.ref.copies == 1

    def _begin_on_copies(self, entry: Entry) -> None:
        function = NamedReasoner(str(self._config.reasoner), self._config.root)
        for following in islice(self.order(entry), COPIES_AHEAD):
            ref = following.ref
            for asked in self.plan.calls(ref) if ref.copies == 1 else ():
                if asked.deal_type is not None and asked.key not in (engine := self._copy(asked.deal_type)):
                    word = self.plan.words[asked.deal_type]
                    engine.begin(asked.key, function, Deal(ref.key, None, asked.deal_type, word))

    def _copy(self, deal_type: str) -> Engine:
        if deal_type not in self._copies:
            assert self.copy_engine is not None
            self._copies[deal_type] = self.copy_engine(deal_type, self._environment)
        return self._copies[deal_type]

    def finish(self, deal: Deal, function: Callable[..., Any], asked: Asked | None = None) -> Reasoning:
        """Return what one call of *deal* came to, computed once while anybody still needs it."""
        call = Asked(deal.key) if asked is None else asked
        return self.outputs.get(call.key, function, lambda: self._read_rightly(deal, function, call))

    def again(self, deal: Deal, function: Callable[..., Any]) -> Reasoning:
        """Return what one more call of *deal* comes to, which nobody else asks for."""
        return self._read_rightly(deal, function, Asked(deal.key))

    def finish_as(self, deal: Deal, function: Callable[..., Any]) -> Reasoning:
        """Return the reasoning of a deal that was given another type than its own.

        Raises :class:`ReasonerError` for a reasoner that would not notice.
        """
        if not needs_type(function):
            raise ReasonerError(
                "the reasoner takes neither the deal nor its type, so that its output is the same under every type: "
                "let it take deal_type or the whole deal"
            )
        return self.finish(deal, function, Asked(variant_key(deal.key, deal.deal_type)))

    def _read_rightly(self, deal: Deal, function: Callable[..., Any], asked: Asked) -> Reasoning:
        """Return the reasoning of *deal*, excused where the reasoner was seen to read another database."""
        databases = self.databases
        if databases is None:
            return excused(deal, self._call(deal, function, asked))
        databases.watch()
        reasoning = excused(deal, self._call(deal, function, asked))
        try:
            databases.check()
        except WrongDatabaseError as error:
            return excused_by(error, seconds=reasoning.seconds)
        return reasoning

    def _call(self, deal: Deal, function: Callable[..., Any], asked: Asked) -> Reasoning:
        if asked.on_copy:
            return self._copy(str(asked.deal_type)).finish(asked.key)
        if asked.key in self._engine:
            return self._engine.finish(asked.key)
        variant = self.plan.variant(deal, asked)
        try:
            return excused(variant, self._engine(function, variant))
        except SourceError as error:  # its row goes with it to an executor, and is read for that
            return excused_by(error)

    def close(self) -> None:
        """Let go of threads, loops and executors, without waiting for what still runs."""
        for engine in self._engines:
            engine.close()
        if self.databases is not None:
            self.databases.close()
