"""An async reasoner runs on the event loop that its fixture ran on, whichever plugin made that loop."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.errors import EventLoopError
from pytest_dealsnap.reasoning.engine import Engine
from pytest_dealsnap.reasoning.loops import Home
from tests.plugin.project import ALIKE, Outcome, Project, deals

# A client that is opened on one event loop and refuses to serve on another, as real ones do.
CLIENT = """
import asyncio


class Client:
    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.ready = self.loop.create_future()
        self.loop.call_soon(self.ready.set_result, None)

    async def ask(self, amount):
        assert asyncio.get_running_loop() is self.loop, "attached to a different loop"
        await self.ready
        await asyncio.sleep(0)
        return {"offer": {"price": amount}, "risks": [], "memo": "as signed"}
"""

ASYNCIO = """
import pytest_asyncio
from client import Client


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def deal_reasoner():
    client = Client()

    async def ask(transaction):
        return await client.ask(transaction.fields["amount"])

    yield ask
    assert await client.ask(1)
"""

# The reasoner's own fixture is sync, and of one function; what it asks for is async.
NEARBY = """
import pytest
import pytest_asyncio
from client import Client


@pytest_asyncio.fixture
async def client():
    return Client()


@pytest.fixture
def deal_reasoner(client):
    return lambda transaction: client.ask(transaction.fields["amount"])
"""

ANYIO = """
import pytest
from client import Client


@pytest.fixture(scope="session")
def anyio_backend():
    return "BACKEND"


@pytest.fixture(scope="session")
async def deal_reasoner(anyio_backend):
    client = Client() if anyio_backend == "asyncio" else None

    async def ask(transaction):
        return await client.ask(transaction.fields["amount"])

    yield ask
