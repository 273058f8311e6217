"""kill -9 at random moments of a capture: whole files only, and nothing that is finished is done again."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.baseline.codec import decode
from tests.plugin.project import ALIKE, BASE_ARGUMENTS, Project
from tests.profiles import scaled
from tests.scale.running import COUNTED, calls, forget_calls, padded, started, wait_until

# Slow enough that a kill falls between two deals or into one; the output takes some time to write.
SLOW = """
import time

from counted import answer, note


def value(transaction):
    note(transaction.id)
    time.sleep(0.003)
    return answer(transaction) | {"memo": transaction.id * 400}
"""


def manifest(project: Project) -> Any:
    """Return the baseline's manifest."""
    return json.loads((project.folder / "snapshots" / "manifest.json").read_text(encoding="utf-8"))


def names(project: Project) -> set[str]:
    """Return the names in the folder of the snapshots, hidden ones left out."""
    if not project.baseline.exists():
        return set()
    return {path.name for path in project.baseline.iterdir() if not path.name.startswith(".")}


def grown(project: Project, size: int) -> bool:
    """Whether the baseline has that many snapshots."""
    return len(names(project)) >= size


def finished(project: Project) -> set[str]:
    """Return the deals that have a snapshot, every one of which must be whole."""
    for name in names(project):
        path = project.baseline / name
        snapshot = decode(path.read_bytes(), deal_id=name.removesuffix(".json"), path=str(path))
        assert snapshot.output is not None
        assert snapshot.output["memo"] == snapshot.deal_id * 400
    return {name.removesuffix(".json") for name in names(project)}


def slow_project(folder: Path, count: int) -> Project:
    """Return a written project with so many slow deals."""
    project = Project(folder).with_deals(*padded(count)).with_file("counted.py", COUNTED).with_reasoner(SLOW)
    return project.with_settings("check = 0", section="capture").write()


def forked(folder: str, arguments: tuple[str, ...]) -> None:
    """Run pytest in this process, which a server that has imported pytest already forked off."""
    os.chdir(folder)
    with Path("output.txt").open("ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    sys.path.insert(0, folder)
    sys.exit(pytest.main([*BASE_ARGUMENTS, ALIKE, "-p", "no:cacheprovider", *arguments]))


def check_round(project: Project, before: set[str], *, progress: bool) -> None:
    """Check what a kill left: whole files, no finished deal reasoned again, a manifest that says so."""
    after = finished(project)
    assert after > before if progress else after >= before
    assert before.isdisjoint(calls(project)), f"reasoned again: {sorted(before.intersection(calls(project)))}"
    assert max(Counter(calls(project)).values(), default=1) == 1
    assert manifest(project)["complete"] is False
    forget_calls(project)


def check_resumed(project: Project, *arguments: str) -> None:
    """Check that a gate refuses the incomplete baseline, a chosen part says so, and a resumed capture completes it."""
    (project.baseline / ".dealsnap-1-0.tmp").write_bytes(b"{")  # what a kill in the midst of a write leaves
    before = finished(project)
    gate = project.gate()
    chosen = project.gate("--dealsnap-id", min(before))  # claims nothing for the rollout, so it may pass
    assert (gate.code, gate.action) == (1, "inconclusive")
    assert (chosen.code, chosen.action) == (0, "none")
    for outcome in (gate, chosen):
        assert "the baseline is incomplete: its capture did not finish" in outcome.text
        assert "pytest --dealsnap-update --dealsnap-only missing   # before the migration" in outcome.text
    forget_calls(project)
    last = project.capture("--dealsnap-only", "missing", *arguments)
    assert last.code == 0, last.text
    assert Counter(calls(project)) == Counter(str(row[0]) for row in project.rows if row[0] not in before)
    assert len(finished(project)) == len(project.rows)
    assert not list(project.folder.rglob("*.tmp"))
    assert manifest(project)["complete"] is True
    assert "resume" not in manifest(project)


def test_many_kills_leave_whole_files(tmp_path: Path) -> None:
    """Killed at many random moments, a capture is resumed each time where it was, and is complete at last."""
    project = slow_project(tmp_path, 900)
    dice = random.Random(7)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "pytest_dealsnap.plugin.hooks", "pytest_dealsnap.deals.sql"])
    for number in range(scaled(100)):
        before = finished(project)
        only = ("--dealsnap-only", "missing") if number else ()
        process = context.Process(target=forked, args=(str(tmp_path), ("--dealsnap-update", "-q", *only)))
        process.start()
        by_files = number % 2 == 0
        if by_files:
            wait_until(partial(grown, project, len(before) + dice.randrange(1, 6)))
        else:
            process.join(timeout=dice.uniform(0, 0.15))
        assert process.is_alive(), (tmp_path / "output.txt").read_text()
        process.kill()
        process.join()
        check_round(project, before, progress=by_files)
    check_resumed(project)


