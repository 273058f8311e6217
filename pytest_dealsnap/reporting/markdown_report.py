"""The Markdown report: fits a pull-request comment. Causes first, then types, the worst deals, what to run next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from pytest_dealsnap.model.cause import Cause
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.results import STATUSES
from pytest_dealsnap.reporting.cause_text import deals_cell, remarks
from pytest_dealsnap.reporting.earlier import age_words, gone_line, since
from pytest_dealsnap.reporting.highlights import failed_results, weighed_causes, worst_results
from pytest_dealsnap.reporting.money_text import money_lines
from pytest_dealsnap.reporting.spending_words import spending_line
from pytest_dealsnap.reporting.wording import VERDICT_WORDS, type_name, worst_finding
from pytest_dealsnap.text import cut, plural, printable

if TYPE_CHECKING:
    from pytest_dealsnap.model.rehearsals import Rehearsal

__all__ = ["COMMENT", "STEP_SUMMARY", "WRITER", "Limits", "render_markdown"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How many rows of each kind are shown; each cell is cut, so the whole is bounded."""

    causes: int
    deals: int
    types: int = 12
    notes: int = 8


# GitHub takes 65,536 characters in a comment, and 1 MiB in the summary of a step.
COMMENT = Limits(causes=15, deals=10)
STEP_SUMMARY = Limits(causes=100, deals=200, types=50, notes=50)
LONGEST_CELL = 200
LONGEST_CODE = 300
REMARKS_SHOWN = 2


def render_markdown(run: FinishedRun, limits: Limits = COMMENT) -> str:
    """Return the report of *run* as GitHub Markdown, bounded by *limits*."""
    spent = spending_line(run.facts)
    paid = [text(spent[0].upper() + spent[1:], LONGEST_CODE)] if spent else []
    blocks = [_headline(run), *paid, *_money(run), *_causes(run, limits), *_types(run, limits), *_worst(run, limits)]
    blocks += [*_notes(run, limits), *_next_steps(run), _origin(run)]
    return "\n\n".join(blocks) + "\n"


def _headline(run: FinishedRun) -> str:
    if run.part_outcome is not None:
        return f"## dealsnap {run.facts.mode} of a part of the deals\n\n{text(run.part_outcome.words, 1000)}"
    if run.verdict is None:
        return f"## dealsnap capture\n\n{plural(run.summary.deals, 'deal')} recorded"
    part = " (a part of the deals)" if run.facts.partial else ""
    return f"## dealsnap: {VERDICT_WORDS[run.verdict.action]}{part}\n\n{text(run.verdict.reason, 1000)}"


def _money(run: FinishedRun) -> Iterable[str]:
    for money in run.money:
        headline, *more = money_lines(money, run.facts.judging.unjudged)
        yield "\n".join([f"**{text(headline)}**", *(f"- {text(line, LONGEST_CODE)}" for line in more)])


def _causes(run: FinishedRun, limits: Limits) -> Iterable[str]:
    told = since(run)
    if not run.causes:
        if told is not None:
            yield text(gone_line(told), LONGEST_CODE)
        return
    rows = [
        (_weight(weight, cause), deals_cell(cause), _what_changed(cause, age_words(told, cause.id)))
        for weight, cause in islice(weighed_causes(run), limits.causes)
    ]
    yield f"### {plural(len(run.causes), 'cause')}"
    yield _table(("cause", "deals", "what changed"), rows, right=(1,)) + _more(len(run.causes) - len(rows), "cause")
    if told is not None:
        yield text(gone_line(told), LONGEST_CODE)


def _weight(weight: str, cause: Cause) -> str:
    """Return how the cause counts, and the id by which it is accepted or rejected."""
    return f"{f'**{weight}**' if weight == 'fails' else weight}<br><sub>{code(cause.id)}</sub>"


def _what_changed(cause: Cause, age: str) -> str:
    lines = [
        text(cause.title),
        *([f"<sub>{text(age)}</sub>"] if age else []),
        *(f"<sub>{text(remark)}</sub>" for remark in remarks(cause)[:REMARKS_SHOWN]),
    ]
    return "<br>".join(lines)


