"""Recorded calls: what is caught, how it is found again, and what comes back."""

from __future__ import annotations

import asyncio
import dataclasses
import multiprocessing
import os
import subprocess
import sys
import threading
from collections import namedtuple
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache, partial, wraps
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs
import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap import replayable
from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.errors import BudgetStopError, ConfigError, ReplayError, ReplayMissError
from pytest_dealsnap.reasoning import replay as replay_module
from pytest_dealsnap.reasoning import replay_points
from pytest_dealsnap.reasoning.calls import Reasoning
from pytest_dealsnap.reasoning.engine import Engine
from pytest_dealsnap.reasoning.reasoner import bind_reasoner
from pytest_dealsnap.reasoning.replay import RemoteReasoner, Replay, ReplaySettings, cost_setting
from pytest_dealsnap.reasoning.replay_answers import cost_in
from pytest_dealsnap.reasoning.replay_codec import TAG, decode_answer, encode_answer
from pytest_dealsnap.reasoning.replay_tape import RecordedCall, Tape, TapeMode

HERE = "tests.reasoning.test_replay"
MADE: list[str] = []


def ask(prompt: str, *, temperature: float = 0.0, **more: Any) -> dict[str, Any]:
    """A model: each answer is another one."""
    if prompt == "refuse":
        raise TimeoutError("the model is busy")
    MADE.append(prompt)
    return {"text": f"{prompt}, answer {len(MADE)}", "usage": {"usd": 0.25}}


async def ask_later(prompt: str) -> str:
    """The same, async."""
    await asyncio.sleep(0)
    MADE.append(prompt)
    return f"{prompt}, answer {len(MADE)}"


def tokens(prompt: str) -> Iterator[str]:
    """The same as a stream."""
    MADE.append(prompt)
    yield from (prompt, str(len(MADE)), "end")


async def tokens_later(prompt: str) -> AsyncIterator[str]:
    """The same as an async stream."""
    MADE.append(prompt)
    for item in (prompt, str(len(MADE)), "end"):
        yield item


def deferred(prompt: str) -> Any:
    """A plain function whose answer is awaited."""
    return ask_later(prompt)


def iterated(prompt: str) -> Any:
    """A plain function that returns a stream."""
    return iter(list(tokens(prompt)))


def iterated_later(prompt: str) -> Any:
    """A plain function that returns an async stream."""
    return tokens_later(prompt)


class Base:
    """Where ``inherited`` is defined."""

    def inherited(self) -> str:
        return "x"


class Client(Base):
    """A client of a model."""

    def complete(self, prompt: str) -> str:
        MADE.append(prompt)
        return f"{prompt}, {self.inherited()}, answer {len(MADE)}"

    @classmethod
    def of_class(cls, prompt: str) -> str:
        MADE.append(prompt)
        return f"{cls.__name__} {prompt} {len(MADE)}"

    @staticmethod
    def of_nobody(prompt: str) -> str:
        MADE.append(prompt)
        return f"{prompt} {len(MADE)}"

    @property
    def settled(self) -> str:
        return "x"


cached = lru_cache(ask)


