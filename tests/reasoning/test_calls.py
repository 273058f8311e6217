"""One call of a reasoner: sync or async, within its time, an error as a result."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import closing
from typing import Any

import pytest

from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.errors import OutputError
from pytest_dealsnap.model.results import Failure
from pytest_dealsnap.reasoning.calls import LED_TO, MESSAGE_CHARS, TRACE_CHARS, failure_of
from pytest_dealsnap.reasoning.engine import Engine, Threads

DEAL = Deal(7, "Acme", "carveout", None)
LONG, SHORT = 60.0, 0.05  # what must succeed never takes a minute; what hangs for ever need not be waited for


@pytest.fixture
def caller() -> Iterator[Callable[..., Engine]]:
    """Make engines that are closed after the test."""
    made: list[Engine] = []

    def make(timeout: float | None = None) -> Engine:
        made.append(Engine(timeout=timeout))
        return made[-1]

    yield make
    for one in made:
        one.close()


Make = Callable[..., Engine]


class Lazy:
    """An awaitable that is no coroutine."""

    def __await__(self) -> Generator[Any, None, Any]:
        yield from asyncio.sleep(0).__await__()
        return {"from": "an awaitable"}


async def coroutine(deal_id: int) -> Any:
    """An async reasoner."""
    await asyncio.sleep(0)
    return {"id": deal_id}


def returns_coroutine(deal_id: int) -> Awaitable[Any]:
    """A function that returns a coroutine."""
    return coroutine(deal_id)


class AsyncObject:
    """An object with an async call."""

    async def __call__(self, deal_id: int) -> Any:
        """Reason."""
        return {"id": deal_id}


@pytest.mark.parametrize("timeout", [None, LONG])
@pytest.mark.parametrize(
    ("reasoner", "output"),
    [
        (lambda deal_id: {"id": deal_id}, {"id": 7}),
        (coroutine, {"id": 7}),
        (returns_coroutine, {"id": 7}),
        (AsyncObject(), {"id": 7}),
        (lambda deal: Lazy(), {"from": "an awaitable"}),
    ],
    ids=["sync", "async", "returns awaitable", "async object", "awaitable"],
)
def test_sync_and_async_reasoners(caller: Make, timeout: float | None, reasoner: Any, output: Any) -> None:
    """Whatever a reasoner is, the canonical output of several calls comes back, with their time."""
    call = caller(timeout)
    for _ in range(3):
        reasoning = call(reasoner, DEAL)
        assert (reasoning.output, reasoning.failure, reasoning.trace) == (output, None, "")
        assert reasoning.seconds >= 0


def test_async_calls_share_one_loop(caller: Make) -> None:
    """A client that is bound to its event loop works for every deal."""
    loops = []

    async def reasoner(deal_id: int) -> Any:
        loops.append(asyncio.get_running_loop())
        return {}

    call = caller()
    call(reasoner, DEAL)
    call(reasoner, DEAL)
    assert loops[0] is loops[1]


class OwnError(Exception):
    """An error of the application."""


def failing(error: BaseException) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return a sync and an async reasoner that raise *error*, without what an earlier raise left in it."""
    error = error.with_traceback(None)

    def sync(deal_id: int) -> Any:
        raise error

    async def asynchronous(deal_id: int) -> Any:
        raise error

    return sync, asynchronous


