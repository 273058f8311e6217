"""A time-out ends an async call that blocks its own event loop, where no cancellation can reach it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.reasoning.engine import Engine

SAFETY = 60.0


class Blocking:
    """An async reasoner that blocks its loop for one deal, until the test lets go."""

    def __init__(self) -> None:
        self.released = threading.Event()

    async def __call__(self, deal_id: int) -> dict[str, Any]:
        if deal_id == 1:
            self.released.wait(SAFETY)
        await asyncio.sleep(0)
        return {"id": deal_id}


def deal(number: int) -> Deal:
    """Return a deal of no importance."""
    return Deal(number, f"Deal {number}", "acquisition", None)


def test_one_at_a_time() -> None:
    """The blocking call is that deal's error, and the next deal is reasoned."""
    reasoner, caller = Blocking(), Engine(timeout=1.0)
    try:
        late = caller(reasoner, deal(1))
        assert late.failure is not None
        assert late.failure.type == "ReasonerTimeoutError"
        assert caller(reasoner, deal(2)).output == {"id": 2}
    finally:
        reasoner.released.set()
        caller.close()


def test_many_at_once() -> None:
    """Calls that waited for the blocked loop are made on a new one."""
    reasoner, engine = Blocking(), Engine(workers=1, timeout=1.0)
    try:
        for number in (1, 2, 3):
            engine.begin(number, reasoner, deal(number))
        answers = [engine.finish(number) for number in (1, 2, 3)]
        assert answers[0].failure is not None
        assert answers[0].failure.type == "ReasonerTimeoutError"
        assert [answer.output for answer in answers[1:]] == [{"id": 2}, {"id": 3}]
    finally:
        reasoner.released.set()
        engine.close()
