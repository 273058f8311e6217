"""Reading a saved JSON report back: checked, and concluded anew from its facts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_dealsnap.config import RESERVED_METRICS
from pytest_dealsnap.errors import DealsnapError
from pytest_dealsnap.model.documents import REPORT_FORMAT, SavedReport
from pytest_dealsnap.model.finished_run import FinishedRun, RunAbout, RunFacts
from pytest_dealsnap.model.record import RecordError, from_plain, replace
from pytest_dealsnap.model.results import DealResult, Failure, Kind, lost_issue
from pytest_dealsnap.reasoning.canonical import loads
from pytest_dealsnap.reporting.conclusion import conclude
from pytest_dealsnap.reporting.report_consistency import contradiction, impossible
from pytest_dealsnap.reporting.traits import read_traits
from pytest_dealsnap.secrets import redact

__all__ = ["ReportError", "is_rehearsal", "kind_by_name", "read_document", "read_json", "read_run"]


class ReportError(DealsnapError):
    """A saved report cannot be read, or a report cannot be written."""


def read_json(path: Path) -> FinishedRun:
    """Read a saved report back; its conclusions are drawn anew from its facts.

    Raises :class:`ReportError` for a file that is no report of a run, or one of an unknown format.
    """
    document = read_document(path)
    if is_rehearsal(document):
        raise ReportError(f"{path} is the report of a rehearsal; what is asked for here is that of a pytest run")
    return read_run(document, path)


def is_rehearsal(document: Mapping[str, Any]) -> bool:
    """Whether *document* is the report of ``dealsnap rehearse``, not of a run."""
    return "phases" in document


def read_document(path: Path) -> dict[str, Any]:
    """Return what the JSON report at *path* holds; raises :class:`ReportError` where it is none of a known format."""
    try:
        document = loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ReportError(f"no such report: {path}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ReportError(f"{path} is no JSON report: {error}") from None
    if not isinstance(document, dict) or document.get("format") != REPORT_FORMAT:
        given = document.get("format") if isinstance(document, dict) else None
        raise ReportError(f"{path} has format {given!r}; this version of pytest-dealsnap knows format {REPORT_FORMAT}")
    return document


def read_run(document: Mapping[str, Any], path: Path) -> FinishedRun:
    """Return the run that *document* tells of, concluded anew from its deals.

    Raises :class:`ReportError`, naming *path*, for a damaged one, and for one that contradicts itself.
    """
    try:
        facts, results = _read_facts(document)
        problem = impossible(facts, results)
        if not problem:
            run = conclude(replace(facts, report=str(path)), results)
            problem = contradiction(document, run)
    except RecordError as error:
        raise ReportError(f"{path} is no complete report: {error}") from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise ReportError(f"{path} is no complete report: {type(error).__name__}: {error}") from None
    if problem:
        raise ReportError(f"{path} contradicts itself: {problem}. Take the report that the run wrote")
    return run


def _read_facts(document: Mapping[str, Any]) -> tuple[RunFacts, list[DealResult]]:
    """Return the facts and the results of a saved report. What it concluded is not read."""
    saved = from_plain(SavedReport, _with_kinds(_with_part(document)))
    if saved.run.part is None and saved.run.partial:
        raise ValueError("part is None")
    if saved.run.spending is not None and not isinstance(saved.run.spending.get("words"), str):
        raise TypeError("spending has no words")
    facts = RunFacts(
        **{name: getattr(saved.run, name) for name in RunAbout.__struct_fields__},
        baseline=saved.baseline,
        judging=saved.judging,
        ledger=saved.ledger,
        earlier=saved.earlier,
        absent_metrics=saved.absent_metrics,
        idle_rules=saved.idle_rules,
        traits=None if saved.traits is None else read_traits(saved.traits),
    )
    return facts, [_redacted(result) for result in saved.deals]


def _with_part(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the report; that of an earlier version does not say which part of the deals its run was about."""
    run = document.get("run")
    if not isinstance(run, dict) or "part" in run:
        return document
    part = "shard" if run.get("shard") else "chosen" if run.get("partial") else None
    return {**document, "run": {**run, "part": part}}


_KINDS = {
    "output_changed": Kind.OUTPUT,
    "reasoning_failed": Kind.FAILED,
    "deal_type_changed": Kind.DEAL_TYPE,
    "missing_from_database": Kind.GONE,
    "type_has_no_effect": Kind.NO_EFFECT,
    "matrix_rule_broken": Kind.BETWEEN_TYPES,
}


def _with_kinds(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the report; the findings of an earlier version do not say what they are about, but by their names."""
    for finding in (one for result in _tables(document.get("deals")) for one in _tables(result.get("findings"))):
        finding.setdefault("kind", kind_by_name(str(finding.get("metric")), str(finding.get("issue"))).value)
    return document


def kind_by_name(metric: str, issue: str) -> Kind:
    """Return what a finding is about that does not say it, but is named as an earlier version named its findings."""
    if issue in _KINDS and (metric in RESERVED_METRICS or issue == "matrix_rule_broken"):
        return _KINDS[issue]
    return Kind.LOST if issue == lost_issue(metric) else Kind.METRIC


def _tables(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _redacted(result: DealResult) -> DealResult:
    """Return *result* without the secrets that the report of an earlier version may hold."""
    if result.error is not None:
        result = replace(result, error=Failure(result.error.type, redact(result.error.message)))
    if result.details is not None and result.details.traceback:
        result = replace(result, details=replace(result.details, traceback=redact(result.details.traceback)))
    return result
