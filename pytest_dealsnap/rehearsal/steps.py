"""One step of the rehearsal: a process of its own, bounded in time, whose end is waited for and seen."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pytest_dealsnap.errors import DealsnapError
from pytest_dealsnap.reasoning.signals import signals_wait
from pytest_dealsnap.secrets import redact
from pytest_dealsnap.text import printable

__all__ = ["Done", "OriginalReachedError", "Say", "run_step"]

Say = Callable[[str], None]
SIGN_OF_LIFE = 10.0  # seconds between two lines of a long step
GRACE = 5.0
KEPT = 200_000  # of a step's output, its last bytes


@dataclass(frozen=True, slots=True)
class Done:
    """How a step ended: exit status (``None`` when its time was over), seconds, and what it said.

    ``reached`` are the drivers and programs by which the user's own code opened the scratch copy, as far as the guard
    saw it. ``errors`` are what the database refused, as the drivers were told: also what the step caught and kept to
    itself.
    """

    code: int | None
    seconds: float
    output: str
    reached: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it ended well."""
        return self.code == 0

    @property
    def timed_out(self) -> bool:
        """Whether its time was over."""
        return self.code is None

    def tail(self, lines: int = 12) -> tuple[str, ...]:
        """Return the last lines that it said, safe for a terminal and without secrets."""
        said = [line.rstrip() for line in self.output.splitlines() if line.strip()]
        return tuple(printable(redact(line))[:300] for line in said[-lines:])

    def ending(self) -> str:
        """Return in words how it ended."""
        if self.timed_out:
            return f"was ended after {self.seconds:,.0f} s (--timeout)"
        return f"ended with status {self.code}"


class OriginalReachedError(DealsnapError):
    """A step asked for the original database, and was stopped; ``evidence`` says how, ``advice`` what to do."""

    def __init__(self, title: str, evidence: Sequence[str], advice: str) -> None:
        super().__init__(title)
        self.title = title
        self.evidence = tuple(evidence)
        self.advice = advice


def run_step(
    command: Sequence[str] | str,
    *,
    cwd: Path,
    environment: Mapping[str, str],
    timeout: float,
    title: str,
    say: Say,
    watch: Callable[[int], AbstractContextManager[None]] = lambda leader: nullcontext(),
) -> Done:
    """Run *command* (a text goes to the shell) and wait; Ctrl-C ends it and all that it started.

    *watch* is entered with the number of the first process as soon as that runs, and left when it has ended.
    """
    started = time.monotonic()
    with tempfile.TemporaryFile() as said:
        process = None
        try:
            with signals_wait():  # one that came amid the start would leave a process that nobody knows
                process = _started(command, cwd, environment, said)
            with watch(process.pid):
                code = _wait(process, started, timeout, title, say)
        finally:
            if process is not None:
                _end(process)
        said.seek(max(said.seek(0, os.SEEK_END) - KEPT, 0))
        output = said.read().decode("utf-8", "replace")
    return Done(code, time.monotonic() - started, output)


def _started(
    command: Sequence[str] | str, cwd: Path, environment: Mapping[str, str], said: IO[bytes]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  # the user's own commands, from their own configuration
        command,
        shell=isinstance(command, str),
        cwd=cwd,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # so that it can be ended with its children, and Ctrl-C is ours to pass on
    )


def _wait(process: subprocess.Popen[bytes], started: float, timeout: float, title: str, say: Say) -> int | None:
    while True:
        left = timeout - (time.monotonic() - started)
        if left <= 0:
            return None
        try:
            return process.wait(min(left, SIGN_OF_LIFE))
        except subprocess.TimeoutExpired:
            say(f"  … {title}: {time.monotonic() - started:,.0f} s")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process, if it runs on, with whatever it started."""
    if process.poll() is not None:
        return
    _signal(process, signal.SIGTERM)
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    finally:  # also when a second Ctrl-C will not wait
        if process.poll() is None:
            _signal(process, getattr(signal, "SIGKILL", signal.SIGTERM))
            process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
    except ProcessLookupError:
        return
