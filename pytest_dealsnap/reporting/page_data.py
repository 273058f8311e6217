"""The data of the HTML report: ten thousand deals as short rows, words that repeat as numbers.

What a person reads is worded here, by the wording that every report shares; the page's script puts
it in its place, and has numbers only for what it sorts, filters and draws by.
"""

from __future__ import annotations

from typing import Any

from pytest_dealsnap.errors import printable
from pytest_dealsnap.judging.deal_details import Details, MetricRow
from pytest_dealsnap.judging.findings import AFFECTED, STATUSES, DealResult, Finding
from pytest_dealsnap.judging.values import is_number
from pytest_dealsnap.reasoning.canonical import dumps
from pytest_dealsnap.reporting.highlights import weighed_causes
from pytest_dealsnap.reporting.json_report import run_document
from pytest_dealsnap.reporting.run_facts import FinishedRun
from pytest_dealsnap.reporting.wording import VERDICT_WORDS, finding_cells, show_percent, show_value, type_name

__all__ = ["page_data"]

FINDING_WIDTH = 160
DETAIL_WIDTH = 2_000
SAME_WIDTH = 120
# A list of single values that is no longer stands in one line.
LINE_WIDTH = 80
# A deal that could not be judged cannot be accepted by an entry of the ledger.
_NO_LEDGER = ("reasoning_failed", "missing_from_database")


class _Words:
    """Words that repeat, each with its number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, word: str) -> int:
        return self._numbers.setdefault(word, len(self._numbers))

    def all(self) -> list[str]:
        return list(self._numbers)


def page_data(run: FinishedRun) -> dict[str, Any]:
    """Return what the page's script needs of *run*."""
    places = {result.id: place for place, result in enumerate(run.results)}
    words = _Words()
    deals = [_deal(result, words) for result in run.results]
    causes = [
        {
            "id": cause.id,
            "title": printable(cause.title),
            "metric": cause.metric,
            "weight": weight,
            "ledger": cause.issue not in _NO_LEDGER,
            "deals": [places[deal_id] for deal_id in cause.deals],
        }
        for weight, cause in weighed_causes(run)
    ]
    facts = run_document(run.facts)
    return {
        "report": {"started_at": facts["started_at"], "database": facts["database"]},
        "capture": not run.judged,
        "verdict": VERDICT_WORDS[run.verdict.action] if run.verdict else "",
        "statuses": STATUSES,
        "failing": AFFECTED,
        "types": list(run.by_type()),
        "deals": deals,
        "causes": causes,
        "details": {
            place: _details(result.details) for place, result in enumerate(run.results) if result.details is not None
        },
        "words": words.all(),
    }


def _deal(result: DealResult, words: _Words) -> dict[str, Any]:
    """Return one deal; what is absent is left out, as most deals of most runs matched."""
    deal: dict[str, Any] = {
        "id": result.id,
        "name": result.name,
        "type": words.number(result.deal_type),
        "status": STATUSES.index(result.status),
    }
    if result.seconds:
        deal["seconds"] = round(result.seconds, 6)
    if result.stored_type != result.deal_type:
        deal["types"] = type_name(result)
    if result.findings:
        ordered = sorted(result.findings, key=lambda finding: not finding.gates)
        deal["findings"] = [_finding(finding, words) for finding in ordered]
    for key, text in (("reason", result.reason), ("corrupt", result.corrupt), ("error", result.error)):
        if text:
            deal[key] = printable(str(text))
    return deal


def _finding(finding: Finding, words: _Words) -> list[Any]:
    """Return a finding: metric, label, baseline, current, change, rule, gates, percent, kind of move."""
    label, baseline, current, change, allowed = finding_cells(finding, FINDING_WIDTH)
    return [
        words.number(finding.metric),
        words.number(label),
        baseline,
        current,
        change,
        words.number(allowed),
        int(finding.gates),
        finding.change_percent,
        _move(finding),
    ]


def _move(finding: Finding) -> str:
    """Return what the plot draws where there is no percentage: a value lost, or one that came from 0."""
    if finding.issue.endswith("_lost"):
        return "lost"
    return "from 0" if is_number(finding.baseline) and is_number(finding.current) else ""


def _details(details: Details) -> dict[str, Any]:
    return {
        "metrics": [
            [
                printable(row.metric),
                *_values(row),
                show_percent(row.change_percent) if row.change_percent else "",
                printable(row.rule),
                row.outcome,
            ]
            for row in details.metrics
        ],
        "differences": [
            [printable(row.path), row.move, _side(row.baseline), _side(row.current)] for row in details.differences
        ],
        "total": details.total,
    }


def _values(row: MetricRow) -> tuple[str, str]:
    """Return both values of a metric: texts as they are, unless nothing is to be compared."""
    if row.outcome == "unknown":
        return show_value(row.baseline, DETAIL_WIDTH), ""
    if row.outcome == "same":
        return show_value(row.baseline, SAME_WIDTH), show_value(row.current, SAME_WIDTH)
    return _side(row.baseline), _side(row.current)


def _side(value: Any) -> str:
    """Return one side of a difference: a text as it is, so that its words can be compared; others worded."""
    if isinstance(value, list) and value and not any(isinstance(item, (dict, list)) for item in value):
        bracket, *items, end = (line.strip() for line in dumps(value).split("\n"))
        line = f"{bracket}{' '.join(items)}{end}"
        return line if len(line) <= LINE_WIDTH else dumps(value)
    if isinstance(value, (dict, list)) and value:
        return dumps(value)
    return value if isinstance(value, str) else show_value(value, DETAIL_WIDTH)
