"""Talking to a person at a terminal, and knowing when there is none."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.text import printable

__all__ = ["ask", "confirm", "has_terminal", "reviewer", "say"]


def say(lines: str | Iterable[str] = "") -> None:
    """Print one line or several."""
    for line in [lines] if isinstance(lines, str) else lines:
        print(line, flush=True)  # noqa: T201  # what a command line is for


def has_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask(question: str, default: str = "") -> str:
    """Ask for one line, and return it without blanks at its ends; an end of input is an empty line twice."""
    with contextlib.suppress(ImportError):  # with it, the line can be edited; some systems have none
        import readline  # noqa: F401
    shown = f" [{printable(default)}]" if default else ""
    return input(f"{question}{shown}: ").strip() or default


def confirm(question: str) -> bool:
    """Ask yes or no; anything but yes is no."""
    try:
        return ask(f"{question} [y/N]").lower() in ("y", "yes")
    except EOFError:
        say()
        return False


def reviewer(given: str | None, folder: Path) -> str:
    """Return who decides: as *given*, else git's ``user.name``, else the name of the login.

    Raises :class:`ConfigError` where nobody can be named.
    """
    name = given or _git_name(folder) or os.environ.get("USER") or os.environ.get("USERNAME") or ""
    if not name.strip():
        raise ConfigError("who decides? Give --who NAME, or set user.name in git")
    return name.strip()


def _git_name(folder: Path) -> str:
    try:
        done = subprocess.run(  # noqa: S603  # fixed arguments, no shell
            ["git", "-C", str(folder), "config", "user.name"],  # noqa: S607  # the user's own git
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
