"""The event loops that async reasoners run on: one of this thread, one of a thread of its own, one of a fixture."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from functools import partial
from typing import Any

from pytest_dealsnap.errors import EventLoopError
from pytest_dealsnap.reasoning.calls import GRACE, Reasoning, excused_by, failure_of, reasoning_of, within
from pytest_dealsnap.reasoning.environment import Environment

__all__ = ["CallLoop", "FixtureLoop", "Home", "PendingCall", "SharedLoop"]

# Seconds that cancelled tasks have for their own clean-up.
LAST_WORDS = 1.0
_STOPPED = "Event loop stopped before Future completed."


@dataclass(frozen=True, slots=True)
class Home:
    """Where an async *fixture* ran, so that what it opened can be used: its event *loop*, ``None`` if not asyncio's."""

    fixture: str
    loop: asyncio.AbstractEventLoop | None

    def opened(self) -> asyncio.AbstractEventLoop:
        """Return the loop; raises :class:`EventLoopError` where nothing can be awaited on it any more."""
        if self.loop is None:
            which = " but on trio" if "trio" in sys.modules else ""
            raise self._error(
                f"does not run on asyncio{which}, and dealsnap awaits reasoners on asyncio only: give it the asyncio "
                "backend, or return a sync reasoner"
            )
        if self.loop.is_closed():
            raise self._error("ran on an event loop that is closed now: give the fixture the scope of its reasoner")
        return self.loop

    def free(self) -> asyncio.AbstractEventLoop:
        """Return the loop, which nobody runs; raises :class:`EventLoopError` where somebody does."""
        loop = self.opened()
        if loop.is_running():
            raise self.taken()
        return loop

    def taken(self) -> EventLoopError:
        """Return the error for a call that the loop cannot take."""
        return self._error(
            "runs on an event loop that is taken: by a call that blocks it, or by the test that asks for the output "
            "as it runs; let the test take it as an argument"
        )

    def _error(self, problem: str) -> EventLoopError:
        return EventLoopError(f"the async fixture {self.fixture} {problem}")


