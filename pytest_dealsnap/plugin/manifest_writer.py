"""The manifest of a capture: begun before the first deal, finished after the last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pytest_dealsnap import __version__
from pytest_dealsnap.baseline.manifest import git_state, listed_ids, read_manifest, sorted_ids, write_manifest
from pytest_dealsnap.baseline.noise_file import NOISE_FILE, asks_for_noise
from pytest_dealsnap.errors import ManifestError
from pytest_dealsnap.model.kept_files import GitState, ManifestFile
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.reasoning.run_store import calls_version

if TYPE_CHECKING:
    from pytest_dealsnap.model.finished_run import FinishedRun
    from pytest_dealsnap.plugin.run import Run

__all__ = ["begin_manifest", "finish_manifest"]


def begin_manifest(run: Run, *, selected: int, only: str | None) -> bool:
    """Write, before the first of *selected* deals, that a capture is under way; return whether that was written.

    Killed from here on, the baseline says that it is incomplete, and how to go on: a first capture
    by recording what is missing, one over an earlier baseline from the start. A capture of a part
    of a baseline that has a manifest leaves it alone.
    """
    folder = run.config.snapshots
    part = only is not None or _narrowed(run, selected)
    if part and (only == "errors" or not _unfinished_part(read_manifest(folder))):
        return False
    earlier = not part and any(True for _ in run.snapshots.each_id())
    listed = _listed_before(run) or (run.snapshots.ids() if earlier else set())
    begun = _manifest(run, listed, complete=False)
    write_manifest(folder, replace(begun, resume="all" if earlier else "missing", partial=_narrowed(run, selected)))
    return True


def finish_manifest(run: Run, finished: FinishedRun, *, begun: bool, only: str | None) -> None:
    """Write, after the last deal, where the baseline came from and whether the capture is complete.

    *begun* is what :func:`begin_manifest` returned. A capture of a part adds the deals that the manifest does not list,
    and leaves it alone otherwise: it is about the whole, and git knows when each deal's snapshot was written. So two
    branches that capture different deals have nothing to merge.
    """
    facts, folder = finished.facts, run.config.snapshots
    before = read_manifest(folder)
    narrowed = _narrowed(run, facts.selected)
    done = not facts.not_judged and all(r.compared for r in finished.results)
    if before is None or begun or not (narrowed or only):
        listed = run.snapshots.ids() if done else run.snapshots.ids() | listed_ids(before)
        resume = None if done else (before or {}).get("resume", "missing")
        # A part is not incomplete: nothing is lacking that was to be there.
        write_manifest(folder, replace(_manifest(run, listed, complete=done), resume=resume, partial=narrowed))
        return
    lacked = before.get("resume") == "missing" or before.get("partial")
    if only == "missing" and lacked and done and not narrowed:
        whole = {key: value for key, value in before.items() if key not in ("resume", "partial")}
        write_manifest(folder, {**whole, "ids": sorted_ids(run.snapshots.ids()), "complete": True})
        return
    listed = listed_ids(before)
    fresh = {r.id for r in finished.results if r.id not in listed and run.snapshots.has(r.id)}
    if fresh and "ids" in before:
        write_manifest(folder, {**before, "ids": sorted_ids(listed | fresh)})


def _listed_before(run: Run) -> set[str]:
    """Return what the manifest lists; a capture of the whole repairs one that cannot be read."""
    try:
        return listed_ids(read_manifest(run.config.snapshots))
    except ManifestError:
        return set()


def _narrowed(run: Run, selected: int) -> bool:
    """Whether deals were left out by the plan, or by ``-k`` and the like."""
    return run.plan.narrowed or selected < len(run.plan.entries)


def _unfinished_part(manifest: Mapping[str, Any] | None) -> bool:
    """Whether no capture has been finished yet: there is none, or only a part was begun."""
    return manifest is None or bool(manifest.get("partial") and not manifest.get("complete"))


def _manifest(run: Run, ids: Iterable[str], *, complete: bool) -> ManifestFile:
    settings, plan = run.config, run.plan
    versioned = settings.calls.given or asks_for_noise(settings) or (settings.snapshots / NOISE_FILE).exists()
    return ManifestFile(
        plugin_version=__version__,
        captured_at=run.started_at.isoformat(timespec="seconds"),
        git=GitState(**git_state(settings.root)),
        database=plan.description,
        dialect=plan.facts["dialect"],
        alembic_revision=plan.facts["alembic_revision"],
        reasoner=settings.reasoner or "the deal_reasoner fixture",
        deals=dict(plan.population or {}),
        metrics=run.recorder.paths,
        record=settings.output.record,
        rules=run.gate.policy.as_text(),
        calls_version=calls_version(settings) if versioned else "",
        ids=tuple(sorted_ids(ids)),
        complete=complete,
    )
