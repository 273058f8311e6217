"""A rehearsal for machines: one JSON document, with the gate's own report in it."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from pytest_dealsnap import __version__
from pytest_dealsnap.reasoning.canonical import dumps
from pytest_dealsnap.reporting.json_report import report_document
from pytest_dealsnap.reporting.rehearsal_facts import (
    Attributed,
    Exposure,
    LoadFact,
    LockFact,
    Phase,
    Problem,
    Rehearsal,
    Share,
)
from pytest_dealsnap.reporting.rehearsal_wording import told_problems

__all__ = ["REHEARSAL_FORMAT", "rehearsal_document", "render_rehearsal_json"]

REHEARSAL_FORMAT = 1


def rehearsal_document(rehearsal: Rehearsal) -> dict[str, Any]:
    """Return the rehearsal as plain values that strict JSON can hold."""
    return {
        "format": REHEARSAL_FORMAT,
        "tool": {"name": "pytest-dealsnap", "version": __version__},
        "run": {
            "mode": "rehearsal",
            "started_at": rehearsal.started_at.astimezone(UTC).isoformat(timespec="seconds"),
            "seconds": round(rehearsal.seconds, 3),
            "database": rehearsal.database,
            "scratch": rehearsal.scratch,
            "copied_by": rehearsal.means,
            "kept": rehearsal.kept,
            "flag": rehearsal.flag,
            "partial": rehearsal.share is not None and rehearsal.share.low is not None,
            "git_commit": rehearsal.git_commit,
        },
        "verdict": {"action": rehearsal.verdict.action, "reason": rehearsal.verdict.reason},
        "next_steps": list(rehearsal.next_steps),
        "phases": [_fields(phase, Phase) for phase in rehearsal.phases],
        "findings": [_fields(problem, Problem) for problem in told_problems(rehearsal)],
        "affected": _fields(rehearsal.share, Share) if rehearsal.share is not None else None,
        "attribution": {
            **rehearsal.origins(),
            "deals": [_fields(deal, Attributed) for deal in rehearsal.attributed],
        },
        "exposure": [_fields(exposure, Exposure) for exposure in rehearsal.exposures],
        "locks": [_fields(lock, LockFact) for lock in rehearsal.locks],
        "load": _fields(rehearsal.load, LoadFact) if rehearsal.load is not None else None,
        "gate": report_document(rehearsal.gate) if rehearsal.gate is not None else None,
    }


def render_rehearsal_json(rehearsal: Rehearsal) -> str:
    """Return the JSON report."""
    return dumps(rehearsal_document(rehearsal)) + "\n"


def _fields(value: Any, kind: type) -> dict[str, Any]:
    names: tuple[str, ...] = kind.__slots__  # type: ignore[attr-defined]  # a dataclass with slots
    return {name: _plain(getattr(value, name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, dict) else value
