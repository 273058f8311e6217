"""Print the effective settings and where each comes from: file, environment or default."""

from __future__ import annotations

import argparse
import json
from typing import Any

from pytest_dealsnap.cli.output import project_config
from pytest_dealsnap.cli.printing import print_report
from pytest_dealsnap.cli.terminal import say
from pytest_dealsnap.config import Config
from pytest_dealsnap.model.schemas import schema_text
from pytest_dealsnap.secrets import redact
from pytest_dealsnap.settings import SETTINGS
from pytest_dealsnap.text import printable, table

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--json", action="store_true", help="print a JSON list of name, value and place")
    kinds.add_argument("--schema", action="store_true", help="print the JSON Schema of [tool.dealsnap], for editors")


def run(options: argparse.Namespace) -> int:
    """Print the settings, metrics and rules; passwords of URLs are masked."""
    if options.schema:
        print_report(schema_text("configuration"))
        return 0
    rows = _rows(project_config(tell=not options.json))
    if options.json:
        found = [{"name": name, "value": value, "place": place} for name, value, place in rows]
        print_report(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
        return 0
    say(table(("setting", "value", "from"), [(name, _shown(value), printable(place)) for name, value, place in rows]))
    return 0


def _rows(config: Config) -> list[tuple[str, Any, str]]:
    """Return name, value and place of every setting, metric and rule that was given."""
    rows = [(one.name, _plain(config.values.get(one.name)), config.place(one.name)) for one in SETTINGS]
    metrics = [
        (f"metrics.{metric.name}", metric.path, config.place(f"metrics.{metric.name}")) for metric in config.metrics
    ]
    rules = [
        (f"rules.{deal_type}.{metric}", rule, config.place(f"rules.{deal_type}.{metric}"))
        for deal_type, given in config.rules.items()
        for metric, rule in given.items()
    ]
    return [*rows, *metrics, *rules]


def _plain(value: Any) -> Any:
    """Return *value* as JSON has it, without a secret."""
    if isinstance(value, str):
        return redact(value)
    return list(value) if isinstance(value, tuple) else value


def _shown(value: Any) -> str:
    return "" if value is None else printable(json.dumps(value, ensure_ascii=False))
