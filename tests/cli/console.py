"""The console script in a process of its own, and what the tests of its commands start from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.fork import run_module
from tests.plugin.project import clean_environment

__all__ = ["Answer", "dealsnap"]

PATIENCE = 600  # seconds; a rehearsal has many runs


@dataclass(frozen=True)
class Answer:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def verdict(self) -> str:
        """The verdict's line, without its word."""
        return next((line[9:] for line in self.out.splitlines() if line.startswith("verdict: ")), "")


def dealsnap(folder: Path, *arguments: str | Path, **environment: str) -> Answer:
    """Run ``python -m pytest_dealsnap`` in *folder*; a traceback is never an answer."""
    words, clean = map(str, arguments), clean_environment(**environment)
    done = run_module("pytest_dealsnap", *words, folder=folder, environment=clean, timeout=PATIENCE)
    answer = Answer(done.code, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))
    assert "Traceback" not in answer.err, answer.err
    return answer
