"""An editor that clicks a deal opens its snapshot, and runs that deal alone."""

from __future__ import annotations

import json

import pytest

from tests.plugin.project import Project, deals

LISTING = """
import json
from pathlib import Path

def pytest_collection_finish(session):
    found = [[item.name, str(item.path), *item.location, item.path.exists()] for item in session.items]
    Path("items.json").write_text(json.dumps(found))
"""
ONE_MOVED = """
def value(t):
    return {"offer": {"price": 900 if t.id == "d2" else 100}, "risks": [], "memo": "as signed"}
"""


def test_a_deal_is_at_the_first_line_of_its_snapshot(project: Project) -> None:
    """A deal without a snapshot is at the root folder: the path exists in every case."""
    project = project.with_deals(*deals(2)).captured().with_deals(*deals(3)).with_file("conftest.py", LISTING)
    outcome = project.gate("--collect-only", "-q")
    assert outcome.code == 0, outcome.text
    found = {name: rest for name, *rest in json.loads((project.folder / "items.json").read_text())}
    assert len(found) == 3
    for name, (path, file, line, domain, exists) in found.items():
        assert (line, domain, exists) == (0, name, True)
        if "d3" in name:
            assert (path, file) == (str(project.folder), ".")
        else:
            assert (project.folder / file).samefile(path)
            assert file.startswith("snapshots")
            assert (project.folder / file).is_file()


@pytest.mark.slow
@pytest.mark.parametrize(("clicked", "code"), [("d1", 0), ("d2", 1)])
def test_a_clicked_deal_is_green_or_red_for_itself(project: Project, clicked: str, code: int) -> None:
    """The other deals do not run, and there is no verdict for the rollout."""
    project = project.with_deals(*deals(3)).captured().with_reasoner(ONE_MOVED)
    outcome = project.gate(f"deals::test_deal[acquisition-{clicked}]")
    assert outcome.code == code, outcome.text
    assert outcome.statuses == {clicked: "regressed" if code else "matched"}
    assert "1 of 3 deals judged" in outcome.text


@pytest.mark.slow
def test_last_failed_and_step_by_step_find_the_deal_again(project: Project) -> None:
    """``--lf`` runs the failed deal alone; ``--sw`` goes on at it."""
    project = project.with_deals(*deals(3)).captured().with_reasoner(ONE_MOVED)
    assert project.gate("--sw").code == 2
    assert project.gate("--sw").closing.startswith("1 failed, 1 deselected")
    failed = project.gate("--lf")
    assert (failed.code, failed.statuses) == (1, {"d2": "regressed"}), failed.text
