"""What the deals of one cause have in common, and the other deals have not.

A *trait* is a field with a value that few deals or many share: a column of the deal's row, or a single
value of its recorded output. Totals over all compared deals tell what the unaffected ones have, so of
those nothing else is kept; each affected deal is one short text. Both travel in a shard's report.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from math import comb
from typing import Any

from pytest_dealsnap.causes.chance import UNLIKELY, fisher_exact
from pytest_dealsnap.causes.moves import FEWEST
from pytest_dealsnap.model.cause import FIRST_MARK, NO_MARK, Common, Features
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import DealResult

__all__ = [
    "OUTPUT",
    "TYPE_FIELD",
    "FeatureCounter",
    "common_features",
    "feature_text",
    "merge_features",
    "without_deals",
    "worth_explaining",
]

# The prefix of a field of the output, which sets it apart from a column of the same name.
OUTPUT = "output."
TYPE_FIELD = "deal type"
# Fields with more than 50 distinct values are identifiers, not features; only NULL, empty and 0 are kept.
MOST_VALUES = 50
NOTHING = frozenset({"null", '""', "0"})
MOST_FIELDS = 1_000
LONGEST_VALUE = 60
SHOWN_VALUES = 3
SHOWN_TRAITS = 3


def feature_text(value: Any) -> str | None:
    """Return the JSON text of a value that deals can share; ``None`` for one that is no such value."""
    if value is None or isinstance(value, (bool, int)):
        return json.dumps(value)
    if isinstance(value, (float, Decimal)) and value == 0:
        return "0"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False) if len(value) <= LONGEST_VALUE else None
    return None


class FeatureCounter:
    """Counts traits deal by deal, in memory that does not grow with the unaffected ones."""

    def __init__(self) -> None:
        self._compared: Counter[str] = Counter()
        self._counts: dict[str, dict[str, Counter[str]]] = {}
        self._dropped: set[str] = set()
        # One character for each trait of an affected deal; a hundred thousand deals can be affected.
        self._affected: dict[str, str] = {}
        self._marks: dict[tuple[str, str], str] = {}

    def add(self, deal_id: str, deal_type: str, traits: Mapping[str, str | None], *, affected: bool) -> None:
        """Count one compared deal's *traits*: JSON texts, ``None`` for a value that no two deals can share."""
        self._compared[deal_type] += 1
        for name, text in traits.items():
            counts = self._counts.get(name)
            if counts is None:
                if len(self._counts) >= MOST_FIELDS:
                    continue
                counts = self._counts[name] = {}
            if name not in self._dropped and (text is None or (text not in counts and len(counts) >= MOST_VALUES)):
                self._dropped.add(name)
                counts = self._counts[name] = {known: counts[known] for known in counts if known in NOTHING}
            if text is not None and (name not in self._dropped or text in NOTHING):
                counts.setdefault(text, Counter())[deal_type] += 1
        if affected:
            self._affected[deal_id] = "".join(
                self._marks.setdefault((name, text), chr(len(self._marks)))
                for name, text in traits.items()
                if text is not None and text in self._counts.get(name, ())
            )

    def traits(self) -> Features:
        """Return what was counted, the same in whatever order the deals came."""
        values = {name: tuple(sorted(counts)) for name, counts in sorted(self._counts.items()) if counts}
        places = _places(values)
        kept = {mark: (name, text) for (name, text), mark in self._marks.items() if text in places.get(name, ())}
        types = sorted(self._compared)
        return Features(
            compared={kind: self._compared[kind] for kind in types},
            values=values,
            totals={
                name: {kind: tuple(self._counts[name][text][kind] for text in texts) for kind in types}
                for name, texts in values.items()
            },
            deals={
                deal_id: _written(dict(kept[mark] for mark in marks if mark in kept), values, places)
                for deal_id, marks in sorted(self._affected.items())
            },
            dropped=frozenset(self._dropped),
        )


