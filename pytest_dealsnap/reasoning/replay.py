"""Replay: the calls of a reasoner to slow, paid services are recorded by captures and played back by gates."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import FunctionType
from typing import Any

from pytest_dealsnap.callables import import_object
from pytest_dealsnap.config import Config, MetricSpec
from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.errors import ConfigError, ReasonerTimeoutError
from pytest_dealsnap.judging.metrics import Metric, compile_metrics
from pytest_dealsnap.judging.paths import parse_path
from pytest_dealsnap.reasoning.calls import Reasoning, excused_by
from pytest_dealsnap.reasoning.reasoner import Reasoner, bind_reasoner
from pytest_dealsnap.reasoning.replay_answers import Tapes
from pytest_dealsnap.reasoning.replay_points import Interception, Point, registered
from pytest_dealsnap.reasoning.replay_tape import CallsMade, RecordedCall, Tape, TapeMode

__all__ = ["Replay", "ReplaySettings", "TapedReasoner", "cost_setting"]

# The replays that catch calls in this process: functions are caught for a whole process.
_HERE: dict[ReplaySettings, Replay] = {}
_TURN = threading.Condition()
# Given a deal's id, its recorded calls; ``None`` where there are none.
Recordings = Callable[[str], Sequence[RecordedCall] | None]


def cost_setting(text: str, place: str) -> Metric | Decimal | None:
    """Return what *text* says a call costs: a number, or a JMESPath expression.

    Raises :class:`ConfigError` for a negative number and for what is neither.
    """
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return compile_metrics([MetricSpec("cost", text, place=place)])[0]
    if not number.is_finite() or number < 0:
        raise ConfigError(f"{place} = {text!r}: a cost must be a number, at least 0, or a path into the answer")
    return number


@dataclass(frozen=True, slots=True)
class ReplaySettings:
    """What is recorded and replayed, as it travels to the processes of an executor."""

    calls: tuple[str, ...]
    root: Path
    drop: tuple[str, ...]
    cost: str
    mode: TapeMode
    free_only: bool
    place: str = "replay.calls"

    @staticmethod
    def of(config: Config, *, capture: bool, only: bool) -> ReplaySettings:
        """Return the settings of a run; *only* makes no call at all."""
        replay = config.replay
        stop = only or replay.on_miss == "stop"
        mode: TapeMode = "record" if capture else "stop" if stop else "ask"
        place = config.place("replay.calls")
        return ReplaySettings(replay.calls, config.root, replay.drop, replay.cost, mode, stop, place)


class Replay:
    """The recorded calls of one run, in one process.

    Raises :class:`ConfigError` for a name in ``replay.calls`` that is no function written in Python.
    """

    def __init__(self, settings: ReplaySettings, recordings: Recordings) -> None:
        self.settings = settings
        self._recordings = recordings
        self._tapes = Tapes(
            tuple(parse_path(path, place="replay.drop") for path in settings.drop),
            cost_setting(settings.cost, "replay.cost"),
            free_only=settings.free_only,
        )
        self._interception = Interception(_points(settings), self._tapes)
        self._begun: dict[str, Tape] = {}
        self._settled: dict[str, CallsMade] = {}
        self._reasoners: dict[int, TapedReasoner] = {}
        self._given: dict[str, Sequence[RecordedCall] | None] = {}
        self._payers: dict[str, Callable[[], None]] = {}
        self.users = 0  # calls of an executor's process that go on

    def pay_when_asked(self, deal_id: str, pay: Callable[[], None]) -> None:
        """Have *pay* called before the first call of the deal that is not replayed."""
        self._payers[deal_id] = pay

    def cost_of(self, deal_id: str) -> Decimal | None:
        """Return what the calls cost that a deal made anew; ``None`` where that is not known."""
        made = self._settled.get(deal_id)
        return None if made is None or made.unpriced or not self.settings.cost else made.cost

    def begin(self) -> None:
        """Catch the calls from now on."""
        self._interception.begin()
        _HERE[self.settings] = self

    def end(self) -> None:
        """Catch no call any more."""
        self._interception.end()
        if _HERE.get(self.settings) is self:
            del _HERE[self.settings]

    def given(self, deal_id: str, recorded: Sequence[RecordedCall] | None) -> None:
        """Take the recorded calls of a deal that another process handed over."""
        self._given[deal_id] = recorded

    def reasoner(self, function: Callable[..., Any]) -> TapedReasoner:
        """Return *function* as a reasoner whose calls are recorded or replayed; the same one for the same function."""
        known = self._reasoners.get(id(function))
        if known is None or known.__wrapped__ is not function:
            call = type(function).__call__
            is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)
            kind = AsyncTapedReasoner if is_async else TapedReasoner
            known = self._reasoners[id(function)] = kind(function, self)
        return known

    def open(self, deal: Deal) -> tuple[Tapes, Tape]:
        """Begin *deal*; raises :class:`CassetteError` for recorded calls that cannot be used."""
        recorded = self._given.pop(deal.key) if deal.key in self._given else self.recording(deal.key)
        tape = Tape(deal.key, recorded, self.settings.mode, before_asking=self._payers.pop(deal.key, None))
        self._begun[deal.key] = tape
        self._tapes.enter(tape)
        return self._tapes, tape

    def recording(self, deal_id: str) -> Sequence[RecordedCall] | None:
        """Return what may be replayed of a deal: nothing where calls are recorded."""
        return None if self.settings.mode == "record" else self._recordings(deal_id)

    def close(self, tape: Tape) -> None:
        """End a deal's call; what it came to waits for :meth:`settle`."""
        self._tapes.leave(tape)
        if self._begun.get(tape.deal_id) is tape:
            del self._begun[tape.deal_id]
            self._settled[tape.deal_id] = tape.close()

    def recorded(self, deal_id: str) -> tuple[RecordedCall, ...] | None:
        """Return the calls of a deal that were made, each only once; ``None`` where none was open."""
        made = self._settled.get(deal_id)
        if made is None:
            return None
        self._settled[deal_id] = replace(made, recorded=())
        return made.recorded

    def settle(self, deal: Deal, reasoning: Reasoning) -> Reasoning:
        """Return *reasoning* with what its calls came to, excused where a call was refused."""
        if reasoning.calls is not None:  # of a process of an executor
            self._settled[deal.key] = reasoning.calls
        else:
            tape = self._begun.get(deal.key)
            if tape is not None:  # given up after its time: what is left behind of it asks nothing any more
                self.close(tape)
        made = self._settled.get(deal.key)
        if made is None:
            return reasoning
        timed_out = reasoning.failure is not None and reasoning.failure.type == ReasonerTimeoutError.__name__
        if made.stopped is not None and not timed_out:
            return replace(excused_by(made.stopped, seconds=reasoning.seconds), calls=made)
        return replace(reasoning, calls=made)


