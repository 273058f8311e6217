"""A rehearsal for machines: one JSON document, with the gate's own report in it."""

from __future__ import annotations

from typing import Any

from pytest_dealsnap import __version__
from pytest_dealsnap.model.documents import Attribution, RehearsalAbout, RehearsalReport, Tool
from pytest_dealsnap.model.record import to_plain
from pytest_dealsnap.model.rehearsals import DIGITS, Rehearsal
from pytest_dealsnap.reporting.json_report import document_text, report_document
from pytest_dealsnap.reporting.rehearsal_wording import told_problems

__all__ = ["rehearsal_document", "render_rehearsal_json"]


def rehearsal_document(rehearsal: Rehearsal) -> dict[str, Any]:
    """Return the rehearsal as plain values that strict JSON can hold."""
    origins = rehearsal.origins()
    report = RehearsalReport(
        tool=Tool("pytest-dealsnap", __version__),
        run=RehearsalAbout(
            started_at=rehearsal.started_at,
            seconds=round(rehearsal.seconds, 3),
            database=rehearsal.database,
            scratch=rehearsal.scratch,
            copied_by=rehearsal.means,
            kept=rehearsal.kept,
            flag=rehearsal.flag,
            partial=rehearsal.share is not None and rehearsal.share.low is not None,
            git_commit=rehearsal.git_commit,
        ),
        verdict=rehearsal.verdict,
        next_steps=rehearsal.next_steps,
        phases=rehearsal.phases,
        findings=tuple(told_problems(rehearsal)),
        affected=rehearsal.share,
        attribution=Attribution(origins["data"], origins["code"], origins["both"], rehearsal.attributed),
        exposure=rehearsal.exposures,
        locks=rehearsal.locks,
        load=rehearsal.load,
        gate=None,
    )
    gate = None if rehearsal.gate is None else report_document(rehearsal.gate)
    return {**_rounded(to_plain(report)), "gate": gate}


def render_rehearsal_json(rehearsal: Rehearsal) -> str:
    """Return the JSON report."""
    return document_text(rehearsal_document(rehearsal))


def _rounded(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {key: _rounded(value) for key, value in plain.items()}
    if isinstance(plain, (list, tuple)):
        return [_rounded(value) for value in plain]
    return round(plain, DIGITS) if isinstance(plain, float) else plain
