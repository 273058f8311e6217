"""Rehearse the whole rollout on a scratch copy of the database: capture, upgrade, gate, downgrade, verdict."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_dealsnap.cli.output import add_report_argument, add_trust_argument, headline_width, project_config, targets
from pytest_dealsnap.config import Config
from pytest_dealsnap.reporting.json_reading import ReportError
from pytest_dealsnap.reporting.rehearsal_text import rehearsal_lines
from pytest_dealsnap.reporting.targets import write_each
from pytest_dealsnap.settings import SETTINGS, Setting

__all__ = ["add_arguments", "run"]

INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments: every scalar of ``[tool.dealsnap.rehearsal]``, and how to rehearse."""
    parser.add_argument("--database", metavar="URL", help="rehearse on a copy of this database, not the configured one")
    parser.add_argument(
        "--scratch-url", metavar="URL", help="rehearse on this copy, which you made; it is migrated and not restored"
    )
    for setting in _settings():
        parser.add_argument(
            f"--{setting.key.replace('_', '-')}", setting.flag, dest=setting.key, metavar=setting.key.upper(),
            help=f"{setting.help} (rehearsal.{setting.key})",
        )  # fmt: skip
    parser.add_argument("--keep", action="store_true", help="keep the scratch copy, and print where it is")
    parser.add_argument("--sample", type=_positive, metavar="N", help="rehearse N deals, from each type in proportion")
    parser.add_argument("--seed", type=int, default=0, metavar="SEED", help="the seed of --sample (default: 0)")
    parser.add_argument(
        "--timeout", type=_seconds, default=3600.0, metavar="SECONDS", help="time limit of one step (default: 3600)"
    )
    parser.add_argument(
        "--each",
        action="store_true",
        help="upgrade one Alembic revision at a time; show its time, locks and findings",
    )
    parser.add_argument(
        "--against", metavar="REF", help="the code that runs today: it answers before and after the upgrade, too"
    )
    parser.add_argument(
        "--no-load", action="store_true", help="skip the second upgrade, which runs while others read and write"
    )
    add_trust_argument(parser)
    add_report_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Rehearse, show what that showed, and return 0 only for ``proceed``."""
    from pytest_dealsnap.rehearsal.phase_runner import Options, rehearse  # SQLAlchemy: for this command alone

    reports, config = targets(options), _config(options)
    how = Options(
        keep=options.keep,
        scratch_url=options.scratch_url,
        sample=options.sample,
        seed=options.seed,
        timeout=options.timeout,
        load=not options.no_load,
        each=options.each,
        against=options.against,
    )
    try:
        rehearsal = rehearse(config, how, _say)
    except (KeyboardInterrupt, SystemExit) as end:  # Ctrl-C, or another signal with a status of its own
        left = options.keep or options.scratch_url is not None
        _say(
            f"interrupted: the original was only read, the scratch copy is {'left as it was then' if left else 'gone'}"
        )
        if isinstance(end, SystemExit):
            raise
        return INTERRUPTED
    for line in rehearsal_lines(rehearsal, width=headline_width()):
        print(line)  # noqa: T201  # what a command line is for
    # After the summary, and each by itself: an hour's work is not lost to a report that cannot be written.
    printed, unwritten = write_each(rehearsal, reports)
    print("".join(printed), end="")  # noqa: T201
    if unwritten:
        raise ReportError("; ".join(unwritten.values()))
    return 0 if rehearsal.verdict.action == "proceed" else 1


def _settings() -> list[Setting]:
    return [setting for setting in SETTINGS if setting.of_rehearsal and setting.scalar]


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 upwards")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return seconds


def _config(options: argparse.Namespace) -> Config:
    """Return the project's configuration with what was given here."""
    flags: dict[str, Any] = {
        setting.name: getattr(options, setting.key)
        for setting in _settings()
        if getattr(options, setting.key) is not None
    }
    config = project_config({**flags, "trust_source": options.trust_source})
    if options.database is None:
        return config
    places = {**config.places, "database": "--database"}
    return replace(config, database=options.database, database_folder=Path.cwd(), places=places)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  # progress, apart from the result
