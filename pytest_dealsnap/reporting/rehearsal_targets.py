"""The writer of each format for a rehearsal."""

from __future__ import annotations

from collections.abc import Callable

from pytest_dealsnap.reporting.github_report import append_to_summary
from pytest_dealsnap.reporting.rehearsal_facts import Rehearsal
from pytest_dealsnap.reporting.rehearsal_github import render_rehearsal_github
from pytest_dealsnap.reporting.rehearsal_html import render_rehearsal_html
from pytest_dealsnap.reporting.rehearsal_json import render_rehearsal_json
from pytest_dealsnap.reporting.rehearsal_markdown import render_rehearsal_markdown
from pytest_dealsnap.reporting.rehearsal_openmetrics import render_rehearsal_openmetrics
from pytest_dealsnap.reporting.targets import ReportTarget

__all__ = ["REHEARSAL_WRITERS", "write_rehearsal"]

REHEARSAL_WRITERS: dict[str, Callable[[Rehearsal], str]] = {
    "json": render_rehearsal_json,
    "html": render_rehearsal_html,
    "markdown": render_rehearsal_markdown,
    "github": render_rehearsal_github,
    "openmetrics": render_rehearsal_openmetrics,
}


def write_rehearsal(target: ReportTarget, rehearsal: Rehearsal) -> str | None:
    """Write the report to its file; one for the standard output is returned, to be printed.

    Raises :class:`ReportError` where that cannot be done.
    """
    text = REHEARSAL_WRITERS[target.format](rehearsal)
    if target.format == "github":
        append_to_summary(render_rehearsal_markdown(rehearsal))
    if target.path is None:
        return text
    target.put(text)
    return None
