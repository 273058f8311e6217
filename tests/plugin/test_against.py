"""A gate against the code of another commit, in whole runs: no stored baseline, and nothing is left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.console import dealsnap
from tests.plugin.git import commit, git
from tests.plugin.project import CONFIG, REASONER, Project, deals

DEARER = REASONER.replace('transaction["amount"]', 'transaction["amount"] + (20 if transaction.id == "d2" else 0)')
PAID = """
def value(transaction):
    return {"offer": {"price": transaction["amount"]}, "risks": [], "memo": "as signed", "usd": 0.5}
"""


@pytest.fixture
def old(project: Project) -> Project:
    """A project of three deals whose code is committed."""
    found = project.with_deals(*deals(3)).with_file(".gitignore", ".dealsnap\n.env\nreport.json\n").write()
    commit(found.folder, "old")
    return found


def worktrees(project: Project) -> int:
    """Return how many checkouts git knows of."""
    return git(project.folder, "worktree", "list").count("\n")


def test_the_old_code_is_the_baseline(old: Project) -> None:
    """Also over workers of xdist; reports say which commit it was, and nothing is left."""
    commit_then = git(old.folder, "rev-parse", "HEAD").strip()
    new = old.with_reasoner(DEARER).with_file(".env", "KEY=1\n").write()
    before = git(old.folder, "status", "--porcelain")
    outcome = new.gate("--dealsnap-against", "main", "-n", "2")
    words = f"main ({commit_then[:12]})"
    assert outcome.code == 1
    assert outcome.statuses == {"d1": "matched", "d2": "regressed", "d3": "matched"}
    assert f"gate, 3 deals of sqlite:///book.db, against the code of {words}" in outcome.text
    assert f"dealsnap: git ignores .env, so the code of {words} runs without" in outcome.text
    run = outcome.report["run"]
    assert (run["against"]["ref"], run["against"]["commit"]) == ("main", commit_then)
    assert run["snapshots"] == f"the code of {words}"
    assert outcome.report["baseline"]["git"] == {"commit": commit_then, "dirty": False}
    assert any(
        note.startswith(f"the baseline is what the code of {words} answered") for note in outcome.report["notes"]
    )
    assert "pytest --dealsnap --dealsnap-against main --lf" in outcome.text
    assert not (old.folder / "snapshots").exists()
    taken = dealsnap(old.folder, "accept", "report.json", "--deal", "d2", "--yes")
    assert taken.code == 2
    assert f"the baseline of this report is the code of {words}, not a stored one" in taken.err
    assert git(old.folder, "status", "--porcelain") == before
    assert worktrees(old) == 1


def test_each_side_has_its_own_reasoner_and_the_rules_are_of_now(project: Project) -> None:
    """The old code's configuration names another reasoner; a rule's code is new; one deal is asked for."""
    old = project.with_deals(*deals(3)).with_file("first.py", REASONER)
    old = old.with_config(CONFIG.replace("valuation:value", "first:value")).write()
    commit(old.folder, "old")
    git(old.folder, "rm", "--quiet", "--cached", "first.py")
    (old.folder / "first.py").unlink()
    rule = "def near(baseline, current, deal):\n    return abs(baseline - current) <= 25\n"
    new = Project(project.folder, rows=old.rows).with_reasoner(DEARER).with_file("allowed.py", rule)
    new = new.with_config(CONFIG.replace("within 5%", "allowed:near"))
    outcome = new.gate("--dealsnap-against", "HEAD", "--dealsnap-id", "d2")
    assert outcome.statuses == {"d2": "changed"}, outcome.text
    assert outcome.code == 0


def test_old_code_that_cannot_be_reasoned_is_a_usage_error(old: Project) -> None:
    """Its module is not there; the checkout is removed all the same."""
    git(old.folder, "rm", "--quiet", "--cached", "valuation.py")
    commit_without = git(old.folder, "commit", "--quiet", "--message", "no reasoner") or "HEAD"
    outcome = old.gate("--dealsnap-against", commit_without)
    assert outcome.code == 4
    assert "cannot be reasoned: pyproject.toml, [tool.dealsnap] reasoner of HEAD (" in outcome.text
    assert "= 'valuation:value': no module named 'valuation'" in outcome.text
    assert worktrees(old) == 1


def test_old_code_that_imports_the_new_is_refused(old: Project) -> None:
    """A pass of the new code against itself would prove nothing."""
    path = f"import sys\nsys.path.insert(0, {str(old.folder)!r})\n"
    old = old.with_file("conftest.py", path).write()
    commit(old.folder, "development mode")
    outcome = old.gate("--dealsnap-against", "HEAD")
    assert outcome.code == 4
    assert f"imported the new code: valuation ({old.folder / 'valuation.py'})" in outcome.text
    assert "[tool.dealsnap.against]" in outcome.text


def test_ctrl_c_removes_the_checkout(project: Project) -> None:
    """While the old code reasons."""
    text = f"import os, signal, time\n{REASONER}    os.kill(os.getppid(), signal.SIGINT)\n    time.sleep(60)\n"
    text = text.replace("    return", "    result =") + "    return result\n"
    old = project.with_deals(*deals(2)).with_reasoner(text).write()
    commit(old.folder, "interrupts")
    outcome = old.with_reasoner(REASONER).run("--dealsnap", "--dealsnap-against", "main")
    assert outcome.code == 2, outcome.text
    assert worktrees(old) == 1


def test_both_sides_are_paid_from_one_budget(project: Project) -> None:
    """What the old code has no answer for is not judged; the same command goes on, and pays nothing twice."""
    settings = 'cost = "usd"\nreserve = 0.5'
    old = project.with_deals(*deals(3)).with_reasoner(PAID).with_settings(settings, section="calls")
    old = old.with_file(".gitignore", ".dealsnap\nreport.json\n").write()
    commit(old.folder, "old")
    stopped = old.gate("--dealsnap-against", "main", "--dealsnap-budget", "1")
    assert stopped.action == "inconclusive"
    assert "the code of main (" in stopped.text
    assert "gave no answer: the budget of 1.0 USD allows no further call" in stopped.text
    assert stopped.report["run"]["spending"]["spent"] == "1.0"
    whole = old.gate("--dealsnap-against", "main", "--dealsnap-budget", "3")
    assert whole.action == "proceed", whole.text
    assert whole.report["run"]["spending"]["spent"] == "3.0"
    assert "spent: 3.0 USD of a budget of 3.0 in 6 calls; 3 of them by the old code" in whole.text
    assert (whole.report["run"]["against"]["spent"], whole.report["run"]["against"]["calls"]) == ("1.5", 3)


def test_old_code_with_recorded_calls_is_not_paid_twice(project: Project) -> None:
    """Without a stored baseline nothing is replayed; the same gate again takes both sides from the run store."""
    model = "def ask(prompt):\n    open('paid.txt', 'a').write('x')\n    return {'price': 1, 'usd': 0.5}\n"
    reasoner = "import llm\n\n\ndef value(deal):\n    return {'offer': llm.ask(deal.id), 'risks': [], 'memo': ''}\n"
    old = project.with_deals(*deals(2)).with_reasoner(reasoner).with_file("llm.py", model)
    old = old.with_settings('cost = "usd"\ncalls = ["llm:ask"]', section="replay").with_settings("", section="calls")
    old = old.with_file(".gitignore", ".dealsnap\nreport.json\npaid.txt\n").write()
    commit(old.folder, "old")
    for _ in range(2):
        outcome = old.gate("--dealsnap-against", "main")
        assert outcome.action == "proceed", outcome.text
        spending = outcome.report["run"]["spending"]
        assert (spending["spent"], spending["calls"], spending["old_calls"]) == ("2.0", 4, 2)
    assert outcome.report["run"]["against"]["reused"] == 2
    assert "2 paid calls, 2 answers reused from the run store" in outcome.text


def test_it_is_for_gates(old: Project, tmp_path: Path) -> None:
    """And for a project in git."""
    for arguments in (("--dealsnap-update",), ("--dealsnap", "--dealsnap-matrix")):
        outcome = old.run(*arguments, "--dealsnap-against", "main")
        assert outcome.code == 4
        assert "--dealsnap-against is for gates: pytest --dealsnap --dealsnap-against REF" in outcome.text
    listed = old.run("--dealsnap", "--dealsnap-against", "main", "--collect-only", "-q")
    assert listed.code == 0, listed.text
    assert "test_deal[acquisition-d1]" in listed.text
    unknown = old.gate("--dealsnap-against", "nowhere")
    assert unknown.code == 4
    assert "--dealsnap-against nowhere: git knows no such commit, branch or tag here" in unknown.text
