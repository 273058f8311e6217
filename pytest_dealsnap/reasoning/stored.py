"""A reasoner whose outputs are kept: one that was computed already is reused, and each call is paid from the budget."""

from __future__ import annotations

import inspect
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.reasoning.calls import Reasoning
from pytest_dealsnap.reasoning.canonical import canonical_output
from pytest_dealsnap.reasoning.environment import Environment
from pytest_dealsnap.reasoning.reasoner import Reasoner, bind_reasoner
from pytest_dealsnap.reasoning.replay import Replay, cost_setting
from pytest_dealsnap.reasoning.run_store import RunStore
from pytest_dealsnap.reasoning.spending import Budget, amount_of

__all__ = ["StoreSettings", "StoredCalls", "StoredReasoner"]


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """A run's store and prices, as they travel to the processes of an executor, which share the folder.

    ``cost`` is a number or a path into the output, ``retries`` how often a call that raised one of ``retry_on`` is made
    again, ``index`` the number of a repeated run, whose outputs are kept beside those of the others. ``made_of`` has
    the digests of all that the key is made of. ``asks_anew`` says that no output of recorded calls alone is reused.
    """

    folder: Path
    budget: Budget
    currency: str
    cost: str = ""
    retries: int = 0
    retry_on: tuple[str, ...] = ()
    index: int = 0
    made_of: Mapping[str, str] = field(default_factory=dict)
    asks_anew: bool = False


class StoredCalls:
    """The calls of a run through its store, in one process."""

    def __init__(self, settings: StoreSettings, *, may_reuse: Callable[[str], bool] = lambda deal_id: True) -> None:
        self.settings = settings
        self.store = RunStore(settings.folder, settings.budget, settings.currency)
        self.cost = cost_setting(settings.cost, "calls.cost")
        self._may_reuse = may_reuse
        self._retried = Environment(settings.retry_on) if settings.retry_on else None
        self.reused: set[str] = set()
        self.retries_made: Counter[str] = Counter()
        self._reasoners: dict[int, StoredReasoner] = {}

    def find(self, deal: Deal) -> dict[str, Any] | None:
        """Return the output of an earlier run, where there is one."""
        kept = self.store.find(deal, self.settings.index) if self._may_reuse(deal.key) else None
        if kept is None or (kept.replayed and self.settings.asks_anew):
            self.reused.discard(deal.key)
            return None
        self.reused.add(deal.key)
        return kept.output

    def reasoner(self, function: Callable[..., Any]) -> StoredReasoner:
        """Return *function* as a reasoner that is paid and kept; the same one for the same function."""
        known = self._reasoners.get(id(function))
        if known is None or known.__wrapped__ is not function:
            call = type(function).__call__
            is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)
            known = self._reasoners[id(function)] = (AsyncStoredReasoner if is_async else StoredReasoner)(
                function, self
            )
        return known

    def settle(self, deal: Deal, reasoning: Reasoning) -> Reasoning:
        """Return *reasoning*, marked where its output was computed by an earlier run."""
        reused = reasoning.reused or deal.key in self.reused
        return replace(reasoning, reused=True) if reused and reasoning.output is not None else reasoning

    def lost(self, deal: Deal) -> bool:
        """Take note that the call of *deal* was lost with its process; whether it is made again."""
        spend = self.store.spend
        spend.lose([call for call, of in spend.account().under_way.items() if of == deal.key])
        if self.retries_made[deal.key] >= self.settings.retries:
            return False
        self.retries_made[deal.key] += 1
        return True

    def may_retry(self, deal: Deal, error: BaseException) -> bool:
        """Whether the call is made again, and counted."""
        if (
            self._retried is None
            or self.retries_made[deal.key] >= self.settings.retries
            or not self._retried.names_one_of(error)
        ):
            return False
        self.retries_made[deal.key] += 1
        return True

    def amount(self, output: dict[str, Any]) -> Decimal | None:
        """Return what the call of *output* cost."""
        if self.cost is None or isinstance(self.cost, Decimal):
            return self.cost
        return amount_of(self.cost(output))


