"""The one engine of calls: one after another, or many under way at once, in threads, on event loops, on an executor.

:class:`Engine` keeps a bounded window of calls begun, each asked for by its key. Where a call is made is its lane:
this thread, threads with a shared event loop, or an executor. A hung call is given up after the time-out.
"""

from __future__ import annotations

import inspect
import queue
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import partial
from typing import Any, Protocol

from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.errors import EventLoopError
from pytest_dealsnap.reasoning.calls import GRACE, USUAL, Reasoning, excused_by, reasoning_of, timed_out, within
from pytest_dealsnap.reasoning.environment import Environment
from pytest_dealsnap.reasoning.loops import CallLoop, FixtureLoop, Home, PendingCall, SharedLoop
from pytest_dealsnap.reasoning.reasoner import Reasoner, bind_reasoner

__all__ = ["Engine", "Lane"]

BOUND_KEPT = 64


class Lane(Protocol):
    """Where calls are made. A begun call is named by the ticket that :meth:`begin` returns."""

    def begin(self, function: Callable[..., Any], reasoner: Reasoner, deal: Deal, home: Home | None = None) -> Any:
        """Begin reasoning *deal* as soon as there is room.

        Args:
            function: The user's callable.
            reasoner: The same, bound: it takes the deal.
            deal: What is reasoned.
            home: The event loop of the fixture that *function* comes from, if it is async.
        """

    def finish(self, ticket: Any) -> Reasoning:
        """Wait for a begun call and return what it came to."""

    def under_way(self) -> int:
        """Return how many calls are running right now."""

    def close(self) -> None:
        """Drop what has not begun, give up what runs, without waiting for it."""


class Engine:
    """The calls of one process.

    Args:
        workers: How many calls may be under way at once.
        timeout: Seconds that one call may take.
        environment: What recognizes errors that are not the reasoner's.
        lane: Where calls are made, if not in this process.
        window: How many calls may be begun before they are asked for; 0 begins each when it is asked for.
    """

    def __init__(
        self,
        *,
        workers: int = 1,
        timeout: float | None = None,
        environment: Environment = USUAL,
        lane: Lane | None = None,
        window: int | None = None,
    ) -> None:
        here = workers <= 1 and timeout is None
        self._lane: Lane = lane or (ThisThread(environment) if here else Threads(workers, timeout, environment))
        self._window = window if window is not None else 2 * workers if workers > 1 else 0
        self._begun: dict[Hashable, tuple[Deal, Any]] = {}
        self._bound: dict[int, tuple[Callable[..., Any], Reasoner]] = {}
        self.homes: Callable[[Callable[..., Any]], Home | None] = lambda function: None

    def __call__(self, function: Callable[..., Any], deal: Deal) -> Reasoning:
        """Reason *deal* now. Whatever the reasoner raises becomes a failure, except an interrupt."""
        try:
            return self._lane.finish(self._begin(function, deal))
        except EventLoopError as error:
            return excused_by(error)

    def begin(self, key: Hashable, function: Callable[..., Any], deal: Deal) -> None:
        """Begin reasoning *deal*; the call is asked for by *key*."""
        try:
            self._begun[key] = (deal, self._begin(function, deal))
        except EventLoopError as error:
            self._begun[key] = (deal, excused_by(error))

    def finish(self, key: Hashable) -> Reasoning:
        """Wait for the begun call of *key*; its place in the window is free again."""
        _, ticket = self._begun.pop(key)
        if isinstance(ticket, Reasoning):
            return ticket
        try:
            return self._lane.finish(ticket)
        except EventLoopError as error:
            return excused_by(error)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._begun

    @property
    def ahead(self) -> bool:
        """Whether calls are begun before they are asked for."""
        return self._window > 0

    @property
    def full(self) -> bool:
        """Whether the window has no room: finished calls that nobody fetched count, so memory is bounded."""
        return len(self._begun) >= self._window

    def under_way(self) -> int:
        """Return how many calls are running right now."""
        return self._lane.under_way()

    def close(self) -> None:
        """Let go of threads, loops and executors, without waiting for what still runs."""
        self._lane.close()

    def _begin(self, function: Callable[..., Any], deal: Deal) -> Any:
        return self._lane.begin(function, self._bind(function), deal, self.homes(function))

    def _bind(self, function: Callable[..., Any]) -> Reasoner:
        known = self._bound.get(id(function))
        if known is None or known[0] is not function:
            if len(self._bound) >= BOUND_KEPT:  # a function-scoped fixture makes a new callable for every deal
                self._bound.clear()
            known = self._bound[id(function)] = (function, bind_reasoner(function))
        return known[1]


