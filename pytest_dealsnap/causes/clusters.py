"""The findings of one metric and one issue, parted by the kind of change that they are."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Any

from pytest_dealsnap.causes.bins import SMALLEST_GROUP, group_moves, least_group
from pytest_dealsnap.causes.changed_paths import path_groups
from pytest_dealsnap.causes.combined import Group
from pytest_dealsnap.causes.deltas import Move, measure, shown_amount
from pytest_dealsnap.causes.list_items import item_change
from pytest_dealsnap.judging.findings import DealResult, Finding, Kind
from pytest_dealsnap.judging.templates import message_shape
from pytest_dealsnap.judging.values import in_words, is_number, normal

__all__ = ["Member", "Part", "Size", "parts_of"]

Member = tuple[DealResult, Finding]
Identity = tuple[str, ...]
MOST_SHAPES = 5
# Types whose median changes are within this factor of each other spread alike.
ALIKE = 2.0
SAME = 1.01
SHORT_TEXT = 40


@dataclass(frozen=True, slots=True)
class Size:
    """How far numbers moved: ``kind`` is ``ratio``, ``amount``, ``rounding`` or ``spread``.

    ``value`` is the percent, the amount or the unit; ``percent`` and ``amount`` are the least and the
    largest change of the deals that show no other change on top.
    """

    kind: str
    text: str
    value: float | None
    percent: tuple[float, float] | None
    amount: tuple[Decimal, Decimal] | None


@dataclass(frozen=True, slots=True)
class Part:
    """Findings of one change, ``title`` in words, ``identity`` as what stays the same between runs.

    ``shared`` are findings that show this change and another; ``mixed`` are the deals where the other
    one changes the size.
    """

    title: str
    identity: Identity
    members: Sequence[Member]
    shared: Sequence[Member] = ()
    mixed: frozenset[str] = frozenset()
    size: Size | None = None
    paths: tuple[str, ...] = ()


def parts_of(members: Sequence[Member]) -> Iterable[Part]:
    """Return the changes that *members*, the findings of one metric and issue, come of."""
    metric, issue = members[0][1].metric, members[0][1].issue
    kind = members[0][1].kind
    special = _SPECIAL.get(kind)
    if special is not None:
        return special(members)
    if kind is Kind.LOST:
        return [Part(f"{metric} lost", (metric, issue, *_kinds(members)), members)]
    return _changed(metric, issue, members)


def _missing(members: Sequence[Member]) -> Iterable[Part]:
    return [Part("missing from the database", ("missing",), members)]


def _failed(members: Sequence[Member]) -> Iterable[Part]:
    """Part errors by type and by what their messages have in common."""
    shapes = _grouped(members, _error_shape)
    by_type = Counter(kind for kind, _ in shapes)
    merged: dict[tuple[str, str], list[Member]] = defaultdict(list)
    for (kind, shape), group in shapes.items():
        few = by_type[kind] > MOST_SHAPES and len(group) < least_group(len(members))
        for words, own in {"": group}.items() if few else _by_quotes(shape, group):
            merged[kind, words].extend(own)
    for (kind, shape), group in merged.items():
        message = _same_message(group) or shape
        what = f"{kind}: {_cut(message, 80)}" if message else kind
        yield Part(f"reasoning failed: {what}", ("failed", kind, shape), group)


def _by_quotes(shape: str, members: Sequence[Member]) -> Iterable[tuple[str, Sequence[Member]]]:
    """Part errors of one shape by what their messages quote, such as a missing key, where that is the same in many."""
    groups = _grouped(members, lambda member: _error_shape(member, quotes=True)[1])
    large = {words: group for words, group in groups.items() if len(group) >= SMALLEST_GROUP}
    if len(large) > MOST_SHAPES:
        large = {}
    yield from large.items()
    rest = [member for words, group in groups.items() if words not in large for member in group]
    if rest:
        yield shape, rest


def _same_message(members: Sequence[Member]) -> str:
    """Return the message of all *members* where it is the same to the letter, as ``'users'`` of a ``KeyError``."""
    messages = {str(finding.current).partition(": ")[2] for _, finding in members}
    return " ".join(messages.pop().split()) if len(messages) == 1 else ""


def _error_shape(member: Member, *, quotes: bool = False) -> tuple[str, str]:
    result, finding = member
    kind, _, message = str(finding.current).partition(": ")
    return kind, message_shape(message, result.id, result.name, quotes=quotes)


def _retyped(members: Sequence[Member]) -> Iterable[Part]:
    for (before, after), group in _grouped(members, lambda m: (_stored(m[1].baseline), _stored(m[1].current))).items():
        yield Part(f"stored type {before} → {after}", ("type", before, after), group)


def _stored(value: object) -> str:
    return "NULL" if value is None else repr(value)


def _output(members: Sequence[Member]) -> Iterable[Part]:
    """Part changed outputs by their paths; an error that is gone is a change of its own."""
    recovered = [member for member in members if member[1].count is None]
    if recovered:
        yield Part("errors gone: reasoned again", ("recovered",), recovered)
    changed = [member for member in members if member[1].count is not None]
    for paths, group in path_groups([finding.paths for _, finding in changed]):
        more = f" and {len(paths) - 1} more path{'s' if len(paths) > 2 else ''}" if len(paths) > 1 else ""
        what = f"output {_cut(paths[0], 80)}{more}" if paths else "output changed outside the metrics"
        yield Part(
            what,
            ("output", *paths, *_kinds([changed[place] for place in group])),
            [changed[place] for place in group],
            paths=paths,
        )


def _without_effect(members: Sequence[Member]) -> Iterable[Part]:
    """Part deals whose type makes no difference by the types that are alike."""
    metric = members[0][1].metric
    for pairs, group in _grouped(members, lambda member: tuple(member[1].current)).items():
        what = "the same output" if metric == "output" else "no metric differs"
        yield Part(f"{what}: {', '.join(pairs)}", ("no effect", metric, *pairs), group)


def _between_types(members: Sequence[Member]) -> Iterable[Part]:
    """Part broken rules between types by size, as any change; a value that must not be there has none."""
    finding = members[0][1]
    if finding.allowed.startswith("only ") or finding.count is not None:
        broken = "has a value" if finding.count is None else "breaks its rule"
        return [Part(f"{finding.metric} {broken}, {finding.allowed}", (finding.metric, finding.issue), members)]
    return _changed(finding.metric, finding.issue, members)


_SPECIAL: dict[Kind, Callable[[Sequence[Member]], Iterable[Part]]] = {
    Kind.GONE: _missing,
    Kind.FAILED: _failed,
    Kind.DEAL_TYPE: _retyped,
    Kind.OUTPUT: _output,
    Kind.NO_EFFECT: _without_effect,
    Kind.BETWEEN_TYPES: _between_types,
}


def _changed(metric: str, issue: str, members: Sequence[Member]) -> Iterable[Part]:
    """Part a metric's changes: numbers by size, lists by items, the rest by what became what."""
    numbers: list[tuple[Member, Move]] = []
    others: list[Member] = []
    for member in members:
        before, after = member[1].baseline, member[1].current
        both = is_number(before) and is_number(after)
        move = measure(len(numbers), before, after, member[0].deal_type) if both else None
        if move is None:
            others.append(member)
        else:
            numbers.append((member, move))
    yield from _numbers(metric, issue, numbers)
    yield from _values(metric, issue, others)