class TapedReasoner:
    """A reasoner whose caught calls are answered by its deal's tape.

    It takes the place of the user's function, whose signature it has. See :func:`bind_reasoner`.
    """

    def __init__(self, function: Callable[..., Any], replay: Replay) -> None:
        self.untaped = self.__wrapped__ = function
        self._replay = replay

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the user's function as it is: without a deal there is no tape."""
        return self.__wrapped__(*args, **kwargs)

    @property
    def replay(self) -> Replay:
        """What answers the caught calls."""
        return self._replay

    def bind_to_tapes(self) -> Reasoner:
        """Return the function bound to deals, each with its tape."""
        return self._bound(bind_reasoner(self.__wrapped__))

    def _bound(self, reasoner: Reasoner) -> Reasoner:
        def reason(deal: Deal) -> Any:
            tapes, tape = self._replay.open(deal)
            token = tapes.within(tape)
            try:
                value = reasoner(deal)
            except BaseException:
                self._replay.close(tape)
                raise
            finally:
                tapes.without(token)
            if inspect.isawaitable(value):
                return self._awaited(tapes, tape, value)
            self._replay.close(tape)
            return value

        return reason

    async def _awaited(self, tapes: Tapes, tape: Tape, value: Any) -> Any:
        token = tapes.within(tape)
        try:
            return await value
        finally:
            tapes.without(token)
            self._replay.close(tape)

    def for_deal(self, deal: Deal) -> RemoteReasoner:
        """Return the reasoner for one deal in another process, with what it may replay."""
        recorded = self._replay.recording(deal.key)
        return RemoteReasoner(self.__wrapped__, self._replay.settings, None if recorded is None else tuple(recorded))


