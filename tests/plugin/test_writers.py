"""Two processes at one baseline: one writes at a time, a gate says when what it read has changed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.plugin.project import BASE_ARGUMENTS, Project, clean_environment, deals

# Waits, amid the second deal, until someone opens the gate for it.
WAITS = """
import pathlib, time

def value(transaction):
    if transaction.id == "d2":
        pathlib.Path("waiting").touch()
        while not pathlib.Path("go").exists():
            time.sleep(0.01)
    return {"offer": {"price": transaction["amount"]}, "risks": []}
"""
CHANGES = """
import pathlib

def value(transaction):
    if transaction.id == "d2":
        path = pathlib.Path("snapshots/deals/d1.json")
        path.write_bytes(path.read_bytes() + b" ")
    return {"offer": {"price": transaction["amount"]}, "risks": [], "memo": "as signed"}
"""


@contextmanager
def waiting_capture(project: Project) -> Iterator[subprocess.Popen[bytes]]:
    """Run a capture that stands still amid its second deal until the file ``go`` is there."""
    command = [sys.executable, "-m", "pytest", *BASE_ARGUMENTS, "--dealsnap-update", "--dealsnap-allow-constant"]
    with subprocess.Popen(command, cwd=project.folder, env=clean_environment(), stdout=subprocess.DEVNULL) as process:
        while not (project.folder / "waiting").exists():
            assert process.poll() is None
            time.sleep(0.01)
        yield process
        (project.folder / "go").touch()


@pytest.mark.parametrize("killed", [False, True])
def test_a_second_capture_is_refused_while_one_is_under_way(project: Project, killed: bool) -> None:
    """Exit 4 and one sentence, nothing of the first one's is touched; a killed one holds nothing up."""
    project = project.with_deals(*deals(3)).with_reasoner(WAITS).write()
    quick = [sys.executable, "-m", "pytest", *BASE_ARGUMENTS, "--dealsnap-update", "--dealsnap-allow-constant"]
    with waiting_capture(project) as first:
        before = project.snapshots()
        again = subprocess.run(
            quick, cwd=project.folder, env=clean_environment(), capture_output=True, text=True, check=False
        )
        said = again.stdout + again.stderr
        assert again.returncode == 4, said
        assert "another process writes the baseline" in said
        assert "Traceback" not in said
        assert project.snapshots() == before
        if killed:
            first.kill()
    assert first.returncode == (-9 if killed else 0)
    assert project.capture().code == 0
    assert set(project.snapshots()) == {"d1.json", "d2.json", "d3.json"}
    assert not [path for path in project.folder.joinpath("snapshots").iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("arguments", [(), ("-n", "1")])
def test_a_gate_says_when_the_baseline_changed_while_it_read(project: Project, arguments: tuple[str, ...]) -> None:
    """All deals match, and yet the verdict is inconclusive: what they matched is not what stands there now."""
    project = project.with_deals(*deals(2)).captured()
    assert project.gate(*arguments).action == "proceed"
    outcome = project.with_reasoner(CHANGES).gate(*arguments)
    assert (outcome.code, outcome.action) == (1, "inconclusive"), outcome.text
    assert "the baseline changed while this gate read it" in outcome.verdict
