"""What a run should tell its user beside the results: what was silently not judged, and what to do next."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_dealsnap.judging.findings import DealResult
from pytest_dealsnap.judging.verdict import Summary, Verdict
from pytest_dealsnap.reporting.wording import plural

if TYPE_CHECKING:
    from pytest_dealsnap.plugin.options import Mode
    from pytest_dealsnap.plugin.plan import Plan
    from pytest_dealsnap.plugin.run import Run

__all__ = ["next_steps", "notes"]


def notes(
    run: Run,
    plan: Plan,
    results: Sequence[DealResult],
    *,
    manifest: Mapping[str, Any] | None,
    used: Collection[int],
    partial: bool,
) -> tuple[str, ...]:
    """Return the warnings for the user, each one sentence."""
    found = _absent_metrics(run, results)
    if partial:
        found.append(f"this run was partial: {len(results):,} of {plural(plan.total, 'deal')}")
    found += [f"{path} in the baseline's folder is no snapshot" for path in plan.strangers[:5]]
    if run.mode == "capture":
        errors = sum(result.status == "errored" for result in results)
        if errors:
            found.append(
                f"{plural(errors, 'deal')} could not be reasoned and {'was' if errors == 1 else 'were'} recorded as "
                "an error; pytest --dealsnap-update --dealsnap-only errors tries again"
            )
        return tuple(found)
    if manifest is None:
        found.append(f"the baseline has no manifest.json, so nothing says where it came from: {run.config.snapshots}")
    found += _ungated(run, results)
    found += [f"{entry.place} ({entry.reason}) expired on {entry.expires}" for entry in run.ledger.expired()]
    if not partial:
        found += [f"{entry.place} ({entry.reason}) matches nothing: stale" for entry in run.ledger.stale(used)]
    return tuple(found)


def _absent_metrics(run: Run, results: Sequence[DealResult]) -> list[str]:
    """Name each metric that no deal has: a typing error in its path would judge nothing, in silence."""
    reasoned = [r for r in results if (r.error is None and r.status not in ("missing", "new")) or run.mode == "capture"]
    if not reasoned:
        return []
    never = set(reasoned[0].absent_metrics).intersection(*(result.absent_metrics for result in reasoned))
    return [
        f"metric {metric.name} ({metric.spec.path}) is absent in every deal: is its path right?"
        for metric in run.recorder.metrics
        if metric.name in never
    ]


def _ungated(run: Run, results: Sequence[DealResult]) -> list[str]:
    """Say so when no rule can fail a changed value of the default type: nothing is held still then."""
    default = run.config.deals.default_type
    if run.gate.policy[default].gates_values or all(result.deal_type != default for result in results):
        return []
    return [f"no rule can fail a changed value of {default}: [tool.dealsnap.rules.{default}] only reports"]


def next_steps(mode: Mode, summary: Summary, verdict: Verdict | None) -> tuple[str, ...]:
    """Return what to run next, most useful first."""
    counts = summary.counts
    if mode == "capture":
        steps = ["git add snapshots && git commit   # approve the baseline"]
        if counts["errored"]:
            steps.insert(0, "pytest --dealsnap-update --dealsnap-only errors   # once their cause is mended")
        return tuple(steps)
    steps = []
    if summary.affected:
        steps.append("pytest --dealsnap --lf   # after a fix, only the deals that failed")
        steps.append("pytest --dealsnap-update --dealsnap-id ID   # take a deal's new output into the baseline")
    if counts["new"]:
        steps.append("pytest --dealsnap-update --dealsnap-only missing   # record the new deals")
    if verdict is not None and verdict.action == "inconclusive":
        steps.append("pytest --dealsnap   # the whole run, without narrowing it or stopping early")
    return tuple(steps)
