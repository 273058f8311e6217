"""The console script ``dealsnap``: for what is not a test run. One module a command.

Exit status: 0 fine, 1 something needs a person, 2 usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from types import ModuleType

from pytest_dealsnap import __version__
from pytest_dealsnap.cli import (
    accept,
    audit,
    calibrate,
    check,
    clean,
    compare,
    completion,
    doctor,
    effective,
    history,
    init,
    merge,
    prune,
    rehearse,
    reject,
    report,
    review,
    status,
    store,
)
from pytest_dealsnap.cli.help_texts import epilog
from pytest_dealsnap.cli.printing import print_anywhere
from pytest_dealsnap.errors import DealsnapError
from pytest_dealsnap.text import printable

__all__ = ["command_parser", "main"]

COMMANDS: dict[str, ModuleType] = {
    "init": init,
    "doctor": doctor,
    "audit": audit,
    "config": effective,
    "calibrate": calibrate,
    "check": check,
    "compare": compare,
    "merge": merge,
    "report": report,
    "history": history,
    "review": review,
    "accept": accept,
    "reject": reject,
    "prune": prune,
    "clean": clean,
    "status": status,
    "store": store,
    "rehearse": rehearse,
    "completion": completion,
}
UNFINISHED, USAGE, INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that *arguments* (by default the process's) name, and return the exit status."""
    print_anywhere()
    options = command_parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except DealsnapError as error:
        print(f"dealsnap {options.command}: {printable(str(error))}", file=sys.stderr)  # noqa: T201  # what a CLI is for
        return USAGE
    except KeyboardInterrupt:
        print(f"\ndealsnap {options.command}: interrupted", file=sys.stderr)  # noqa: T201  # what a CLI is for
        return INTERRUPTED
    except BrokenPipeError:  # whoever read the output, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNFINISHED
    except OSError as error:  # a full disk, no folder for temporary files: what no command can go on without
        where = f"{error.filename}: " if error.filename else ""
        print(f"dealsnap {options.command}: {printable(f'{where}{error.strerror or error}')}", file=sys.stderr)  # noqa: T201
        return USAGE
    return status


def command_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line; a command finds it as ``options.parser``."""
    parser = argparse.ArgumentParser(prog="dealsnap", description="Work with dealsnap baselines and reports.")
    parser.add_argument("--version", action="version", version=f"pytest-dealsnap {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        summary = (module.__doc__ or "").splitlines()[0]
        command = commands.add_parser(
            name,
            help=summary,
            description=summary,
            epilog=epilog(name),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run, parser=parser)
    return parser
