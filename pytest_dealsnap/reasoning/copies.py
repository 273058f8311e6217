"""Calls made in a process of its own, whose application reads another database than this one's.

An application that reads its database's URL when it is imported cannot be pointed elsewhere afterwards. So
each scratch copy has a process, started with the variable set, in which the reasoner is imported anew.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from pytest_dealsnap.callables import import_object
from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.reasoning.calls import USUAL
from pytest_dealsnap.reasoning.engine import Engine
from pytest_dealsnap.reasoning.environment import Environment
from pytest_dealsnap.reasoning.executors import ExecutorLane
from pytest_dealsnap.reasoning.reasoner import Reasoner, bind_reasoner
from pytest_dealsnap.reasoning.signals import signals_wait

__all__ = ["NamedReasoner", "copy_engine"]


@dataclass(frozen=True, slots=True)
class NamedReasoner:
    """A reasoner that is given no more than a deal's id, by its name: imported where it is called."""

    spec: str
    root: Path

    def __call__(self, deal_id: Any) -> Any:
        """Reason the deal by the process's own import of the reasoner."""
        return _imported(self.spec, self.root)(Deal(deal_id, None, "", None))


@cache
def _imported(spec: str, root: Path) -> Reasoner:
    return bind_reasoner(import_object(spec, root=root, place="reasoner"))


def copy_engine(
    variables: Mapping[str, str],
    *,
    timeout: float | None,
    window: int,
    environment: Environment = USUAL,
    first: Callable[[], None] | None = None,
) -> Engine:
    """Return an engine whose one process has *variables* in its environment before it imports anything.

    *first*, a function of a module, is called there before anything of the user's is imported.
    """
    begin, spec = partial(_process, dict(variables), first), "a process for a scratch copy"
    return Engine(lane=ExecutorLane(begin, spec=spec, timeout=timeout, environment=environment), window=window)


def _process(variables: dict[str, str], first: Callable[[], None] | None) -> Executor:
    context = multiprocessing.get_context("spawn")  # a fork would inherit modules that were imported before
    return _Process(1, mp_context=context, initializer=_begin, initargs=(variables, first))


class _Process(ProcessPoolExecutor):
    """A pool of one process, which ends with the run: nobody waits for a call that is still under way."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Hand a call over; Ctrl-C waits until the pool knows a process that is started for it, and can end it."""
        with signals_wait():
            return super().submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the process, so that nothing reads the copy any more when it is dropped."""
        for process in list((self._processes or {}).values()):  # 3.14 calls this terminate_workers
            process.kill()
        super().shutdown(wait=True, cancel_futures=cancel_futures)


def _begin(variables: dict[str, str], first: Callable[[], None] | None) -> None:
    os.environ.update(variables)
    if first is not None:
        first()
