"""The JSON report: the one from which every other format can be rendered."""

from __future__ import annotations

import math
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from typing import Any

from pytest_dealsnap import __version__
from pytest_dealsnap.baseline.files import write_atomic
from pytest_dealsnap.judging.findings import DealResult, Finding
from pytest_dealsnap.reasoning.canonical import dumps
from pytest_dealsnap.reporting.run_facts import FinishedRun

__all__ = ["REPORT_FORMAT", "report_document", "write_json"]

REPORT_FORMAT = 1


def report_document(run: FinishedRun) -> dict[str, Any]:
    """Return the report of *run* as plain values that strict JSON can hold.

    NaN and the infinities, which JSON has no number for, stand as the texts ``"NaN"``,
    ``"Infinity"`` and ``"-Infinity"``.
    """
    summary = run.summary
    return {
        "format": REPORT_FORMAT,
        "tool": {"name": "pytest-dealsnap", "version": __version__},
        "run": {
            "mode": run.mode,
            "started_at": run.started_at.astimezone(UTC).isoformat(timespec="seconds"),
            "seconds": round(run.seconds, 3),
            "database": run.database,
            "reasoner": run.reasoner,
            "git_commit": run.git_commit,
            "partial": run.partial,
            "shard": run.shard,
        },
        "baseline": _strict(dict(run.baseline)) if run.baseline else None,
        "summary": {
            "deals": summary.deals,
            "compared": summary.compared,
            **summary.counts,
            "affected_percent": summary.affected_percent,
        },
        "verdict": {"action": run.verdict.action, "reason": run.verdict.reason} if run.verdict else None,
        "causes": [
            {
                "id": cause.id,
                "title": cause.title,
                "metric": cause.metric,
                "deal_types": list(cause.deal_types),
                "deals": list(cause.deals),
                "gates": cause.gates,
            }
            for cause in run.causes
        ],
        "deals": [_deal(result) for result in run.results],
        "notes": list(run.notes),
    }


def _deal(result: DealResult) -> dict[str, Any]:
    error = {"type": result.error.type, "message": result.error.message} if result.error else None
    return {
        "id": result.id,
        "name": result.name,
        "deal_type": result.deal_type,
        "stored_type": result.stored_type,
        "status": result.status,
        "seconds": round(result.seconds, 6),
        "findings": [_finding(finding) for finding in result.findings],
        "error": error,
        **({"reason": result.reason} if result.reason else {}),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    document: dict[str, Any] = {
        "metric": finding.metric,
        "issue": finding.issue,
        "baseline": _strict(finding.baseline),
        "current": _strict(finding.current),
        "change_percent": finding.change_percent,
        "allowed": finding.allowed,
        "gates": finding.gates,
    }
    if finding.count is not None:
        document |= {"count": finding.count, "paths": list(finding.paths)}
    if finding.note:
        document["note"] = finding.note
    return document


def _strict(value: Any) -> Any:
    """Return *value* with words for the numbers that strict JSON cannot write."""
    if isinstance(value, dict):
        return {str(key): _strict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Decimal) and not value.is_finite():
        return str(value) if not value.is_nan() else "NaN"
    return value


def write_json(run: FinishedRun, path: Path) -> None:
    """Write the report of *run* to *path*, whole or not at all; missing folders are made."""
    write_atomic(str(path), (dumps(report_document(run)) + "\n").encode())
