"""Reading a saved JSON report back: checked, and concluded anew from its facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pytest_dealsnap.config import VerdictConfig
from pytest_dealsnap.deals.selection import Drawn
from pytest_dealsnap.errors import DealsnapError
from pytest_dealsnap.judging.deal_details import Details, details_from_plain
from pytest_dealsnap.judging.findings import DealResult, Failure, Finding
from pytest_dealsnap.judging.values import Number, is_number
from pytest_dealsnap.reasoning.canonical import loads
from pytest_dealsnap.reporting.cause_json import read_features
from pytest_dealsnap.reporting.conclusion import conclude
from pytest_dealsnap.reporting.idle import IdleRule
from pytest_dealsnap.reporting.report_consistency import contradiction, impossible
from pytest_dealsnap.reporting.run_facts import FinishedRun, JudgingFacts, LedgerFact, Part, RunFacts
from pytest_dealsnap.secrets import redact

__all__ = ["REPORT_FORMAT", "ReportError", "is_rehearsal", "read_document", "read_json", "read_run"]

REPORT_FORMAT = 1


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
        results, facts = [_read_deal(deal) for deal in document["deals"]], _read_facts(document)
        problem = impossible(facts, results)
        if not problem:
            run = conclude(replace(facts, report=str(path)), results)
            problem = contradiction(document, run)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise ReportError(f"{path} is no complete report: {type(error).__name__}: {error}") from None
    if problem:
        raise ReportError(f"{path} contradicts itself: {problem}. Take the report that the run wrote")
    return run


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

_METRIC_ROW: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("metric", "rule", "outcome"), _TEXT),
    "change_percent": (*_NUMBER, type(None)),
}
_DIFFERENCE: dict[str, tuple[type, ...]] = dict.fromkeys(("path", "move"), _TEXT)


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


def _part(run: Mapping[str, Any]) -> Part | None:
    """Return what kind of part a run was about; the report of an earlier version does not say, so it claims nothing."""
    given = run.get("part", "shard" if run["shard"] else "chosen" if run["partial"] else None)
    known: dict[str | None, Part | None] = {None: None, "sample": "sample", "chosen": "chosen", "shard": "shard"}
    if given not in known or (given is None and run["partial"]):
        raise ValueError(f"part is {given!r}")
    return known[given]


def _drawn(one: Any) -> Drawn:
    checked = _checked(_table(one), {"deal_type": _TEXT, "deals": (int,), "shard": _TEXT_OR_NONE})
    return Drawn(checked["deal_type"], checked["deals"], checked["shard"])


def _rules(values: Any) -> dict[str, str]:
    return _checked(_table(values), dict.fromkeys(values, _TEXT))  # type: ignore[return-value]


def _numbers(values: Any) -> dict[str, Number]:
    for name, value in _table(values).items():
        if not is_number(value):
            raise TypeError(f"unchanged {name} is {value!r}")
    return dict(values)


def _read_facts(document: Mapping[str, Any]) -> RunFacts:
    run, judging = _checked(_table(document["run"]), _RUN), dict(_table(document["judging"]))
    thresholds = VerdictConfig(**judging.pop("thresholds"))
    why = _table(run.get("why_not_judged", {}))
    return RunFacts(
        **{
            **run,
            "started_at": datetime.fromisoformat(run["started_at"]),
            "not_judged": _texts(run["not_judged"]),
            "strangers": _texts(run["strangers"]),
            "part": _part(run),
            "drawn": tuple(_drawn(one) for one in run.get("drawn", ())),
            "why_not_judged": dict(zip(why, _texts(list(why.values())), strict=True)),
            "flaky": _texts(run.get("flaky", [])),
            "spending": None if run.get("spending") is None else _checked(_table(run["spending"]), {"words": _TEXT}),
            "outage": _texts([run.get("outage", "")])[0],
            "doubts": _texts(run.get("doubts", [])),
        },
        baseline=None if document["baseline"] is None else _table(document["baseline"]),
        judging=JudgingFacts(
            **{
                **judging,
                "types": _texts(judging["types"]),
                "flag": _texts([judging.get("flag", "")])[0],
                "metrics": _texts(judging.get("metrics", [])),
                "ranked": _texts(judging.get("ranked", [])),
                "unjudged": {name: _rules(rules) for name, rules in _table(judging.get("unjudged", {})).items()},
            },
            thresholds=thresholds,
        ),
        ledger=tuple(LedgerFact(**fact) for fact in document["ledger"]),
        absent_metrics=_table(document["absent_metrics"]),
        idle_rules=tuple(
            IdleRule(**_checked(_table(rule), dict.fromkeys(IdleRule.__slots__, _TEXT)))
            for rule in document.get("idle_rules", ())
        ),
        traits=None if document.get("traits") is None else read_features(_table(document["traits"])),
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
        error=Failure(error["type"], redact(error["message"])) if error else None,
        corrupt=deal.get("corrupt"),
        compared=deal.get("compared", True),
        reason=deal.get("reason", ""),
        unchanged=_numbers(deal.get("unchanged", {})),
        details=_read_details(deal.get("details")),
        **_checked(
            {"evidence": deal.get("evidence", ""), "asked": deal.get("asked", 0), "miss": deal.get("miss", "")},
            {"evidence": _TEXT, "asked": (int,), "miss": _TEXT},
        ),
    )


def _read_details(details: Any) -> Details | None:
    if details is None:
        return None
    for row in _table(details)["metrics"]:
        _checked(_table(row), _METRIC_ROW)
    for row in details["differences"]:
        _checked(_table(row), _DIFFERENCE)
    return details_from_plain(_checked(details, {"total": (int,)}))


def _read_finding(finding: Mapping[str, Any]) -> Finding:
    plain = _checked(_table(finding), _FINDING)
    forms = plain.get("forms")
    known = {"paths": _texts(plain.get("paths", [])), "forms": None if forms is None else _texts(forms)}
    return Finding(**{**plain, **known})
