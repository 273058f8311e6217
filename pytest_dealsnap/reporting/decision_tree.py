"""The decision tree behind a verdict, with the branch that a run took: for reports that show it."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_dealsnap.model.finished_run import FinishedRun

__all__ = ["Branch", "branches"]


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch, asked in this order: its condition, the action it leads to, whether it was taken."""

    condition: str
    action: str
    taken: bool


def branches(run: FinishedRun) -> tuple[Branch, ...]:
    """Return the branches of the verdict on *run*, of which exactly one was taken; none for a capture."""
    if run.verdict is None:
        return ()
    thresholds, action = run.facts.judging.thresholds, run.verdict.action
    low, high = f"{thresholds.fix_forward_below:g} %", f"{thresholds.roll_back_above:g} %"
    corrupt = bool(run.summary.corrupt)
    compared = f"{thresholds.min_compared:g} % of the selected deals"
    few, some, many = (
        f"under {low} of the compared deals affected",
        f"{low} to {high} affected",
        f"over {high} affected",
    )
    none = "no deal affected"
    if run.facts.part == "sample":
        none = f"no deal of the sample affected, upper bound under {thresholds.proceed_below:g} %"
        few, some, many = (
            f"upper bound under {low} of all deals",
            f"lower bound at least {low} of all deals",
            f"lower bound over {high} of all deals",
        )
    return (
        Branch("data corruption: a deal gone, a valid type turned invalid, an id twice", "roll_back", corrupt),
        Branch(
            f"less than {compared} compared, or none; deals not judged; an incomplete baseline",
            "inconclusive",
            action == "inconclusive",
        ),
        Branch(none, "proceed", action == "proceed"),
        Branch(few, "fix_forward", action == "fix_forward"),
        Branch(some, "disable_flag", action == "disable_flag"),
        Branch(many, "roll_back", action == "roll_back" and not corrupt),
    )
