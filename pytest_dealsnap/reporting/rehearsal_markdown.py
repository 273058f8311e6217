"""The Markdown report of a rehearsal: verdict, findings, timeline; fits a pull-request comment."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_dealsnap.model.rehearsals import Rehearsal
from pytest_dealsnap.reporting.markdown_report import code, text
from pytest_dealsnap.reporting.rehearsal_wording import PHASE_WORDS, WEIGHT_WORDS, evidence_words, told_problems
from pytest_dealsnap.reporting.wording import VERDICT_WORDS
from pytest_dealsnap.text import plural

__all__ = ["render_rehearsal_markdown"]

FINDINGS_SHOWN = 20
LINES_SHOWN = 6


def render_rehearsal_markdown(rehearsal: Rehearsal) -> str:
    """Return the report as GitHub Markdown, bounded."""
    return "\n\n".join(_blocks(rehearsal)) + "\n"


def _blocks(rehearsal: Rehearsal) -> Iterator[str]:
    yield f"## dealsnap rehearsal: {VERDICT_WORDS[rehearsal.verdict.action]}"
    yield text(rehearsal.verdict.reason, 1000)
    if evidence := evidence_words(rehearsal):
        yield "\n".join(f"- {name}: {text(words, 400)}" for name, words in evidence)
    problems = told_problems(rehearsal)
    if problems:
        yield f"### {plural(len(problems), 'finding')}"
    for problem in problems[:FINDINGS_SHOWN]:
        lines = [f"**{WEIGHT_WORDS[problem.weight]}** {text(problem.title, 300)}"]
        lines += [f"- {text(line, 300)}" for line in problem.evidence[:LINES_SHOWN]]
        lines += [f"- → {text(problem.advice, 300)}"] if problem.advice else []
        yield "\n".join(lines)
    if len(problems) > FINDINGS_SHOWN:
        yield f"… and {plural(len(problems) - FINDINGS_SHOWN, 'more finding')}"
    rows = [
        f"| {PHASE_WORDS[phase.status]} | {text(phase.title)} | {phase.seconds:,.1f} s | {text(phase.headline, 300)} |"
        for phase in rehearsal.phases
    ]
    yield "### Timeline"
    yield "\n".join(["| | phase | took | showed |", "| --- | --- | ---: | --- |", *rows])
    yield "### Next"
    yield "\n".join(f"- {code(step, 300)}" for step in rehearsal.next_steps)
    yield f"<sub>{text(rehearsal.database)}, copied by {text(rehearsal.means)}</sub>"