class AsyncTapedReasoner(TapedReasoner):
    """The same of an async function, which event loops tell by its ``__call__``."""

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return await self.__wrapped__(*args, **kwargs)


@dataclass(frozen=True, slots=True)
class RemoteReasoner:
    """One deal's reasoner on its way to a process of an executor."""

    function: Callable[..., Any]
    settings: ReplaySettings
    recorded: tuple[RecordedCall, ...] | None

    def reason_with_tapes(self, deal: Deal, call: Callable[[Callable[..., Any], Deal], Reasoning]) -> Reasoning:
        """Reason *deal* there by *call*; the answer carries what the caught calls came to."""
        replay = self._taken()
        try:
            replay.given(deal.key, self.recorded)
            return replay.settle(deal, call(replay.reasoner(self.function), deal))
        finally:
            with _TURN:
                replay.users -= 1
                _TURN.notify_all()

    def _taken(self) -> Replay:
        """Return what catches the calls in this process, which is the executor's, and may serve several runs.

        A function is caught for one run at a time: calls of another run wait until those that go on have ended.
        """
        with _TURN:
            _TURN.wait_for(lambda: self.settings in _HERE or not any(one.users for one in _HERE.values()))
            replay = _HERE.get(self.settings)
            if replay is None:
                for other in list(_HERE.values()):
                    other.end()
                replay = Replay(self.settings, lambda deal_id: None)
                replay.begin()
            replay.users += 1
            return replay


def _points(settings: ReplaySettings) -> list[Point]:
    """Return what is caught: what the configuration names, and what is decorated, each once."""
    found: dict[int, Point] = {}
    for spec in settings.calls:
        point = _named(spec, settings)
        found.setdefault(id(point.function), point)
    for function in registered():
        if id(function) not in found:
            found[id(function)] = Point.of(function, bound=_is_bound(function))
    return list(found.values())


def _is_bound(function: FunctionType) -> bool:
    """Whether a decorated function is a method: its first argument is an object or a class."""
    owner = function.__qualname__.rpartition(".")[0]
    first = next(iter(inspect.signature(function).parameters), "")
    return bool(owner) and not owner.endswith("<locals>") and first in ("self", "cls")


def _named(spec: str, settings: ReplaySettings) -> Point:
    import_object(spec, root=settings.root, place=settings.place)  # says what is wrong with a name
    module_name, _, path = spec.partition(":")
    owner: Any = __import__(module_name, fromlist=["*"])
    *owners, name = path.split(".")
    for part in owners:
        owner = getattr(owner, part)
    found = inspect.getattr_static(owner, name)
    wrong = f"{settings.place}: {spec!r}"
    is_class = inspect.isclass(owner)
    if is_class and name not in vars(owner):
        home = next(base for base in owner.__mro__ if name in vars(base))
        there = f"{home.__module__}:{home.__qualname__}.{name}"
        raise ConfigError(f"{wrong} is inherited: name it where it is defined, {there}")
    if isinstance(found, (staticmethod, classmethod)):
        bound, found = isinstance(found, classmethod), found.__func__
    else:
        bound = is_class
    if inspect.isclass(found):
        raise ConfigError(f"{wrong} is a class: name its method, such as {spec}.complete")
    if not isinstance(found, FunctionType):
        inner = getattr(found, "__wrapped__", None)
        below = f", a decorator around {inner.__qualname__}" if isinstance(inner, FunctionType) else ""
        kind = f"{type(found).__module__}.{type(found).__qualname__}".removeprefix("builtins.")
        raise ConfigError(
            f"{wrong} is {kind}{below}, and only functions written in Python are recorded: "
            "name the function that it calls, or one around it"
        )
    return Point.of(found, bound=bound)
