"""Reason some deals twice with the same code, and list what differs; --write drops it from snapshots."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_dealsnap.baseline.recording import Recorder
from pytest_dealsnap.cli.configuration_file import set_drop
from pytest_dealsnap.cli.output import project_config
from pytest_dealsnap.cli.terminal import say
from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.deals.open_source import open_source
from pytest_dealsnap.deals.selection import Entry, stratified_sample
from pytest_dealsnap.errors import ConfigError, SourceError
from pytest_dealsnap.judging.two_runs import Instability, unstable
from pytest_dealsnap.judging.volatile import drop_line
from pytest_dealsnap.reasoning.engine import Engine
from pytest_dealsnap.reasoning.reasoner import bind_reasoner, import_reasoner
from pytest_dealsnap.reporting.wording import show_value
from pytest_dealsnap.secrets import redact
from pytest_dealsnap.text import plural, printable, table

__all__ = ["add_arguments", "run"]

PAIRS = 20


@dataclass
class Calibration:
    """What pairs of runs came to: deals by path, the first example of each, and what could not be compared."""

    pairs: int = 0
    unstable_pairs: int = 0
    deals: dict[str, int] = field(default_factory=dict)
    examples: dict[str, Instability] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def take(self, found: Sequence[Instability]) -> None:
        """Take in one deal's pair."""
        self.pairs += 1
        self.unstable_pairs += bool(found)
        for one in found:
            self.examples.setdefault(one.path, one)
            self.deals[one.path] = self.deals.get(one.path, 0) + 1

    @property
    def to_drop(self) -> list[str]:
        """The paths that no metric reads."""
        return sorted(path for path, one in self.examples.items() if one.metric is None)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--pairs",
        type=int,
        metavar="N",
        help=f"how many deals to reason twice (default: {PAIRS}; required where calls cost money)",
    )
    parser.add_argument("--write", action="store_true", help="add the paths to output.drop in the configuration file")


def run(options: argparse.Namespace) -> int:
    """Reason the deals, print what differs, and return 1 where something is left to settle."""
    if options.pairs is not None and options.pairs < 1:
        raise ConfigError(f"--pairs {options.pairs}: must be at least 1")
    config = project_config()
    if options.pairs is None and config.calls.cost:
        raise ConfigError("calls cost money here (calls.cost): say how many deals to reason twice, --pairs N")
    if config.reasoner is None:
        raise ConfigError(
            "no reasoner is configured, and that of the deal_reasoner fixture can be called by pytest only. Capture "
            "twice, into two folders, and compare them: pytest --dealsnap-update --dealsnap-snapshots=FOLDER, then "
            "dealsnap compare"
        )
    found = _calibrate(config, options.pairs or PAIRS)
    say(_lines(found))
    if found.failed or not found.examples:
        return 1 if found.failed else 0
    metrics = sorted({one.metric for one in found.examples.values() if one.metric is not None})
    if metrics:
        say(f"{', '.join(metrics)}: a metric that differs by itself needs a rule with room, such as within 5%,")
        say("similar 0.9 or same items, or its cause mended; it is not dropped")
    if not found.to_drop:
        return 1
    paths = list(dict.fromkeys([*config.output.drop, *found.to_drop]))
    if not options.write:
        say(
            [
                "settle it with: dealsnap calibrate --write, which sets",
                "  [tool.dealsnap.output]",
                f"  {drop_line(paths)}",
            ]
        )
        return 1
    written = set_drop(config.root, paths)
    say([f"{written.name}: output.{drop_line(paths)}", "next:", "  pytest --dealsnap-update   # capture without them"])
    return 1 if metrics else 0


def _calibrate(config: Config, pairs: int) -> Calibration:
    reasoner = import_reasoner(config)
    bind_reasoner(reasoner)  # refused before any database is opened
    recorder, found = Recorder(config), Calibration()
    source, engine = open_source(config), Engine(timeout=config.timeout)
    try:
        refs = [ref for ref in source.refs() if ref.copies == 1]
        if not refs:
            raise SourceError(f"{source.description} has no deals: there is nothing to calibrate")
        for entry in stratified_sample([Entry(ref, "present") for ref in refs], pairs, seed=0):
            outputs: list[dict[str, Any]] = []
            for _ in range(2):
                deal: Deal = source.fetch(entry.ref)
                reasoning = engine(reasoner, deal)
                if reasoning.output is None:
                    found.failed.append(f"deal {entry.ref.id}: {reasoning.failure}")
                    break
                outputs.append(recorder.recorded_output(reasoning.output))
            if len(outputs) == 2:
                found.take(unstable(outputs[0], outputs[1], recorder.metrics))
    finally:
        engine.close()
        source.close()
    return found


def _lines(found: Calibration) -> Iterable[str]:
    for failed in found.failed[:3]:
        yield printable(redact(f"no output of {failed}"))
    if len(found.failed) > 3:
        yield f"and {len(found.failed) - 3:,} more without an output"
    pairs = plural(found.pairs, "deal")
    if not found.examples:
        yield f"{pairs} reasoned twice: no difference"
        return
    yield f"{pairs} reasoned twice: {found.unstable_pairs:,} with a difference"
    order = {"order": "the same items in another order", "value": ""}
    yield from table(
        ("path", "deals", "metric", "first run", "second run"),
        [
            (
                printable(path),
                f"{found.deals[path]}",
                one.metric or "",
                order[one.kind] or show_value(_safe(one.first)),
                "" if one.kind == "order" else show_value(_safe(one.second)),
            )
            for path, one in sorted(found.examples.items())
        ],
        right=(1,),
    )


def _safe(value: Any) -> Any:
    return redact(value) if isinstance(value, str) else value
