"""Run a room's own tests against one mutant at a time, in a copy of the tree."""

from __future__ import annotations

import ast
import enum
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.mutants import Mutant, mutants_of

PACKAGE = "pytest_dealsnap"
ROOMS = ("judging", "causes", "baseline")
COPIED = (PACKAGE, "tests", "examples", "snapshots")
COPIED_FILES = ("pyproject.toml", "conftest.py", "README.md")
# A mutant that loops for ever is dead once the tests take this many times as long as without it.
TIMES_AS_LONG = 4
LEAST_SECONDS = 20.0
NO_TESTS = 5


class Outcome(enum.Enum):
    """What a room's tests said of a mutant."""

    KILLED = "killed"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"


class TrialError(Exception):
    """The tests say nothing about a mutant: they fail, or are absent, without one."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the tree, which mutants are written into."""

    root: Path

    @classmethod
    def of(cls, checkout: Path, root: Path) -> Copy:
        """Copy what the tests need from *checkout* into the empty folder *root*; the checkout is only read."""
        unwanted = shutil.ignore_patterns("__pycache__", ".hypothesis", "*.db")
        for name in COPIED:
            if (checkout / name).is_dir():
                shutil.copytree(checkout / name, root / name, ignore=unwanted)
        for name in COPIED_FILES:
            if (checkout / name).is_file():
                shutil.copy2(checkout / name, root / name)
        return cls(root)

    def run(self, files: list[str], seconds: float | None) -> int | None:
        """Run the tests of *files* until the first failure.

        Args:
            files: paths relative to the root, in the order to run them.
            seconds: how long they may take, None for as long as they need.

        Returns: pytest's exit code, None when the time was up.
        """
        # The copy stands before the editable install, in the tests' own subprocesses too.
        environment = {**os.environ, "PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"}
        environment.pop("PYTEST_ADDOPTS", None)
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider"]
        with subprocess.Popen(
            [*command, "--hypothesis-seed=0", *files],
            cwd=self.root,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            try:
                return process.wait(seconds)
            except subprocess.TimeoutExpired:
                return None
            finally:
                # Also what the tests started: a killed test leaves its children behind.
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                # Examples that Hypothesis keeps of one mutant must not decide about the next.
                shutil.rmtree(self.root / ".hypothesis", ignore_errors=True)

    def seconds_unmutated(self, room: str) -> float:
        """Return how long the room's tests take without a mutant.

        Raises:
            TrialError: when they fail or there are none.
        """
        started = time.monotonic()
        code = self.run(files_of(self.root, room), None)
        if code != 0:
            raise TrialError(f"tests/{room} ends with exit code {code} without any mutant")
        return time.monotonic() - started

    def judge(self, mutant: Mutant, seconds: float) -> Outcome:
        """Write *mutant*, run its room's tests for at most *seconds*, and put the file back."""
        target = self.root / mutant.path
        unmutated = target.read_bytes()
        try:
            target.write_bytes(mutant.source.encode())
            code = self.run(files_for(self.root, mutant.path), seconds)
        finally:
            target.write_bytes(unmutated)
        if code is None:
            return Outcome.TIMED_OUT
        if code == NO_TESTS:
            raise TrialError(f"no test ran for {mutant.path}")
        return Outcome.SURVIVED if code == 0 else Outcome.KILLED


def all_mutants(root: Path, rooms: tuple[str, ...]) -> list[Mutant]:
    """Return every mutant of the modules of *rooms*, in a fixed order."""
    paths = [path for room in rooms for path in sorted((root / PACKAGE / room).rglob("*.py"))]
    return [
        mutant
        for path in paths
        for mutant in mutants_of(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))
    ]


def room_of(path: str) -> str:
    """Return the room of a module's path, e.g. ``judging`` for ``pytest_dealsnap/judging/rules.py``."""
    return path.split("/")[1]


def files_of(root: Path, room: str) -> list[str]:
    """Return the test files of a room, relative to *root*, sorted."""
    return [path.relative_to(root).as_posix() for path in sorted((root / "tests" / room).rglob("test_*.py"))]


def files_for(root: Path, path: str) -> list[str]:
    """Return the test files of a module's room, those that import the module first."""
    module = path.removesuffix(".py").replace("/", ".")
    files = files_of(root, room_of(path))
    return sorted(files, key=lambda name: (module not in imported_by(root / name), name))


def imported_by(file: Path) -> set[str]:
    """Return the dotted names that a file imports, modules and what is taken from them."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names