@pytest.mark.parametrize("timeout", [None, LONG])
@pytest.mark.parametrize("form", [0, 1], ids=["sync", "async"])
@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (OwnError("boom"), Failure("OwnError", "boom")),
        (KeyError("x"), Failure("KeyError", "'x'")),
        (ValueError(), Failure("ValueError", "")),
        (TimeoutError("of the application"), Failure("TimeoutError", "of the application")),
        (asyncio.CancelledError("x"), Failure("CancelledError", "x")),
        (OSError("postgresql://ana:s3cret@db/x"), Failure("OSError", "postgresql://ana:***@db/x")),
    ],
    ids=lambda value: "",
)
def test_what_a_reasoner_raises_is_its_failure(
    caller: Make, timeout: float | None, form: int, error: Exception, failure: Failure
) -> None:
    """Type and message, secrets masked; the next call works."""
    call = caller(timeout)
    reasoning = call(failing(error)[form], DEAL)
    assert reasoning.output is None
    if not isinstance(error, asyncio.CancelledError):
        assert reasoning.failure == failure
        assert "in sync" in reasoning.trace or "in asynchronous" in reasoning.trace
        assert "pytest_dealsnap/" not in reasoning.trace
    assert reasoning.failure is not None
    assert reasoning.failure.type == failure.type
    assert "s3cret" not in reasoning.trace
    assert call(lambda deal_id: {"ok": 1}, DEAL).output == {"ok": 1}


def test_a_traceback_names_what_the_error_was_raised_from() -> None:
    """Each link with its frames, the last one at the end; secrets of every link are masked."""

    def connect(url: str) -> None:
        raise OSError(f"no route to {url}")

    def reason(deal_id: str) -> None:
        try:
            connect("postgresql://ana:s3cret@db/x")
        except OSError as error:
            raise ValueError(deal_id) from error

    with closing(Engine()) as engine:
        trace = engine(reason, DEAL).trace
    first, _, second = trace.partition(f"\n{LED_TO}\n")
    assert first.rstrip().endswith("OSError: no route to postgresql://ana:***@db/x")
    assert ("in connect" in first, "in reason" in first, "in reason" in second) == (True, True, True)
    assert "s3cret" not in trace


def test_a_traceback_leaves_out_what_the_reasoner_suppressed() -> None:
    """``raise … from None`` says that the first error explains nothing; one that was only handled is told."""

    def hide(deal_id: str) -> None:
        try:
            raise OSError("first")
        except OSError:
            raise ValueError(deal_id) from None

    def stumble(deal_id: str) -> None:
        try:
            raise OSError("first")
        except OSError:
            raise ValueError(deal_id)  # noqa: B904  (it is what happens by accident)

    with closing(Engine()) as engine:
        assert LED_TO not in engine(hide, DEAL).trace
        assert "OSError: first" in engine(stumble, DEAL).trace


def test_a_traceback_is_bounded_from_its_beginning() -> None:
    """Deep calls that each raise from the one below: the last links stay, and of these the last words."""

    def fall(deal_id: str, depth: int = 0) -> None:
        if depth == 30:
            raise ValueError("the very first")
        try:
            fall(deal_id, depth + 1)
        except ValueError as error:
            raise ValueError(f"{depth}: {'y' * 3_000}") from error

    with closing(Engine()) as engine:
        trace = engine(fall, DEAL).trace
    assert len(trace) == TRACE_CHARS + 1
    assert trace.startswith("…")
    assert "the very first" not in trace
    assert "in fall" in trace.rpartition(LED_TO)[2]


@pytest.mark.parametrize("timeout", [None, LONG])
def test_a_reasoner_that_exits_is_a_failure(caller: Make, timeout: float | None) -> None:
    """``sys.exit`` in a reasoner ends its own call, not the run."""
    reasoning = caller(timeout)(failing(SystemExit(3))[0], DEAL)
    assert reasoning.failure == Failure("SystemExit", "3")


@pytest.mark.parametrize("timeout", [None, LONG])
def test_an_interrupt_is_not_swallowed(caller: Make, timeout: float | None) -> None:
    """Ctrl-C ends the run, also out of a reasoner's thread."""
    with pytest.raises(KeyboardInterrupt):
        caller(timeout)(failing(KeyboardInterrupt())[0], DEAL)


def test_an_output_that_is_none_is_a_failure(caller: Make) -> None:
    """An output without a canonical form is the deal's failure, without a traceback of ours."""
    reasoning = caller()(lambda deal_id: {"a": object()}, DEAL)
    assert reasoning.failure is not None
    assert reasoning.failure.type == OutputError.__name__
    assert reasoning.failure.message.startswith("at a: object has no canonical JSON form")
    assert reasoning.trace == ""


