"""The GitHub report of a rehearsal: one annotation a finding, and the step's summary in Markdown."""

from __future__ import annotations

from pytest_dealsnap.model.rehearsals import Rehearsal
from pytest_dealsnap.reporting.github_report import MOST_ANNOTATIONS, command
from pytest_dealsnap.reporting.rehearsal_wording import share_words, told_problems
from pytest_dealsnap.reporting.wording import VERDICT_WORDS
from pytest_dealsnap.text import plural

__all__ = ["render_rehearsal_github"]

LINES_SHOWN = 8


def render_rehearsal_github(rehearsal: Rehearsal) -> str:
    """Return workflow commands, at most ten: the verdict, then the findings, the heaviest first."""
    headline = f"dealsnap rehearsal: {VERDICT_WORDS[rehearsal.verdict.action]}"
    kind = "notice" if rehearsal.verdict.action == "proceed" else "error"
    problems = told_problems(rehearsal)
    room = MOST_ANNOTATIONS - 1
    more = (
        [f"… and {plural(len(problems) - room, 'more finding')} in the step's summary"] if len(problems) > room else []
    )
    share = rehearsal.share
    sample = [share_words(share)] if share is not None and share.low is not None else []
    commands = [
        command(kind, headline, "\n".join([rehearsal.verdict.reason, *sample, *rehearsal.next_steps[:3], *more]))
    ]
    for problem in problems[:room]:
        message = "\n".join([*problem.evidence[:LINES_SHOWN], problem.advice]) or problem.phase
        commands.append(command("warning" if problem.weight == "note" else "error", problem.title, message))
    return "\n".join(commands) + "\n"
