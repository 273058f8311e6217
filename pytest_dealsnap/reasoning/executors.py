"""Calls on any ``concurrent.futures.Executor``: a process pool, or a cluster such as Dask's."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from dataclasses import replace
from typing import Any

from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.errors import ConfigError, redact
from pytest_dealsnap.reasoning.calls import Caller, Reasoning, failure_of
from pytest_dealsnap.reasoning.reasoner import Reasoner, bind_reasoner, needs_row

__all__ = ["ExecutorEngine", "reason_there"]

TRIES = 3


def reason_there(function: Callable[..., Any], deal: Deal, timeout: float | None) -> Reasoning:
    """Reason one deal in the process that an executor chose; *function* and *deal* were pickled."""
    caller = Caller(timeout=timeout)
    try:
        return caller(bind_reasoner(function), deal)
    finally:
        caller.close()


class _Ticket:
    __slots__ = ("deal", "function", "future", "tries")

    def __init__(self, function: Callable[..., Any], deal: Deal, future: Future[Reasoning]) -> None:
        self.function = function
        self.deal = deal
        self.future = future
        self.tries = 1


class ExecutorEngine:
    """Hands calls to the executor that *factory* makes.

    When the executor breaks (a process of its pool was killed), a new one is made and the lost call is
    tried again, three times in all; what then still breaks it is that deal's failure.
    """

    def __init__(self, factory: Callable[[], Executor], *, spec: str, timeout: float | None) -> None:
        self._factory = factory
        self._spec = spec
        self._timeout = timeout
        self._executor = self._make()
        self._open: set[Future[Reasoning]] = set()

    def begin(self, function: Callable[..., Any], reasoner: Reasoner, deal: Deal) -> _Ticket:
        """Hand one call over; a deal's whole row goes with it only where the reasoner asks for the deal."""
        there = replace(deal, fields=dict(deal.fields) if needs_row(function) else {})
        return _Ticket(function, there, self._submit(function, there))

    def finish(self, ticket: _Ticket) -> Reasoning:
        """Wait for the call; an executor that broke is replaced and asked again."""
        while True:
            future = ticket.future
            try:
                return future.result()
            except (BrokenExecutor, CancelledError) as error:
                if ticket.tries >= TRIES:
                    return Reasoning(failure=failure_of(error))
                ticket.tries += 1
                ticket.future = self._submit(ticket.function, ticket.deal)
            except Exception as error:  # it could not be pickled, or the cluster gave the call up
                return Reasoning(failure=failure_of(error))
            finally:
                self._open.discard(future)

    def under_way(self) -> int:
        """Return how many calls were handed over and have not come back."""
        return sum(not future.done() for future in self._open)

    def close(self) -> None:
        """Cancel what has not begun and let go of the executor, without waiting."""
        for future in self._open:
            future.cancel()
        self._executor.shutdown(wait=False)  # Dask's knows no cancel_futures

    def _make(self) -> Executor:
        try:
            executor = self._factory()
        except Exception as error:
            raise ConfigError(redact(f"executor = {self._spec!r} raised {type(error).__name__}: {error}")) from error
        if not hasattr(executor, "submit") or not hasattr(executor, "shutdown"):
            raise ConfigError(
                f"executor = {self._spec!r} returned {type(executor).__name__}; "
                "it must return a concurrent.futures.Executor"
            )
        return executor

    def _submit(self, function: Callable[..., Any], deal: Deal) -> Future[Reasoning]:
        try:
            future = self._executor.submit(reason_there, function, deal, self._timeout)
        except (BrokenExecutor, RuntimeError):
            self._executor = self._make()
            future = self._executor.submit(reason_there, function, deal, self._timeout)
        self._open.add(future)
        return future
