"""Causes: findings of many deals that look like one change.

Findings of one metric are parted by what kind of change they are: a size (``bins``), an error's
message, items of a list, paths of the output. What only accompanies another cause, in the same deals
and without failing them, is told beside it.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_dealsnap.causes.clusters import Part, Size, parts_of
from pytest_dealsnap.causes.features import Common, Features, common_features, without_deals
from pytest_dealsnap.judging.findings import DealResult, Finding

__all__ = ["Cause", "Size", "find_causes"]


@dataclass(frozen=True, slots=True)
class Cause:
    """A group of findings that look like one change; ``deals`` are ids in order.

    ``failing`` counts the deals that it can fail, ``size`` says how far numbers moved, ``paths`` where an
    output changed. ``common`` is what its deals have in common and no (or few) others; ``mixed`` are those
    of its deals that show another change on top; ``also`` names what else changed in just these deals.

    The id follows from the metric and from what the change is (how far, which items, which paths), not from
    how many deals there are: another change of the same metric has another id.
    """

    id: str
    title: str
    metric: str
    issue: str
    deal_types: tuple[str, ...]
    deals: tuple[str, ...]
    gates: bool
    failing: int = 0
    size: Size | None = None
    common: tuple[Common, ...] = ()
    mixed: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


# What accompanies a cause is found in nearly the same deals.
SAME_DEALS = 0.9
MOST_COMPARED = 40


def find_causes(results: Iterable[DealResult], traits: Features | None = None) -> tuple[Cause, ...]:
    """Group the findings of *results*, heaviest first: by failing deals, then by deals.

    *traits* tell what deals have in common. Linear in the findings but for sorting, and the same for
    the same results in any order of theirs.
    """
    families: dict[tuple[str, str], list[tuple[DealResult, Finding]]] = defaultdict(list)
    everyone = list(results)
    for result in everyone:
        for finding in result.findings:
            families[finding.metric, finding.issue].append((result, finding))
    parts = [part for key in sorted(families) for part in parts_of(families[key])]
    causes = sorted(_identified(parts), key=_weight)
    shown = _without_company(causes)
    if traits is None:
        return tuple(shown)
    failed = {result.id: result.deal_type for result in everyone if result.status in ("errored", "missing")}
    judged = without_deals(traits, failed)
    return tuple(replace(cause, common=_common(cause, failed, judged, traits)) for cause in shown)


def _common(cause: Cause, failed: Collection[str], judged: Features, everyone: Features) -> tuple[Common, ...]:
    """Return what the cause's deals have in common; what failed could not have shown a change of values."""
    if any(deal in failed for deal in cause.deals):
        return common_features(cause.deals, cause.deal_types, everyone)
    return common_features(cause.deals, cause.deal_types, judged, everyone)


def _weight(cause: Cause) -> tuple[bool, int, int, bool, str, str]:
    return not cause.gates, -cause.failing, -len(cause.deals), cause.issue == "output_changed", cause.title, cause.id


def _identified(parts: Sequence[Part]) -> Iterable[Cause]:
    """Return the causes of *parts*; those alike in all that an id is made of are told apart by their deals."""
    causes = [(part, _cause(part)) for part in parts]
    alike = Counter((cause.metric, cause.issue, part.identity) for part, cause in causes)
    for part, cause in causes:
        what = (cause.metric, cause.issue, part.identity)
        own = (*what, cause.deals) if alike[what] > 1 else what
        yield replace(cause, id=hashlib.sha256(repr(own).encode("utf-8", "surrogatepass")).hexdigest()[:12])


def _cause(part: Part) -> Cause:
    finding = part.members[0][1]
    failing = {result.id for result, finding in part.members if finding.gates}
    types = tuple(sorted({result.deal_type for result, _ in (*part.members, *part.shared)}))
    ids = {result.id for result, _ in (*part.members, *part.shared)}
    return Cause(
        id="",
        title=f"{part.title} · {', '.join(types)}",
        metric=finding.metric,
        issue=finding.issue,
        deal_types=types,
        deals=tuple(sorted(ids, key=_id_order)),
        gates=bool(failing),
        failing=len(failing),
        size=part.size,
        mixed=tuple(sorted(part.mixed, key=_id_order)),
        paths=part.paths,
    )


def _without_company(causes: Sequence[Cause]) -> list[Cause]:
    """Leave out what fails no deal and lies, by itself or in parts, in the deals of a heavier cause, which names it."""
    deals = {cause.id: frozenset(cause.deals) for cause in causes}
    quiet: dict[str, list[Cause]] = defaultdict(list)
    for cause in causes:
        if not cause.gates:
            quiet[cause.metric].append(cause)
    company: dict[str, list[Cause]] = {}
    gone: set[str] = set()
    for heavier in causes[:MOST_COMPARED]:
        if heavier.id in gone:
            continue
        company[heavier.id] = []
        for metric, others in quiet.items():
            if metric != heavier.metric:
                left = [cause for cause in others if cause.id not in gone and cause.id not in company]
                company[heavier.id] += _company(deals[heavier.id], left, deals)
        gone.update(cause.id for cause in company[heavier.id])
    return [
        replace(cause, also=tuple(other.title.rpartition(" · ")[0] for other in company.get(cause.id, ())))
        for cause in causes
        if cause.id not in gone
    ]


def _company(whole: frozenset[str], others: Sequence[Cause], deals: Mapping[str, frozenset[str]]) -> list[Cause]:
    """Return those of *others* that lie in the deals of *whole*, if together they are nearly all of these."""
    inside = [
        cause
        for cause in others
        if SAME_DEALS * len(cause.deals) <= len(whole) and len(deals[cause.id] & whole) >= SAME_DEALS * len(cause.deals)
    ]
    covered = frozenset[str]().union(*(deals[cause.id] for cause in inside)) & whole
    return inside if len(covered) >= SAME_DEALS * len(whole) else []


def _id_order(deal_id: str) -> tuple[int, int, str]:
    return (0, int(deal_id), "") if deal_id.isascii() and deal_id.isdigit() and len(deal_id) < 30 else (1, 0, deal_id)