def _numbers(metric: str, issue: str, pairs: Sequence[tuple[Member, Move]]) -> Iterable[Part]:
    owner = [member for member, _ in pairs]
    groups, left = group_moves([move for _, move in pairs])
    for group in groups:
        size = _size(group)
        identity: Identity = (metric, issue, group.kind, _size_class(group.value))
        mixed = frozenset(owner[place][0].id for place in group.mixed)
        rounded = {move.place for move in group.also} - group.mixed
        own = [move.place for move in (*group.moves, *group.also) if move.place not in rounded]
        shared = [owner[place] for place in sorted(rounded)]
        yield Part(f"{metric} {size.text}", identity, [owner[place] for place in own], shared, mixed, size)
    spreads = [spread for part in _told_apart(left, owner) for spread in _spreads(part, owner)]
    for direction, spread in spreads:
        size = _spread(spread)
        kinds = sorted({owner[move.place][0].deal_type for move in spread})
        reported = () if any(owner[move.place][1].gates for move in spread) else ("reported",)
        identity = (metric, issue, "spread", direction, *_ends(size), *kinds, *reported)
        title = f"{metric} {size.text}" if size.text else f"{metric} changed"
        yield Part(title, identity, [owner[move.place] for move in spread], size=size)


def _told_apart(moves: Sequence[Move], owner: Sequence[Member]) -> list[list[Move]]:
    """Part what fails deals from what does not, where either is so little that one spread says nothing of them."""
    parts = [[move for move in moves if owner[move.place][1].gates is gates] for gates in (True, False)]
    return parts if min(map(len, parts)) < SMALLEST_GROUP else [list(moves)]


def _spreads(moves: Sequence[Move], owner: Sequence[Member]) -> Iterable[tuple[str, list[Move]]]:
    """Yield what no size explains: up and down apart, and types apart that moved by other orders of size."""
    families: dict[tuple[str, bool], dict[str, list[Move]]] = defaultdict(lambda: defaultdict(list))
    for move in moves:
        direction = "+" if move.difference > 0 else "-" if move.difference < 0 else "="
        families[direction, move.percent is None][owner[move.place][0].deal_type].append(move)
    for (direction, from_zero), by_type in families.items():
        sizes = {
            kind: sorted(abs(move.amount if from_zero else move.percent or 0.0) for move in group)
            for kind, group in by_type.items()
        }
        together: list[str] = []
        for kind in sorted(by_type, key=lambda kind: (median(sizes[kind]), kind)):
            if together and not _alike(sizes[together[0]], sizes[kind]):
                yield direction, [move for one in together for move in by_type[one]]
                together = []
            together.append(kind)
        yield direction, [move for one in together for move in by_type[one]]


