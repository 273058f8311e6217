"""Runs side by side: which causes are new, persist or are gone since an earlier run, and how runs follow each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC
from decimal import Decimal
from pathlib import Path

from pytest_dealsnap.judging.values import percent_change
from pytest_dealsnap.model.cause import Cause
from pytest_dealsnap.model.earlier_run import CauseThen, EarlierRun, MoneyThen
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.record import Record, replace
from pytest_dealsnap.model.results import AFFECTED
from pytest_dealsnap.reporting.json_reading import read_json
from pytest_dealsnap.reporting.wording import VERDICT_WORDS, show_percent, show_value
from pytest_dealsnap.text import plural

__all__ = [
    "Since",
    "age_words",
    "as_earlier",
    "gone_line",
    "money_cell",
    "new_and_gone",
    "read_earlier",
    "runs_of",
    "since",
    "with_earlier",
]


class Since(Record, frozen=True):
    """What became of the causes since an earlier run.

    ``ages`` says of each cause of this run, by its id, whether it is ``new`` or ``persisting``; ``was`` has the former
    title of one that persists with another size. ``gone`` are the causes that only the earlier run had.
    """

    run: EarlierRun
    ages: dict[str, str]
    was: dict[str, str]
    gone: tuple[CauseThen, ...]


def read_earlier(paths: Iterable[Path]) -> tuple[EarlierRun, ...]:
    """Return the runs of the JSON reports at *paths*, the oldest first; raises :class:`ReportError`."""
    return tuple(sorted((as_earlier(read_json(path), path.name) for path in paths), key=lambda run: run.started_at))


def as_earlier(run: FinishedRun, name: str) -> EarlierRun:
    """Return what a later report keeps of *run*, whose report is called *name*."""
    return EarlierRun(
        report=name,
        started_at=run.facts.started_at.astimezone(UTC).isoformat(timespec="seconds"),
        mode=run.facts.mode,
        verdict=run.verdict.action if run.verdict else "",
        outcome=_outcome(run),
        compared=run.summary.compared,
        affected=sum(result.status in AFFECTED for result in run.results) if run.judged else 0,
        affected_percent=run.summary.affected_percent,
        git_commit=run.facts.git_commit,
        money=tuple(
            MoneyThen(money.metric, f"{money.total.baseline:f}", f"{money.total.current:f}") for money in run.money
        ),
        causes=tuple(
            CauseThen(c.id, c.title, c.metric, c.issue, c.deal_types, len(c.deals), c.gates) for c in run.causes
        ),
    )


def _outcome(run: FinishedRun) -> str:
    if run.verdict is not None:
        return VERDICT_WORDS[run.verdict.action]
    if run.part_outcome is not None:
        return f"no verdict: {'passed' if run.part_outcome.passed else 'failed'}"
    return f"capture of {plural(run.summary.deals, 'deal')}"


def with_earlier(run: FinishedRun, earlier: Sequence[EarlierRun]) -> FinishedRun:
    """Return *run* compared with *earlier* runs, beside those that its report was compared with before."""
    known = {one.started_at: one for one in (*run.facts.earlier, *earlier)}
    return replace(run, facts=replace(run.facts, earlier=tuple(known[when] for when in sorted(known))))


def since(run: FinishedRun) -> Since | None:
    """Return what became of the causes since the latest earlier run in which deals were judged; ``None`` without one.

    A cause persists by its id, which stands for the metric and the change. One whose size moved has another id: it
    persists where it is the only one left of its metric, kind and deal types on both sides.
    """
    judged = [one for one in run.facts.earlier if one.mode != "capture"]
    if not judged or not run.judged:
        return None
    new, gone, moved = _against(run.causes, judged[-1].causes)
    return Since(
        run=judged[-1],
        ages={cause.id: "new" if cause.id in new else "persisting" for cause in run.causes},
        was={cause_id: cause.title for cause_id, cause in moved.items()},
        gone=gone,
    )


def new_and_gone(now: EarlierRun, then: EarlierRun) -> tuple[int, int]:
    """Count the causes that only the later run has, and those that only the earlier one had; see :func:`since`."""
    new, gone, _ = _against(now.causes, then.causes)
    return len(new), len(gone)


def _against(
    causes: Sequence[Cause | CauseThen], before: Sequence[CauseThen]
) -> tuple[set[str], tuple[CauseThen, ...], dict[str, CauseThen]]:
    """Return the ids of new causes, the causes that are gone, and the former ones of those that moved."""
    ids, known = {cause.id for cause in causes}, {cause.id for cause in before}
    left = [cause for cause in causes if cause.id not in known]
    gone = [cause for cause in before if cause.id not in ids]
    moved = _only_pairs(left, gone)
    there = list(moved.values())
    return {cause.id for cause in left} - moved.keys(), tuple(cause for cause in gone if cause not in there), moved


def _only_pairs(left: Iterable[Cause | CauseThen], gone: Iterable[CauseThen]) -> dict[str, CauseThen]:
    """Return, by the id of a cause now, the only cause then of the same metric, kind and types."""
    now: dict[tuple[str, str, tuple[str, ...]], list[Cause | CauseThen]] = defaultdict(list)
    then: dict[tuple[str, str, tuple[str, ...]], list[CauseThen]] = defaultdict(list)
    for cause in left:
        now[cause.metric, cause.issue, cause.deal_types].append(cause)
    for one in gone:
        then[one.metric, one.issue, one.deal_types].append(one)
    return {now[key][0].id: ones[0] for key, ones in then.items() if len(ones) == len(now.get(key, ())) == 1}


def age_words(told: Since | None, cause_id: str) -> str:
    """Return ``new``, ``persisting``, or ``persisting, was cost_total +12.0%``; empty where nothing was compared."""
    if told is None:
        return ""
    was = told.was.get(cause_id)
    return f"{told.ages[cause_id]}, was {was}" if was else told.ages[cause_id]


def gone_line(told: Since) -> str:
    """Return in a line which causes are gone."""
    if not told.gone:
        return f"since {told.run.report}: no cause is gone"
    titles = "; ".join(f"{cause.title} ({plural(cause.deals, 'deal')})" for cause in told.gone[:5])
    more = f"; and {len(told.gone) - 5} more" if len(told.gone) > 5 else ""
    return f"since {told.run.report}: {plural(len(told.gone), 'cause')} gone: {titles}{more}"


def runs_of(run: FinishedRun) -> tuple[EarlierRun, ...]:
    """Return the earlier runs that *run* was compared with, and itself."""
    return (*run.facts.earlier, as_earlier(run, "this run"))


def money_cell(run: EarlierRun) -> str:
    """Return the totals of the leading metric, as ``cost_total 1,000 → 1,200 (+20.00 %)``."""
    if not run.money:
        return ""
    first = run.money[0]
    before, after = Decimal(first.baseline), Decimal(first.current)
    if before == after:
        return f"{first.metric} {show_value(before)}, unchanged"
    percent = percent_change(before, after)
    change = "" if percent is None else f" ({show_percent(percent)})"
    return f"{first.metric} {show_value(before)} → {show_value(after)}{change}"
