"""Print the script that completes dealsnap's commands, options and files in a shell."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from pytest_dealsnap.cli.printing import print_report
from pytest_dealsnap.errors import ConfigError

__all__ = ["add_arguments", "run"]

SHELLS = ("bash", "fish", "powershell", "tcsh", "zsh")
FOLDERS = frozenset({"FOLDER", "PRE", "POST"})
FILES = frozenset({"FILE", "REPORT.json", "OLD.json"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("shell", choices=SHELLS, help="the shell that will read the script")


def run(options: argparse.Namespace) -> int:
    """Print the script for one shell; raises :class:`ConfigError` where shtab, which makes it, is not installed."""
    try:
        import shtab
    except ImportError:
        raise ConfigError(
            "shtab, which writes completion scripts, is not installed: pip install 'pytest-dealsnap[completion]'"
        ) from None
    for action in _actions(options.parser):
        if action.metavar in FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]  # where shtab looks for it
        elif action.metavar in FILES or action.type is Path:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    print_report(shtab.complete(options.parser, options.shell).rstrip("\n") + "\n")
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield every argument of *parser* and of its commands."""
    for action in parser._actions:  # argparse has no public list; shtab reads the same one
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