def _alike(smaller: Sequence[float], larger: Sequence[float]) -> bool:
    """Whether two types moved by sizes of one order; one whose deals all moved by the same is alike to that only."""
    same = any(len(sizes) > 1 and sizes[-1] <= SAME * sizes[0] for sizes in (smaller, larger))
    return median(larger) <= (SAME if same else ALIKE) * median(smaller)


def _size(group: Group) -> Size:
    percent, amount = _ranges(group.unmixed() or group.moves)
    if group.kind == "spread":
        return _spread(group.moves)
    if group.kind == "rounding":
        text = f"rounded to {Decimal(repr(group.value)).normalize():,f}"
    elif group.kind == "ratio":
        text = _percent(group.value)
    else:
        exactly = amount[1] - amount[0] <= abs(amount[0]) * Decimal("1e-6")
        text = shown_amount(amount[0] if amount[0] == amount[1] else Decimal(repr(group.value)))
        text = text if exactly else f"about {text}"
    return Size(group.kind, text, group.value, percent, amount)


def _spread(moves: Sequence[Move]) -> Size:
    percent, amount = _ranges(moves)
    if percent is not None:
        low, high = _percent(percent[0]), _percent(percent[1])
        return Size("spread", low if low == high else f"{low} to {high}", None, percent, amount)
    low, high = shown_amount(amount[0]), shown_amount(amount[1])
    return Size("spread", low if low == high else f"{low} to {high}", None, percent, amount)


def _ranges(moves: Sequence[Move]) -> tuple[tuple[float, float] | None, tuple[Decimal, Decimal]]:
    percents = [move.percent for move in moves if move.percent is not None]
    # Rounded outwards: both ends are inside the range.
    percent = (_millionths(min(percents), math.floor), _millionths(max(percents), math.ceil)) if percents else None
    percent = percent if len(percents) == len(moves) else None
    return percent, (min(move.difference for move in moves), max(move.difference for move in moves))


def _millionths(value: float, direction: Callable[[float], int]) -> float:
    return direction(round(value * 1e6, 3)) / 1e6 if abs(value) < 1e9 else value


def _percent(value: float) -> str:
    return f"{value:+.1f}%" if abs(value) >= 0.05 or not value else f"{value:+.2g}%"


def _size_class(value: float, digits: int = 3) -> str:
    """Return the size to some digits, so that a size that moves a little keeps it; round numbers lie well inside."""
    if not value:
        return "0"
    step = 10.0 ** (math.floor(math.log10(abs(value))) - digits + 1)
    return f"{math.copysign(math.floor(abs(value) / step + 0.63) * step, value):.{digits}g}"


def _ends(size: Size) -> Identity:
    """Return from where to where a spread goes: two spreads of other sizes are two changes."""
    low, high = size.percent or (float(end) for end in size.amount or ())
    return _size_class(low, 2), _size_class(high, 2)


def _kinds(members: Sequence[Member]) -> Identity:
    return tuple(sorted({result.deal_type for result, _ in members}))


def _values_digest(members: Sequence[Member]) -> str:
    """Return what stands for the values that became others, where no few words say which they are."""
    pairs = sorted({repr((normal(in_words(f.baseline)), normal(in_words(f.current)))) for _, f in members})
    return hashlib.sha256("\n".join(pairs).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _values(metric: str, issue: str, members: Sequence[Member]) -> Iterable[Part]:
    """Part changes that have no size: what came, items of lists, and what became what where many did alike."""
    kinds = _grouped(members, lambda member: _item_change(member) or _transition(member))
    rest: dict[str, list[Member]] = defaultdict(list)
    for (broad, narrow), group in kinds.items():
        if narrow and (len(group) >= least_group(len(members)) or len(kinds) == 1):
            yield Part(f"{metric} {narrow}", (metric, issue, narrow), group)
        else:
            rest[broad].extend(group)
    for broad, group in rest.items():
        yield Part(f"{metric} {broad}", (metric, issue, broad, _values_digest(group)), group)


def _item_change(member: Member) -> tuple[str, str] | None:
    return item_change(in_words(member[1].baseline), in_words(member[1].current))


def _transition(member: Member) -> tuple[str, str]:
    before, after = in_words(member[1].baseline), in_words(member[1].current)
    if before in (None, "NaN") and after not in (None, "NaN"):
        return "appeared", ""
    if member[1].change_percent is not None:  # numbers too large to be sorted by size
        return "changed", _percent(member[1].change_percent)
    if all(isinstance(side, bool) or (isinstance(side, str) and len(side) <= SHORT_TEXT) for side in (before, after)):
        return "changed", f"{json.dumps(before, ensure_ascii=False)} → {json.dumps(after, ensure_ascii=False)}"
    return "changed", ""


def _grouped(members: Sequence[Member], key: Callable[[Member], Any]) -> dict[Any, list[Member]]:
    groups: dict[Any, list[Member]] = defaultdict(list)
    for member in members:
        groups[key(member)].append(member)
    return groups


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
