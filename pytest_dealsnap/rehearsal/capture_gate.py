"""The last capture against the first by the project's rules: the gate, without computing an answer again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import Any

from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.baseline.manifest import git_state, read_manifest, without_ids
from pytest_dealsnap.config import Config
from pytest_dealsnap.judging.metrics import compile_metrics
from pytest_dealsnap.judging.policy import compile_policy
from pytest_dealsnap.judging.values import exact, is_number, working_context
from pytest_dealsnap.model.finished_run import Drawn, FinishedRun, JudgingFacts, RunFacts
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.rehearsals import Exposure
from pytest_dealsnap.model.results import AFFECTED, DealResult
from pytest_dealsnap.pipeline.comparison import CurrentRows, compare_baselines
from pytest_dealsnap.pipeline.settling import Judging
from pytest_dealsnap.reporting.conclusion import conclude, with_unread_rows
from pytest_dealsnap.reporting.idle import idle_rules
from pytest_dealsnap.reporting.ledger_facts import absent_everywhere, ledger_facts

__all__ = ["check_rules", "exposures", "judge_captures"]


def judge_captures(
    config: Config,
    before: DealSnapshots,
    after: DealSnapshots,
    *,
    started_at: datetime,
    database: str,
    total: int,
    there: tuple[Collection[str], Collection[str]] | None,
    rows: str | None = None,
) -> FinishedRun:
    """Return the run that a gate would have been; the user's ledger counts, with the deals' fields.

    *rows* is the URL of the database whose rows a gate would have read; without it, the configured one is.
    *there* are, for a sample, the ids of all deals before and after: one that only the other sample
    drew is neither gone nor new.
    """
    judging = Judging(config, before, ledger=config.snapshots, today=datetime.now(UTC).date())
    compared = compare_baselines(before, after, judging.gate, default_type=config.deals.default_type)
    judged = (one for one in compared if there is None or not _only_drawn_once(one.result, there))
    with CurrentRows(config if rows is None else replace(config, database=rows)) as current:
        results, used = judging.settle_all(judged, current)
    policy, paths = judging.gate.policy, judging.recorder.paths
    facts = RunFacts(
        mode="rehearsal",
        started_at=started_at,
        seconds=(datetime.now(UTC) - started_at).total_seconds(),
        database=database,
        reasoner=config.reasoner or "the deal_reasoner fixture",
        git_commit=git_state(config.root)["commit"],
        partial=there is not None,
        part=None if there is None else "sample",
        drawn=() if there is None else _drawn(before),
        shard=None,
        total=total,
        selected=len(results),
        not_judged=(),
        baseline=without_ids(read_manifest(before.folder.parent)),
        snapshots="the capture with the flag off, before the upgrade",
        judging=JudgingFacts.of(config, policy),
        ledger=ledger_facts(judging.ledger, used, results),
        absent_metrics=absent_everywhere(results, paths),
        idle_rules=idle_rules(results, policy, paths),
        noise=judging.gate.noise_used,
    )
    return with_unread_rows(conclude(facts, results), current.problem)


def check_rules(config: Config) -> None:
    """Raise :class:`ConfigError` for a rule that the gate could not judge by, before any work is done for it."""
    compile_policy(
        config.rules,
        types=config.deals.types,
        metrics=compile_metrics(config.metrics),
        root=config.root,
        places=config.places,
    )


def _drawn(before: DealSnapshots) -> tuple[Drawn, ...]:
    """Return what the sample was drawn from: all deals by type, as the capture's manifest counts them."""
    counts: Any = (read_manifest(before.folder.parent) or {}).get("deals")
    return tuple(Drawn(str(name), int(count)) for name, count in counts.items()) if isinstance(counts, dict) else ()


def _only_drawn_once(result: DealResult, there: tuple[Collection[str], Collection[str]]) -> bool:
    before, after = there
    drawn = result.status == "new" and not result.findings  # else it failed before, and works now
    return (result.status == "missing" and result.id in after) or (drawn and result.id in before)


def exposures(results: Iterable[DealResult]) -> tuple[Exposure, ...]:
    """Return, for each number that fails a deal, the most that it moved and all its moves together."""
    moves: dict[str, list[tuple[Decimal, DealResult]]] = defaultdict(list)
    for result in results:
        if result.status not in AFFECTED:
            continue
        for finding in result.gating:
            if is_number(finding.baseline) and is_number(finding.current):
                old, new = exact(finding.baseline), exact(finding.current)
                if old.is_finite() and new.is_finite():
                    with localcontext(working_context(old, new)):
                        moves[finding.metric].append((abs(new - old), result))
    found = []
    for metric, amounts in moves.items():
        largest, deal = max(amounts, key=lambda item: item[0])
        total = sum((amount for amount, _ in amounts), Decimal(0))
        found.append((total, Exposure(metric, _amount(largest), deal.id, deal.name, _amount(total), len(amounts))))
    return tuple(exposure for total, exposure in sorted(found, key=lambda item: -item[0]) if total)


def _amount(number: Decimal) -> str:
    """Return the number written out, without zeros that say nothing."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
