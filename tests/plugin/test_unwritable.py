"""A baseline that cannot be written: one sentence before the first deal, nothing changed, nothing written through."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.console import dealsnap
from tests.plugin.project import Project, deals


def file_as_baseline(snapshots: Path) -> None:
    """Have a file in the baseline's place."""
    snapshots.write_text("x")


def link_as_baseline(snapshots: Path) -> None:
    """Have a link to nowhere in the baseline's place."""
    snapshots.symlink_to("nowhere/at/all")


def file_as_deals(snapshots: Path) -> None:
    """Have a file in the place of the deals' folder."""
    snapshots.mkdir()
    (snapshots / "deals").write_text("x")


def link_as_deals(snapshots: Path) -> None:
    """Have a link to nowhere in the place of the deals' folder."""
    snapshots.mkdir()
    (snapshots / "deals").symlink_to("nowhere/at/all")


def folder_as_manifest(snapshots: Path) -> None:
    """Have a folder in the manifest's place."""
    (snapshots / "manifest.json").mkdir(parents=True)


@pytest.mark.parametrize(
    "spoil", [file_as_baseline, link_as_baseline, file_as_deals, link_as_deals, folder_as_manifest]
)
def test_what_cannot_be_written_is_one_sentence(project: Project, spoil: Callable[[Path], None]) -> None:
    """Exit 4, no traceback, no deal reasoned."""
    project = project.with_deals(*deals(2)).write()
    spoil(project.folder / "snapshots")
    outcome = project.capture()
    assert outcome.code == 4, outcome.text
    assert "cannot be" in outcome.text
    assert "Traceback" not in outcome.text
    assert not list((project.folder / "snapshots").glob("deals/*.json"))
    assert outcome.report_bytes is None or outcome.report["deals"] == []


def test_a_snapshot_that_is_a_link_is_not_written_through(project: Project) -> None:
    """The link becomes a file; what it led to stays as it was."""
    project = project.with_deals(*deals(2)).captured()
    outside = project.folder / "outside.json"
    outside.write_text("mine")
    (project.baseline / "d1.json").unlink()
    (project.baseline / "d1.json").symlink_to(outside)
    assert project.capture().code == 0
    assert outside.read_text() == "mine"
    assert not (project.baseline / "d1.json").is_symlink()


def reading(pipe: Path) -> subprocess.Popen[bytes]:
    """Start to read *pipe*, for at most a minute."""
    return subprocess.Popen(["timeout", "60", "cat", str(pipe)], stdout=subprocess.PIPE)


def test_a_report_to_a_device_or_a_pipe_goes_into_it(project: Project) -> None:
    """It is written to, and never replaced by a file; one that takes nothing is told, and the run is not green."""
    project = project.with_deals(*deals(2)).captured()
    pipe = project.folder / "pipe"
    os.mkfifo(pipe)
    with reading(pipe) as reader:
        outcome = project.run("--dealsnap", "--dealsnap-report", f"json:{pipe}")
        assert outcome.code == 0, outcome.text
        assert json.loads(reader.communicate()[0])["summary"]["matched"] == 2
    with reading(pipe) as reader:
        assert dealsnap(project.folder, "compare", "snapshots", "snapshots", "--report", f"json:{pipe}").code == 0
        assert json.loads(reader.communicate()[0])["summary"]["matched"] == 2
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    full = project.folder / "full"
    full.symlink_to("/dev/full")
    outcome = project.run("--dealsnap", "--dealsnap-report", f"json:{full}")
    assert outcome.code == 4
    assert f"the report {full} cannot be written: OSError: No space left on device" in outcome.text
    assert stat.S_ISCHR(full.stat().st_mode)
