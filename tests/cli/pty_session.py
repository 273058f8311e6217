"""A reviewer's sitting at a real pseudo-terminal."""

from __future__ import annotations

import os
import re
import resource
import sys
from pathlib import Path
from typing import Any

import pexpect

__all__ = ["PROMPT", "Sitting"]

PROMPT = r"\[q\]uit \[\?\]: "


class Sitting:
    """``dealsnap review`` in *folder*; answers are given when they are asked for."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self._process: Any = pexpect.spawn(
            sys.executable,
            ["-m", "pytest_dealsnap", "review", *arguments],
            cwd=str(folder),
            env={**os.environ, "TERM": "dumb", **environment},
            encoding="utf-8",
            timeout=60,
            dimensions=(60, 200),
        )
        self.said = ""
        self._waiting: str | None = None

    def room(self, *, left: bool) -> None:
        """Let the process write files or, like on a full disk, none."""
        _, most = resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (most if left else 0, most))

    def answer(self, question: str, answer: str) -> str:
        """Wait for *question*, a pattern, give *answer*, and return what was said before it."""
        self._process.expect(question)
        said = str(self._process.before).replace("\r\n", "\n")
        self.said += said
        self._process.sendline(answer)
        return said

    def settled(self) -> str:
        """Wait until the main question is asked, so that what was answered before is done."""
        self._process.expect(PROMPT)
        self._waiting = str(self._process.before).replace("\r\n", "\n")
        self.said += self._waiting
        return self._waiting

    def choose(self, letter: str) -> str:
        """Answer the main question, and return what stood above it."""
        said = self._waiting if self._waiting is not None else self.settled()
        self._waiting = None
        self._process.sendline(letter)
        return said

    def end(self) -> int:
        """Wait for the end, and return the exit status."""
        self._process.expect(pexpect.EOF)
        self.said += str(self._process.before).replace("\r\n", "\n")
        self._process.close()
        assert "Traceback" not in self.said, self.said
        return int(self._process.exitstatus)

    def interrupt(self) -> int:
        """End the input, as Ctrl-D does, and wait for the end."""
        self._process.expect(PROMPT)
        self._process.sendeof()
        return self.end()

    def stop(self, question: str) -> int:
        """Press Ctrl-C when *question* is asked, and wait for the end."""
        self._process.expect(question)
        self._process.sendintr()
        return self.end()

    def lines(self) -> list[str]:
        """Return what was said, without blanks at line ends."""
        return [re.sub(r"\s+$", "", line) for line in self.said.splitlines()]