def retried(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator, as applications have them."""

    @wraps(function)
    def again(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return again


@retried
def ask_retried(prompt: str) -> str:
    """Decorated."""
    MADE.append(prompt)
    return f"{prompt} {len(MADE)}"


class Tapes:
    """Captures and gates of one deal, by the engine alone."""

    def __init__(self, *calls: str, drop: tuple[str, ...] = (), cost: str = "") -> None:
        self._calls, self._drop, self._cost = calls, drop, cost
        self.recorded: dict[str, tuple[RecordedCall, ...]] = {}

    def run(self, reasoner: Callable[..., Any], mode: TapeMode, *, deal: str = "1", only: bool = False) -> Reasoning:
        names = tuple(name if ":" in name else f"{HERE}:{name}" for name in self._calls)
        settings = ReplaySettings(names, Path.cwd(), self._drop, self._cost, mode, only)
        replay = Replay(settings, self.recorded.get)
        replay.begin()
        MADE.clear()
        engine, one = Engine(), Deal(deal, None, "acquisition", None)
        try:
            reasoning = replay.settle(one, engine(replay.reasoner(reasoner), one))
            if mode == "record":
                self.recorded[deal] = replay.recorded(deal) or ()
            return reasoning
        finally:
            engine.close()
            replay.end()

    def twice(self, reasoner: Callable[..., Any]) -> Reasoning:
        """Capture and gate; the gate's answer, which must be the capture's, without a call."""
        captured = self.run(reasoner, "record")
        assert captured.output is not None, captured
        assert MADE
        gated = self.run(reasoner, "stop", only=True)
        assert gated.output == captured.output
        assert MADE == []
        assert gated.calls is not None
        assert gated.calls.evidence == "replayed"
        return gated


def test_a_function_is_itself_outside_of_a_run() -> None:
    """Nothing stays behind in the application."""
    before = ask.__code__
    Tapes("ask").twice(lambda deal: {"a": ask("x")})
    assert ask.__code__ is before
    assert ask("y")["text"] == "y, answer 1"


@pytest.mark.parametrize(
    ("name", "reasoner"),
    [
        ("ask", lambda deal: {"a": ask("x", temperature=1.0, user=deal.id), "b": partial(ask, "x")()}),
        ("ask_later", lambda deal: {"a": asyncio.run(ask_later("x"))}),
        ("deferred", lambda deal: {"a": asyncio.run(deferred("x"))}),
        ("tokens", lambda deal: {"a": list(tokens("x"))}),
        ("iterated", lambda deal: {"a": list(iterated("x"))}),
        ("Client.complete", lambda deal: {"a": Client().complete("x")}),
        ("Client.of_class", lambda deal: {"a": Client.of_class("x")}),
        ("Client.of_nobody", lambda deal: {"a": Client.of_nobody("x")}),
        ("ask_retried", lambda deal: {"a": ask_retried("x")}),
    ],
)
def test_every_kind_of_function_is_replayed(name: str, reasoner: Callable[..., Any]) -> None:
    """Functions and methods, sync and async, plain and streaming, decorated or not."""
    Tapes(name).twice(reasoner)


@pytest.mark.parametrize("name", ["tokens_later", "iterated_later"])
def test_async_streams_are_replayed(name: str) -> None:
    """They are recorded whole."""
    function = globals()[name]

    async def reasoner(deal: Deal) -> dict[str, Any]:
        return {"items": [item async for item in function("x")]}

    Tapes(name).twice(reasoner)


def test_a_stream_that_is_left_early_is_recorded_whole() -> None:
    """Code that reads further than the capture's did finds the rest."""
    tapes = Tapes("tokens", "tokens_later")

    def first(deal: Deal) -> dict[str, Any]:
        return {"item": next(tokens("x"))}

    async def first_later(deal: Deal) -> dict[str, Any]:
        items = tokens_later("x")
        found = await anext(items)
        await items.aclose()  # type: ignore[attr-defined]  # it is an async generator
        return {"item": found}

    tapes.run(first, "record")
    assert tapes.run(lambda deal: {"all": list(tokens("x"))}, "stop").output == {"all": ["x", "1", "end"]}
    tapes.run(first_later, "record")

    async def all_later(deal: Deal) -> dict[str, Any]:
        return {"all": [item async for item in tokens_later("x")]}

    assert tapes.run(all_later, "stop").output == {"all": ["x", "1", "end"]}


def test_the_third_same_call_gets_the_third_answer() -> None:
    """A request alone does not find an answer: its repetition belongs to the key."""
    Tapes("ask").twice(lambda deal: {"answers": [ask("x")["text"] for _ in range(3)]})


def test_threads_and_pools_of_the_reasoner_find_their_answers_in_any_order() -> None:
    """Calls are found by what they ask, whichever thread asks first."""
    pool = ThreadPoolExecutor(4)

    def reasoner(order: Sequence[int]) -> Callable[[Deal], dict[str, Any]]:
        def reason(deal: Deal) -> dict[str, Any]:
            answers: dict[str, str] = {}

            def one(number: int) -> None:
                answers[str(number)] = ask(f"q{number}")["text"]

            threads = [threading.Thread(target=one, args=(number,)) for number in order[:5]]
            for thread in threads:
                thread.start()
            list(pool.map(one, order[5:]))
            for thread in threads:
                thread.join()
            return answers

        return reason

    tapes = Tapes("ask")
    captured = tapes.run(reasoner(range(10)), "record")
    gated = tapes.run(reasoner(list(reversed(range(10)))), "stop")
    assert gated.output == captured.output
    assert MADE == []
    pool.shutdown()


def test_only_the_arguments_that_belong_to_a_request_find_it() -> None:
    """What is dropped may change, and need not even be writable; a default that is given is the same request."""
    tapes = Tapes("ask", drop=("client", "metadata.request_id"))

    def reasoner(number: int) -> Callable[[Deal], dict[str, Any]]:
        return lambda deal: ask("x", client=object(), metadata={"request_id": number, "user": "ana"})

    captured = tapes.run(reasoner(1), "record")
    assert tapes.run(reasoner(2), "stop").output == captured.output
    again = Tapes("ask")
    again.run(lambda deal: ask("x"), "record")
    assert again.run(lambda deal: ask(prompt="x", temperature=0.0), "stop").output is not None


def test_secrets_are_not_recorded() -> None:
    """Tokens, passwords and headers of authorization are neither in the request nor in its key."""
    tapes = Tapes("ask")

    def reasoner(token: str) -> Callable[[Deal], dict[str, Any]]:
        headers = {"Authorization": f"Bearer {token}", "X-Api-Key": token}
        return lambda deal: ask("x", api_key=token, headers=headers, password=token, max_tokens=5)

    captured = tapes.run(reasoner("hunter22"), "record")
    assert "hunter22" not in repr(tapes.recorded)
    assert tapes.recorded["1"][0].request["max_tokens"] == 5
    assert tapes.run(reasoner("another1"), "stop").output == captured.output


def test_a_miss_is_asked_anew_and_shows_the_first_difference() -> None:
    """The difference of the requests is often the whole finding."""
    tapes = Tapes("ask", cost="usage.usd")
    long = "The buyer takes over all of it. " * 20
    tapes.run(lambda deal: {"a": ask(f"{long}Use 5 %."), "b": ask("same")}, "record")
    gated = tapes.run(lambda deal: {"a": ask(f"{long}Use 7 %."), "b": ask("same")}, "ask")
    assert gated.calls is not None
    assert (gated.calls.asked, gated.calls.replayed, gated.calls.cost) == (1, 1, Decimal("0.25"))
    assert gated.calls.evidence == "computed"
    first, before, after = gated.calls.miss.splitlines()
    assert first == f"{HERE}:ask"
    assert before.startswith("-prompt: …")
    assert before.endswith("Use 5 %.")
    assert after.endswith("Use 7 %.")
    assert [f"{long}Use 7 %."] == MADE


def test_what_is_missing_is_said() -> None:
    """No recording, one call more of the same kind, one request more."""
    tapes = Tapes("ask", "Client.complete")
    assert "no calls of this deal are recorded" in _miss(tapes.run(lambda deal: ask("x"), "ask"))
    tapes.run(lambda deal: ask("x"), "record")
    more = tapes.run(lambda deal: {"a": ask("x"), "b": ask("x")}, "ask")
    assert "the same request was recorded 1 times, and is made once more" in _miss(more)
    other = tapes.run(lambda deal: {"a": Client().complete("x")}, "ask")
    assert "every recorded call of it was used" in _miss(other)


def _miss(reasoning: Reasoning) -> str:
    assert reasoning.calls is not None
    return reasoning.calls.miss


def test_a_reasoner_that_swallows_the_stop_is_not_judged() -> None:
    """Its answer would be one of a model that was never asked."""

    def reasoner(deal: Deal) -> dict[str, Any]:
        try:
            return ask("x")
        except Exception:
            return {"text": "fallback"}

    gated = Tapes("ask").run(reasoner, "stop")
    assert gated.excused
    assert "a request was never recorded, and is not made" in str(gated.failure)
    assert MADE == []


def test_a_budget_stop_that_is_swallowed_keeps_its_deal_from_being_judged() -> None:
    """Its answer would be one that nobody paid for."""

    def pay() -> None:
        raise BudgetStopError("the budget allows no further call")

    tape = Tape("1", None, "ask", before_asking=pay)
    for _ in range(2):
        with pytest.raises(BudgetStopError):
            tape.begin("x", "k", {})
    assert isinstance(tape.close().stopped, BudgetStopError)


def test_processes_that_a_reasoner_starts_are_told() -> None:
    """Nobody knows what they ask. One that a recorded call starts is a part of that call."""

    def starts(deal: Deal) -> dict[str, Any]:
        subprocess.run([sys.executable, "-S", "-c", "secret"], check=False, capture_output=True)
        return ask("x")

    def forks(deal: Deal) -> dict[str, Any]:
        process = multiprocessing.get_context("fork").Process(target=print)
        process.start()
        process.join()
        return ask("x")

    before = subprocess.Popen.__init__
    made = Tapes("ask").run(starts, "record").calls
    assert made is not None
    assert made.unfollowed == Path(sys.executable).name
    made = Tapes("ask").run(forks, "record").calls
    assert made is not None
    assert made.unfollowed == "multiprocessing's ForkProcess"
    made = Tapes("by_program").run(lambda deal: by_program(), "record").calls
    assert made is not None
    assert (made.asked, made.unfollowed) == (1, "")
    assert subprocess.Popen.__init__ is before


def by_program() -> dict[str, Any]:
    """A model that is asked by a command line."""
    subprocess.run("exit 0", shell=True, check=True)
    return {"text": "by program"}


def test_a_call_that_raised_is_no_answer() -> None:
    """Its repetition is the same call."""

    def reasoner(deal: Deal) -> dict[str, Any]:
        try:
            return ask("refuse")
        except TimeoutError:
            return ask("x")

    tapes = Tapes("ask")
    tapes.run(reasoner, "record")
    assert [call.request["prompt"] for call in tapes.recorded["1"]] == ["x"]


def test_a_call_inside_of_a_recorded_one_is_part_of_it() -> None:
    """It is neither recorded nor paid twice."""
    tapes = Tapes("ask_later", "deferred")
    tapes.twice(lambda deal: {"a": asyncio.run(deferred("x"))})
    assert [call.call for call in tapes.recorded["1"]] == [f"{HERE}:deferred"]


def test_a_call_that_is_left_behind_asks_nothing() -> None:
    """A deal that has ended pays no more."""
    done, errors = threading.Event(), list[BaseException]()

    def late() -> None:
        done.wait(5)
        try:
            ask("late")
        except ReplayError as error:
            errors.append(error)

    def reasoner(deal: Deal) -> dict[str, Any]:
        thread = threading.Thread(target=late)
        thread.start()
        threads.append(thread)
        return {"a": 1}

    threads: list[threading.Thread] = []
    settings = ReplaySettings((f"{HERE}:ask",), Path.cwd(), (), "", "record", False)
    replay = Replay(settings, lambda deal_id: None)
    replay.begin()
    MADE.clear()
    try:
        deal = Deal("1", None, "acquisition", None)
        bind_reasoner(replay.reasoner(reasoner))(deal)
        done.set()
        threads[0].join()
    finally:
        replay.end()
    assert "after the call of deal 1 had ended" in str(errors[0])
    assert MADE == []


def test_a_call_of_a_thread_that_was_there_before() -> None:
    """With one deal under way it is that deal's; with several, nobody can tell, and none of them is judged."""
    settings = ReplaySettings((f"{HERE}:ask",), Path.cwd(), (), "", "ask", True)
    replay = Replay(settings, lambda deal_id: None)
    replay.begin()
    try:
        with pytest.raises(ReplayError, match="outside of any deal"):
            ask("x")
        _, one = replay.open(Deal("1", None, "acquisition", None))
        ask("x")
        _, two = replay.open(Deal("2", None, "acquisition", None))
        with pytest.raises(ReplayError, match="nobody can tell whose deal it is of 2"):
            ask("y")
        assert one.close().asked == 1
        assert two.close().stopped is not None
    finally:
        replay.end()


def test_a_fork_of_the_reasoner_asks_nothing() -> None:
    """What its child records would be lost."""
    tape = Tape("1", None, "record")
    if (child := os.fork()) == 0:
        try:
            tape.begin("x", "k", {})
        except ReplayError as error:
            os._exit(7 if "forked" in str(error) else 1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_a_request_that_cannot_be_written_names_the_argument() -> None:
    """And how to leave it out."""
    gated = Tapes("ask").run(lambda deal: ask("x", client=object()), "record")
    assert gated.excused
    assert "the argument client of tests.reasoning.test_replay:ask cannot be recorded" in str(gated.failure)
    assert 'drop = ["client"]' in str(gated.failure)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nothing", "has no 'nothing'"),
        ("Client.settled", "property"),
        ("Client.inherited", f"name it where it is defined, {HERE}:Base.inherited"),
        ("Client", "is a class: name its method"),
        ("cached", "a decorator around ask, and only functions written in Python"),
        ("math:floor", "only functions written in Python are recorded"),
    ],
)
def test_a_bad_name_is_refused(name: str, words: str) -> None:
    """Before the first deal, with what to do."""
    with pytest.raises(ConfigError, match=words.replace("(", r"\(")):
        Tapes(name).run(lambda deal: {}, "ask")


