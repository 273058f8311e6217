"""The manifest of a capture: begun before the first deal, finished after the last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_dealsnap import __version__
from pytest_dealsnap.baseline.manifest import git_state, read_manifest, write_manifest

if TYPE_CHECKING:
    from pytest_dealsnap.plugin.run import Run
    from pytest_dealsnap.reporting.run_facts import FinishedRun

__all__ = ["begin_manifest", "finish_manifest"]


def begin_manifest(run: Run, *, only: str | None) -> None:
    """Write, before the first deal, that a whole capture is under way.

    Killed from here on, the baseline says that it is incomplete, and how to go on: a first capture
    by recording what is missing, one over an earlier baseline from the start. A capture of a part
    leaves the manifest alone until it ends.
    """
    if run.plan.narrowed or only is not None:
        read_manifest(run.config.snapshots)  # a bad one is refused now, not after the last deal
        return
    earlier = any(True for _ in run.snapshots.each_id())
    resume = "all" if earlier else "missing"
    write_manifest(run.config.snapshots, {**_manifest(run), "complete": False, "resume": resume})


def finish_manifest(run: Run, finished: FinishedRun, *, only: str | None) -> None:
    """Write, after the last deal, where the baseline came from and whether the capture is complete.

    A capture of a part leaves the manifest as it is: that is about the whole, and git knows when each deal's
    snapshot was written. So two branches that capture different deals have nothing to merge.
    """
    facts, folder = finished.facts, run.config.snapshots
    before = read_manifest(folder)
    narrowed = run.plan.narrowed or facts.selected < len(run.plan.entries)
    done = not facts.not_judged and all(r.compared for r in finished.results)
    if before is None or not (narrowed or only):
        manifest = {**_manifest(run), "complete": done}
        if narrowed:
            manifest["partial"] = True  # as it was asked for; nothing is lacking that was to be there
        if not done:
            manifest["resume"] = (before or {}).get("resume", "missing")
        write_manifest(folder, manifest)
        return
    if only == "missing" and before.get("resume") == "missing" and done and not narrowed:
        whole = {key: value for key, value in before.items() if key != "resume"}
        write_manifest(folder, {**whole, "complete": True})


def _manifest(run: Run) -> dict[str, Any]:
    settings, plan = run.config, run.plan
    return {
        "plugin_version": __version__,
        "captured_at": _time(run),
        "git": git_state(settings.root),
        "database": plan.description,
        "dialect": plan.facts["dialect"],
        "alembic_revision": plan.facts["alembic_revision"],
        "reasoner": settings.reasoner or "the deal_reasoner fixture",
        "deals": dict(plan.population or {}),
        "metrics": {metric.name: metric.spec.path for metric in run.recorder.metrics},
        "record": settings.output.record,
        "rules": run.gate.policy.in_force(),
    }


def _time(run: Run) -> str:
    return run.started_at.isoformat(timespec="seconds")
