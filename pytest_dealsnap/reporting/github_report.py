"""The GitHub report: one annotation a cause as workflow commands, and a step's summary in Markdown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_dealsnap.model.cause import Cause
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.reporting.cause_text import reach
from pytest_dealsnap.reporting.highlights import failing_deals, weighed_causes
from pytest_dealsnap.reporting.json_reading import ReportError
from pytest_dealsnap.reporting.markdown_report import STEP_SUMMARY, render_markdown
from pytest_dealsnap.reporting.money_text import money_headline
from pytest_dealsnap.reporting.spending_words import spending_line
from pytest_dealsnap.reporting.wording import VERDICT_WORDS
from pytest_dealsnap.text import cut, plural, printable

if TYPE_CHECKING:
    from pytest_dealsnap.model.rehearsals import Rehearsal

__all__ = ["SUMMARY_VARIABLE", "WRITER", "append_step_summary", "append_to_summary", "command", "render_github"]

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"
# GitHub shows ten annotations of a step, and titles of a line.
MOST_ANNOTATIONS = 10
LONGEST_TITLE = 180
IDS_SHOWN = 20


def render_github(run: FinishedRun) -> str:
    """Return workflow commands: an error for each cause that fails, at most ten in all.

    A run that is green gets one notice; one that is not and has no failing cause, one error.
    """
    if run.part_outcome is not None:
        headline, reason = "dealsnap: a part of the deals", run.part_outcome.words
    elif run.verdict is not None:
        headline = f"dealsnap: {VERDICT_WORDS[run.verdict.action]}{' (a part of the deals)' * run.facts.partial}"
        reason = run.verdict.reason
    else:
        return ""
    spent = spending_line(run.facts)
    reason = f"{reason}\n{spent}" if spent else reason
    if run.green:
        return command("notice", headline, "\n".join((reason, *map(money_headline, run.money)))) + "\n"
    failing = [cause for weight, cause in weighed_causes(run) if weight == "fails"]
    if not failing:
        return command("error", headline, reason) + "\n"
    told = [(cause, failing_deals(run, cause)) for cause in failing]
    return "\n".join(_annotations(reason, headline, told)) + "\n"


def _annotations(reason: str, headline: str, failing: list[tuple[Cause, list[str]]]) -> Iterator[str]:
    surplus = len(failing) > MOST_ANNOTATIONS
    for cause, deals in islice(failing, MOST_ANNOTATIONS - surplus):
        ids = ", ".join(cut(deal_id, 40) for deal_id in deals[:IDS_SHOWN])
        more = f" and {len(deals) - IDS_SHOWN:,} more" if len(deals) > IDS_SHOWN else ""
        broken = "\nbroken in" if len(deals) < len(cause.deals) else ":"
        which = f"{reach(cause)}{broken} {ids}{more}"
        yield command("error", f"dealsnap: {cause.title}", f"{which}\n{headline} - {reason}")
    if surplus:
        left = failing[MOST_ANNOTATIONS - 1 :]
        all_deals = plural(len({deal_id for _, deals in left for deal_id in deals}), "deal")
        yield command(
            "error", headline, f"{plural(len(left), 'more cause')}, of {all_deals}; the step's summary has them"
        )


def append_step_summary(run: FinishedRun) -> None:
    """Append the report of *run* to the summary of the workflow's step; see :func:`append_to_summary`."""
    append_to_summary(render_markdown(run, STEP_SUMMARY))


def append_to_summary(markdown: str) -> None:
    """Append *markdown* to the summary of the workflow's step, where there is one.

    Raises :class:`ReportError` for a file that cannot be written.
    """
    path = os.environ.get(SUMMARY_VARIABLE)
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(markdown)
    except OSError as error:
        raise ReportError(f"{SUMMARY_VARIABLE}={path} cannot be written: {error.strerror}") from error


def command(name: str, title: str, message: str) -> str:
    """Return a workflow command; what is foreign in it can neither end it nor begin another."""
    lines = "%0A".join(_data(printable(line)) for line in message.split("\n"))
    shown = _data(cut(printable(title), LONGEST_TITLE)).replace(":", "%3A").replace(",", "%2C")
    return f"::{name} title={shown}::{lines}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


class GitHubWriter:
    """The writer of the format ``github``."""

    name = "github"

    def render(self, run: FinishedRun) -> str:
        return render_github(run)

    def render_rehearsal(self, rehearsal: Rehearsal) -> str:
        from pytest_dealsnap.reporting.rehearsal_github import render_rehearsal_github  # a gate renders no rehearsal

        return render_rehearsal_github(rehearsal)

    def announce(self, run: FinishedRun | Rehearsal) -> None:
        """Append the report to the summary of the workflow's step."""
        if isinstance(run, FinishedRun):
            append_step_summary(run)
            return
        from pytest_dealsnap.reporting.rehearsal_markdown import render_rehearsal_markdown  # likewise

        append_to_summary(render_rehearsal_markdown(run))


WRITER = GitHubWriter()
