"""The data of the HTML report: ten thousand deals as short rows, words that repeat as numbers.

What a person reads is worded here, by the wording that every report shares; the page's script puts
it in its place, and has numbers only for what it sorts, filters and draws by.
"""

from __future__ import annotations

import re
from typing import Any

from pytest_dealsnap.model.details import Details, MetricRow
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.record import Record, to_plain
from pytest_dealsnap.model.results import AFFECTED, STATUSES, Kind
from pytest_dealsnap.reasoning.canonical import dumps
from pytest_dealsnap.reporting.cause_text import deals_cell
from pytest_dealsnap.reporting.deal_table import COLUMNS, deal_row
from pytest_dealsnap.reporting.earlier import age_words, since
from pytest_dealsnap.reporting.highlights import weighed_causes
from pytest_dealsnap.reporting.json_report import run_document
from pytest_dealsnap.reporting.next_steps import report_path
from pytest_dealsnap.reporting.wording import VERDICT_WORDS, show_percent, show_value
from pytest_dealsnap.text import printable

__all__ = ["page_data"]

DETAIL_WIDTH = 2_000
SAME_WIDTH = 120
# A list of single values that is no longer stands in one line.
LINE_WIDTH = 80
# A deal that could not be judged cannot be accepted by an entry of the ledger.
_NO_LEDGER = (Kind.FAILED, Kind.GONE)


class CauseRow(Record, frozen=True):
    """A cause: how it counts, its deals by their places and in words, and whether the ledger can accept it."""

    id: str
    title: str
    metric: str
    weight: str
    ledger: bool
    deals: tuple[int, ...]
    count: str
    age: str = ""


class Band(Record, frozen=True):
    """What a rule allows around a baseline value: an amount, a part of it, or a closed range of factors."""

    percent: float | None = None
    amount: float | None = None
    ratio: tuple[float, float] | None = None


class MetricCells(Record, frozen=True):
    """A metric of one deal on both sides, in words."""

    metric: str
    baseline: str
    current: str
    change: str
    rule: str
    outcome: str


class DifferenceRow(Record, frozen=True):
    """One difference of two outputs, in words."""

    path: str
    move: str
    baseline: str
    current: str


class DetailRows(Record, frozen=True):
    """What is known of one deal in full."""

    metrics: tuple[MetricCells, ...]
    differences: tuple[DifferenceRow, ...]
    total: int
    traceback: str = ""


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
    words, told = _Words(), since(run)
    deals = [deal_row(result, words.number) for result in run.results]
    causes = [
        CauseRow(
            id=cause.id,
            title=printable(cause.title),
            metric=cause.metric,
            weight=weight,
            ledger=cause.kind not in _NO_LEDGER,
            deals=tuple(places[deal_id] for deal_id in cause.deals),
            count=deals_cell(cause),
            age=age_words(told, cause.id),
        )
        for weight, cause in weighed_causes(run)
    ]
    facts = run_document(run.facts)
    page = {
        "columns": COLUMNS,
        "report": {"started_at": facts["started_at"], "database": facts["database"]},
        "report_path": report_path(run.facts),
        "capture": not run.judged,
        "verdict": VERDICT_WORDS[run.verdict.action] if run.verdict else "",
        "statuses": STATUSES,
        "failing": AFFECTED,
        "types": list(run.by_type()),
        "metrics": run.facts.judging.metrics,
        "deals": deals,
        "causes": causes,
        "details": {
            str(place): _details(result.details)
            for place, result in enumerate(run.results)
            if result.details is not None
        },
        "words": words.all(),
        "bands": {str(number): band for number, word in enumerate(words.all()) if (band := _band(word)) is not None},
    }
    plain: dict[str, Any] = to_plain(page)
    return plain


_NUMBER = r"\d{1,30}(?:\.\d+)?"
_WITHIN = re.compile(rf"within (?:(?P<percent>{_NUMBER}) ?%)?(?: or )?(?P<amount>{_NUMBER})?")
_FLOOR = re.compile(rf" or noise \(({_NUMBER}) %, ")
_RATIO = re.compile(rf"ratio (?P<low>{_NUMBER})\.\.(?P<high>{_NUMBER})")


def _band(rule: str) -> Band | None:
    """Return what the built-in rule with the text *rule* allows; ``None`` for one without bounds."""
    text = rule.split(" (")[0].removesuffix(" or noise")
    if within := _WITHIN.fullmatch(text):
        percent, amount = (None if part is None else float(part) for part in within.groups())
        floor = _FLOOR.search(rule)
        if percent is not None and floor:
            percent = max(percent, float(floor[1]))
        return Band(percent=percent, amount=amount) if within.groups() != (None, None) else None
    if ratio := _RATIO.fullmatch(text):
        return Band(ratio=(float(ratio["low"]), float(ratio["high"])))
    return None


def _details(details: Details) -> DetailRows:
    return DetailRows(
        metrics=tuple(_metric(row) for row in details.metrics),
        differences=tuple(
            DifferenceRow(printable(row.path), row.move, _side(row.baseline), _side(row.current))
            for row in details.differences
        ),
        total=details.total,
        traceback="\n".join(map(printable, details.traceback.rstrip().splitlines())),
    )


def _metric(row: MetricRow) -> MetricCells:
    baseline, current = _values(row)
    change = show_percent(row.change_percent) if row.change_percent else ""
    return MetricCells(printable(row.metric), baseline, current, change, printable(row.rule), row.outcome)


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
