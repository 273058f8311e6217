"""Join the JSON reports of shards into the report of the whole run."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_dealsnap.cli.output import add_compare_argument, add_report_argument, json_path, show, targets
from pytest_dealsnap.reporting.earlier import read_earlier
from pytest_dealsnap.reporting.json_reading import read_json
from pytest_dealsnap.reporting.merging import merge_runs

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("reports", nargs="+", type=Path, metavar="REPORT.json", help="one report of each shard")
    add_report_argument(parser)
    add_compare_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Merge the reports, show the whole run's summary, and exit by its verdict."""
    reports = targets(options)
    runs = [(str(path), read_json(path)) for path in options.reports]
    return show(merge_runs(runs, report=json_path(reports)), reports, read_earlier(options.compare_with))
