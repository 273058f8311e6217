"""`dealsnap check`: what a hand or a merge does to a baseline is found before it is committed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.console import dealsnap
from tests.plugin.project import Project, deal


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A captured book of three deals."""
    return Project(tmp_path).with_deals(deal("1"), deal("2"), deal("3")).captured()


def snapshot(project: Project, deal_id: str) -> Path:
    """Return the file of a deal."""
    return project.folder / "snapshots" / "deals" / f"{deal_id}.json"


def test_a_captured_baseline_is_in_order(project: Project) -> None:
    """All of it, or the files that are named; others are none of its business."""
    said = dealsnap(project.folder, "check")
    assert (said.code, said.out) == (0, "3 snapshots checked: no problem\n")
    said = dealsnap(project.folder, "check", snapshot(project, "2"), project.folder / "pyproject.toml")
    assert (said.code, said.out) == (0, "1 snapshot checked: no problem\n")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"price": 100,', '"price": 101,', "contradicts itself: its metric price is 101, and its output says 100"),
        ('  "deal_id"', '\t"deal_id"', "is not as dealsnap writes it"),
        ("{\n", "<<<<<<< HEAD\n{\n", "it holds the markers of a merge conflict"),
    ],
)
def test_a_damaged_file_is_named(project: Project, old: str, new: str, problem: str) -> None:
    """Whether all are checked or that one, and the others are checked all the same."""
    path = snapshot(project, "2")
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    for arguments, count in (((), 3), ((path,), 1)):
        said = dealsnap(project.folder, "check", *arguments)
        assert said.code == 1
        assert problem in said.out
        assert f"{count} snapshot{'s' if count > 1 else ''} checked: 1 problem" in said.out
    assert dealsnap(project.folder, "check", snapshot(project, "1")).code == 0


def test_what_is_gone_or_does_not_belong_is_named(project: Project) -> None:
    """A deal of the manifest's list without its file, a file that is no deal's, a manifest with conflict markers."""
    snapshot(project, "3").unlink()
    (project.folder / "snapshots" / "deals" / "1.json.orig").write_text("")
    said = dealsnap(project.folder, "check")
    assert said.code == 1
    assert "the manifest lists deal 3, and " in said.out
    assert "1.json.orig is no deal's snapshot" in said.out
    manifest = project.folder / "snapshots" / "manifest.json"
    manifest.write_text("<<<<<<< HEAD\n" + manifest.read_text(encoding="utf-8"), encoding="utf-8")
    said = dealsnap(project.folder, "check")
    assert said.code == 1
    assert "manifest.json" in said.out


def test_without_a_baseline_there_is_nothing_to_check(tmp_path: Path) -> None:
    """Which is a usage error, as a check of nothing must not be green."""
    project = Project(tmp_path).with_deals(deal("1"))
    project.write()
    said = dealsnap(project.folder, "check")
    assert said.code == 2
    assert "there is nothing to check" in said.err
