"""A capture of the scratch copy by the user's own project, in a pytest process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.engine import make_url

from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.baseline.manifest import read_manifest
from pytest_dealsnap.deals.database import public_url
from pytest_dealsnap.errors import BaselineError
from pytest_dealsnap.rehearsal.old_code import OldCode
from pytest_dealsnap.rehearsal.step_environment import FlagState, StepEnvironment
from pytest_dealsnap.rehearsal.steps import Done
from pytest_dealsnap.rehearsal.timeline import Entry
from pytest_dealsnap.text import plural

__all__ = ["capture", "run_capture", "run_old_capture"]

BY_HAND = "run pytest --dealsnap-update by hand to see the whole of it"


def capture(
    step_environment: StepEnvironment,
    entry: Entry,
    name: str,
    flag: FlagState,
    selection: Sequence[str] = (),
    *,
    old: OldCode | None = None,
) -> DealSnapshots | None:
    """Capture into a folder called *name*; ``None``, with a problem in *entry*, where that failed.

    *selection* are further flags of pytest's, such as ``--dealsnap-sample 50``. With *old*, that code answers.
    """
    folder = step_environment.folder / name
    wrong = ""
    if old is None:
        done = run_capture(step_environment, entry.title, folder, flag, selection)
    else:
        done, wrong = run_old_capture(step_environment, entry.title, folder, flag, old, selection)
    snapshots = DealSnapshots(folder)
    ids = snapshots.ids()
    errors = snapshots.errors_among(ids)
    entry.headline = plural(len(ids), "deal") + (f", {len(errors):,} of them errors" if errors else "")
    problem = wrong or _problem(folder, step_environment, ids, errors)
    if done.timed_out:
        _timed_out(entry, done)
        return None
    if not done.ok and not wrong and (problem is None or not ids):
        problem = f"pytest --dealsnap-update {done.ending()}"
    if problem is not None:
        evidence = [*_first_errors(snapshots, errors), *(done.tail() if not ids else ())]
        entry.find("capture_failed", problem, weight="unfinished", evidence=evidence, advice=BY_HAND)
        return None
    return snapshots


def run_capture(
    step_environment: StepEnvironment, title: str, folder: Path, flag: FlagState, selection: Sequence[str]
) -> Done:
    """Run the user's project's capture into *folder*, and return how it ended."""
    arguments = [
        *("-m", "pytest", "--dealsnap-update", "--dealsnap-allow-constant"),
        *("--dealsnap-allow-errors", "--dealsnap-capture-check=0", "-q", "--no-header"),
        f"--rootdir={step_environment.config.root}",
        *("-p", "pytest_dealsnap.rehearsal.guarded", "-o", f"cache_dir={step_environment.folder / 'cache'}"),
        *selection,
    ]
    return step_environment.python(title, flag, *arguments, DEALSNAP_SNAPSHOTS=str(folder))


def run_old_capture(
    step_environment: StepEnvironment,
    title: str,
    folder: Path,
    flag: FlagState,
    old: OldCode,
    selection: Sequence[str],
) -> tuple[Done, str]:
    """Run the capture of *old* code into *folder*; return how it ended, and what is wrong if it ran the new code."""
    place = folder.with_name(f"{folder.name}-orders")
    place.mkdir()
    orders = old.order(place, folder)
    guarded = ("-p", "pytest_dealsnap.rehearsal.guarded")
    done = step_environment.old_code(title, flag, old, *old.command(orders), *guarded, *selection)
    return done, old.new_code_imported(place)


def _timed_out(entry: Entry, done: Done) -> None:
    entry.find(
        "capture_timed_out", f"pytest --dealsnap-update {done.ending()}, with {entry.headline}", weight="unfinished",
        evidence=done.tail(), advice="give a step more time, --timeout SECONDS; or find the deal that hangs: "
        "pytest --dealsnap-update --dealsnap-timeout SECONDS",
    )  # fmt: skip


def _problem(folder: Path, step_environment: StepEnvironment, ids: set[str], errors: set[str]) -> str | None:
    try:
        manifest = read_manifest(folder)
    except BaselineError as error:
        return str(error)
    if manifest is None or not ids:
        return "the capture recorded no deal"
    shown = public_url(make_url(step_environment.scratch))
    if step_environment.config.deals.source is None and manifest.get("database") != shown:
        read = manifest.get("database")
        return f"the capture read {read}, not the scratch copy: does a flag in addopts name a database?"
    if manifest.get("complete") is False:
        return "the capture did not come to its end"
    if errors == ids:
        return f"every deal errored ({len(ids):,})"
    return None


def _first_errors(snapshots: DealSnapshots, errors: set[str]) -> list[str]:
    return [f"deal {deal_id}: {_message(snapshots, deal_id)}" for deal_id in sorted(errors)[:3]]


def _message(snapshots: DealSnapshots, deal_id: str) -> str | None:
    snapshot = snapshots.decode(deal_id, snapshots.recall(deal_id) or b"")
    return str(snapshot.error) if snapshot.error else None
