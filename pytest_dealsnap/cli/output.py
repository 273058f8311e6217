"""What commands that end with a verdict have in common: the project's configuration, reports, summary."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_dealsnap.baseline.journal import settle
from pytest_dealsnap.cli.printing import print_report, print_summary, width
from pytest_dealsnap.config import Config
from pytest_dealsnap.config_reading import load_config
from pytest_dealsnap.deals.open_source import with_added_source
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.model.earlier_run import EarlierRun
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.rehearsal.leftovers import local_leftovers, summary
from pytest_dealsnap.reporting.earlier import with_earlier
from pytest_dealsnap.reporting.json_reading import read_json
from pytest_dealsnap.reporting.summary_text import summary_lines
from pytest_dealsnap.reporting.targets import ReportTarget, write_together
from pytest_dealsnap.text import printable

__all__ = [
    "add_compare_argument",
    "add_report_argument",
    "headline_width",
    "json_path",
    "project_config",
    "read_judged",
    "show",
    "targets",
]


def project_config(flags: Mapping[str, Any] | None = None, *, tell: bool = True) -> Config:
    """Return the configuration of the project that the current folder is in; *flags* are settings given by name.

    What a killed command left half done in the baseline is settled first.
    With *tell*, says in a line each, on standard error, what a killed command left and which variables are unknown.
    """
    config = with_added_source(_project_config(flags or {}))
    settle(config.snapshots)
    if tell:
        left = summary(local_leftovers([config.snapshots, config.root], deep=False))
        for line in filter(None, [left, *config.unknown_variables]):
            print(f"dealsnap: {printable(line)}", file=sys.stderr)  # noqa: T201  # beside the command's own result
    return config


def _project_config(flags: Mapping[str, Any]) -> Config:
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "dealsnap.toml").is_file() or (folder / "pyproject.toml").is_file():
            return load_config(folder, flags=flags, environ=os.environ)
    return load_config(here, flags=flags, environ=os.environ)


def read_judged(path: Path) -> FinishedRun:
    """Read a report in which something was judged; raises :class:`ConfigError` for that of a capture."""
    settle(path.parent)
    run = read_json(path)
    if not run.judged:
        raise ConfigError(f"{path} is the report of a {run.facts.mode}, which judges nothing; give that of a gate")
    return run


def add_trust_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--trust-source``."""
    parser.add_argument(
        "--trust-source",
        "--dealsnap-trust-source",
        action="store_true",
        default=None,
        help="use a database that dealsnap cannot make read-only, with a login that cannot write (trust_source)",
    )


def add_report_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--report``."""
    parser.add_argument(
        "--report",
        action="append",
        default=[],
        metavar="FORMAT:PATH",
        help="also write a report, such as json:merged.json (repeatable)",
    )


def add_compare_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--compare-with``."""
    parser.add_argument(
        "--compare-with",
        "--dealsnap-compare-with",
        action="append",
        type=Path,
        default=[],
        metavar="OLD.json",
        help="mark causes as new, persisting or gone since this JSON report (repeatable)",
    )


def targets(options: argparse.Namespace) -> list[ReportTarget]:
    """Return the reports that were asked for, checked before any work is done."""
    parsed = [ReportTarget.parse(text, Path.cwd(), flag="--report") for text in options.report]
    for target in parsed:
        target.check()
        if target.path is not None:
            settle(target.path.parent)
    return parsed


def json_path(reports: Iterable[ReportTarget]) -> str:
    """Return where the JSON report of *reports* is going to be, as it can be typed here; empty where there is none."""
    path = next((one.path for one in reports if one.format == "json" and one.path is not None), None)
    here = Path.cwd()
    return "" if path is None else str(path.relative_to(here) if path.is_relative_to(here) else path)


def headline_width() -> int:
    """Return how wide a rehearsal's headlines may be beside the other columns; a log has room, a terminal not."""
    return max(shutil.get_terminal_size().columns - 50, 60) if sys.stdout.isatty() else 200


def show(run: FinishedRun, reports: list[ReportTarget], earlier: Sequence[EarlierRun] = ()) -> int:
    """Print the summary, write the reports, and return the exit status: 0 where all that was judged is green.

    Args:
        run: What was judged.
        reports: The reports that were asked for.
        earlier: Runs that *run* is to be compared with.
    """
    run = with_earlier(run, earlier)
    printed = write_together(run, reports)
    print_summary(summary_lines(run, width=width()))
    for text in printed:
        print_report(text)
    return 0 if run.green else 1
