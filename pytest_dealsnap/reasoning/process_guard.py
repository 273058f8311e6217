"""Reasoners that would end, replace or double the process that calls them.

A process that ends with status 0 in the middle of a gate looks like one that passed. A child of a fork that
returns from its call would go on with the run, and come to a verdict of its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["FORKED", "ExitRefusedError", "end_forked_child", "process_guarded"]

FORKED = 70  # the status of a child that came back from a reasoner's call
_CALLING = ("pytest_dealsnap.reasoning.calls", "pytest_dealsnap.reasoning.ahead")
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


@contextmanager
def process_guarded(say: Callable[[str], None]) -> Iterator[None]:
    """Refuse reasoners the end of this process; end it with a failure where others ask for that, and *say* so.

    Its children may do as they like.
    """
    owner, before = os.getpid(), {name: getattr(os, name) for name in ("_exit", *_REPLACING) if hasattr(os, name)}

    def leave(status: int) -> None:
        if os.getpid() == owner:
            if _in_call():
                raise ExitRefusedError(f"os._exit({status!r}) was called, which would end the run")
            say(f"dealsnap: os._exit({status!r}) ends the run before its verdict")
            status = status or 1
        before["_exit"](status)

    def replacing(name: str) -> Callable[..., Any]:
        def replace(path: Any, *arguments: Any) -> Any:
            if os.getpid() == owner:
                raise ExitRefusedError(f"os.{name}({path!r}, …) was called, which would replace the run's process")
            return before[name](path, *arguments)

        return replace

    guards = {"_exit": leave, **{name: replacing(name) for name in _REPLACING if name in before}}
    for name, guard in guards.items():
        setattr(os, name, guard)
    try:
        yield
    finally:
        for name, original in before.items():
            setattr(os, name, original)


def _in_call() -> bool:
    """Whether this thread is inside of a reasoner's call; only asked where somebody would end the process."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_globals.get("__name__") not in _CALLING:
        frame = frame.f_back
    return frame is not None
