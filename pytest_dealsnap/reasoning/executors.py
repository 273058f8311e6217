"""Calls on any ``concurrent.futures.Executor``: a process pool, or a cluster such as Dask's."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.errors import ConfigError, DealsnapError, ExecutorError, StoreError
from pytest_dealsnap.reasoning.calls import USUAL, Reasoning, excused, excused_by, failure_of
from pytest_dealsnap.reasoning.engine import Engine
from pytest_dealsnap.reasoning.environment import Environment
from pytest_dealsnap.reasoning.loops import Home
from pytest_dealsnap.reasoning.reasoner import Reasoner, needs_row
from pytest_dealsnap.reasoning.sealed import Sealed
from pytest_dealsnap.secrets import redact

__all__ = ["ExecutorLane", "reason_there"]

TRIES = 3
# Seconds, beyond the time that one call may take, without any answer until an executor counts as dead. A cluster may
# need minutes to start its workers.
PATIENCE = 300.0


def reason_there(call: Sealed, timeout: float | None, environment: Environment = USUAL) -> Reasoning:
    """Reason one deal in the process that an executor chose; *call* holds the user's function and the deal."""
    function, deal = call.open()
    with_tapes = getattr(type(function), "reason_with_tapes", None)
    if with_tapes is not None:
        reasoning: Reasoning = with_tapes(function, deal, lambda taped, one: _here(taped, one, timeout, environment))
        return reasoning
    return _here(function, deal, timeout, environment)


def _here(function: Callable[..., Any], deal: Deal, timeout: float | None, environment: Environment) -> Reasoning:
    engine = Engine(timeout=timeout, environment=environment)
    try:
        return excused(deal, engine(function, deal))
    finally:
        engine.close()


class _Ticket:
    __slots__ = ("deal", "function", "future", "tries")

    def __init__(self, function: Callable[..., Any], deal: Deal, future: Future[Reasoning]) -> None:
        self.function = function
        self.deal = deal
        self.future = future
        self.tries = 1


class ExecutorLane:
    """Hands calls to the executor that *factory* makes.

    When the executor breaks (a process of its pool was killed), a new one is made and the lost call is
    tried again, three times in all; what then still breaks it is that deal's failure. An executor that does not
    work at all is no failure of a deal: :class:`ExecutorError` is raised where the deal's answer is asked for.
    """

    def __init__(
        self,
        factory: Callable[[], Executor],
        *,
        spec: str,
        timeout: float | None,
        environment: Environment = USUAL,
    ) -> None:
        self._factory = factory
        self._spec = spec
        self._timeout = timeout
        self._environment = environment
        self._executor = self._make()
        self._open: set[Future[Reasoning]] = set()
        self._heard = time.monotonic()
        self._dead = False
        # Told of a paid call that was lost, whether it is made again; without it a call costs nothing.
        self.on_lost: Callable[[Deal], bool] | None = None

    def begin(self, function: Callable[..., Any], reasoner: Reasoner, deal: Deal, home: Home | None = None) -> _Ticket:
        """Hand one call over; a deal's whole row goes with it only where the reasoner asks for the deal."""
        row = needs_row(function)
        if row:
            len(deal.fields)  # read here, where the source is
        there = deal if row else replace(deal, fields={})
        if hasattr(type(function), "for_deal"):  # its recorded calls go with it
            function = function.for_deal(deal)  # type: ignore[attr-defined]  # as asked just before
        return _Ticket(function, there, self._submit(function, there))

    def finish(self, ticket: _Ticket) -> Reasoning:
        """Wait for the call; an executor that broke is replaced and asked again."""
        while True:
            future = ticket.future
            try:
                return self._answer(self._awaited(future), ticket.deal)
            except DealsnapError:
                raise
            except (BrokenExecutor, CancelledError) as error:
                if self.on_lost is not None and not self.on_lost(ticket.deal):
                    lost = StoreError(
                        f"the call of deal {ticket.deal.key} was lost with its process, and is paid: {error}"
                    )
                    return excused_by(lost)
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
        except (Exception, SystemExit) as error:
            raise ConfigError(redact(f"executor = {self._spec!r} raised {type(error).__name__}: {error}")) from error
        if not hasattr(executor, "submit") or not hasattr(executor, "shutdown"):
            raise ConfigError(
                f"executor = {self._spec!r} returned {type(executor).__name__}; "
                "it must return a concurrent.futures.Executor"
            )
        return executor

    def _submit(self, function: Callable[..., Any], deal: Deal) -> Future[Reasoning]:
        try:
            future = self._handed_over(function, deal)
        except Exception as error:  # told at this deal's own turn, not at that of the deal that it is begun ahead of
            future = Future()
            future.set_exception(self._refused(error, deal))
        self._open.add(future)
        self._hear(future)
        future.add_done_callback(self._hear)
        return future

    def _hear(self, _: Future[Reasoning]) -> None:
        self._heard = time.monotonic()

    def _awaited(self, future: Future[Reasoning]) -> Any:
        """Wait for *future*. With a time-out an answer, of this call or of any other, must come now and then."""
        while self._timeout is not None and not future.done():
            silence = self._heard + self._timeout + PATIENCE - time.monotonic()
            if self._dead or silence <= 0:
                self._dead = True
                raise ExecutorError(
                    f"executor = {self._spec!r} gave no answer to any call for {self._timeout + PATIENCE:g} seconds"
                )
            with suppress(FutureTimeoutError):  # where it is the call's own, the future is done and says so below
                return future.result(timeout=silence)
        return future.result()

    def _handed_over(self, function: Callable[..., Any], deal: Deal) -> Future[Reasoning]:
        try:
            future = self._submitted(function, deal)
        except (BrokenExecutor, RuntimeError):
            self._executor = self._make()
            future = self._submitted(function, deal)
        if not hasattr(future, "result"):  # annotations hold nobody to anything
            kind = type(future).__name__
            raise ExecutorError(f"executor = {self._spec!r} took deal {deal.key} but returned {kind}, not a future")
        return future

    def _submitted(self, function: Callable[..., Any], deal: Deal) -> Future[Reasoning]:
        return self._executor.submit(reason_there, Sealed((function, deal)), self._timeout, self._environment)

    def _refused(self, error: Exception, deal: Deal) -> DealsnapError:
        if isinstance(error, DealsnapError):
            return error
        words = f"did not take deal {deal.key}: {type(error).__name__}: {error}"
        return ExecutorError(redact(f"executor = {self._spec!r} {words}"))

    def _answer(self, value: Any, deal: Deal) -> Reasoning:
        if isinstance(value, Reasoning):
            return value
        raise ExecutorError(
            f"executor = {self._spec!r} answered deal {deal.key} with a {type(value).__name__}, "
            "not with what the function that it was given returns"
        )
