"""What one call of a reasoner comes to: an output, or an error as a result; within its time, where it is awaited."""

from __future__ import annotations

import asyncio
import os
import re
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_dealsnap.deals.deal import Deal, LazyFields
from pytest_dealsnap.errors import DealsnapError, EventLoopError, ReasonerTimeoutError
from pytest_dealsnap.model.results import Failure
from pytest_dealsnap.reasoning.canonical import canonical_output
from pytest_dealsnap.reasoning.environment import Environment, is_source_away
from pytest_dealsnap.reasoning.process_guard import end_forked_child
from pytest_dealsnap.secrets import redact

if TYPE_CHECKING:
    from pytest_dealsnap.reasoning.replay_tape import CallsMade

__all__ = [
    "GRACE",
    "USUAL",
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
TRIO = (
    "the reasoner awaits trio, and dealsnap awaits reasoners on asyncio only: use anyio on its asyncio backend, or let "
    "a sync reasoner call trio.run(…)"
)


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What one call came to: a canonical output or a failure, and the seconds it took.

    ``trace`` is the failing call's traceback for a person to read; no snapshot has it. ``excused`` marks a failure
    that is not the reasoner's, so that the deal cannot be judged; ``source_away`` one after which no deal can be read.
    ``calls`` is what recorded and replayed calls came to, where there are any; ``reused`` says that the output was
    computed by an earlier run.
    """

    output: dict[str, Any] | None = None
    failure: Failure | None = None
    seconds: float = 0.0
    trace: str = ""
    excused: bool = False
    source_away: bool = False
    calls: CallsMade | None = None
    reused: bool = False


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


async def within(value: Awaitable[Any], timeout: float | None, *, said: float | None = None) -> Any:
    """Await *value* for at most *timeout* seconds.

    Args:
        value: What a reasoner returned.
        timeout: Seconds that are left to it, ``None`` for no limit.
        said: Seconds that the error names, where only a part of them is left.

    Raises:
        ReasonerTimeoutError: *timeout* is over.
    """
    owner = os.getpid()
    try:
        async with asyncio.timeout(timeout) as limit:
            return await value
    except TimeoutError:
        if timeout is None or not limit.expired():
            raise
        raise ReasonerTimeoutError(_too_long(timeout if said is None else said)) from None
    except RuntimeError as error:
        if _is_trios(error):
            raise EventLoopError(TRIO) from error
        raise
    finally:
        end_forked_child(owner)


def _is_trios(error: BaseException) -> bool:
    """Whether *error* is trio's own word on being awaited outside of a trio run."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = "" if trace is None else str(trace.tb_frame.f_globals.get("__name__", ""))
    return module.partition(".")[0] == "trio"


def _too_long(timeout: float) -> str:
    return f"no answer within {timeout:g} seconds (--dealsnap-timeout)"


# Seconds that an async call has, beyond its time, to end itself before its event loop counts as blocked.
GRACE = 0.5


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
    """Return the traceback below dealsnap's own frames, bounded, without secrets; none for our own errors.

    What the reasoner's exception was raised from stands before it, as Python prints it.
    """
    if isinstance(error, DealsnapError):
        return ""
    links = [error]
    while len(links) < TRACE_LINKS and (earlier := _raised_from(links[-1])) is not None and earlier not in links:
        links.append(earlier)
    parts = [_frames(links[0])]
    for link in links[1:]:
        failure = failure_of(link)
        parts.append(f"{_frames(link)}{failure.type}: {failure.message}\n\n{LED_TO}\n\n")
    trace = "".join(reversed(parts))
    return trace if len(trace) <= TRACE_CHARS else f"…{trace[-TRACE_CHARS:]}"


def _raised_from(error: BaseException) -> BaseException | None:
    if error.__cause__ is not None:
        return error.__cause__
    return None if error.__suppress_context__ else error.__context__


def _frames(error: BaseException) -> str:
    """Return the last frames that are not dealsnap's."""
    users = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(_HERE)]
    return redact("".join(traceback.format_list(users[-TRACE_FRAMES:])))


# The innermost frames say the most, so a longer traceback is cut at its beginning.
TRACE_CHARS, TRACE_FRAMES, TRACE_LINKS = 6_000, 12, 4
LED_TO = "and then:"
_HERE = f"{Path(__file__).parent}{os.sep}"
