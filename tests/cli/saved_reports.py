"""Saved reports that a test changes: a report has to agree with itself, or every command refuses it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from pytest_dealsnap.reporting.conclusion import conclude
from pytest_dealsnap.reporting.json_reading import _read_facts
from pytest_dealsnap.reporting.json_report import report_document

__all__ = ["GONE", "settled"]

GONE = {
    "metric": "deal",
    "issue": "missing_from_database",
    "baseline": None,
    "current": None,
    "change_percent": None,
    "allowed": "every deal of the baseline",
    "gates": True,
}


def settled(report: dict[str, Any]) -> dict[str, Any]:
    """Return *report* as a run would have written it that came to these deals."""
    report["run"]["selected"] = len(report["deals"]) + len(report["run"]["not_judged"])
    if not report["run"]["partial"]:
        report["run"]["total"] = report["run"]["selected"]
    deals = json.loads(json.dumps(report["deals"]), parse_float=Decimal)
    run = conclude(*_read_facts({**report, "deals": deals}))
    document: dict[str, Any] = json.loads(json.dumps({**report_document(run), "deals": report["deals"]}, default=str))
    return document
