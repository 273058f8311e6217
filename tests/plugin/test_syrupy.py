"""syrupy beside us: a user's own snapshot tests and the deals leave each other alone."""

from __future__ import annotations

import pytest

from tests.plugin.project import Project, deals

OWN = """
def test_of_the_user(snapshot):
    assert {"answer": ANSWER} == snapshot

def test_over_deals(deal_output, deal_baseline, snapshot):
    assert deal_output == deal_baseline
    assert deal_output["offer"] == snapshot
"""


@pytest.mark.parametrize("flags", [[], ["-n", "2"]], ids=["one process", "two workers"])
def test_an_update_of_syrupys_snapshots_touches_no_deal(project: Project, flags: list[str]) -> None:
    """`--snapshot-update` writes and deletes syrupy's own files only, also in a run over a part of the deals."""
    project = project.with_deals(*deals(4)).captured()
    own = project.with_file("test_own.py", OWN.replace("ANSWER", "42"))
    before = own.snapshots()
    written = own.gate("test_own.py", "--snapshot-update", "-W", "error", *flags)
    assert written.code == 0, written.text
    assert "warning" not in written.text.lower()
    amber = project.folder / "__snapshots__" / "test_own.ambr"
    assert amber.is_file()
    part = own.with_deals(*deals(2)).gate(".", "--snapshot-update", "--dealsnap-deals-missing", "report", *flags)
    assert part.code == 0, part.text
    plain = own.run("test_own.py", "--snapshot-update")
    assert plain.code == 0, plain.text
    assert own.snapshots() == before, "no deal's snapshot was written or deleted"
    gone = own.with_file("test_own.py", "def test_nothing(): pass").run("--snapshot-update")
    assert gone.code == 0
    assert not amber.exists(), "syrupy still tidies up its own"
    assert own.snapshots() == before


def test_a_capture_writes_no_syrupy_snapshot_and_a_deal_no_amber(project: Project) -> None:
    """Capturing beside a user's snapshot tests records deals, and fails those tests as ever."""
    project = project.with_deals(*deals(2)).with_file("test_own.py", OWN.replace("ANSWER", "42"))
    outcome = project.capture("test_own.py", "-k", "test_deal or test_of_the_user")
    assert outcome.closing.startswith("1 failed, 2 passed")
    assert not (project.folder / "__snapshots__").exists()
    assert set(project.snapshots()) == {"d1.json", "d2.json"}


def test_without_syrupys_plugin_the_deals_are_judged_as_ever(project: Project) -> None:
    """`-p no:syrupy` is fine for the gate; `deal_baseline` says that it needs syrupy."""
    project = project.with_deals(*deals(2)).captured()
    assert project.gate("-p", "no:syrupy").code == 0
    own = project.with_file(
        "test_own.py", "def test_it(deal_output, deal_baseline):\n    assert deal_output == deal_baseline\n"
    )
    outcome = own.gate("test_own.py", "-p", "no:syrupy")
    assert outcome.closing == "2 passed, 2 errors"
    assert "deal_baseline needs syrupy's pytest plugin" in outcome.text
