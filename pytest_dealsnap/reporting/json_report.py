"""The JSON report: written for machines, and the one from which everything else can be rendered again."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_dealsnap import __version__
from pytest_dealsnap.errors import OutputError
from pytest_dealsnap.model.cause import Cause
from pytest_dealsnap.model.details import Difference, MetricRow
from pytest_dealsnap.model.documents import Counts, MoneyOfType, MoneyReport, MoneyTotals, Report, Tool
from pytest_dealsnap.model.finished_run import FinishedRun, RunAbout, RunFacts
from pytest_dealsnap.model.money import Money, TypeMoney
from pytest_dealsnap.model.record import replace, to_plain
from pytest_dealsnap.model.results import DealResult, Finding
from pytest_dealsnap.reasoning.canonical import canonical, dumps
from pytest_dealsnap.reasoning.quick_json import quick_text
from pytest_dealsnap.reporting.cause_text import common_text
from pytest_dealsnap.reporting.earlier import since
from pytest_dealsnap.reporting.evidence_words import evidence_counts
from pytest_dealsnap.reporting.money_text import money_lines
from pytest_dealsnap.reporting.traits import make_traits

if TYPE_CHECKING:
    from pytest_dealsnap.model.rehearsals import Rehearsal

__all__ = ["WRITER", "document_text", "make_report", "render_json", "report_document", "run_document"]

Sides = TypeVar("Sides", Finding, MetricRow, Difference)


def report_document(run: FinishedRun) -> dict[str, Any]:
    """Return the report of *run* as plain values that strict JSON can hold.

    NaN and the infinities, which JSON has no number for, stand as the texts ``"NaN"``,
    ``"Infinity"`` and ``"-Infinity"``.
    """
    plain: dict[str, Any] = to_plain(make_report(run))
    return plain


def make_report(run: FinishedRun) -> Report:
    """Return the report of *run* as a record."""
    facts, summary, told = run.facts, run.summary, since(run)
    return Report(
        tool=Tool("pytest-dealsnap", __version__),
        run=run_about(facts),
        judging=facts.judging,
        baseline=_strict(dict(facts.baseline)) if facts.baseline is not None else None,
        summary=Counts(
            deals=summary.deals,
            compared=summary.compared,
            affected_percent=summary.affected_percent,
            evidence=evidence_counts(run.results),
            **summary.counts,
        ),
        verdict=run.verdict,
        money=tuple(_money(run, money) for money in run.money),
        causes=tuple(_cause(cause, told.ages[cause.id] if told else "") for cause in run.causes),
        deals=tuple(_deal(result) for result in run.results),
        ledger=facts.ledger,
        absent_metrics=facts.absent_metrics or {},
        idle_rules=facts.idle_rules,
        notes=run.notes,
        traits=None if facts.traits is None else make_traits(facts.traits),
        earlier=facts.earlier,
        gone=told.gone if told else (),
    )


def run_about(facts: RunFacts) -> RunAbout:
    """Return what a run was."""
    values = {name: getattr(facts, name) for name in RunAbout.__struct_fields__}
    return RunAbout(**{**values, "seconds": round(facts.seconds, 3)})


def run_document(facts: RunFacts) -> dict[str, Any]:
    """Return what a run was, as plain values."""
    plain: dict[str, Any] = to_plain(run_about(facts))
    return plain


def _money(run: FinishedRun, money: Money) -> MoneyReport:
    """Return how far one metric moved, in numbers and in words."""
    return MoneyReport(
        metric=money.metric,
        text=money_lines(money, run.facts.judging.unjudged),
        **_totals(money.total),
        types=tuple(MoneyOfType(deal_type=kind.deal_type, rules=kind.rules, **_totals(kind)) for kind in money.types),
        largest=money.movers,
    )


def _totals(money: TypeMoney) -> dict[str, Any]:
    return {name: getattr(money, name) for name in MoneyTotals.__struct_fields__}


def _cause(cause: Cause, age: str) -> Cause:
    """Return *cause* with its age, and with what its deals have in common also in words."""
    return replace(cause, age=age, common=tuple(replace(common, text=common_text(common)) for common in cause.common))


def _deal(result: DealResult) -> DealResult:
    """Return what a report says of a deal: values as strict JSON, and nothing that only the run needs."""
    details = result.details
    if details is not None:
        details = replace(
            details,
            metrics=tuple(_sides(row) for row in details.metrics),
            differences=tuple(_sides(row) for row in details.differences),
        )
    return replace(
        result,
        seconds=round(result.seconds, 6),
        findings=tuple(_sides(finding) for finding in result.findings),
        details=details,
        absent_metrics=(),
        likeness=(),
        unsteady=None,
    )


def _sides(record: Sides) -> Sides:
    return replace(record, baseline=_strict(record.baseline), current=_strict(record.current))


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
    return document_text(report_document(run))


def document_text(document: dict[str, Any]) -> str:
    """Return *document* as canonical text, by the quick way where that writes the same."""
    quick = quick_text(document)
    return dumps(document) + "\n" if quick is None else quick.decode()


class JsonWriter:
    """The writer of the format ``json``."""

    name = "json"

    def render(self, run: FinishedRun) -> str:
        return render_json(run)

    def render_rehearsal(self, rehearsal: Rehearsal) -> str:
        from pytest_dealsnap.reporting.rehearsal_json import render_rehearsal_json  # a gate renders no rehearsal

        return render_rehearsal_json(rehearsal)


WRITER = JsonWriter()