def give_time(engine: Engine) -> None:
    """Let the next call take as long as it will: what must succeed is not to hang on a timing."""
    lane = engine._lane
    assert isinstance(lane, Threads)
    lane._timeout = LONG
    for loop in lane._loops.values():
        loop._timeout = LONG


def test_a_hung_call_is_left_behind(caller: Make) -> None:
    """After its time it is an error, and the next call works while the hung one still hangs."""
    release, entered = threading.Event(), threading.Event()

    def hangs(deal_id: int) -> Any:
        entered.set()
        release.wait()
        return {}

    call = caller(SHORT)
    reasoning = call(hangs, DEAL)
    assert reasoning.failure == Failure("ReasonerTimeoutError", "no answer within 0.05 seconds (--dealsnap-timeout)")
    assert entered.wait(LONG)
    give_time(call)
    assert call(lambda deal_id: {"next": deal_id}, DEAL).output == {"next": 7}
    assert not release.is_set()
    release.set()


def test_a_hung_async_call_is_cancelled(caller: Make) -> None:
    """After its time the coroutine is cancelled, and the loop serves the next one."""
    cancelled = []

    async def hangs(deal_id: int) -> Any:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(deal_id)
            raise

    call = caller(SHORT)
    reasoning = call(hangs, DEAL)
    assert reasoning.failure is not None
    assert reasoning.failure.type == "ReasonerTimeoutError"
    assert cancelled == [7]
    give_time(call)
    assert call(coroutine, DEAL).output == {"id": 7}


def test_calls_within_their_time_share_a_thread(caller: Make) -> None:
    """A client that is bound to its thread, as a database session may be, works for every deal."""
    names = []
    call = caller(LONG)
    for _ in range(3):
        call(lambda deal_id: names.append(threading.get_ident()) or {}, DEAL)  # type: ignore[func-returns-value]  # to note it in passing
    assert len(set(names)) == 1
    assert names[0] != threading.get_ident()


VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")


async def reads_variable(deal_id: int) -> Any:
    """Tell what the variable is, asynchronously."""
    return {"seen": VARIABLE.get()}


@pytest.mark.parametrize("timeout", [None, LONG])
@pytest.mark.parametrize("reasoner", [lambda deal_id: {"seen": VARIABLE.get()}, reads_variable], ids=["sync", "async"])
def test_context_variables_reach_the_reasoner(caller: Make, timeout: float | None, reasoner: Any) -> None:
    """An application context that a fixture pushed is there, also when it changes between calls."""
    call = caller(timeout)
    for value in ("one", "two"):
        token = VARIABLE.set(value)
        assert call(reasoner, DEAL).output == {"seen": value}
        VARIABLE.reset(token)


def test_a_closed_caller_can_be_closed_again(caller: Make) -> None:
    """Closing ends loop and thread, once."""
    call = caller(LONG)
    call(coroutine, DEAL)
    call.close()
    call.close()
    assert call(coroutine, DEAL).output == {"id": 7}


class UnspeakableError(Exception):
    """An error whose message cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("x" * 5000), "x" * MESSAGE_CHARS + "…"),
        (UnspeakableError(), "(its message raised RuntimeError)"),
        (ValueError("a=1 password='p q' token=abc&x=2 api_key=k"), "a=1 password=*** token=***&x=2 api_key=***"),
    ],
)
def test_a_message_is_bounded_and_without_secrets(error: Exception, message: str) -> None:
    """What is recorded of an error can be committed and shared."""
    assert failure_of(error).message == message


@pytest.mark.parametrize("before", range(MESSAGE_CHARS - 40, MESSAGE_CHARS + 5, 3))
def test_a_secret_at_the_end_of_a_long_message_is_masked(before: int) -> None:
    """Cutting a message never leaves half a password that can no longer be recognized."""
    error = OSError("x" * before + " postgresql://ana:s3cretS3CRET@db/x password=s3cret")
    shown = failure_of(error).message
    assert "s3" not in shown
    assert len(shown) <= MESSAGE_CHARS + 1
