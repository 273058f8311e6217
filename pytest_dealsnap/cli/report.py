"""Render a saved report in another format, as the run would have written it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_dealsnap.cli.output import add_compare_argument, add_report_argument, headline_width, targets
from pytest_dealsnap.cli.printing import print_report, print_summary, width
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.schemas import SCHEMAS, schema_text
from pytest_dealsnap.reporting.earlier import read_earlier, with_earlier
from pytest_dealsnap.reporting.json_reading import is_rehearsal, read_document, read_json
from pytest_dealsnap.reporting.rehearsal_reading import read_rehearsal
from pytest_dealsnap.reporting.rehearsal_text import rehearsal_lines
from pytest_dealsnap.reporting.summary_text import summary_lines
from pytest_dealsnap.reporting.targets import STANDARD_OUTPUT, ReportTarget
from pytest_dealsnap.reporting.writers import formats

if TYPE_CHECKING:
    from pytest_dealsnap.model.rehearsals import Rehearsal

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("saved", nargs="?", type=Path, metavar="REPORT.json", help="the JSON report of a run")
    parser.add_argument("--format", metavar="FORMAT", help="such as html (default: the summary of the terminal)")
    parser.add_argument("--output", metavar="FILE", help="write to FILE (default: standard output)")
    add_report_argument(parser)
    add_compare_argument(parser)
    parser.add_argument(
        "--schema",
        nargs="?",
        const="report",
        choices=SCHEMAS,
        metavar="NAME",
        help=f"print a JSON Schema instead: {', '.join(SCHEMAS)}",
    )


def run(options: argparse.Namespace) -> int:
    """Render the report; a report that could be rendered is fine, whatever its verdict."""
    _check(options)
    if options.schema:
        print_report(schema_text(options.schema))
        return 0
    wanted = targets(options)
    if options.format:
        path = None if options.output in (None, "", STANDARD_OUTPUT) else Path.cwd() / options.output
        wanted.append(ReportTarget.of(options.format, path, given=f"--format {options.format}"))
        wanted[-1].check()
    document = read_document(options.saved)
    if is_rehearsal(document):
        if options.compare_with:
            raise ConfigError("--compare-with goes with the report of a gate, not with that of a rehearsal")
        rehearsal = read_rehearsal(document, options.saved)
        _show(rehearsal, wanted, lambda: rehearsal_lines(rehearsal, width=headline_width()))
    else:
        finished = with_earlier(read_json(options.saved), read_earlier(options.compare_with))
        _show(finished, wanted, lambda: summary_lines(finished, width=width()))
    return 0


def _show(what: FinishedRun | Rehearsal, wanted: Sequence[ReportTarget], lines: Callable[[], list[str]]) -> None:
    """Write the reports that are wanted; where none is, print *lines*."""
    if not wanted:
        print_summary(lines())
    for target in wanted:
        print_report(target.write(what) or "")


def _check(options: argparse.Namespace) -> None:
    """Refuse arguments that do not go together."""
    if options.schema and (options.saved or options.format or options.report):
        raise ConfigError("--schema goes alone: it is the same for every file of its kind")
    if not options.schema and options.saved is None:
        raise ConfigError("which report? dealsnap report REPORT.json --format html --output report.html")
    if options.output and not options.format:
        raise ConfigError(f"--output {options.output}: in which --format? Valid: {', '.join(formats())}")
