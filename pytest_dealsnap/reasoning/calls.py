"""One call of a reasoner: sync or async, within its time, an error as a result."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import os
import queue
import re
import threading
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pytest_dealsnap.deals.deal import Deal, LazyFields
from pytest_dealsnap.errors import DealsnapError, ReasonerTimeoutError, redact
from pytest_dealsnap.judging.findings import Failure
from pytest_dealsnap.reasoning.canonical import canonical_output
from pytest_dealsnap.reasoning.environment import Environment, is_source_away
from pytest_dealsnap.reasoning.loops import CallLoop
from pytest_dealsnap.reasoning.process_guard import end_forked_child
from pytest_dealsnap.reasoning.reasoner import Reasoner

__all__ = [
    "GRACE",
    "USUAL",
    "Caller",
    "Reasoning",
    "excused",
    "excused_by",
    "failure_of",
    "reasoning_of",
    "timed_out",
    "within",
]

MESSAGE_CHARS = 2_000
USUAL = Environment()


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What one call came to: a canonical output or a failure, and the seconds it took.

    ``trace`` is the failing call's traceback for a person to read; it is never recorded. ``excused`` marks a failure
    that is not the reasoner's, so that the deal cannot be judged; ``source_away`` one after which no deal can be read.
    """

    output: dict[str, Any] | None = None
    failure: Failure | None = None
    seconds: float = 0.0
    trace: str = ""
    excused: bool = False
    source_away: bool = False


def reasoning_of(
    compute: Callable[[], Any], *, started: float | None = None, environment: Environment = USUAL
) -> Reasoning:
    """Return what *compute* returns, or raises, as a reasoning; the time counts from *started* or now.

    Only an interrupt ends the run. Skipping and failing of pytest's, and time-outs of some libraries', are no
    ``Exception``, and still say something of this deal alone.
    """
    started, owner = time.perf_counter() if started is None else started, os.getpid()
    try:
        value = compute()
        end_forked_child(owner)
        output = canonical_output(value)
    except KeyboardInterrupt:
        end_forked_child(owner)
        raise
    except BaseException as error:
        end_forked_child(owner)
        seconds = time.perf_counter() - started
        excused = environment.explains(error)
        return Reasoning(None, failure_of(error), seconds, _trace(error), excused, excused and is_source_away(error))
    return Reasoning(output=output, seconds=time.perf_counter() - started)


def excused_by(error: DealsnapError, *, seconds: float = 0.0) -> Reasoning:
    """Return the reasoning of a deal that *error*, one of dealsnap's own, keeps from being judged."""
    return Reasoning(failure=failure_of(error), seconds=seconds, excused=True, source_away=is_source_away(error))


def excused(deal: Deal, reasoning: Reasoning) -> Reasoning:
    """Return *reasoning*, excused where the reasoner asked for *deal*'s row in vain, whatever it made of that."""
    failed = deal.fields.failed if isinstance(deal.fields, LazyFields) else None
    return reasoning if failed is None else excused_by(failed, seconds=reasoning.seconds)


def timed_out(timeout: float) -> Reasoning:
    """Return the reasoning of a call that was given up after *timeout* seconds."""
    return Reasoning(failure=failure_of(ReasonerTimeoutError(_too_long(timeout))), seconds=timeout)


class Caller:
    """Calls a reasoner for one deal after another.

    An async reasoner runs on one event loop that lives as long as the caller. With a *timeout* (in
    seconds) a sync reasoner runs in a thread of its own, with the caller's context variables; a
    call that hangs is left behind, and the next one gets a new thread.
    """

    def __init__(self, *, timeout: float | None = None, environment: Environment = USUAL) -> None:
        self._timeout = timeout
        self._environment = environment
        self._loop = CallLoop()
        self._thread: _CallThread | None = None

    def __call__(self, reasoner: Reasoner, deal: Deal) -> Reasoning:
        """Reason *deal*. Whatever the reasoner raises becomes a failure, except an interrupt."""
        return reasoning_of(lambda: self._value(reasoner, deal), environment=self._environment)

    def close(self) -> None:
        """Close the event loop and end the thread, where there are any."""
        self._loop.close()
        if self._thread is not None:
            self._thread.end()
            self._thread.join()
            self._thread = None

    def _value(self, reasoner: Reasoner, deal: Deal) -> Any:
        if self._timeout is not None:
            return self._in_time(reasoner, deal, self._timeout)
        value = reasoner(deal)
        if not inspect.isawaitable(value):
            return value
        return self._loop.run(within(value, None))

    def _in_time(self, reasoner: Reasoner, deal: Deal, timeout: float) -> Any:
        if self._thread is None:
            self._thread = _CallThread()
        context = contextvars.copy_context()
        thread = self._thread
        answer = thread.ask(lambda: context.run(thread.complete, reasoner, deal, timeout))
        try:
            value, error = self._wait(thread, answer, timeout)
        except queue.Empty:
            thread.end()
            self._thread = None
            raise ReasonerTimeoutError(_too_long(timeout)) from None
        if error is not None:
            raise error
        return value

    @staticmethod
    def _wait(thread: _CallThread, answer: queue.SimpleQueue[Answer], timeout: float) -> Answer:
        """Wait for the answer; an async call ends itself in time, unless it blocks its event loop."""
        try:
            return answer.get(timeout=timeout)
        except queue.Empty:
            if not thread.awaiting:
                raise
        return answer.get(timeout=GRACE)


