"""From problems and the gate to a verdict with its evidence, and to what is to be done next."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.rehearsals import Problem
from pytest_dealsnap.model.verdicts import Verdict
from pytest_dealsnap.rehearsal.rollout import Rollout

__all__ = ["NO_WAY_DOWN", "decide_rehearsal", "next_steps"]

# With one of these, turning the flag off would not bring the old answers back.
FLAG_IS_NO_WAY_BACK = ("flag_off_differs", "flag_unread", "old_answers_differ")
# With one of these, neither would the downgrade.
NO_WAY_DOWN = ("downgrade_failed", "downgrade_loses_data", "downgrade_leaves_schema", "outputs_not_restored")


def decide_rehearsal(problems: Sequence[Problem], gate: FinishedRun | None, *, flag: str | None) -> Verdict:
    """Return the verdict: corruption first, then what could not be finished, then the decision tree.

    The tree's "disable the flag" holds only where that brings the old answers back.
    """
    by_weight = {weight: [p for p in problems if p.weight == weight] for weight in ("corrupts", "unfinished", "fails")}
    if found := by_weight["corrupts"]:
        return Verdict("roll_back", f"data corruption: {_titles(found)}")
    if found := by_weight["unfinished"]:
        return Verdict("inconclusive", _titles(found))
    tree = gate.verdict if gate is not None else None
    if tree is not None and tree.action == "disable_flag":
        if flag is None:
            return Verdict("roll_back", f"{tree.reason}, and there is no flag to turn off")
        if dead := [problem for problem in problems if problem.code in FLAG_IS_NO_WAY_BACK]:
            return Verdict("roll_back", f"{tree.reason}, and turning the flag off would not help: {dead[0].title}")
    if tree is not None and tree.action in ("disable_flag", "roll_back"):
        return tree
    if found := by_weight["fails"]:
        return Verdict("fix_forward", _titles(found))
    if tree is None:
        return Verdict("inconclusive", "no deal was judged")
    return tree


def _titles(problems: Sequence[Problem]) -> str:
    more = len(problems) - 3
    return "; ".join(problem.title for problem in problems[:3]) + (f" and {more:,} more" if more > 0 else "")


def next_steps(
    verdict: Verdict,
    problems: Sequence[Problem],
    rollout: Rollout,
    *,
    flag: str | None,
    flag_off: str,
    revision: str,
) -> tuple[str, ...]:
    """Return what to do next, with the commands for it."""
    again = "dealsnap rehearse   # again, after the fix"
    off = f"export {flag}={flag_off}   # and restart: the old answers, with the new code" if flag else ""
    down = rollout.words("down", revision)
    if verdict.action == "proceed":
        steps = [
            "pytest --dealsnap-update   # with the flag off: the baseline of the real rollout; commit it",
            f"{rollout.words('up')}   # on the real database, after a backup" if rollout.migrates else "",
            "pytest --dealsnap   # with the flag on: the gate",
            "dealsnap audit --post-migration   # 30 days later",
        ]
        return tuple(step for step in steps if step)
    if any(problem.code == "original_changed" and problem.weight != "note" for problem in problems):
        return ("look at the ORIGINAL database before anything else: it changed", *_mending(problems), again)
    if verdict.action == "inconclusive":
        return ("dealsnap rehearse --keep   # after a fix of what stopped it; the copy stays for you to look at",)
    steps = ["do not roll out yet: nothing but the scratch copy was changed"]
    if verdict.action == "disable_flag":
        steps.append(f"{off} — what to do if this were live")
    elif verdict.action == "roll_back":
        if any(problem.code in NO_WAY_DOWN for problem in problems) or not rollout.can_return:
            steps.append("restore from the backup: were this live, the downgrade would not bring everything back")
        elif rollout.migrates:
            steps.append(f"{down}   # were this live: code back first (git revert), then the schema")
    elif off and not any(problem.code in FLAG_IS_NO_WAY_BACK for problem in problems):
        steps.append(f"{off} — the way out while a fix is on its way")
    return (*steps, *_mending(problems), again)


def _mending(problems: Sequence[Problem]) -> list[str]:
    advice = list(dict.fromkeys(p.advice for p in problems if p.advice and p.weight != "note"))
    return [f"fix: {text}" for text in advice[:5]]