def test_the_decorator_is_the_function_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """And has its calls caught as a named one has."""
    monkeypatch.setattr(replay_points, "_REGISTERED", [])
    assert replayable(ask) is ask
    replayable(Client.complete)
    Tapes().twice(lambda deal: {"a": ask("x"), "b": Client().complete("x")})
    with pytest.raises(TypeError, match="a function written in Python, not type"):
        replayable(Client)


# --- answers that come back as what they were


class Color(Enum):
    """A choice."""

    RED = "red"


class Words(pydantic.BaseModel):
    """A model's answer, as clients of services have them."""

    text: str
    parts: list[Words] = []
    at: datetime | None = None
    model_config = pydantic.ConfigDict(extra="allow")


@dataclasses.dataclass(frozen=True)
class Usage:
    """A dataclass."""

    tokens: int
    usd: Decimal


@attrs.define
class Attrs:
    """A class of attrs."""

    name: str


class Struct(msgspec.Struct):
    """A struct of msgspec."""

    name: str


Pair = namedtuple("Pair", "left right")  # an untyped one, as libraries have them


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {"b": [1, 2.5, True, None, "x"], "a": float("inf")},
        {TAG: "mine", "value": 1},
        {1: "a", (2, 3): "b"},
        (1, (2,)),
        {1, 2},
        frozenset({"a"}),
        b"\x00\xff",
        bytearray(b"x"),
        Decimal("1.10"),
        datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        date(2026, 1, 2),
        time(1, 2),
        timedelta(days=1, microseconds=3),
        UUID(int=5),
        Color.RED,
        Words(text="x", parts=[Words.model_validate({"text": "y", "more": 1})], at=datetime(2026, 1, 1)),
        Usage(5, Decimal("0.1")),
        Attrs("x"),
        Struct("x"),
        Pair(1, {"x": Usage(1, Decimal(2))}),
    ],
    ids=repr,
)
def test_an_answer_comes_back_as_what_it_was(answer: Any) -> None:
    """Of the same type and value, with its keys in their order."""
    again = decode_answer(encode_answer("ask", answer))
    assert type(again) is type(answer)
    assert again == answer
    if isinstance(answer, dict):
        assert list(again) == list(answer)


