"""List saved runs from old to new: verdict, affected deals, causes and money."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_dealsnap.model.earlier_run import EarlierRun
from pytest_dealsnap.model.record import to_plain
from pytest_dealsnap.reasoning.canonical import canonical, dumps
from pytest_dealsnap.reporting.earlier import money_cell, new_and_gone, read_earlier
from pytest_dealsnap.text import printable, table

__all__ = ["add_arguments", "run"]

HEADER = ("started", "outcome", "affected", "causes", "new", "gone", "money", "commit", "report")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("reports", nargs="+", type=Path, metavar="REPORT.json", help="the JSON reports of runs")
    parser.add_argument("--json", action="store_true", help="print the runs as JSON")


def run(options: argparse.Namespace) -> int:
    """Print a line for each run, the oldest first."""
    runs = read_earlier(options.reports)
    if options.json:
        print(dumps(canonical({"runs": to_plain(runs)})))  # noqa: T201  # what a command line is for
        return 0
    rows = [_row(run, before) for run, before in zip(runs, (None, *runs), strict=False)]
    for line in table(HEADER, rows, right=(2, 3, 4, 5)):
        print(line)  # noqa: T201  # what a command line is for
    return 0


def _row(run: EarlierRun, before: EarlierRun | None) -> tuple[str, ...]:
    new, gone = (f"{count:,}" for count in new_and_gone(run, before)) if before else ("", "")
    affected = f"{run.affected:,} of {run.compared:,} ({run.affected_percent:.1f} %)" if run.mode != "capture" else ""
    causes = f"{len(run.causes):,}" if run.mode != "capture" else ""
    started = run.started_at.replace("T", " ").removesuffix("+00:00")
    commit = (run.git_commit or "")[:12]
    return started, run.outcome, affected, causes, new, gone, printable(money_cell(run)), commit, printable(run.report)
