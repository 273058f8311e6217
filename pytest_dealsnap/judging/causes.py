"""Causes: findings of many deals that look like one change.

Findings of one metric that moved by the same ratio, or by the same amount, are one cause; what is
left of that metric and direction is one more, a spread.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import localcontext

from pytest_dealsnap.judging.findings import DealResult, Finding
from pytest_dealsnap.judging.values import exact, is_number, working_context

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
# A longer amount is told in scientific notation.
MOST_DIGITS = 20


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
    if finding.issue == "output_changed" and finding.count is None:
        return "recovered"  # an error in the baseline: not of one cause with outputs that differ
    return ""


def _split(key: tuple[str, str, bool, str], members: list[Member]) -> Iterable[Cause]:
    """Split a family into the changes of one size, the commonest ratio or amount first, and a spread."""
    least = max(SMALLEST_GROUP, len(members) * SMALLEST_SHARE)
    rest = [(member, (_ratio(member[1]), _amount(member[1]))) for member in members]
    while counts := Counter(size for _, sizes in rest for size in sizes if size):
        commonest = max(counts, key=lambda size: (counts[size], size.endswith("%"), size))
        if counts[commonest] < least:
            break
        yield _cause(key, commonest, [member for member, sizes in rest if commonest in sizes])
        rest = [pair for pair in rest if commonest not in pair[1]]
    for left in _by_type([member for member, _ in rest]):
        yield _cause(key, _spread(left), left)


def _by_type(members: list[Member]) -> Iterable[list[Member]]:
    """Part what has a size by deal type: a spread over types that are judged by different rules says little."""
    if all(finding.change_percent is None for _, finding in members):
        return [members] if members else []
    groups: dict[str, list[Member]] = defaultdict(list)
    for member in members:
        groups[member[0].deal_type].append(member)
    return groups.values()


def _stored(value: object) -> str:
    return "NULL" if value is None else repr(value)


def _ratio(finding: Finding) -> str:
    return "" if finding.change_percent is None else f"{finding.change_percent:+.1f}%"


def _amount(finding: Finding) -> str:
    if not (is_number(finding.baseline) and is_number(finding.current)):
        return ""
    before, after = exact(finding.baseline), exact(finding.current)
    if not (before.is_finite() and after.is_finite()):
        return ""
    with localcontext(working_context(before, after)):
        difference = (after - before).normalize()
    return f"{difference:+,f}" if -MOST_DIGITS < difference.adjusted() < MOST_DIGITS else f"{difference:+.6g}"


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
    if issue == "output_changed" and all(finding.count is None for _, finding in members):
        what = "errors gone: reasoned again"
    elif issue in _PLAIN_TITLES:
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