def test_nan_comes_back() -> None:
    """As a float and as a Decimal."""
    assert repr(decode_answer(encode_answer("ask", [float("nan"), Decimal("NaN")]))) == "[nan, Decimal('NaN')]"


@given(st.recursive(st.none() | st.integers() | st.text() | st.binary(), lambda x: st.lists(x) | st.tuples(x, x)))
def test_any_answer_comes_back(answer: Any) -> None:
    """Whatever is nested in what."""
    assert decode_answer(encode_answer("ask", answer)) == answer


class Hidden:
    """An object that is no record."""


class Picky(msgspec.Struct):
    """One that cannot be made of its fields."""

    name: str

    def __post_init__(self) -> None:
        if self.name == "made":
            raise ValueError("not so")
        self.name = "made"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Hidden(), f"is {HERE}.Hidden, which cannot be recorded: JSON has no form for it"),
        ([Hidden()], f"is {HERE}.Hidden"),
        (Picky("x"), "cannot be made again from its recorded fields: not so"),
    ],
)
def test_an_answer_that_cannot_be_carried_names_its_type(answer: Any, words: str) -> None:
    """It is refused while it is recorded, not when it is missing."""
    with pytest.raises(ReplayError, match=words):
        encode_answer("ask", answer)


def test_a_type_that_has_gone_is_named() -> None:
    """The recording is of an older version of the application."""
    with pytest.raises(ReplayError, match="the type nowhere:Thing of a recorded answer is not there any more"):
        decode_answer({TAG: "nowhere:Thing", "form": "fields", "value": {}})