def test_kills_of_workers_leave_whole_files(tmp_path: Path) -> None:
    """The same under `-n 2`, where controller and workers are killed together."""
    project = slow_project(tmp_path, 300)
    dice = random.Random(7)
    for number in range(3):
        before = finished(project)
        only = ("--dealsnap-only", "missing") if number else ()
        size = len(before) + dice.randrange(1, 30)
        with started(project, "--dealsnap-update", "-q", "-n", "2", *only) as process:
            wait_until(partial(grown, project, size), process=process)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=60)
        check_round(project, before, progress=True)
    check_resumed(project, "-n", "2")


def test_a_killed_recapture_must_start_again(tmp_path: Path) -> None:
    """A capture over an earlier baseline that was killed is of two times: only a whole one completes it."""
    project = slow_project(tmp_path, 120).captured()
    assert manifest(project)["complete"] is True
    changed = project.with_reasoner(SLOW.replace('{"memo"', '{"price": 7, "memo"'))
    changed.write()
    forget_calls(project)
    with started(changed, "--dealsnap-update", "-q") as process:
        wait_until(lambda: len(calls(project)) > 9, process=process)
        os.killpg(process.pid, signal.SIGKILL)
    assert len(finished(project)) == 120
    assert (manifest(project)["complete"], manifest(project)["resume"]) == (False, "all")
    gate = project.gate()
    assert gate.code == 1
    assert gate.action == "inconclusive"
    assert "pytest --dealsnap-update   # before the migration: finish the capture" in gate.text
    missing = changed.capture("--dealsnap-only", "missing")
    assert manifest(project)["complete"] is False, missing.text
    assert changed.capture().code == 0
    assert manifest(project)["complete"] is True
    assert changed.gate().action == "proceed"


@pytest.mark.parametrize(
    "arguments",
    [("--dealsnap-only", "missing"), ("-k", "d00"), ("--dealsnap-type", "acquisition", "--dealsnap-shard", "1/2")],
    ids=["missing", "chosen", "shard"],
)
def test_a_killed_first_capture_of_any_kind_is_incomplete(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Also where the first capture is one of what is missing, or of a part: a gate does not pass over the rest."""
    project = slow_project(tmp_path, 120)
    with started(project, "--dealsnap-update", "-q", *arguments) as process:
        wait_until(lambda: len(finished(project)) > 3, process=process)
        os.killpg(process.pid, signal.SIGKILL)
    assert manifest(project)["complete"] is False
    check_resumed(project)
    assert "partial" not in manifest(project)


@pytest.mark.parametrize("arguments", [(), ("-n", "2")], ids=["alone", "xdist"])
@pytest.mark.parametrize("choice", [("-k", "d0002"), ("deals::test_deal[acquisition-d0002]",)], ids=["k", "id"])
def test_capturing_chosen_tests_leaves_the_manifest(
    tmp_path: Path, arguments: tuple[str, ...], choice: tuple[str, ...]
) -> None:
    """Deals chosen by pytest's own means, not by ours, are a part as well: the baseline stays complete."""
    project = Project(tmp_path).with_deals(*padded(5)).captured()
    before = (tmp_path / "snapshots" / "manifest.json").read_bytes()
    outcome = project.with_deals(*padded(5, amount=300)).capture(*choice, *arguments)
    assert outcome.code == 0, outcome.text
    assert project.snapshot("d0002")["metrics"]["price"] == 300
    assert project.snapshot("d0003")["metrics"]["price"] == 100
    assert (tmp_path / "snapshots" / "manifest.json").read_bytes() == before


def test_what_is_missing_makes_a_part_whole(tmp_path: Path) -> None:
    """A baseline begun with a part says so, until what is missing was captured."""
    project = Project(tmp_path).with_deals(*padded(5)).with_environment(DEALSNAP_CAPTURE_CHECK="0")
    assert project.capture("-k", "d0002").code == 0
    assert (manifest(project)["complete"], manifest(project)["partial"]) == (True, True)
    assert project.capture("--dealsnap-only", "missing").code == 0
    assert manifest(project)["complete"] is True
    assert "partial" not in manifest(project)
