"""Judge one captured baseline folder against another, offline, by the same rules as the gate."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_dealsnap.baseline.deal_features import collect_features
from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.baseline.manifest import git_state, read_manifest, without_ids
from pytest_dealsnap.cli.output import (
    add_compare_argument,
    add_report_argument,
    json_path,
    project_config,
    show,
    targets,
)
from pytest_dealsnap.config import Config
from pytest_dealsnap.errors import BaselineError
from pytest_dealsnap.model.finished_run import JudgingFacts, RunFacts
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import DealResult
from pytest_dealsnap.pipeline.comparison import CurrentRows, compare_baselines, lost_on_both_sides
from pytest_dealsnap.pipeline.settling import Judging
from pytest_dealsnap.reporting.conclusion import conclude, with_unread_rows
from pytest_dealsnap.reporting.earlier import read_earlier
from pytest_dealsnap.reporting.idle import idle_rules
from pytest_dealsnap.reporting.ledger_facts import absent_everywhere, ledger_facts
from pytest_dealsnap.text import agree, plural

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("pre", type=Path, metavar="PRE", help="the baseline folder captured before")
    parser.add_argument("post", type=Path, metavar="POST", help="the baseline folder captured after")
    add_report_argument(parser)
    add_compare_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Judge every deal of POST against PRE, show the summary, and exit by the verdict."""
    started = time.monotonic()
    reports, config = targets(options), project_config()
    earlier = read_earlier(options.compare_with)
    pre, post = _baseline(options.pre), _finished(options.post)
    judging = Judging(config, pre, ledger=options.pre, today=datetime.now(UTC).date(), details=True)
    with CurrentRows(config) as rows:
        judged = compare_baselines(pre, post, judging.gate, default_type=config.deals.default_type)
        results, used = judging.settle_all(judged, rows)
    facts = _facts(config, options, judging, results, used, started)
    lost = lost_on_both_sides(pre, post)
    are = agree(lost, "is", "are")
    doubts = (f"{plural(lost, 'listed snapshot')} {are} missing from both folders",) if lost else ()
    facts = replace(facts, traits=collect_features(results, pre, None), doubts=doubts, report=json_path(reports))
    return show(with_unread_rows(conclude(facts, results), rows.problem), reports, earlier)


def _baseline(folder: Path) -> DealSnapshots:
    snapshots = DealSnapshots(folder)
    if not any(True for _ in snapshots.each_id()):
        raise BaselineError(f"{folder} is no baseline: it has no snapshots in {folder / 'deals'}")
    return snapshots


def _finished(folder: Path) -> DealSnapshots:
    """Return the second baseline; a capture that was cut short still holds answers of the one before it."""
    snapshots, manifest = _baseline(folder), read_manifest(folder)
    if manifest is not None and manifest.get("complete") is False:
        raise BaselineError(f"{folder} is incomplete: its capture did not finish, so not all of it is from after")
    return snapshots


def _facts(
    config: Config,
    options: argparse.Namespace,
    judging: Judging,
    results: list[DealResult],
    used: dict[int, set[str]],
    started: float,
) -> RunFacts:
    before, after = read_manifest(options.pre), read_manifest(options.post)

    def of(name: str) -> Any:
        return (after or {}).get(name) or "unknown"

    return RunFacts(
        mode="compare",
        started_at=datetime.now(UTC),
        seconds=time.monotonic() - started,
        database=str(of("database")),
        reasoner=str(of("reasoner")),
        git_commit=git_state(config.root)["commit"],
        partial=False,
        shard=None,
        total=len(results),
        selected=len(results),
        not_judged=(),
        baseline=without_ids(before),
        snapshots=str(options.pre),
        judging=JudgingFacts.of(config, judging.gate.policy),
        ledger=ledger_facts(judging.ledger, used, results),
        absent_metrics=absent_everywhere(results, judging.recorder.paths),
        idle_rules=idle_rules(results, judging.gate.policy, judging.recorder.paths),
        noise=judging.gate.noise_used,
    )
