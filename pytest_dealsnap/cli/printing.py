"""What the command line prints: lines as wide as the terminal, colours where they are wanted, reports as UTF-8."""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Iterable

from pytest_dealsnap.text import ERRORS

__all__ = ["narrow_enough", "print_anywhere", "print_report", "print_summary", "width"]

NARROWEST = 40
_COLOURS = {"PROCEED": "36", "INCONCLUSIVE": "33"}
_FAILED = "31"


def print_anywhere() -> None:
    """Let a terminal or file whose encoding lacks a character show lines and arrows in ASCII, others as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ERRORS)


def width() -> int:
    """Return how wide lines may be: as the terminal, or as COLUMNS says."""
    return narrow_enough(shutil.get_terminal_size((100, 24)).columns)


def narrow_enough(columns: int) -> int:
    """Return *columns*, but no fewer than a table needs to say anything."""
    return max(columns, NARROWEST)


def print_summary(lines: Iterable[str]) -> None:
    """Print the lines of a run's summary, the verdict in its colour where colours are wanted."""
    coloured = _wants_colour()
    for line in lines:
        print(_verdict_coloured(line) if coloured and line.startswith("verdict: ") else line)  # noqa: T201


def print_report(text: str) -> None:
    """Print a report that others read: the bytes that a file would have, whatever the locale."""
    binary = getattr(sys.stdout, "buffer", None)
    if binary is None:  # somebody put another stream in its place, which takes text only
        print(text, end="")  # noqa: T201
        return
    sys.stdout.flush()
    binary.write(text.encode("utf-8", "backslashreplace"))
    binary.flush()


def _wants_colour() -> bool:
    """Whether colours are wanted: NO_COLOR and FORCE_COLOR decide, as in pytest; else only a terminal has them."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (sys.stdout.isatty() and os.environ.get("TERM") != "dumb")


def _verdict_coloured(line: str) -> str:
    start = line.removeprefix("verdict: ")
    colour = next((code for word, code in _COLOURS.items() if start.startswith(word)), _FAILED)
    return f"\x1b[1;{colour}m{line}\x1b[0m"
