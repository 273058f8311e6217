"""Many calls under way at once: threads for sync reasoners, one event loop for async ones.

:class:`Prefetch` keeps a bounded window of deals begun, in the order in which they will be asked
for. A hung call is given up after the time-out, and a fresh thread takes its place.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import queue
import threading
import time
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import Future, InvalidStateError
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import partial
from typing import Any, Protocol

from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.reasoning.calls import GRACE, USUAL, Reasoning, failure_of, reasoning_of, timed_out, within
from pytest_dealsnap.reasoning.environment import Environment
from pytest_dealsnap.reasoning.loops import LAST_WORDS
from pytest_dealsnap.reasoning.reasoner import Reasoner

__all__ = ["CallEngine", "LocalEngine", "Prefetch"]


class CallEngine(Protocol):
    """What makes calls in the background. A begun call is named by the ticket that :meth:`begin` returns."""

    def begin(self, function: Callable[..., Any], reasoner: Reasoner, deal: Deal) -> Any:
        """Begin reasoning *deal* as soon as there is room; *reasoner* is the user's *function*, bound."""

    def finish(self, ticket: Any) -> Reasoning:
        """Wait for a begun call and return what it came to."""

    def under_way(self) -> int:
        """Return how many calls are running right now."""

    def close(self) -> None:
        """Drop what has not begun, give up what runs, without waiting for it."""


class Prefetch:
    """A window of deals whose calls were begun before their tests ran."""

    def __init__(self, engine: CallEngine, *, window: int) -> None:
        self.engine = engine
        self._window = window
        self._begun: dict[Hashable, tuple[Deal, Any]] = {}

    @property
    def full(self) -> bool:
        """Whether the window has no room: finished calls that nobody fetched count, so memory is bounded."""
        return len(self._begun) >= self._window

    def __contains__(self, key: Hashable) -> bool:
        return key in self._begun

    def begin(
        self, function: Callable[..., Any], reasoner: Reasoner, deal: Deal, *, key: Hashable | None = None
    ) -> None:
        """Begin reasoning *deal*; *key* is what the call is asked for by, the deal's id if there is none."""
        self._begun[deal.key if key is None else key] = (deal, self.engine.begin(function, reasoner, deal))

    def deal(self, deal_id: str) -> Deal | None:
        """Return the deal whose call was begun, ``None`` where none was."""
        begun = self._begun.get(deal_id)
        return begun[0] if begun is not None else None

    def finish(self, key: Hashable) -> Reasoning:
        """Wait for the begun call of *key*; its place in the window is free again."""
        _, ticket = self._begun.pop(key)
        return self.engine.finish(ticket)


class _Call:
    """One call in the context of its begin: its future, and since when it runs."""

    __slots__ = ("compute", "context", "future", "loop", "started")

    def __init__(self, compute: Callable[[], Any]) -> None:
        self.context = contextvars.copy_context()
        self.compute: Callable[[], Any] = partial(self.context.run, compute)
        self.future: Future[Reasoning] = Future()
        self.started: float | None = None
        self.loop: _EventLoop | None = None

    def settle(self, reason: Callable[[], Reasoning]) -> bool:
        """Answer the call by *reason*, whatever it raises; false where the call was given up meanwhile."""
        try:
            reasoning = reason()
        except BaseException as error:  # a call's own, here: the user's Ctrl-C reaches the main thread
            reasoning = Reasoning(failure=failure_of(error))
        try:
            self.future.set_result(reasoning)
        except InvalidStateError:
            return False
        return True


