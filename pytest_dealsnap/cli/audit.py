"""Count the stored deal types, list the invalid rows, and say what a backfill would change."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.cli.output import add_trust_argument, project_config
from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.log_counts import compare_logs, count_logs, find_logs
from pytest_dealsnap.deals.open_source import open_source
from pytest_dealsnap.deals.type_audit import audit_types
from pytest_dealsnap.deals.types import DealTypes
from pytest_dealsnap.errors import BaselineError, ConfigError
from pytest_dealsnap.reporting.audit_facts import AuditReport
from pytest_dealsnap.reporting.audit_json import audit_document
from pytest_dealsnap.reporting.audit_text import audit_lines
from pytest_dealsnap.reporting.checklist import post_migration_checklist
from pytest_dealsnap.reporting.json_reading import read_json

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--database", metavar="URL", help="audit this database, not the configured one")
    parser.add_argument(
        "--logs",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="also count the deal types in these log files, and compare them with the database; plain text or JSON "
        "lines, gzipped or not; 'app.log*' names rotated files",
    )
    parser.add_argument(
        "--post-migration", action="store_true", help="go through the checklist for the 30 days after a rollout"
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="REPORT.json",
        help="with --post-migration: the JSON report of a gate, new code against the old baseline",
    )
    parser.add_argument(
        "--baseline", type=Path, metavar="FOLDER", help="with --post-migration: a baseline captured with the new code"
    )
    add_trust_argument(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(options: argparse.Namespace) -> int:
    """Audit, show what was found, and return 1 where something needs a person; open questions alone do not."""
    _refuse_idle_arguments(options)
    config = _config(options.database, trust=options.trust_source)
    logs = find_logs(options.logs, Path.cwd())
    gate = None if options.report is None else read_json(options.report)
    source = open_source(config)
    try:
        types = DealTypes.of(config.deals)
        audit = audit_types(source.stored_rows(), types, ids_unique=source.ids_unique)
        constraints = source.type_constraints() if options.post_migration else None
    finally:
        source.close()
    from_table = config.deals.source is None
    report = AuditReport(
        source=source.description,
        table=config.deals.table if from_table else "",
        where=config.deals.where.strip() if from_table else "",
        types=config.deals.types,
        default_type=config.deals.default_type,
        audit=audit,
        logs=compare_logs(count_logs(logs), audit, types) if logs else None,
        checklist=post_migration_checklist(config, audit, constraints, gate=gate, baseline=_baseline(options.baseline))
        if options.post_migration
        else None,
    )
    for line in _lines(report, as_json=options.json):
        print(line)  # noqa: T201  # what a command line is for
    return 1 if report.problems else 0


def _refuse_idle_arguments(options: argparse.Namespace) -> None:
    """Refuse arguments that only the list for 30 days after uses, where it was not asked for."""
    for name in ("report", "baseline"):
        if getattr(options, name) is not None and not options.post_migration:
            raise ConfigError(f"--{name} is used by --post-migration only")


def _config(database: str | None, *, trust: bool | None) -> Config:
    """Return the project's configuration; a database given here is one to read, whatever the project's source."""
    config = project_config({"trust_source": trust})
    if database is not None:
        deals = replace(config.deals, source=None)
        places = {**config.places, "database": "--database"}
        config = replace(config, database=database, database_folder=Path.cwd(), deals=deals, places=places)
    if config.database is None and config.deals.source is None:
        raise ConfigError(
            "no database: give --database URL (any SQLAlchemy URL, such as sqlite:///deals.db), or set database in "
            f"[tool.dealsnap] of {config.root / 'pyproject.toml'}, or DEALSNAP_DATABASE"
        )
    if not config.deals.type:
        raise ConfigError(f'{config.place("deals.type")} = "": without a type column there is nothing to audit')
    return config


def _baseline(folder: Path | None) -> DealSnapshots | None:
    """Return the baseline in *folder*; raises :class:`BaselineError` where there is none."""
    if folder is None:
        return None
    snapshots = DealSnapshots(folder)
    if not any(True for _ in snapshots.each_id()):
        raise BaselineError(f"{folder} is no baseline: it has no snapshots in {snapshots.folder}")
    return snapshots


def _lines(report: AuditReport, *, as_json: bool) -> Iterable[str]:
    """Return what is printed; JSON in ASCII, so that no terminal's encoding can spoil it."""
    return [json.dumps(audit_document(report), indent=2)] if as_json else audit_lines(report)
