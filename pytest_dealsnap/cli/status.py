"""Show the progress and the spending of the newest kept run, even while it runs."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from pytest_dealsnap.cli.output import project_config
from pytest_dealsnap.cli.terminal import say
from pytest_dealsnap.reasoning.kept_runs import KeptRun, kept_runs
from pytest_dealsnap.reasoning.run_store import runs_folder
from pytest_dealsnap.text import plural, printable

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Show the newest run; 1 where there is none."""
    runs = kept_runs(runs_folder(project_config(tell=False)))
    if options.json:
        say(json.dumps([asdict(one) for one in runs[:1]], indent=2, default=str))
        return 0 if runs else 1
    if not runs:
        say("no run is kept: pytest --dealsnap --dealsnap-store keeps one")
        return 1
    say(_lines(runs[0]))
    return 0


def _lines(one: KeptRun) -> list[str]:
    state = "runs now" if one.alive else "does not run"
    lines = [
        f"{printable(one.mode)} of {printable(one.started_at)}, {state}",
        f"done: {one.done:,} of {plural(one.deals, 'deal')}, {one.under_way:,} under way",
        f"spent: {one.spent} {printable(one.currency)}{f' of a budget of {one.budget}' if one.budget else ''} "
        f"in {plural(one.calls, 'call')}{f', {one.lost:,} lost' if one.lost else ''}",
    ]
    if one.seconds_left is not None and one.done < one.deals:
        lines.append(f"time left: about {one.seconds_left:,.0f} s of calls")
    if one.statuses:
        counts = ", ".join(f"{count:,} {status}" for status, count in sorted(one.statuses.items()))
        lines.append(f"so far: {printable(counts)}")
    if not one.alive and one.done < one.deals:
        lines.append("the same pytest command goes on from here")
    return lines