def test_an_answer_that_cannot_be_recorded_keeps_its_deal_from_being_judged() -> None:
    """Also where the reasoner swallows the error."""
    MADE.clear()

    def reasoner(deal: Deal) -> dict[str, Any]:
        try:
            ask("x", client=object())
        except ReplayError:
            return {"text": "fallback"}
        return {}

    assert Tapes("ask").run(reasoner, "record").excused


@pytest.mark.parametrize(
    ("setting", "answer", "cost"),
    [
        ("", {}, None),
        ("0.5", {}, Decimal("0.5")),
        ("usage.usd", {"usage": {"usd": 2}}, Decimal(2)),
        ("usage.usd", {"usage": {"usd": Decimal("0.1")}}, Decimal("0.1")),
        ("usage.usd", {"usage": {"usd": -1}}, None),
        ("usage.usd", {"usage": {"usd": float("nan")}}, None),
        ("usage.usd", {"usage": {"usd": True}}, None),
        ("usage.usd", {"usage": {"usd": "1"}}, None),
        ("usage.usd", {}, None),
    ],
)
def test_what_a_call_cost(setting: str, answer: Any, cost: Decimal | None) -> None:
    """A cost that is no number, or negative, is not known."""
    assert cost_in(cost_setting(setting, "replay.cost"), answer) == cost