class CallLoop:
    """An event loop made when it is first needed, and again after a reasoner stopped it."""

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None

    def run(self, call: Coroutine[Any, Any, Any]) -> Any:
        """Run *call*, in the context of now: the runner's own is a copy of the first call's."""
        if self._runner is None:
            self._runner = asyncio.Runner()
        try:
            return self._runner.run(call, context=contextvars.copy_context())
        except RuntimeError as error:
            if str(error) == _STOPPED:  # its tasks are still there, and would go on in the next call
                self.close()
            raise

    def close(self) -> None:
        """Cancel what is left and close the loop; a task that will not be cancelled is left behind."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        loop = runner.get_loop()
        until = time.monotonic() + LAST_WORDS
        while (left := asyncio.all_tasks(loop)) and (seconds := until - time.monotonic()) > 0:
            for task in left:
                task.cancel()
            _run_shortly(loop, asyncio.wait(left, timeout=seconds))
        if not left:
            _run_shortly(loop, asyncio.wait_for(loop.shutdown_asyncgens(), LAST_WORDS))
        asyncio.set_event_loop(None)
        loop.close()


def _run_shortly(loop: asyncio.AbstractEventLoop, closing: Coroutine[Any, Any, Any]) -> None:
    try:
        loop.run_until_complete(closing)
    except (RuntimeError, asyncio.CancelledError, TimeoutError):
        return  # a task stopped the loop, or cancelled its own end; whoever closes it tries again while there is time


class PendingCall:
    """One call in the context of its begin: its future, since when it runs, and the loop that it waits for.

    An interrupt that the reasoner raises ends the run where calls are made *alone*, one after another.
    """

    __slots__ = ("alone", "compute", "context", "future", "home", "loop", "started")

    def __init__(self, compute: Callable[[], Any], home: Home | None, *, alone: bool) -> None:
        self.alone = alone
        self.context = contextvars.copy_context()
        self.compute: Callable[[], Any] = partial(self.context.run, compute)
        self.future: Future[Reasoning] = Future()
        self.started: float | None = None
        self.loop: SharedLoop | None = None
        self.home = home

    def settle(self, reason: Callable[[], Reasoning]) -> bool:
        """Answer the call by *reason*, whatever it raises; false where the call was given up meanwhile."""
        interrupt: KeyboardInterrupt | None = None
        try:
            reasoning = reason()
        except BaseException as error:  # a call's own, here: the user's Ctrl-C reaches the main thread
            reasoning = Reasoning(failure=failure_of(error))
            interrupt = error if self.alone and isinstance(error, KeyboardInterrupt) else None
        try:
            if interrupt is None:
                self.future.set_result(reasoning)
            else:
                self.future.set_exception(interrupt)
        except InvalidStateError:
            return False
        return True


class SharedLoop:
    """One event loop in a thread of its own, on which at most *workers* calls run at once."""

    def __init__(self, workers: int, timeout: float | None, environment: Environment) -> None:
        self._timeout = timeout
        self._environment = environment
        self._room = asyncio.Semaphore(workers)
        self._begun: dict[Future[None], PendingCall] = {}
        self.running = 0
        self._ending = False
        self._loop = self._opened()

    def _opened(self) -> asyncio.AbstractEventLoop:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="dealsnap-event-loop", daemon=True)
        self._thread.start()
        return self._loop

    def _serve(self) -> None:
        try:
            while not self._ending:  # a reasoner that stops the loop would leave all other calls without an answer
                self._loop.run_forever()
        finally:
            self._loop.close()

    def wait(self, future: Future[Reasoning], seconds: float | None) -> Reasoning:
        """Return the result of *future*; raises ``TimeoutError`` of ``concurrent.futures`` after *seconds*."""
        return future.result(timeout=seconds)

    def abandon(self) -> None:
        """Let the loop end by itself, should the call that blocks it ever come back."""
        self._ending = True
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop)

    def begin(self, call: PendingCall) -> None:
        """Begin an async call as soon as there is room."""
        call.loop = self
        begun = asyncio.run_coroutine_threadsafe(self._run(call), self._loop)
        self._begun[begun] = call  # an event loop itself holds its tasks but weakly
        begun.add_done_callback(partial(self._done, call))

    def _done(self, call: PendingCall, begun: Future[None]) -> None:
        """Forget *call*; one that another call cancelled while it waited for its turn is begun again."""
        self._begun.pop(begun, None)
        if begun.cancelled() and call.loop is self and not self._ending:
            if call.started is None:
                self.begin(call)
            else:
                call.settle(partial(_raise, asyncio.CancelledError()))

    def open_calls(self) -> list[PendingCall]:
        """Return the calls that were begun and have not ended."""
        return [call for call in list(self._begun.values()) if not call.future.done()]

    def value_of(self, value: Awaitable[Any], timeout: float | None) -> Any:
        """Wait, in another thread, for what a sync function returned to be awaited."""

        async def wait() -> Callable[[], Any]:
            try:
                answer = await within(value, timeout, said=self._timeout)
            except asyncio.CancelledError:
                raise
            except BaseException as error:  # an interrupt that leaves a task would end its event loop
                return partial(_raise, error)
            return partial(_given, answer)

        return asyncio.run_coroutine_threadsafe(wait(), self._loop).result()()

    async def _run(self, call: PendingCall) -> None:
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


class FixtureLoop(SharedLoop):
    """The event loop of an async fixture: its plugin's, which runs only while somebody waits for a call."""

    def __init__(self, home: Home, workers: int, timeout: float | None, environment: Environment) -> None:
        self._home = home
        self._driver: threading.Thread | None = None
        self._driven: Future[Reasoning] | None = None
        super().__init__(workers, timeout, environment)

    def _opened(self) -> asyncio.AbstractEventLoop:
        return self._home.opened()

    def begin(self, call: PendingCall) -> None:
        """Begin an async call; raises :class:`EventLoopError` where nothing can run on the loop."""
        self._free()
        super().begin(call)

    def run(self, value: Awaitable[Any]) -> Any:
        """Await *value* in this thread, in the context of now."""
        task = self._free().create_task(within(value, None), context=contextvars.copy_context())
        try:
            self._run_until(task)
        except BaseException:
            task.cancel()
            raise
        return task.result()

    def wait(self, future: Future[Reasoning], seconds: float | None) -> Reasoning:
        """Run the loop until *future* is done: in this thread, or, where time counts, in one that can be left."""
        if seconds is None:
            loop = self._free()
            self._run_until(asyncio.wrap_future(future, loop=loop))
        elif not future.done() and future is not self._driven:
            drive = asyncio.wrap_future(future, loop=self._free())
            self._driven = future
            self._driver = threading.Thread(target=self._run_until, args=(drive,), daemon=True)
            self._driver.start()
        reasoning = future.result(timeout=seconds)
        if self._driver is not None:
            self._driver.join(GRACE)  # whoever made the loop may close it next
        return reasoning

    def _done(self, call: PendingCall, begun: Future[None]) -> None:
        self._begun.pop(begun, None)
        if begun.cancelled():
            call.settle(partial(_raise, asyncio.CancelledError()))

    def _free(self) -> asyncio.AbstractEventLoop:
        """Return the loop, which the last wait may still be about to leave."""
        if self._driver is not None:
            self._driver.join(GRACE)
        return self._home.free()

    def _run_until(self, future: asyncio.Future[Any]) -> None:
        while not future.done():
            try:
                self._loop.run_until_complete(future)
            except RuntimeError as error:
                if str(error) != _STOPPED:
                    raise
            except asyncio.CancelledError:
                return

    def abandon(self) -> None:
        """Leave the loop to the call that blocks it, and refuse what waits for it: the fixture has no other."""
        for call in self.open_calls():
            call.settle(partial(excused_by, self._home.taken()))

    def close(self) -> None:
        """Leave the loop to its plugin, which cancels what is left and closes it."""
        self._ending = True


def _given(value: Any) -> Any:
    return value


def _raise(error: BaseException) -> Any:
    raise error
