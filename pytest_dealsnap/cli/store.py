"""List the runs of the run store, or remove those that no process works on."""

from __future__ import annotations

import argparse
import shutil

from pytest_dealsnap.cli.output import project_config
from pytest_dealsnap.cli.terminal import say
from pytest_dealsnap.reasoning.kept_runs import KeptRun, kept_runs
from pytest_dealsnap.reasoning.run_store import runs_folder
from pytest_dealsnap.text import plural, printable, table

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("what", choices=("list", "prune"), help="list the runs, or remove them")
    parser.add_argument("--yes", action="store_true", help="with prune: remove the listed runs")


def run(options: argparse.Namespace) -> int:
    """List the runs, or remove them; 1 where prune removed nothing that it might."""
    runs = kept_runs(runs_folder(project_config(tell=False)))
    if options.what == "list":
        say(_table(runs) if runs else "the run store is empty")
        return 0
    idle = [one for one in runs if not one.alive]
    if not idle:
        say("there is nothing to prune")
        return 0
    say(_table(idle))
    if not options.yes:
        say("nothing was removed: dealsnap store prune --yes removes these runs, with all that was paid for")
        return 1
    for one in idle:
        shutil.rmtree(one.folder)
    say(f"removed {plural(len(idle), 'run')}")
    return 0


def _table(runs: list[KeptRun]) -> list[str]:
    rows = [
        (
            one.key[:8],
            printable(one.mode),
            printable(one.started_at),
            f"{one.done:,} of {one.deals:,}",
            f"{one.spent} {printable(one.currency)}",
            f"{one.size:,}",
        )
        for one in runs
    ]
    return table(("run", "mode", "begun", "outputs", "spent", "bytes"), rows, right=(3, 4, 5))
