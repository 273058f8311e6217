"""What answers a caught call: the tape of the deal that the call is a deal's, or the function itself."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Generator, Iterator
from contextlib import aclosing
from contextvars import ContextVar
from decimal import Decimal, InvalidOperation
from typing import Any

from pytest_dealsnap.errors import ReplayError
from pytest_dealsnap.judging.metrics import Metric
from pytest_dealsnap.judging.paths import PathPattern
from pytest_dealsnap.reasoning.replay_codec import TAG, decode_answer, encode_answer, request_key, request_of, untagged
from pytest_dealsnap.reasoning.replay_points import Arguments, Point
from pytest_dealsnap.reasoning.replay_tape import Begun, Tape

__all__ = ["Tapes", "cost_in"]

# The tape of the deal that is under way in this context; ``None`` outside of deals and inside of a caught call.
_TAPE: ContextVar[Tape | None] = ContextVar("dealsnap_tape", default=None)
_INSIDE: ContextVar[bool] = ContextVar("dealsnap_inside", default=False)
STREAM = "stream"


def cost_in(cost: Metric | Decimal | None, answer: Any) -> Decimal | None:
    """Return what a call cost, by its answer in plain values; ``None`` where that is not known."""
    if cost is None or isinstance(cost, Decimal):
        return cost
    value = cost(answer)
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() and found >= 0 else None


class Tapes:
    """The tapes of the deals that are under way in this process, and what answers their calls.

    Args:
        drop: Paths of the arguments that are no part of a request.
        cost: Where an answer says what its call cost, or the cost itself.
        free_only: Whether a call that belongs to no deal is refused.
    """

    def __init__(self, drop: tuple[PathPattern, ...], cost: Metric | Decimal | None, *, free_only: bool) -> None:
        self._drop = drop
        self._cost = cost
        self._free_only = free_only
        self._open: list[Tape] = []
        self._lock = threading.Lock()

    def enter(self, tape: Tape) -> None:
        """Take note of a deal that begins."""
        with self._lock:
            self._open.append(tape)

    def leave(self, tape: Tape) -> None:
        """Take note of a deal that has ended."""
        with self._lock:
            self._open = [one for one in self._open if one is not tape]

    @staticmethod
    def within(tape: Tape) -> Any:
        """Have the calls of this context answered by *tape*; see :meth:`without` for the end."""
        return _TAPE.set(tape)

    @staticmethod
    def without(token: Any) -> None:
        """End what :meth:`within` began."""
        _TAPE.reset(token)

    @staticmethod
    def process_started(program: str) -> None:
        """Take note of a process that is started in the context of a deal; a recorded call may start what it likes."""
        tape = _TAPE.get()
        if tape is not None and not _INSIDE.get():
            tape.process_started(program)

    # --- what answers

    def call(self, point: Point, args: tuple[Any, ...], kwargs: Arguments) -> Any:
        """Answer a plain call; one that returns an awaitable or an iterator is recorded whole."""
        tape = self._tape(point)
        if tape is None:
            return point.original(*args, **kwargs)
        begun = self._begin(tape, point, args, kwargs)
        if begun.found is not None:
            return self._returned(begun.found.response)
        started = time.perf_counter()
        token = _INSIDE.set(True)
        try:
            value = point.original(*args, **kwargs)
        except BaseException:
            tape.failed(begun)
            raise
        finally:
            _INSIDE.reset(token)
        if inspect.isawaitable(value):
            return self._awaited(tape, begun, value, started)
        if isinstance(value, Iterator):
            return self._recorded_stream(tape, begun, value, started, kind="iterator")
        if isinstance(value, AsyncIterator):
            return self._recorded_stream_async(tape, begun, value, started)
        self._made(tape, begun, value, started)
        return value

    async def call_async(self, point: Point, args: tuple[Any, ...], kwargs: Arguments) -> Any:
        """Answer the call of an ``async def``."""
        tape = self._tape(point)
        if tape is None:
            return await point.original(*args, **kwargs)
        begun = self._begin(tape, point, args, kwargs)
        if begun.found is not None:
            return decode_answer(begun.found.response)
        return await self._awaited(tape, begun, point.original(*args, **kwargs), time.perf_counter(), awaitable=False)

    def stream(self, point: Point, args: tuple[Any, ...], kwargs: Arguments) -> Generator[Any, Any, Any]:
        """Answer the call of a generator function."""
        tape = self._tape(point)
        if tape is None:
            return (yield from point.original(*args, **kwargs))
        begun = self._begin(tape, point, args, kwargs)
        if begun.found is not None:
            return (yield from self._played(tape, begun))
        started = time.perf_counter()
        return (yield from self._recorded_stream(tape, begun, point.original(*args, **kwargs), started))

    async def stream_async(self, point: Point, args: tuple[Any, ...], kwargs: Arguments) -> Any:
        """Answer the call of an async generator function."""
        tape = self._tape(point)
        begun = None if tape is None else self._begin(tape, point, args, kwargs)
        if tape is not None and begun is not None and begun.found is not None:
            for item in self._played(tape, begun):
                yield item
            return
        source = point.original(*args, **kwargs)
        if tape is not None and begun is not None:
            source = self._recorded_stream_async(tape, begun, source, time.perf_counter())
        async with aclosing(source) as items:
            async for item in items:
                yield item

    # --- whose call it is

    def _tape(self, point: Point) -> Tape | None:
        """Return the tape that answers; ``None`` where the function itself does."""
        if _INSIDE.get():
            return None  # the call around it is recorded with all that it came to
        tape = _TAPE.get()
        if tape is not None:
            return tape
        with self._lock:
            under_way = list(self._open)
        if len(under_way) == 1:
            return under_way[0]
        if under_way:
            error = ReplayError(
                f"{point.name} was called where nobody can tell whose deal it is of {len(under_way)}: in a thread that "
                "was there before them. Start the thread in the reasoner's call, or gate with --dealsnap-workers 1"
            )
            for one in under_way:
                one.stop(error)
            raise error
        if self._free_only:
            raise ReplayError(f"{point.name} was called outside of any deal, where --dealsnap-replay only asks nothing")
        return None

    def _begin(self, tape: Tape, point: Point, args: tuple[Any, ...], kwargs: Arguments) -> Begun:
        try:
            request = request_of(point.name, point.arguments(args, kwargs), self._drop)
            return tape.begin(point.name, request_key(point.name, request), request)
        except ReplayError as error:
            tape.stop(error)  # whatever the reasoner makes of it
            raise

    # --- recording and playing

    def _made(self, tape: Tape, begun: Begun, value: Any, started: float, *, kind: str = "") -> None:
        seconds = time.perf_counter() - started
        try:
            response = encode_answer(begun.call, value)
        except ReplayError as error:
            tape.stop(error)
            raise
        if kind:
            response = {TAG: kind, "value": response}
        tape.made(begun, response, cost=cost_in(self._cost, untagged(response)), seconds=seconds)

    async def _awaited(
        self, tape: Tape, begun: Begun, value: Awaitable[Any], started: float, *, awaitable: bool = True
    ) -> Any:
        token = _INSIDE.set(True)
        try:
            answer = await value
        except BaseException:
            tape.failed(begun)
            raise
        finally:
            _INSIDE.reset(token)
        self._made(tape, begun, answer, started, kind="awaitable" if awaitable else "")
        return answer

    def _recorded_stream(
        self, tape: Tape, begun: Begun, items: Iterator[Any], started: float, *, kind: str = STREAM
    ) -> Generator[Any, Any, Any]:
        """Yield *items*; a stream that is left early is read to its end first, so that it is recorded whole."""
        seen: list[Any] = []
        try:
            for item in items:
                seen.append(item)
                yield item
        except GeneratorExit:
            seen += items
            self._made(tape, begun, seen, started, kind=kind)
            raise
        except BaseException:
            tape.failed(begun)
            raise
        self._made(tape, begun, seen, started, kind=kind)

    async def _recorded_stream_async(
        self, tape: Tape, begun: Begun, items: AsyncIterator[Any], started: float
    ) -> AsyncGenerator[Any, None]:
        seen: list[Any] = []
        try:
            async for item in items:
                seen.append(item)
                yield item
        except GeneratorExit:
            seen += [item async for item in items]
            self._made(tape, begun, seen, started, kind="async stream")
            raise
        except BaseException:
            tape.failed(begun)
            raise
        self._made(tape, begun, seen, started, kind="async stream")

    @staticmethod
    def _played(tape: Tape, begun: Begun) -> list[Any]:
        assert begun.found is not None
        response = begun.found.response
        if not isinstance(response, dict) or not isinstance(response.get("value"), list):
            error = ReplayError(f"{begun.call} is a stream now, and its recorded answer is not: capture again")
            tape.stop(error)
            raise error
        items: list[Any] = decode_answer(response["value"])
        return items

    @staticmethod
    def _returned(response: Any) -> Any:
        """Return what a plain function returned: the answer, or what is awaited or iterated for it."""
        kind = response.get(TAG) if isinstance(response, dict) else None
        if kind == "awaitable":
            return _later(decode_answer(response["value"]))
        if kind in ("iterator", STREAM):
            return iter(decode_answer(response["value"]))
        if kind == "async stream":
            return _later_items(decode_answer(response["value"]))
        return decode_answer(response)


async def _later(answer: Any) -> Any:
    return answer


async def _later_items(items: list[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item