def _places(values: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
    """Return the character that stands for each value, by field."""
    return {name: {text: chr(FIRST_MARK + i) for i, text in enumerate(texts)} for name, texts in values.items()}


def _written(own: Mapping[str, str], values: Iterable[str], places: Mapping[str, Mapping[str, str]]) -> str:
    return "".join(places[name].get(own.get(name, ""), NO_MARK) for name in values)


def worth_explaining(results: Iterable[DealResult]) -> bool:
    """Whether so many of *results* have findings that something could be common to them."""
    return sum(bool(result.findings) for result in results) >= FEWEST


def merge_features(parts: Iterable[Features]) -> Features:
    """Return the traits of a run whose shards counted *parts*."""
    everyone = list(parts)
    dropped = frozenset[str]().union(*(part.dropped for part in everyone))
    found: dict[str, set[str]] = {}
    for part in everyone:
        for name, texts in part.values.items():
            found.setdefault(name, set()).update(texts)
    dropped |= {name for name, texts in found.items() if len(texts) > MOST_VALUES}
    told = {name: texts & NOTHING if name in dropped else texts for name, texts in found.items()}
    values = {name: tuple(sorted(told[name])) for name in sorted(told) if told[name]}
    places = _places(values)
    types = sorted({kind for part in everyone for kind in part.compared})
    deals: dict[str, str] = {}
    for part in everyone:
        deals.update((deal_id, _written(part.of(deal_id), values, places)) for deal_id in part.deals)
    return Features(
        compared={kind: sum(part.compared.get(kind, 0) for part in everyone) for kind in types},
        values=values,
        totals={
            name: {
                kind: tuple(sum(_total(part, name, kind, text) for part in everyone) for text in texts)
                for kind in types
            }
            for name, texts in values.items()
        },
        deals=dict(sorted(deals.items())),
        dropped=dropped,
    )


def _total(part: Features, name: str, kind: str, text: str) -> int:
    texts = part.values.get(name, ())
    return part.totals[name][kind][texts.index(text)] if text in texts and kind in part.totals[name] else 0


def without_deals(traits: Features, deals: Mapping[str, str]) -> Features:
    """Return *traits* with the totals of the other deals only; *deals* gives the types of those to leave out."""
    out = [(kind, traits.deals[deal_id]) for deal_id, kind in deals.items() if deal_id in traits.deals]
    less = Counter(kind for kind, _ in out)
    totals: dict[str, Mapping[str, Sequence[int]]] = {}
    for place, name in enumerate(traits.values):
        gone = Counter((kind, marks[place]) for kind, marks in out)
        totals[name] = {
            kind: tuple(count - gone[kind, chr(FIRST_MARK + i)] for i, count in enumerate(counts))
            for kind, counts in traits.totals[name].items()
        }
    compared = {kind: count - less[kind] for kind, count in traits.compared.items()}
    return replace(traits, compared=compared, totals=totals)


def common_features(
    deals: Collection[str], types: Sequence[str], traits: Features, everyone: Features | None = None
) -> tuple[Common, ...]:
    """Return what all *deals*, which are of *types*, have in common and no others have; the best first.

    Only what chance is unlikely to bring about, by Fisher's exact test, explains anything. *everyone* are the traits
    with the failed deals, where *traits* leave them out.
    """
    marks = [traits.deals[deal_id] for deal_id in deals if deal_id in traits.deals]
    count, compared = len(deals), sum(traits.compared.values())
    if count < FEWEST or len(marks) < count or count >= compared:
        return ()
    if sum(traits.compared.get(kind, 0) for kind in types) == count:
        failed = sum((everyone or traits).compared[kind] for kind in types if kind in traits.compared) - count
        chance = fisher_exact(count, compared - count, tests=1)
        return (Common(TYPE_FIELD, tuple(types), count, failed=failed, chance=chance),) if chance <= UNLIKELY else ()
    found: list[tuple[tuple[bool, int, bool, int, str], Common]] = []
    for place, (name, texts) in enumerate(traits.values.items()):
        own = Counter(mark[place] for mark in marks)
        common = _common(name, texts, own, count, types, traits)
        if common is not None and common.chance <= UNLIKELY:
            common = _with_failed(common, own, traits, everyone or traits)
            found.append(((bool(common.within), len(common.values), name.startswith(OUTPUT), len(name), name), common))
    found.sort(key=lambda pair: pair[0])
    return tuple(common for rank, common in found if rank[0] == found[0][0][0])[:SHOWN_TRAITS]


def _with_failed(common: Common, own: Counter[str], traits: Features, everyone: Features) -> Common:
    """Return *common* with the number of failed deals that have it, too, in its types."""
    kinds = common.within or tuple(traits.compared)
    places = [ord(mark) - FIRST_MARK for mark in own]
    all_of, others = (
        sum(
            part.totals[common.field][kind][place]
            for kind in kinds
            if kind in part.totals[common.field]
            for place in places
        )
        for part in (everyone, traits)
    )
    return replace(common, failed=all_of - others)


def _common(
    name: str, texts: Sequence[str], own: Counter[str], count: int, types: Sequence[str], traits: Features
) -> Common | None:
    """Return the trait that the deals with values *own* share in field *name*, where they share one."""
    if NO_MARK in own or len(own) > SHOWN_VALUES or (len(own) > 1 and min(own.values()) < 2):
        return None
    places = sorted(ord(mark) - FIRST_MARK for mark in own)
    totals = traits.totals[name]
    everywhere = sum(totals[kind][place] for kind in totals for place in places)
    within = sum(totals[kind][place] for kind in types if kind in totals for place in places)
    values = tuple(json.loads(texts[place]) for place in places)
    tests = len(traits.values) * comb(len(texts), len(own))
    if everywhere == count:
        others = sum(traits.compared.values()) - count
        return Common(name, values, count, chance=fisher_exact(count, others, tests=tests))
    if within == count:
        others = sum(traits.compared.get(kind, 0) for kind in types) - count
        return Common(name, values, count, within=tuple(types), chance=fisher_exact(count, others, tests=tests))
    return None
