"""The JSON report: written for machines, and the one from which everything else can be rendered again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pytest_dealsnap import __version__
from pytest_dealsnap.baseline.files import write_atomic
from pytest_dealsnap.config import VerdictConfig
from pytest_dealsnap.errors import DealsnapError, OutputError
from pytest_dealsnap.judging.findings import DealResult, Failure, Finding
from pytest_dealsnap.reasoning.canonical import canonical, dumps, loads
from pytest_dealsnap.reporting.conclusion import conclude
from pytest_dealsnap.reporting.run_facts import FinishedRun, JudgingFacts, LedgerFact, RunFacts

__all__ = ["REPORT_FORMAT", "ReportError", "read_json", "report_document", "write_json"]

REPORT_FORMAT = 1


class ReportError(DealsnapError):
    """A saved report cannot be read."""


def report_document(run: FinishedRun) -> dict[str, Any]:
    """Return the report of *run* as plain values that strict JSON can hold.

    NaN and the infinities, which JSON has no number for, stand as the texts ``"NaN"``,
    ``"Infinity"`` and ``"-Infinity"``.
    """
    facts, summary = run.facts, run.summary
    return {
        "format": REPORT_FORMAT,
        "tool": {"name": "pytest-dealsnap", "version": __version__},
        "run": {
            "mode": facts.mode,
            "started_at": facts.started_at.astimezone(UTC).isoformat(timespec="seconds"),
            "seconds": round(facts.seconds, 3),
            "database": facts.database,
            "reasoner": facts.reasoner,
            "git_commit": facts.git_commit,
            "partial": facts.partial,
            "shard": facts.shard,
            "total": facts.total,
            "selected": facts.selected,
            "not_judged": list(facts.not_judged),
            "snapshots": facts.snapshots,
            "strangers": list(facts.strangers),
        },
        "judging": _judging(facts.judging),
        "baseline": _strict(dict(facts.baseline)) if facts.baseline is not None else None,
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
        "ledger": [{name: getattr(fact, name) for name in LedgerFact.__slots__} for fact in facts.ledger],
        "absent_metrics": dict(facts.absent_metrics or {}),
        "notes": list(run.notes),
    }


def _judging(judging: JudgingFacts) -> dict[str, Any]:
    return {
        "thresholds": {name: getattr(judging.thresholds, name) for name in VerdictConfig.__slots__},
        "missing": judging.missing,
        "new": judging.new,
        "types": list(judging.types),
        "default_type": judging.default_type,
        "default_type_gates": judging.default_type_gates,
    }


def _deal(result: DealResult) -> dict[str, Any]:
    error = {"type": result.error.type, "message": result.error.message} if result.error else None
    document: dict[str, Any] = {
        "id": result.id,
        "name": result.name,
        "deal_type": result.deal_type,
        "stored_type": result.stored_type,
        "status": result.status,
        "seconds": round(result.seconds, 6),
        "findings": [_finding(finding) for finding in result.findings],
        "error": error,
    }
    if result.reason:
        document["reason"] = result.reason
    if result.corrupt:
        document["corrupt"] = result.corrupt
    if not result.compared:
        document["compared"] = False
    return document


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
    """Return *value* with words for the numbers that strict JSON cannot write.

    A finding of the user's own rule may hold any value: what has no canonical form is shown as text.
    """
    if isinstance(value, dict):
        return {str(key): _strict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Decimal) and not value.is_finite():
        return str(value) if not value.is_nan() else "NaN"
    if value is None or isinstance(value, (str, int, float, Decimal)):
        return value
    try:
        return _strict(canonical(value))
    except OutputError:
        return repr(value)


def write_json(run: FinishedRun, path: Path) -> None:
    """Write the report of *run* to *path*, whole or not at all; missing folders are made."""
    write_atomic(str(path), (dumps(report_document(run)) + "\n").encode())


def read_json(path: Path) -> FinishedRun:
    """Read a saved report back; its conclusions are drawn anew from its facts.

    Raises :class:`ReportError` for a file that is no report, or one of an unknown format.
    """
    try:
        document = loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ReportError(f"no such report: {path}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ReportError(f"{path} is no JSON report: {error}") from None
    if not isinstance(document, dict) or document.get("format") != REPORT_FORMAT:
        given = document.get("format") if isinstance(document, dict) else None
        raise ReportError(f"{path} has format {given!r}; this version of pytest-dealsnap knows format {REPORT_FORMAT}")
    try:
        results = [_read_deal(deal) for deal in document["deals"]]
        return conclude(_read_facts(document), results)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ReportError(f"{path} is no complete report: {type(error).__name__}: {error}") from None


_TEXT, _NUMBER, _TEXT_OR_NONE = (str,), (int, float, Decimal), (str, type(None))
_RUN: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("mode", "started_at", "database", "reasoner", "snapshots"), _TEXT),
    **dict.fromkeys(("git_commit", "shard"), _TEXT_OR_NONE),
    **dict.fromkeys(("total", "selected"), (int,)),
    "seconds": _NUMBER,
    "partial": (bool,),
}
_DEAL: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("id", "deal_type", "status"), _TEXT),
    **dict.fromkeys(("name", "stored_type"), _TEXT_OR_NONE),
    "seconds": _NUMBER,
}
_FINDING: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("metric", "issue", "allowed"), _TEXT),
    "change_percent": (*_NUMBER, type(None)),
    "gates": (bool,),
}


def _checked(values: Mapping[str, Any], kinds: Mapping[str, tuple[type, ...]]) -> Mapping[str, Any]:
    """Return *values* if they are of their *kinds*: what reads them later need not ask."""
    for key, kind in kinds.items():
        if not isinstance(values[key], kind):
            raise TypeError(f"{key} is {values[key]!r}")
    return values


def _texts(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError(f"{values!r} is no list of texts")
    return tuple(values)


def _table(values: Any) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise TypeError(f"{values!r} is no table")
    return values


def _read_facts(document: Mapping[str, Any]) -> RunFacts:
    run, judging = _checked(_table(document["run"]), _RUN), dict(_table(document["judging"]))
    thresholds = VerdictConfig(**judging.pop("thresholds"))
    return RunFacts(
        **{
            **run,
            "started_at": datetime.fromisoformat(run["started_at"]),
            "not_judged": _texts(run["not_judged"]),
            "strangers": _texts(run["strangers"]),
        },
        baseline=None if document["baseline"] is None else _table(document["baseline"]),
        judging=JudgingFacts(**{**judging, "types": _texts(judging["types"])}, thresholds=thresholds),
        ledger=tuple(LedgerFact(**fact) for fact in document["ledger"]),
        absent_metrics=_table(document["absent_metrics"]),
    )


def _read_deal(deal: Mapping[str, Any]) -> DealResult:
    error = _checked(_table(deal), _DEAL)["error"]
    return DealResult(
        id=deal["id"],
        name=deal["name"],
        deal_type=deal["deal_type"],
        stored_type=deal["stored_type"],
        status=deal["status"],
        seconds=deal["seconds"],
        findings=tuple(_read_finding(finding) for finding in deal["findings"]),
        error=Failure(error["type"], error["message"]) if error else None,
        corrupt=deal.get("corrupt"),
        compared=deal.get("compared", True),
        reason=deal.get("reason", ""),
    )


def _read_finding(finding: Mapping[str, Any]) -> Finding:
    plain = _checked(_table(finding), _FINDING)
    return Finding(**{**plain, "paths": _texts(plain.get("paths", []))})
