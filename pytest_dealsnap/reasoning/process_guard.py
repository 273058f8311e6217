"""Reasoners that would end, replace or double the process that calls them.

A process that ends with status 0 in the middle of a gate looks like one that passed. A child of a fork that
returns from its call would go on with the run, and come to a verdict of its own.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any

__all__ = ["FORKED", "ExitRefusedError", "ProcessGuard", "end_forked_child"]

FORKED = 70  # the status of a child that came back from a reasoner's call
_CALLING = ("pytest_dealsnap.reasoning.calls", "pytest_dealsnap.reasoning.engine", "pytest_dealsnap.reasoning.loops")
_exit = os._exit  # as it is before any guard
_REPLACING = ("execv", "execve")  # the other functions of the family call these


class ExitRefusedError(SystemExit):
    """A reasoner asked to end or to replace the process; raised in its place, so that the deal fails by it."""


def end_forked_child(owner: int) -> None:
    """End this process at once, unless it is *owner*: it is a child that a reasoner forked and let return."""
    if os.getpid() != owner:
        text = "dealsnap: a reasoner forked, and its child returned from the call; the child ends here\n"
        os.write(2, text.encode())
        _exit(FORKED)


class ProcessGuard:
    """Refuses reasoners the end of this process, and lets nobody end it with a status that says less than the run.

    Its children may do as they like. C code that ends the process is not seen.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._owner = os.getpid()
        self._over = False
        self._status = 0
        self._before: dict[tuple[ModuleType, str], Callable[..., Any]] = {}

    def put_up(self) -> None:
        """Begin to guard."""
        for module in (os, importlib.import_module(os.name)):  # ``os`` has its functions from there, as others may
            for name in ("_exit", *_REPLACING):
                if hasattr(module, name):
                    before = self._before[module, name] = getattr(module, name)
                    guard = self._leaving(before) if name == "_exit" else self._replacing(name, before)
                    setattr(module, name, guard)

    def take_down(self, status: int = 0) -> None:
        """Let go of the process, whose run has ended with *status*; a failure stays one until the process ends.

        A thread that still runs, or a function registered for the end, would make a success of it.
        """
        self._status, self._over = status, True
        if not status:
            for (module, name), before in self._before.items():
                setattr(module, name, before)

    def _leaving(self, before: Callable[..., Any]) -> Callable[[int], None]:
        def leave(status: int) -> None:
            succeeds = isinstance(status, int) and not status & 0xFF  # the system keeps no more of it
            if os.getpid() == self._owner and not self._over:
                if _in_call():
                    raise ExitRefusedError(f"os._exit({status!r}) was called, which would end the run")
                self._say(f"dealsnap: os._exit({status!r}) ends the run before its verdict")
                status = 1 if succeeds else status
            elif os.getpid() == self._owner and succeeds:
                status = self._status
            before(status)

        return leave

    def _replacing(self, name: str, before: Callable[..., Any]) -> Callable[..., Any]:
        def replace(path: Any, *arguments: Any) -> Any:
            if os.getpid() == self._owner and (self._status or not self._over):
                raise ExitRefusedError(f"os.{name}({path!r}, …) was called, which would replace the run's process")
            return before(path, *arguments)

        return replace


def _in_call() -> bool:
    """Whether this thread is inside of a reasoner's call; only asked where somebody would end the process."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_globals.get("__name__") not in _CALLING:
        frame = frame.f_back
    return frame is not None