def _types(run: FinishedRun, limits: Limits) -> Iterable[str]:
    if not run.results:
        return
    shown = [status for status in STATUSES if run.summary.counts[status] or status == "matched"]
    by_type = run.by_type()
    rows = [
        (text(name, 40), *(f"{counts[status]:,}" for status in shown), f"{sum(counts.values()):,}")
        for name, counts in islice(by_type.items(), limits.types)
    ]
    total = ("**all**", *(f"{run.summary.counts[status]:,}" for status in shown), f"{run.summary.deals:,}")
    header = ("type", *shown, "deals")
    yield "### Deals by type"
    more = _more(len(by_type) - len(rows), "type")
    yield _table(header, [*rows, total] if len(by_type) > 1 else rows, right=range(1, len(header))) + more


def _worst(run: FinishedRun, limits: Limits) -> Iterable[str]:
    failed = failed_results(run) if run.judged else []
    if not failed:
        return
    rows = [
        (code(result.id, 60), text(result.name or "", 60), text(type_name(result), 60), code(worst_finding(result)))
        for result in worst_results(run, limits.deals)
    ]
    yield f"### {plural(len(failed), 'failed deal')}, the worst two of each cause"
    yield _table(("deal", "name", "type", "why"), rows) + _more(len(failed) - len(rows), "failed deal")


def _notes(run: FinishedRun, limits: Limits) -> Iterable[str]:
    if run.notes:
        lines = [f"- {text(note, LONGEST_CODE)}" for note in run.notes[: limits.notes]]
        yield "### Notes\n\n" + "\n".join(lines) + _more(len(run.notes) - len(lines), "note")


def _next_steps(run: FinishedRun) -> Iterable[str]:
    if run.next_steps:
        steps = "\n".join(f"    {cut(printable(step), LONGEST_CODE)}" for step in run.next_steps)
        yield f"### Next\n\n{steps}"  # an indented block: no fence that a hostile id could close


def _origin(run: FinishedRun) -> str:
    facts, baseline = run.facts, run.facts.baseline or {}
    words = [f"{facts.mode} of {code(facts.database, 100)}", f"reasoner {code(facts.reasoner, 100)}"]
    if facts.git_commit:
        words.append(f"at {code(facts.git_commit[:12])}")
    captured = [str(baseline["captured_at"])] if baseline.get("captured_at") else []
    git = baseline.get("git")
    if isinstance(git, dict) and git.get("commit"):
        captured.append(str(git["commit"])[:12])
    against = f" against {code(facts.snapshots, 100)}"
    if captured:
        against += f", captured {code(' at '.join(captured), 80)}"
    return f"<sub>{', '.join(words)}{against if facts.mode not in ('capture', 'matrix') else ''}</sub>"


def _more(count: int, noun: str) -> str:
    return f"\n\n… and {plural(count, f'more {noun}')}" if count > 0 else ""


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[int] = ()) -> str:
    flush = set(right)
    rule = ["---:" if column in flush else "---" for column in range(len(header))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows))


# Inside a line: what could begin code, emphasis, a link, a tag, an entity, a formula, a cell, or an address.
_MARKUP = re.compile(r"[\\`*\[\]<>|~&$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?=//)|(?<=www)\.")
# A person or an issue must not be told of a deal: a zero-width space keeps the sign from being a reference.
_REFERENCE = re.compile(r"([@#]|\bGH-)(?=\w)", re.IGNORECASE)


def text(words: str, width: int = LONGEST_CELL) -> str:
    r"""Return *words* as one line of text that Markdown leaves as it is: no link, tag, mention or table cell.

    >>> print(text("<b>|*x*"))
    \<b\>\|\*x\*
    """
    return _REFERENCE.sub("\\1\u200b", _MARKUP.sub(r"\\\g<0>", cut(printable(words), width)))


def code(words: str, width: int = LONGEST_CELL) -> str:
    """Return *words* as code, in a table or outside of one; backticks are shown as apostrophes.

    In a table a pipe is escaped, which Markdown undoes there; elsewhere there are none to escape.
    """
    shown = cut(printable(words), width).replace("`", "'").replace("|", "\\|").strip()
    return f"`{shown}`" if shown else ""


class MarkdownWriter:
    """The writer of the format ``markdown``."""

    name = "markdown"

    def render(self, run: FinishedRun) -> str:
        return render_markdown(run)

    def render_rehearsal(self, rehearsal: Rehearsal) -> str:
        from pytest_dealsnap.reporting.rehearsal_markdown import (
            render_rehearsal_markdown,  # a gate renders no rehearsal
        )

        return render_rehearsal_markdown(rehearsal)


WRITER = MarkdownWriter()
