"""The window of a rolling deployment: each code on the other's schema, judged by its answers."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from pytest_dealsnap.config_reading import load_config
from pytest_dealsnap.model.rehearsals import Problem
from pytest_dealsnap.rehearsal.both_codes import BothCodes
from pytest_dealsnap.rehearsal.flag_checks import FlagChecks
from pytest_dealsnap.rehearsal.old_code import open_old_code
from pytest_dealsnap.rehearsal.step_environment import StepEnvironment
from pytest_dealsnap.rehearsal.timeline import Timeline
from tests.plugin.git import commit, git
from tests.rehearsal.sample_project import QUICK, REASONER, Firm, run_statements

MARGIN = REASONER.replace("SELECT fee, kind", "SELECT fee + margin, kind")


@pytest.fixture
def firm(tmp_path: Path) -> Firm:
    """A firm whose code of today is committed."""
    made = Firm.found(tmp_path / "firm")
    (made.folder / ".gitignore").write_text("*.db\n__pycache__\nrehearsal.json\n")
    commit(made.folder, "today")
    return made


def test_each_code_is_judged_on_the_others_schema(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new code needs a column that the upgrade adds; the old one does not count what the upgrade moves there."""
    for name, value in QUICK.items():
        monkeypatch.setenv(name, value)
    (firm.folder / "firm.py").write_text(MARGIN)
    config, timeline = load_config(firm.folder, flags={}, environ={}), Timeline(lambda line: None)
    steps = StepEnvironment(config, "sqlite:///nowhere.db", firm.url, firm.folder, 120, lambda line: None)
    with ExitStack() as stack:
        old = open_old_code(stack, config, "main", flags={}, cwd=firm.folder, arguments=(), say=lambda line: None)
        answers = FlagChecks(steps, timeline, (), old)
        both = BothCodes(steps, timeline, (), answers, old)
        assert answers.start(), timeline.problems
        assert both.new_on_old() is None
        run_statements(
            firm.url,
            "ALTER TABLE engagements ADD COLUMN margin INTEGER DEFAULT 0",
            "UPDATE engagements SET fee = fee - 100, margin = 100 WHERE ref = (SELECT min(ref) FROM engagements)",
        )
        both.old_on_new()
    words = f"main ({git(firm.folder, 'rev-parse', 'HEAD')[:12]})"
    found: dict[str, Problem] = {problem.code: problem for problem in timeline.problems}
    assert set(found) == {"new_on_old_fails", "old_on_new_fails"}
    new, then = found["new_on_old_fails"], found["old_on_new_fails"]
    assert new.title == "the new code cannot answer on the old schema: every deal errored (12)"
    assert (new.weight, then.weight) == ("fails", "fails")
    assert "no such column: margin" in " ".join(new.evidence)
    assert "or upgrade first" in new.advice
    assert then.title == f"on the upgraded schema, the old code ({words}) gives 1 deal another answer"
    assert len(then.deals) == 1
    assert "upgrade in two steps" in then.advice
    titles = [phase.title for phase in timeline.phases if phase.name in ("before_off", "new_on_old", "old_on_new")]
    assert titles == [
        f"answers before the upgrade, by the old code ({words})",
        "the new code on the old schema, flag off",
        f"the old code ({words}) on the upgraded schema",
    ]


def test_a_rollout_that_both_codes_can_live_with_is_green(firm: Firm) -> None:
    """In a whole rehearsal; the original, the checkout and git's worktrees are as they were."""
    (firm.folder / "firm.py").write_text(f"{REASONER}\n# new\n")
    answer, report = firm.rehearse("--against", "main", "--no-load")
    assert answer.code == 0, answer.out + answer.err
    shown = {phase["name"]: phase["headline"] for phase in report["phases"]}
    same = "12 deals, 0 with another answer than the old code on the old schema"
    assert (shown["new_on_old"], shown["old_on_new"]) == (same, same)
    assert shown["restored_off"] == "12 deals, 0 of them changed"
    assert git(firm.folder, "worktree", "list").count("\n") == 1
    refused, _ = firm.rehearse("--against", "nowhere")
    assert refused.code == 2
    assert "--dealsnap-against nowhere: git knows no such commit" in refused.err