class ThisThread:
    """Calls in the thread that waits for them, one after another; nothing is begun before."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._loop = CallLoop()

    def begin(
        self, function: Callable[..., Any], reasoner: Reasoner, deal: Deal, home: Home | None = None
    ) -> Callable[[], Any]:
        """Return what makes the call."""
        return partial(self._value, function, reasoner, deal, home)

    def finish(self, ticket: Callable[[], Any]) -> Reasoning:
        """Make the call; one that is async runs on one event loop that lives as long as the lane, or on its home."""
        return reasoning_of(ticket, environment=self._environment)

    def _value(self, function: Callable[..., Any], reasoner: Reasoner, deal: Deal, home: Home | None) -> Any:
        if home is not None and _is_async(function):
            home.free()  # else nobody would await the coroutine
        value = reasoner(deal)
        if not inspect.isawaitable(value):
            return value
        if home is None:
            return self._loop.run(within(value, None))
        return FixtureLoop(home, 1, None, self._environment).run(value)

    def under_way(self) -> int:
        """Return 0: whoever could ask waits."""
        return 0

    def close(self) -> None:
        """Close the event loop, where there is one."""
        self._loop.close()


class Threads:
    """Threads and one event loop in this process: *workers* calls at once, each within *timeout* seconds."""

    def __init__(self, workers: int, timeout: float | None, environment: Environment) -> None:
        self._workers = workers
        self._timeout = timeout
        self._environment = environment
        self._calls: queue.SimpleQueue[PendingCall | None] = queue.SimpleQueue()
        self._running: set[PendingCall] = set()
        self._lock = threading.Lock()
        self._threads = 0
        self._loops: dict[int, SharedLoop] = {}  # by the identity of a fixture's; 0 is our own

    def begin(
        self, function: Callable[..., Any], reasoner: Reasoner, deal: Deal, home: Home | None = None
    ) -> PendingCall:
        """Begin a call; an ``async def`` goes to the event loop, anything else to a thread."""
        call = PendingCall(partial(reasoner, deal), home, alone=self._workers == 1)
        if _is_async(function):
            self._loop_of(home).begin(call)
            return call
        self._calls.put(call)
        if self._threads < self._workers:
            self._start_thread()
        return call

    def finish(self, ticket: PendingCall) -> Reasoning:
        """Wait for the call, and meanwhile give up every call that has run out of time."""
        while True:
            seconds = self._until_next_deadline()
            try:
                if ticket.home is None or ticket.home.loop is None:
                    return ticket.future.result(timeout=seconds)
                return self._loop_of(ticket.home).wait(ticket.future, seconds)
            except FutureTimeoutError:
                self._give_up_late_calls()

    def under_way(self) -> int:
        """Return how many calls are running right now."""
        with self._lock:
            return len(self._running) + sum(loop.running for loop in self._loops.values())

    def close(self) -> None:
        """Drop what waits, and let the threads end; hung ones are daemons and keep nothing from ending."""
        while True:
            try:
                self._calls.get_nowait()
            except queue.Empty:
                break
        for _ in range(self._threads):
            self._calls.put(None)
        self._threads, loops, self._loops = 0, self._loops, {}
        for loop in loops.values():
            loop.close()

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

    def _ended(self, call: PendingCall) -> Reasoning:
        try:
            return reasoning_of(partial(self._value, call), environment=self._environment)
        finally:
            with self._lock:
                self._running.discard(call)

    def _value(self, call: PendingCall) -> Any:
        value = call.compute()
        if not inspect.isawaitable(value):
            return value
        loop = call.loop = self._loop_of(call.home)
        left = None if self._timeout is None else self._timeout - (time.monotonic() - (call.started or 0.0))
        return call.context.run(loop.value_of, value, left)

    def _loop_of(self, home: Home | None) -> SharedLoop:
        """Return the event loop for calls of *home*; that of a fixture runs while :meth:`finish` waits for a call."""
        key = 0 if home is None else id(home.loop)
        with self._lock:
            loop = self._loops.get(key)
            if loop is None:
                facts = (self._workers, self._timeout, self._environment)
                loop = self._loops[key] = SharedLoop(*facts) if home is None else FixtureLoop(home, *facts)
            return loop

    def _until_next_deadline(self) -> float | None:
        if self._timeout is None:
            return None
        started = [call.started + grace for call, grace in self._open() if call.started is not None]
        oldest = min(started, default=time.monotonic())
        return max(oldest + self._timeout - time.monotonic(), 0.0) + 0.01

    def _open(self) -> list[tuple[PendingCall, float]]:
        """Return the calls that run, each with the time that it has to end itself: what waits for a loop has some."""
        with self._lock:
            threads, loops = list(self._running), list(self._loops.values())
        running = [(call, GRACE if call.loop is not None else 0.0) for call in threads]
        return running + [(call, GRACE) for loop in loops for call in loop.open_calls()]

    def _give_up_late_calls(self) -> None:
        timeout, now = self._timeout, time.monotonic()
        if timeout is None:
            return
        late = [c for c, grace in self._open() if c.started is not None and now - c.started >= timeout + grace]
        blocked = set()
        for call in late:
            with self._lock:
                in_thread = call in self._running
                self._running.discard(call)
            if not call.settle(partial(timed_out, timeout)):
                continue  # it answered at the last moment, and its thread goes on
            if in_thread:
                self._start_thread()
            if call.loop is not None:
                blocked.add(call.loop)
        for loop in blocked:
            self._leave(loop, timeout)

    def _leave(self, loop: SharedLoop, timeout: float) -> None:
        """Leave an event loop behind on which a call did not even end itself; its waiting calls get a new one."""
        calls = loop.open_calls()
        if not isinstance(loop, FixtureLoop):
            with self._lock:
                self._loops = {key: one for key, one in self._loops.items() if one is not loop}
        for call in calls:
            if call.started is not None:
                call.settle(partial(timed_out, timeout))
        loop.abandon()
        if not isinstance(loop, FixtureLoop):
            for call in calls:
                if call.started is None:
                    self._loop_of(None).begin(call)


def _is_async(function: Callable[..., Any]) -> bool:
    """Whether calling *function* only makes a coroutine, so that the call itself may be made on an event loop."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)