async def within(value: Awaitable[Any], timeout: float | None) -> Any:
    """Await *value* for at most *timeout* seconds; raises :class:`ReasonerTimeoutError` after them."""
    owner = os.getpid()
    try:
        async with asyncio.timeout(timeout) as limit:
            return await value
    except TimeoutError:
        if timeout is None or not limit.expired():
            raise
        raise ReasonerTimeoutError(_too_long(timeout)) from None
    finally:
        end_forked_child(owner)


def _too_long(timeout: float) -> str:
    return f"no answer within {timeout:g} seconds (--dealsnap-timeout)"


Answer = tuple[Any, BaseException | None]

# Seconds that an async call has, beyond its time, to end itself before its event loop counts as blocked.
GRACE = 0.5


class _CallThread:
    """A daemon thread that makes calls: a hung one must not keep the process from ending."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[tuple[Callable[[], Any], queue.SimpleQueue[Answer]] | None] = queue.SimpleQueue()
        self._loop = CallLoop()
        self.awaiting = False
        self._thread = threading.Thread(target=self._run, name="dealsnap-reasoner", daemon=True)
        self._thread.start()

    def ask(self, call: Callable[[], Any]) -> queue.SimpleQueue[Answer]:
        answer: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._calls.put((call, answer))
        return answer

    def end(self) -> None:
        self._calls.put(None)

    def join(self) -> None:
        """Wait, but not for long, until the thread has closed its event loop."""
        self._thread.join(timeout=GRACE)

    def complete(self, reasoner: Reasoner, deal: Deal, timeout: float) -> Any:
        """Call *reasoner*, and await what it returns on this thread's event loop."""
        value = reasoner(deal)
        if not inspect.isawaitable(value):
            return value
        self.awaiting = True
        try:
            return self._loop.run(within(value, timeout))
        finally:
            self.awaiting = False

    def _run(self) -> None:
        while (asked := self._calls.get()) is not None:
            (call, answer), owner = asked, os.getpid()
            try:
                value = call()
            except BaseException as error:  # handed over whole: the asking thread raises it again
                end_forked_child(owner)
                answer.put((None, error))
            else:
                end_forked_child(owner)
                answer.put((value, None))
        self._loop.close()


# What drivers say of a value whose type they do not know, and int() and str methods of one that they cannot use.
_DEAL_AS_VALUE = re.compile(r"'Deal'(?! object has no attribute)|\btype Deal\b|\bDeal\(id=")
WHOLE_DEAL = " - the reasoner was given the whole Deal; call its parameter deal_id to be given the id, or use deal.id"


def failure_of(error: BaseException) -> Failure:
    """Return *error* as it is recorded: its type's name and its message, bounded, without secrets."""
    try:
        message = str(error)
    except Exception as broken:
        message = f"(its message raised {type(broken).__name__})"
    # Masked before it is cut: half a password could not be told any more.
    message = redact(message[: 10 * MESSAGE_CHARS])
    if len(message) > MESSAGE_CHARS:
        message = message[:MESSAGE_CHARS] + "…"
    if _DEAL_AS_VALUE.search(message):
        message += WHOLE_DEAL
    return Failure(type(error).__name__, message)


def _trace(error: BaseException) -> str:
    """Return the traceback below dealsnap's own frames, without secrets; none for our own errors."""
    if isinstance(error, DealsnapError):
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    users = [frame for frame in frames if frame.name not in _OWN_FRAMES or "pytest_dealsnap" not in frame.filename]
    return redact("".join(traceback.format_list(users[-12:])))


_OWN_FRAMES = frozenset(
    {
        "__call__",
        "_value",
        "_in_time",
        "run",
        "complete",
        "within",
        "_run",
        "<lambda>",
        "reasoning_of",
        "compute",
        "_raise",
        "_work",
        "value_of",
        "wait",
    }
)
