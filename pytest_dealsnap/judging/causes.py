"""Causes: findings of many deals that look like one change.

Findings of one metric that moved by the same ratio, or by the same amount, are one cause; what is
left of that metric and direction is one more, a spread.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from pytest_dealsnap.judging.findings import DealResult, Finding
from pytest_dealsnap.judging.values import exact, is_number

__all__ = ["Cause", "find_causes"]


@dataclass(frozen=True, slots=True)
class Cause:
    """A group of findings: its title names metric, size and deal types; ``deals`` are ids in order."""

    id: str
    title: str
    metric: str
    issue: str
    deal_types: tuple[str, ...]
    deals: tuple[str, ...]
    gates: bool


Member = tuple[DealResult, Finding]
# Fewer deals, or a smaller part of a metric's findings, move alike by chance.
SMALLEST_GROUP = 3
SMALLEST_SHARE = 0.05


def find_causes(results: Iterable[DealResult]) -> tuple[Cause, ...]:
    """Group the findings of *results*, heaviest first: gating before reporting, then by deals.

    Linear in the findings, and the same for the same results in any order of theirs.
    """
    families: dict[tuple[str, str, bool, str], list[Member]] = defaultdict(list)
    for result in results:
        for finding in result.findings:
            families[finding.metric, finding.issue, finding.gates, _direction(finding)].append((result, finding))
    causes = [cause for key, members in families.items() for cause in _split(key, members)]
    return tuple(sorted(causes, key=lambda cause: (not cause.gates, -len(cause.deals), cause.title, cause.id)))


def _direction(finding: Finding) -> str:
    if finding.issue == "reasoning_failed":
        return str(finding.current).split(":", 1)[0]
    if finding.change_percent is not None:
        return "+" if finding.change_percent > 0 else "-" if finding.change_percent < 0 else "="
    if finding.issue == "deal_type_changed":
        return f"{_stored(finding.baseline)} → {_stored(finding.current)}"
    return ""


def _split(key: tuple[str, str, bool, str], members: list[Member]) -> Iterable[Cause]:
    """Split a family into the changes of one size, the commonest way of measuring first, and a spread."""
    least = max(SMALLEST_GROUP, len(members) * SMALLEST_SHARE)
    sizes = sorted((_ratio, _amount), key=lambda size: -max(Counter(size(f) for _, f in members).values()))
    rest = members
    for size in sizes:
        groups: dict[str, list[Member]] = defaultdict(list)
        for member in rest:
            groups[size(member[1])].append(member)
        alike = {label: group for label, group in groups.items() if label and len(group) >= least}
        yield from (_cause(key, label, group) for label, group in alike.items())
        rest = [member for label, group in groups.items() if label not in alike for member in group]
    if rest:
        yield _cause(key, _spread(rest), rest)


def _stored(value: object) -> str:
    return "NULL" if value is None else repr(value)


def _ratio(finding: Finding) -> str:
    return "" if finding.change_percent is None else f"{finding.change_percent:+.1f}%"


def _amount(finding: Finding) -> str:
    if not (is_number(finding.baseline) and is_number(finding.current)):
        return ""
    difference = exact(finding.current) - exact(finding.baseline)
    return f"{difference:+,f}" if difference.is_finite() else ""


def _spread(members: list[Member]) -> str:
    changes = sorted(f.change_percent for _, f in members if f.change_percent is not None)
    if not changes:
        return ""
    if len(changes) == 1 or f"{changes[0]:+.1f}" == f"{changes[-1]:+.1f}":
        return f"{changes[0]:+.1f}%"
    return f"{changes[0]:+.1f}% to {changes[-1]:+.1f}%"


_PLAIN_TITLES = {
    "missing_from_database": "missing from the database",
    "output_changed": "output changed outside the metrics",
}


def _cause(key: tuple[str, str, bool, str], size: str, members: list[Member]) -> Cause:
    metric, issue, gates, direction = key
    types = tuple(sorted({result.deal_type for result, _ in members}))
    deals = tuple(sorted((result.id for result, _ in members), key=_id_order))
    if issue in _PLAIN_TITLES:
        what = _PLAIN_TITLES[issue]
    elif issue == "reasoning_failed":
        what = f"reasoning failed: {direction}"
    elif issue.endswith("_lost"):
        what = f"{metric} lost"
    elif issue == "deal_type_changed":
        what = f"stored type {direction}"
    else:
        what = f"{metric} {size}" if size else f"{metric} changed"
    title = f"{what} · {', '.join(types)}"
    digest = hashlib.sha256(repr((metric, issue, gates, direction, size, types)).encode())
    return Cause(digest.hexdigest()[:12], title, metric, issue, types, deals, gates)


def _id_order(deal_id: str) -> tuple[int, int, str]:
    return (0, int(deal_id), "") if deal_id.isascii() and deal_id.isdigit() and len(deal_id) < 30 else (1, 0, deal_id)