class _PaidCall:
    """One call: begun when it is paid for, ended once."""

    def __init__(self, calls: StoredCalls, deal: Deal, replay: Replay | None) -> None:
        self._calls, self._deal, self._replay = calls, deal, replay
        self._lock = threading.Lock()
        self._call: str | None = None
        self._started = time.perf_counter()

    def begin(self) -> None:
        with self._lock:
            if self._call is None:
                self._call = self._calls.store.spend.begin(self._deal.key, self._calls.settings.index)
                self._started = time.perf_counter()

    def ended(self, value: Any) -> Any:
        """Keep what came out, and return it in canonical form."""
        seconds = time.perf_counter() - self._started
        try:
            output = canonical_output(value)
        except BaseException:
            self.failed()
            raise
        index = self._calls.settings.index
        replayed = self._replay is not None and self._call is None
        # Before it counts as ended: what is paid is not lost.
        self._calls.store.keep(self._deal, output, seconds, index, replayed=replayed)
        self._end(seconds, self._amount(output))
        return output

    def _amount(self, output: dict[str, Any]) -> Decimal | None:
        """Return what the recorded calls that were made anew cost, where that is configured, else by the output."""
        if self._replay is not None and self._replay.settings.cost:
            return self._replay.cost_of(self._deal.key)
        return self._calls.amount(output)

    def failed(self) -> None:
        """Take note of a call without an output: what it cost is not known, unless every call costs the same."""
        fixed = self._calls.cost if isinstance(self._calls.cost, Decimal) else None
        if self._replay is not None and self._replay.settings.cost:
            fixed = self._replay.cost_of(self._deal.key)
        self._end(time.perf_counter() - self._started, fixed)

    def _end(self, seconds: float, amount: Decimal | None) -> None:
        with self._lock:
            call, self._call = self._call, None
        if call is not None:
            index = self._calls.settings.index
            self._calls.store.spend.end(call, self._deal.key, seconds=seconds, amount=amount, index=index)


class StoredReasoner:
    """The user's function, or one with recorded calls, behind the store; see :func:`bind_reasoner`."""

    def __init__(self, function: Callable[..., Any], calls: StoredCalls) -> None:
        self.__wrapped__ = function
        self.untaped = getattr(function, "untaped", function)
        self._calls = calls

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the user's function as it is: without a deal nothing is kept."""
        return self.__wrapped__(*args, **kwargs)

    def bind_to_tapes(self) -> Reasoner:
        """Return the function bound to deals, each paid and kept."""
        reasoner = bind_reasoner(self.__wrapped__)

        def reason(deal: Deal) -> Any:
            kept = self._calls.find(deal)
            if kept is not None:
                return _later(kept) if isinstance(self, AsyncStoredReasoner) else kept
            while True:
                paid = self._paid(deal)
                try:
                    value = reasoner(deal)
                    return (
                        self._awaited(reasoner, deal, paid, value) if inspect.isawaitable(value) else paid.ended(value)
                    )
                except BaseException as error:
                    paid.failed()
                    if not self._calls.may_retry(deal, error):
                        raise

        return reason

    def _paid(self, deal: Deal) -> _PaidCall:
        """Return a call that is paid for; one with recorded calls is when the first of them is made anew."""
        replay = getattr(self.__wrapped__, "replay", None) if hasattr(type(self.__wrapped__), "for_deal") else None
        paid = _PaidCall(self._calls, deal, replay)
        if replay is None:
            paid.begin()
        else:
            replay.pay_when_asked(deal.key, paid.begin)
        return paid

    def for_deal(self, deal: Deal) -> RemoteStored:
        """Return the reasoner for one deal in another process, which keeps the same store."""
        inner: Any = self.__wrapped__
        there = inner.for_deal(deal) if hasattr(type(inner), "for_deal") else inner
        return RemoteStored(there, self._calls.settings)

    async def _awaited(self, reasoner: Reasoner, deal: Deal, paid: _PaidCall, value: Any) -> Any:
        while True:
            try:
                return paid.ended(await value)
            except BaseException as error:
                paid.failed()
                if not self._calls.may_retry(deal, error):
                    raise
            paid = self._paid(deal)
            value = reasoner(deal)


@dataclass(frozen=True, slots=True)
class RemoteStored:
    """One deal's reasoner on its way to a process of an executor; ``inner`` may have recorded calls."""

    inner: Callable[..., Any]
    settings: StoreSettings

    def reason_with_tapes(self, deal: Deal, call: Callable[[Callable[..., Any], Deal], Reasoning]) -> Reasoning:
        """Reason *deal* there by *call*; the answer says whether it was reused."""
        calls = StoredCalls(self.settings)

        def reasoned(function: Callable[..., Any], one: Deal) -> Reasoning:
            return calls.settle(one, call(calls.reasoner(function), one))

        with_tapes = getattr(type(self.inner), "reason_with_tapes", None)
        if with_tapes is None:
            return reasoned(self.inner, deal)
        found: Reasoning = with_tapes(self.inner, deal, reasoned)
        return found


class AsyncStoredReasoner(StoredReasoner):
    """The same of an async function, which event loops tell by its ``__call__``."""

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return await self.__wrapped__(*args, **kwargs)


async def _later(output: Any) -> Any:
    return output
