"""The JSON report: written for machines, and the one from which everything else can be rendered again."""

from __future__ import annotations

import math
from datetime import UTC
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pytest_dealsnap import __version__
from pytest_dealsnap.config import VerdictConfig
from pytest_dealsnap.deals.selection import Drawn
from pytest_dealsnap.errors import OutputError
from pytest_dealsnap.judging.deal_details import details_to_plain
from pytest_dealsnap.judging.findings import DealResult, Finding
from pytest_dealsnap.judging.money_moved import Money, Mover, TypeMoney
from pytest_dealsnap.reasoning.canonical import canonical, dumps
from pytest_dealsnap.reporting.cause_json import cause_document, features_document
from pytest_dealsnap.reporting.evidence_words import evidence_counts
from pytest_dealsnap.reporting.idle import IdleRule
from pytest_dealsnap.reporting.json_reading import REPORT_FORMAT
from pytest_dealsnap.reporting.money_text import money_lines
from pytest_dealsnap.reporting.run_facts import FinishedRun, JudgingFacts, LedgerFact, RunFacts

if TYPE_CHECKING:
    from pytest_dealsnap.reporting.rehearsal_facts import Rehearsal

__all__ = ["WRITER", "render_json", "report_document", "run_document"]


def report_document(run: FinishedRun) -> dict[str, Any]:
    """Return the report of *run* as plain values that strict JSON can hold.

    NaN and the infinities, which JSON has no number for, stand as the texts ``"NaN"``,
    ``"Infinity"`` and ``"-Infinity"``.
    """
    facts, summary = run.facts, run.summary
    return {
        "format": REPORT_FORMAT,
        "tool": {"name": "pytest-dealsnap", "version": __version__},
        "run": run_document(facts),
        "judging": _judging(facts.judging),
        "baseline": _strict(dict(facts.baseline)) if facts.baseline is not None else None,
        "summary": {
            "deals": summary.deals,
            "compared": summary.compared,
            **summary.counts,
            "affected_percent": summary.affected_percent,
            **({"evidence": evidence} if (evidence := evidence_counts(run.results)) else {}),
        },
        "verdict": {"action": run.verdict.action, "reason": run.verdict.reason} if run.verdict else None,
        "money": [money_document(run, money) for money in run.money],
        "causes": [cause_document(cause) for cause in run.causes],
        "deals": [_deal(result) for result in run.results],
        "ledger": [{name: getattr(fact, name) for name in LedgerFact.__slots__} for fact in facts.ledger],
        "absent_metrics": dict(facts.absent_metrics or {}),
        "idle_rules": [{name: getattr(rule, name) for name in IdleRule.__slots__} for rule in facts.idle_rules],
        "notes": list(run.notes),
        "traits": None if facts.traits is None else features_document(facts.traits),
    }


def run_document(facts: RunFacts) -> dict[str, Any]:
    """Return what a run was, as plain values."""
    return {
        "mode": facts.mode,
        "started_at": facts.started_at.astimezone(UTC).isoformat(timespec="seconds"),
        "seconds": round(facts.seconds, 3),
        "database": facts.database,
        "reasoner": facts.reasoner,
        "git_commit": facts.git_commit,
        "partial": facts.partial,
        "shard": facts.shard,
        "part": facts.part,
        "drawn": [{name: getattr(one, name) for name in Drawn.__slots__} for one in facts.drawn],
        "total": facts.total,
        "selected": facts.selected,
        "not_judged": list(facts.not_judged),
        "why_not_judged": dict(facts.why_not_judged),
        "outage": facts.outage,
        "flaky": list(facts.flaky),
        "snapshots": facts.snapshots,
        "strangers": list(facts.strangers),
        "allow_errors": facts.allow_errors,
        "doubts": list(facts.doubts),
        **({"spending": dict(facts.spending)} if facts.spending is not None else {}),
    }


def _judging(judging: JudgingFacts) -> dict[str, Any]:
    return {
        "thresholds": {name: getattr(judging.thresholds, name) for name in VerdictConfig.__slots__},
        "missing": judging.missing,
        "new": judging.new,
        "types": list(judging.types),
        "default_type": judging.default_type,
        "default_type_gates": judging.default_type_gates,
        "flag": judging.flag,
        "metrics": list(judging.metrics),
        "ranked": list(judging.ranked),
        "unjudged": {name: dict(by_type) for name, by_type in judging.unjudged.items()},
    }


def money_document(run: FinishedRun, money: Money) -> dict[str, Any]:
    """Return how far one metric moved, as plain values and in words."""
    total = money.total
    return {
        "metric": money.metric,
        "text": money_lines(money, run.facts.judging.unjudged),
        **_totals(total),
        "types": [{"deal_type": kind.deal_type, **_totals(kind), "rules": list(kind.rules)} for kind in money.types],
        "largest": [{name: getattr(mover, name) for name in Mover.__slots__} for mover in money.movers],
    }


def _totals(money: TypeMoney) -> dict[str, Any]:
    return {
        "deals": money.deals,
        "baseline": money.baseline,
        "current": money.current,
        "more": money.more,
        "less": money.less,
        "percent": None if money.percent is None else list(money.percent),
        "lost": money.lost,
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
    if result.unchanged:
        document["unchanged"] = dict(result.unchanged)
    if result.reason:
        document["reason"] = result.reason
    if result.corrupt:
        document["corrupt"] = result.corrupt
    if not result.compared:
        document["compared"] = False
    if result.evidence:
        document["evidence"] = result.evidence
    if result.asked:
        document["asked"] = result.asked
    if result.miss:
        document["miss"] = result.miss
    if result.details is not None:
        document["details"] = _strict(details_to_plain(result.details))
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
    if finding.digest:
        document["digest"] = finding.digest
    if finding.digest or finding.forms is not None:
        document["forms"] = None if finding.forms is None else list(finding.forms)
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


def render_json(run: FinishedRun) -> str:
    """Return the report of *run* as strict JSON."""
    return dumps(report_document(run)) + "\n"


class JsonWriter:
    """The writer of the format ``json``."""

    name = "json"

    def render(self, run: FinishedRun) -> str:
        return render_json(run)

    def render_rehearsal(self, rehearsal: Rehearsal) -> str:
        from pytest_dealsnap.reporting.rehearsal_json import render_rehearsal_json  # a gate renders no rehearsal

        return render_rehearsal_json(rehearsal)


WRITER = JsonWriter()