class LocalEngine:
    """Threads and one event loop in this process: *workers* calls at once, each within *timeout* seconds."""

    def __init__(self, *, workers: int, timeout: float | None, environment: Environment = USUAL) -> None:
        self._workers = workers
        self._timeout = timeout
        self._environment = environment
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._running: set[_Call] = set()
        self._lock = threading.Lock()
        self._threads = 0
        self._loop: _EventLoop | None = None

    def begin(self, function: Callable[..., Any], reasoner: Reasoner, deal: Deal) -> _Call:
        """Begin a call; an ``async def`` goes to the event loop, anything else to a thread."""
        call = _Call(partial(reasoner, deal))
        if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__):
            self._event_loop().begin(call)
            return call
        self._calls.put(call)
        if self._threads < self._workers:
            self._start_thread()
        return call

    def finish(self, ticket: _Call) -> Reasoning:
        """Wait for the call, and meanwhile give up every call that has run out of time."""
        while True:
            try:
                return ticket.future.result(timeout=self._until_next_deadline())
            except FutureTimeoutError:
                self._give_up_late_calls()

    def under_way(self) -> int:
        """Return how many calls are running right now."""
        with self._lock:
            running = len(self._running)
        return running + (self._loop.running if self._loop is not None else 0)

    def close(self) -> None:
        """Drop what waits, and let the threads end; hung ones are daemons and keep nothing from ending."""
        while True:
            try:
                self._calls.get_nowait()
            except queue.Empty:
                break
        for _ in range(self._threads):
            self._calls.put(None)
        if self._loop is not None:
            self._loop.close()

    def _start_thread(self) -> None:
        self._threads += 1
        threading.Thread(target=self._work, name=f"dealsnap-reasoner-{self._threads}", daemon=True).start()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call.started = time.monotonic()
            with self._lock:
                self._running.add(call)
            if not call.settle(partial(self._ended, call)):
                return  # another thread has taken this one's place

    def _ended(self, call: _Call) -> Reasoning:
        try:
            return reasoning_of(partial(self._value, call), environment=self._environment)
        finally:
            with self._lock:
                self._running.discard(call)

    def _value(self, call: _Call) -> Any:
        value = call.compute()
        return call.context.run(self._event_loop().value_of, value) if inspect.isawaitable(value) else value

    def _event_loop(self) -> _EventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = _EventLoop(self._workers, self._timeout, self._environment)
            return self._loop

    def _until_next_deadline(self) -> float | None:
        if self._timeout is None:
            return None
        with self._lock:
            started = [call.started for call in self._running if call.started is not None]
        if self._loop is not None:
            started += [call.started + GRACE for call in self._loop.open_calls() if call.started is not None]
        oldest = min(started, default=time.monotonic())
        return max(oldest + self._timeout - time.monotonic(), 0.0) + 0.01

    def _give_up_late_calls(self) -> None:
        if self._timeout is None:
            return
        now = time.monotonic()
        with self._lock:
            late = [c for c in self._running if c.started is not None and now - c.started >= self._timeout]
            self._running.difference_update(late)
        for call in late:
            if call.settle(
                partial(timed_out, self._timeout)
            ):  # else it answered at the last moment, and its thread goes on
                self._start_thread()
        self._give_up_blocked_loop(now, self._timeout)

    def _give_up_blocked_loop(self, now: float, timeout: float) -> None:
        """Leave an event loop behind on which a call did not even end itself; its waiting calls get a new one."""
        loop = self._loop
        if loop is None:
            return
        calls = loop.open_calls()
        late = [c for c in calls if c.started is not None and now - c.started >= timeout + GRACE]
        if not late:
            return
        with self._lock:
            self._loop = None
        loop.abandon()
        for call in calls:
            if call.started is None:
                self._event_loop().begin(call)
            else:
                call.settle(partial(timed_out, timeout))


class _EventLoop:
    """One event loop in a thread of its own, on which at most *workers* calls run at once."""

    def __init__(self, workers: int, timeout: float | None, environment: Environment) -> None:
        self._timeout = timeout
        self._environment = environment
        self._room = asyncio.Semaphore(workers)
        self._loop = asyncio.new_event_loop()
        self._begun: dict[Future[None], _Call] = {}
        self.running = 0
        self._ending = False
        self._thread = threading.Thread(target=self._serve, name="dealsnap-event-loop", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        try:
            while not self._ending:  # a reasoner that stops the loop would leave all other calls without an answer
                self._loop.run_forever()
        finally:
            self._loop.close()

    def abandon(self) -> None:
        """Let the loop end by itself, should the call that blocks it ever come back."""
        self._ending = True
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop)

    def begin(self, call: _Call) -> None:
        """Begin an async call as soon as there is room."""
        call.loop = self
        begun = asyncio.run_coroutine_threadsafe(self._run(call), self._loop)
        self._begun[begun] = call  # an event loop itself holds its tasks but weakly
        begun.add_done_callback(partial(self._done, call))

    def _done(self, call: _Call, begun: Future[None]) -> None:
        """Forget *call*; one that another call cancelled while it waited for its turn is begun again."""
        self._begun.pop(begun, None)
        if begun.cancelled() and call.loop is self and not self._ending:
            if call.started is None:
                self.begin(call)
            else:
                call.settle(partial(_raise, asyncio.CancelledError()))

    def open_calls(self) -> list[_Call]:
        """Return the calls that were begun and have not ended."""
        return [call for call in list(self._begun.values()) if not call.future.done()]

    def value_of(self, value: Awaitable[Any]) -> Any:
        """Wait, in another thread, for what a sync function returned to be awaited."""

        async def wait() -> Callable[[], Any]:
            try:
                answer = await within(value, None)
            except asyncio.CancelledError:
                raise
            except BaseException as error:  # an interrupt that leaves a task would end its event loop
                return partial(_raise, error)
            return partial(_given, answer)

        return asyncio.run_coroutine_threadsafe(wait(), self._loop).result()()

    async def _run(self, call: _Call) -> None:
        async with self._room:
            if call.loop is not self:
                return  # begun anew on another loop while this one was blocked
            self.running += 1
            answer: Callable[[], Any]
            call.started = time.monotonic()
            started = time.perf_counter()
            try:
                value = await within(call.compute(), self._timeout)
            except BaseException as error:
                answer = partial(_raise, error)
            else:
                answer = partial(_given, value)
            self.running -= 1
            call.settle(partial(reasoning_of, answer, started=started, environment=self._environment))

    def close(self) -> None:
        """Cancel what runs and stop the loop; a call that blocks it, or will not be cancelled, is left behind."""
        self._ending = True
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop)
        self._thread.join(timeout=2 * LAST_WORDS)

    async def _stop(self) -> None:
        calls = asyncio.all_tasks() - {asyncio.current_task()}
        for call in calls:
            call.cancel()
        try:
            if calls:
                await asyncio.wait(calls, timeout=LAST_WORDS)
        finally:
            self._loop.call_soon(self._loop.stop)


def _given(value: Any) -> Any:
    return value


def _raise(error: BaseException) -> Any:
    raise error
