"""A rehearsal in the terminal: the timeline, what was found, the evidence, the verdict, what to do next."""

from __future__ import annotations

from pytest_dealsnap.model.rehearsals import Problem, Rehearsal
from pytest_dealsnap.reporting.rehearsal_wording import PHASE_WORDS, WEIGHT_WORDS, evidence_words, told_problems
from pytest_dealsnap.reporting.wording import VERDICT_WORDS
from pytest_dealsnap.text import cut, printable, table

__all__ = ["rehearsal_lines"]


def rehearsal_lines(rehearsal: Rehearsal, *, width: int = 100) -> list[str]:
    """Return the closing summary."""
    rows = [
        (PHASE_WORDS[phase.status], f"{phase.seconds:,.1f} s", phase.title, cut(printable(phase.headline), width))
        for phase in rehearsal.phases
    ]
    lines = ["", *table(("", "took", "phase", "showed"), rows, right=(1,))]
    for problem in told_problems(rehearsal):
        lines += ["", *_problem(problem)]
    lines += ["", *(f"{name}: {printable(words)}" for name, words in evidence_words(rehearsal))]
    lines += [
        "",
        f"verdict: {VERDICT_WORDS[rehearsal.verdict.action]} - {printable(rehearsal.verdict.reason)}",
        "next:",
        *(f"  {printable(step)}" for step in rehearsal.next_steps),
    ]
    return lines


def _problem(problem: Problem) -> list[str]:
    lines = [f"{WEIGHT_WORDS[problem.weight]}: {printable(problem.title)}"]
    lines += [f"    {line}" for line in problem.evidence]
    return [*lines, f"    → {problem.advice}"] if problem.advice else lines