"""

PLUGINS = {
    "pytest-asyncio": (ASYNCIO, "pytest_asyncio.plugin"),
    "a fixture nearby": (NEARBY, "pytest_asyncio.plugin"),
    "anyio": (ANYIO.replace("BACKEND", "asyncio"), "anyio.pytest_plugin"),
    "trio": (ANYIO.replace("BACKEND", "trio"), "anyio.pytest_plugin"),
}


def capture(folder: Path, plugin: str, *arguments: str) -> Outcome:
    """Capture three deals by the reasoner of an async fixture."""
    conftest, loaded = PLUGINS[plugin]
    project = Project(folder).with_deals(*deals(3)).with_file("conftest.py", conftest).with_file("client.py", CLIENT)
    project = project.with_file("pytest.ini", "[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    return project.run("--dealsnap-update", ALIKE, "-p", loaded, *arguments)


@pytest.mark.parametrize("plugin", ["pytest-asyncio", "a fixture nearby", "anyio"])
@pytest.mark.parametrize("arguments", [(), ("--dealsnap-workers", "3", "--dealsnap-timeout", "60")], ids=["", "many"])
def test_a_client_of_an_async_fixture_works(tmp_path: Path, plugin: str, arguments: tuple[str, ...]) -> None:
    """It is bound to the loop of its fixture, and every deal is reasoned there; so is what closes it."""
    outcome = capture(tmp_path, plugin, *arguments)
    assert outcome.code == 0, outcome.text
    assert "3 passed" in outcome.text


@pytest.mark.parametrize("arguments", [(), ("--dealsnap-workers", "3")], ids=["", "many"])
def test_trio_is_refused_in_a_sentence(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """No deal is recorded as an error: nothing was reasoned."""
    outcome = capture(tmp_path, "trio", *arguments)
    assert outcome.code == 1, outcome.text
    assert "the async fixture deal_reasoner does not run on asyncio but on trio, and dealsnap awaits" in outcome.text
    assert "3 deals not recorded, which is no failure of the reasoner" in outcome.text
    assert not list(tmp_path.glob("snapshots/deals/*.json"))


DEAL = Deal(7, None, "acquisition", None)


async def trios(deal: Deal) -> Any:
    """A reasoner that awaits trio."""
    import trio

    await trio.sleep(0)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_reasoner_that_awaits_trio_is_refused(workers: int) -> None:
    """Trio's own word on it would be recorded as the deal's error."""
    engine = Engine(workers=workers)
    try:
        reasoning = engine(trios, DEAL)
    finally:
        engine.close()
    assert reasoning.excused
    assert "the reasoner awaits trio, and dealsnap awaits reasoners on asyncio only" in str(reasoning.failure)


def at_home(loop: asyncio.AbstractEventLoop, *, workers: int = 1, timeout: float | None = None) -> Engine:
    """Return an engine whose reasoners all belong to *loop*."""
    engine = Engine(workers=workers, timeout=timeout)
    home = Home("client", loop)
    engine.homes = lambda function: home
    return engine


async def where(deal: Deal) -> Any:
    """Tell the loop."""
    await asyncio.sleep(0)
    return {"loop": id(asyncio.get_running_loop())}


@pytest.mark.parametrize(("workers", "timeout"), [(1, None), (1, 60.0), (3, None)])
@pytest.mark.parametrize("function", [where, lambda deal: where(deal)], ids=["async", "returns awaitable"])
def test_every_lane_awaits_at_home(workers: int, timeout: float | None, function: Any) -> None:
    """Serial or not, with a time-out or not, also what a sync function returns."""
    loop = asyncio.new_event_loop()
    engine = at_home(loop, workers=workers, timeout=timeout)
    try:
        for number in range(3):
            engine.begin(number, function, DEAL)
        assert [engine.finish(number).output for number in range(3)] == [{"loop": id(loop)}] * 3
    finally:
        engine.close()
        loop.close()


@pytest.mark.parametrize(("workers", "timeout"), [(1, None), (2, None)])
def test_a_loop_that_a_call_stops_goes_on(workers: int, timeout: float | None) -> None:
    """The call still gets its answer."""

    async def stops(deal: Deal) -> Any:
        asyncio.get_running_loop().stop()
        await asyncio.sleep(0)
        return {"went": "on"}

    loop = asyncio.new_event_loop()
    engine = at_home(loop, workers=workers, timeout=timeout)
    try:
        assert engine(stops, DEAL).output == {"went": "on"}
    finally:
        engine.close()
        loop.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_closed_or_running_loop_is_refused(workers: int) -> None:
    """Nothing could be awaited there; the deal is not judged."""
    loop = asyncio.new_event_loop()
    engine = at_home(loop, workers=workers)

    async def inside() -> Any:
        return engine(where, DEAL)

    try:
        running = loop.run_until_complete(inside())
        assert running.excused
        assert "the async fixture client runs on an event loop that is taken" in str(running.failure)
        loop.close()
        closed = engine(where, DEAL)
        assert closed.excused
        assert "closed" in str(closed.failure)
    finally:
        engine.close()


def test_a_call_that_blocks_the_fixtures_loop_ends_in_time() -> None:
    """It is that deal's error; what needs the loop after it is not judged, for the fixture has no other."""
    released = threading.Event()

    async def blocks(deal: Deal) -> Any:
        released.wait(60)
        return {}

    loop = asyncio.new_event_loop()
    engine = at_home(loop, workers=1, timeout=0.1)
    engine.begin(1, blocks, DEAL)
    engine.begin(2, where, DEAL)
    first, second, third = engine.finish(1), engine.finish(2), engine(where, DEAL)
    assert (first.excused, second.excused, third.excused) == (False, True, True)
    assert "no answer within 0.1 seconds" in str(first.failure)
    assert "taken: by a call that blocks it" in str(second.failure)
    lane: Any = engine._lane
    [left] = lane._loops.values()
    engine.close()
    released.set()
    left._driver.join()
    loop.close()


def test_an_error_of_the_reasoner_stays_its_own() -> None:
    """A runtime error that is not trio's is the deal's."""

    async def fails(deal: Deal) -> Any:
        raise RuntimeError("no such product")

    loop = asyncio.new_event_loop()
    engine = at_home(loop)
    try:
        reasoning = engine(fails, DEAL)
        assert not reasoning.excused
        assert str(reasoning.failure) == "RuntimeError: no such product"
        with pytest.raises(EventLoopError, match="asyncio only"):
            Home("client", None).opened()
    finally:
        engine.close()
        loop.close()