def test_a_negative_cost_is_refused() -> None:
    """As a setting it is a slip."""
    with pytest.raises(ConfigError, match="a cost must be a number, at least 0"):
        cost_setting("-1", "replay.cost")


def test_a_tape_that_was_stopped_stays_so() -> None:
    """Every further call is refused by the same reason."""
    tape = Tape("1", [], "stop")
    with pytest.raises(ReplayMissError) as first:
        tape.begin("ask", "k", {})
    with pytest.raises(ReplayMissError) as second:
        tape.begin("ask", "other", {})
    assert first.value is second.value


def test_a_process_of_an_executor_serves_one_run_at_a_time() -> None:
    """A worker that outlives a capture replays for the gate after it; a call of another run waits for its turn."""
    one = Deal("1", None, "acquisition", None)
    settings = ReplaySettings((f"{HERE}:ask",), Path.cwd(), (), "", "record", False)
    going, end = threading.Event(), threading.Event()

    def slow(deal: Deal) -> dict[str, Any]:
        answer = ask("x")
        going.set()
        assert end.wait(10)
        return answer

    def reasoned(function: Callable[..., Any], deal: Deal) -> Reasoning:
        return Reasoning(output=dict(bind_reasoner(function)(deal)))

    MADE.clear()
    with ThreadPoolExecutor(2) as pool:
        capture = pool.submit(RemoteReasoner(slow, settings, None).reason_with_tapes, one, reasoned)
        assert going.wait(10)
        recorded = RecordedCall("k", 0, "other", {}, None)
        gating = dataclasses.replace(settings, mode="stop", free_only=True)
        gate = pool.submit(RemoteReasoner(lambda deal: {}, gating, (recorded,)).reason_with_tapes, one, reasoned)
        end.set()
        made = capture.result().calls
        assert gate.result().output == {}
    assert made is not None
    replayed = RemoteReasoner(lambda deal: ask("x"), gating, made.recorded).reason_with_tapes(one, reasoned)
    assert replayed.calls is not None
    assert (replayed.calls.replayed, replayed.excused) == (1, False)
    assert len(MADE) == 1
    for left in list(replay_module._HERE.values()):
        left.end()
