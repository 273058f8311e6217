"""One deal in full, for the person who looks into it: every metric side by side, and where the output differs.

A run keeps details of few deals, so they may cost some milliseconds each. What one deal takes is
bounded: texts, values and rows beyond the bounds are cut, and the total says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_dealsnap.judging.differences import ABSENT, changed_leaves, explain
from pytest_dealsnap.judging.judge import Reasoned
from pytest_dealsnap.judging.metrics import Metric
from pytest_dealsnap.judging.paths import show_path
from pytest_dealsnap.judging.policy import TypePolicy
from pytest_dealsnap.judging.text_folding import folded
from pytest_dealsnap.judging.values import percent_change, same
from pytest_dealsnap.model.details import Details, Difference, MetricRow
from pytest_dealsnap.model.results import DealResult

__all__ = ["detail"]

MOST_METRICS = 60
MOST_ROWS = 60
MOST_BYTES = 32_000
LONGEST_TEXT = 6_000
LONGEST_VALUE = 1_000
# Beyond, deepdiff would take too long: such outputs are compared leaf by leaf, lists by index.
MOST_LEAVES = 3_000
MOST_TEXT = 200_000


def detail(
    result: DealResult,
    baseline: Reasoned,
    current: Reasoned,
    *,
    policy: TypePolicy,
    metrics: Sequence[Metric],
) -> Details:
    """Return the details of *result*, which came of judging *current* against *baseline*."""
    rows = tuple(_metric_rows(result, baseline, current, policy, metrics))
    if baseline.output is None or current.output is None:
        return Details(rows)
    differences, total = _differences(baseline.output, current.output)
    return Details(rows, _within(differences, MOST_BYTES), total)


def _metric_rows(
    result: DealResult, baseline: Reasoned, current: Reasoned, policy: TypePolicy, metrics: Sequence[Metric]
) -> list[MetricRow]:
    """Return the metrics, those that fail first; a metric added since is taken out of the recorded output."""
    found = {finding.metric: finding for finding in result.findings}
    after = current.metrics
    rows = []
    for metric in metrics:
        recorded = baseline.metrics or {}
        old = recorded.get(metric.name) if metric.name in recorded else metric(baseline.output or {})
        new = None if after is None else after.get(metric.name)
        rule, finding = policy[metric.name], found.get(metric.name)
        if after is None or baseline.metrics is None:
            outcome = "unknown"
        elif finding is not None:
            outcome = "fails" if finding.gates else "allowed"
        else:
            outcome = "same" if same(old, new) else "ignored"
        row = MetricRow(metric.name, *_shortened(old, new), percent_change(old, new), rule.text, outcome)
        rows.append(row)
    rows.sort(key=lambda row: row.outcome != "fails")
    return rows[:MOST_METRICS]


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[list[Difference], int]:
    if _is_small(before) and _is_small(after):
        rows, total = explain(before, after, limit=MOST_ROWS)
        return [_row(*row) for row in rows], total
    shown: list[Difference] = []
    total = 0
    for path, old, new in changed_leaves(before, after):
        total += 1
        if len(shown) < MOST_ROWS:
            move = "added" if old is ABSENT else "removed" if new is ABSENT else "changed"
            shown.append(_row(show_path(path), move, old, new))
    return shown, total


def _row(path: str, move: str, old: Any, new: Any) -> Difference:
    before, after = _shortened(None if old is ABSENT else old, None if new is ABSENT else new)
    return Difference(path, move, before, after)


def _within(rows: Sequence[Difference], most: int) -> tuple[Difference, ...]:
    """Return the first of *rows* that together take no more than *most* bytes; always the first one."""
    kept: list[Difference] = []
    size = 0
    for row in rows:
        size += len(row.path) + _size(row.baseline) + _size(row.current)
        if kept and size > most:
            break
        kept.append(row)
    return tuple(kept)


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str) else len(json.dumps(value, default=str))


def _shortened(old: Any, new: Any) -> tuple[Any, Any]:
    """Return both values within their bounds; two long texts keep all their differences."""
    if isinstance(old, str) and isinstance(new, str):
        return folded(old, new)
    return _bounded(old), _bounded(new)


def _bounded(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]}[… {len(value) - LONGEST_TEXT:,} more characters not shown …]"
    if isinstance(value, (dict, list)):
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
        return value if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
    return value


def _is_small(output: Any) -> bool:
    """Whether deepdiff explains *output* in some milliseconds."""
    leaves = text = 0
    waiting = [output]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        else:
            leaves += 1
            text += len(value) if isinstance(value, str) else 0
            if leaves > MOST_LEAVES or text > MOST_TEXT:
                return False
    return True
