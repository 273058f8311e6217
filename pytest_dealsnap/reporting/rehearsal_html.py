"""The HTML report of a rehearsal: one file without scripts, in the style of the gate's."""

from __future__ import annotations

from datetime import UTC

from pytest_dealsnap import __version__
from pytest_dealsnap.model.rehearsals import Rehearsal
from pytest_dealsnap.reporting.html_report import STYLE, asset, content_policy, page_template
from pytest_dealsnap.reporting.rehearsal_wording import (
    PHASE_WORDS,
    WEIGHT_WORDS,
    evidence_words,
    origin_words,
    told_problems,
)
from pytest_dealsnap.reporting.wording import VERDICT_WORDS

__all__ = ["render_rehearsal_html"]


def render_rehearsal_html(rehearsal: Rehearsal) -> str:
    """Return the page."""
    style = asset(STYLE) + asset("rehearsal.css")
    return page_template("rehearsal.html").render(
        style=style,
        policy=content_policy(style, ""),
        verdict=rehearsal.verdict,
        verdict_words=VERDICT_WORDS,
        evidence=evidence_words(rehearsal),
        next_steps=rehearsal.next_steps,
        problems=told_problems(rehearsal),
        weight_words=WEIGHT_WORDS,
        phases=rehearsal.phases,
        phase_words=PHASE_WORDS,
        bars=_bars(rehearsal),
        attributed=rehearsal.attributed,
        origins=origin_words(rehearsal),
        database=rehearsal.database,
        means=rehearsal.means,
        started=rehearsal.started_at.astimezone(UTC).isoformat(sep=" ", timespec="seconds").removesuffix("+00:00"),
        seconds=rehearsal.seconds,
        commit=(rehearsal.git_commit or "")[:12],
        version=__version__,
    )


def _bars(rehearsal: Rehearsal) -> list[tuple[float, float]]:
    """Return where each phase begins in the whole time, and how much of it it took, in percent."""
    whole = sum(phase.seconds for phase in rehearsal.phases) or 1.0
    bars, begun = [], 0.0
    for phase in rehearsal.phases:
        bars.append((round(100 * begun / whole, 2), round(max(100 * phase.seconds / whole, 0.3), 2)))
        begun += phase.seconds
    return bars
