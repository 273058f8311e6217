"""The baseline in real git: differences that read well, branches that merge."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.plugin.project import Outcome, Project, deal

REASONER = """
def value(transaction):
    text = "The unit stands alone. " * 40 + f"Its price is {transaction['amount']}. " + "Nothing else is known. " * 40
    names = ["application", "network", "identity"] + (["licence"] if transaction["amount"] > 150 else [])
    synergies = [{"type": name, "low": 10, "high": 20} for name in sorted(names)]
    return {"offer": {"price": transaction["amount"]}, "risks": [], "synergies": synergies, "narrative": text}
"""

CONFIG_GIT = ("-c", "user.name=Ana", "-c", "user.email=ana@example.org", "-c", "commit.gpgsign=false")


def git(folder: Path, *arguments: str, check: bool = True) -> str:
    """Run git in *folder*, without any configuration but its own, and return what it said."""
    done = subprocess.run(
        ["git", *CONFIG_GIT, *arguments],
        cwd=folder,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0 or not check, done.stdout + done.stderr
    return done.stdout + done.stderr


def recapture(project: Project, deal_id: str) -> Outcome:
    """Take one deal's new output into the baseline, and commit that."""
    outcome = project.run("--dealsnap-update", "--dealsnap-id", deal_id)
    assert outcome.code == 0, outcome.text
    git(project.folder, "commit", "-qam", f"take {deal_id}")
    return outcome


@pytest.fixture
def project(committed: Project, tmp_path: Path) -> Project:
    """A copy of the committed project."""
    shutil.copytree(committed.folder, tmp_path / "p")
    return replace(committed, folder=tmp_path / "p")


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A captured and committed project of four deals."""
    folder = tmp_path_factory.mktemp("git") / "p"
    project = Project(folder, rows=tuple(deal(f"d{n}") for n in range(4))).with_reasoner(REASONER).captured()
    git(project.folder, "init", "-q", "-b", "main")
    (project.folder / ".gitignore").write_text("book.db\n__pycache__/\n.pytest_cache/\nreport.json\n")
    git(project.folder, "add", "-A")
    git(project.folder, "commit", "-qm", "baseline")
    return project


def test_branches_that_take_different_deals_merge(project: Project) -> None:
    """Each took one deal's new output; the manifest, which is about the whole capture, is nobody's conflict."""
    git(project.folder, "switch", "-qc", "one")
    recapture(project.with_deals(*(deal(f"d{n}", amount=200 if n == 1 else 100) for n in range(4))), "d1")
    git(project.folder, "switch", "-q", "main")
    git(project.folder, "switch", "-qc", "two")
    recapture(project.with_deals(*(deal(f"d{n}", amount=300 if n == 2 else 100) for n in range(4))), "d2")
    git(project.folder, "merge", "-q", "--no-edit", "one")
    assert git(project.folder, "diff", "--stat", "--name-only", "main").split() == [
        "snapshots/deals/d1.json",
        "snapshots/deals/d2.json",
    ]
    amounts = {0: 100, 1: 200, 2: 300, 3: 100}
    merged = project.with_deals(*(deal(f"d{n}", amount=amounts[n]) for n in range(4)))
    assert set(merged.gate().statuses.values()) == {"matched"}


def test_a_snapshot_in_conflict_is_one_clear_error(project: Project) -> None:
    """Two branches that took other outputs of one deal: git says so, and the gate names the file."""
    git(project.folder, "switch", "-qc", "one")
    recapture(project.with_deals(*(deal(f"d{n}", amount=200) for n in range(4))), "d1")
    git(project.folder, "switch", "-q", "main")
    recapture(project.with_deals(*(deal(f"d{n}", amount=300) for n in range(4))), "d1")
    assert "CONFLICT" in git(project.folder, "merge", "--no-edit", "one", check=False)
    outcome = project.gate()
    assert outcome.statuses == {"d0": "matched", "d1": "errored", "d2": "matched", "d3": "matched"}
    assert "it holds the markers of a merge conflict" in outcome.text


def test_a_new_entry_of_a_list_is_one_hunk(project: Project) -> None:
    """What came into a list is what the difference shows, wherever in the list it stands."""
    changed = project.with_deals(*(deal(f"d{n}", amount=200 if n == 1 else 100) for n in range(4)))
    assert changed.run("--dealsnap-update", "--dealsnap-id", "d1").code == 0
    shown = git(project.folder, "diff", "-U0", "--", "snapshots")
    added = [line[1:].strip() for line in shown.splitlines() if line.startswith("+") and not line.startswith("+++")]
    assert '"type": "licence"' in added
    assert shown.count('"type"') == 1
    gone = [line[1:].split(":")[0].strip() for line in shown.splitlines() if line.startswith("-  ")]
    assert gone == ['"price"', '"narrative"', '"price"']
    assert git(project.folder, "diff", "--numstat", "--", "snapshots").split()[0] == "8"


def test_a_long_text_is_read_word_by_word(project: Project) -> None:
    """A narrative is one line of JSON, exact to the character; git shows the word that changed in it."""
    changed = project.with_deals(*(deal(f"d{n}", amount=120 if n == 1 else 100) for n in range(4)))
    assert changed.run("--dealsnap-update", "--dealsnap-id", "d1").code == 0
    shown = git(project.folder, "diff", "--word-diff=plain", "--word-diff-regex=[[:alnum:]]+", "-U0", "--", "snapshots")
    narrative = next(line for line in shown.splitlines() if '"narrative"' in line)
    assert "Its price is [-100-]{+120+}." in narrative
    assert narrative.count("[-") == 1
