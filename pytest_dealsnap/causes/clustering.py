"""Causes: findings of many deals that look like one change.

Findings of one metric are parted by the most exact description that enough of them share (``descriptions``). Numbers
come before texts. What only accompanies a cause that comes before it, in the same deals and without failing them, is
listed beside it.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from pytest_dealsnap.causes.descriptions import Part, parts_of
from pytest_dealsnap.causes.features import common_features, without_deals
from pytest_dealsnap.judging.values import is_number
from pytest_dealsnap.model.cause import Cause, Common, Features
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import DealResult, Finding, Kind

__all__ = ["find_causes"]


# What accompanies a cause is found in nearly the same deals.
SAME_DEALS = 0.9
MOST_COMPARED = 40


def find_causes(
    results: Iterable[DealResult], traits: Features | None = None, *, order: Sequence[str] = ()
) -> tuple[Cause, ...]:
    """Group the findings of *results*: what fails deals first, then numbers, errors, other metrics, the output.

    Linear in the findings but for sorting, and the same for the same results in any order of theirs.

    Args:
        results: The deals' results.
        traits: What the deals could have in common.
        order: The metrics in the order in which they are told; others follow.
    """
    families: dict[tuple[str, str], list[tuple[DealResult, Finding]]] = defaultdict(list)
    everyone = sorted(results, key=lambda result: _id_order(result.id))
    numbers: set[str] = set()
    for result in everyone:
        for finding in result.findings:
            families[finding.metric, finding.issue].append((result, finding))
            if is_number(finding.baseline):
                numbers.add(finding.metric)
    ranks = {name: rank for rank, name in enumerate(order)}

    def turn(cause: Cause) -> tuple[int, int]:
        kind = 0 if cause.metric in numbers else _TURNS.get(cause.kind, 2)
        return kind, ranks.get(cause.metric, len(ranks))

    parts = [part for key in sorted(families) for part in parts_of(families[key])]
    causes = sorted(
        _identified(parts),
        key=lambda cause: (not cause.gates, turn(cause), -cause.failing, -len(cause.deals), cause.title, cause.id),
    )
    shown = _without_company(causes, turn)
    if traits is None:
        return tuple(shown)
    failed = {result.id: result.deal_type for result in everyone if result.status in ("errored", "missing")}
    judged = without_deals(traits, failed)
    return tuple(replace(cause, common=_common(cause, failed, judged, traits)) for cause in shown)


# Numbers come first, then deals without a value, then other metrics, then the output.
_TURNS = {Kind.FAILED: 1, Kind.GONE: 1, Kind.DEAL_TYPE: 1, Kind.NO_EFFECT: 1, Kind.OUTPUT: 3}


def _common(cause: Cause, failed: Collection[str], judged: Features, everyone: Features) -> tuple[Common, ...]:
    """Return what the cause's deals have in common; what failed could not have shown a change of values."""
    if any(deal in failed for deal in cause.deals):
        return common_features(cause.deals, cause.deal_types, everyone)
    return common_features(cause.deals, cause.deal_types, judged, everyone)


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
    types = tuple(sorted({result.deal_type for result, _ in part.members}))
    return Cause(
        id="",
        title=f"{part.title} · {', '.join(types)}",
        metric=finding.metric,
        issue=finding.issue,
        deal_types=types,
        deals=tuple(dict.fromkeys(result.id for result, _ in sorted(part.members, key=_member_order))),
        gates=bool(failing),
        failing=len(failing),
        size=part.size,
        paths=part.paths,
        reordered=part.reordered,
        kind=finding.kind,
    )


def _member_order(member: tuple[DealResult, Finding]) -> tuple[int, int, str]:
    return _id_order(member[0].id)


def _without_company(causes: Sequence[Cause], turn: Callable[[Cause], tuple[int, int]]) -> list[Cause]:
    """Drop non-blocking causes that lie, alone or together, in the deals of a cause of an earlier turn.

    That one lists them in its ``also``. A number is never listed under a text.
    """
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
        for others in quiet.values():
            if turn(others[0]) > turn(heavier):
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
    inside = [cause for cause in others if len(deals[cause.id] & whole) >= SAME_DEALS * len(cause.deals)]
    covered = frozenset[str]().union(*(deals[cause.id] for cause in inside)) & whole
    return inside if len(covered) >= SAME_DEALS * len(whole) else []


def _id_order(deal_id: str) -> tuple[int, int, str]:
    return (0, int(deal_id), "") if deal_id.isascii() and deal_id.isdigit() and len(deal_id) < 30 else (1, 0, deal_id)
