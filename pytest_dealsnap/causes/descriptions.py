"""The findings of one metric and one issue, parted by the most exact description that enough of them share."""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pytest_dealsnap.causes.changed_paths import path_groups
from pytest_dealsnap.causes.deltas import NOISE, Move, measure, shown_amount
from pytest_dealsnap.causes.list_items import ANOTHER_ORDER, item_change
from pytest_dealsnap.causes.moves import FEWEST, Group, group_moves
from pytest_dealsnap.judging.templates import message_shape, path_form
from pytest_dealsnap.judging.values import in_words, is_number, normal
from pytest_dealsnap.model.cause import Size
from pytest_dealsnap.model.results import DealResult, Finding, Kind
from pytest_dealsnap.text import cut, plural

__all__ = ["Member", "Part", "parts_of"]

Member = tuple[DealResult, Finding]
Identity = tuple[str, ...]
# Messages that quote more different words than that name data of the deals, not kinds of errors.
MOST_QUOTES = 5
# Whole numbers below that are counts: their ratios and sums say nothing.
COUNTS = 100
SHORT_TEXT = 40
TITLE_WIDTH = 80


@dataclass(frozen=True, slots=True)
class Part:
    """Findings of one change, ``title`` in words, ``identity`` as what stays the same between runs."""

    title: str
    identity: Identity
    members: Sequence[Member]
    size: Size | None = None
    paths: tuple[str, ...] = ()
    reordered: bool = False


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
    """Part errors by type, then by what their messages have in common: all words, all but numbers, all but quotes."""
    by_type = _grouped(members, lambda member: str(member[1].current).partition(": ")[0])
    for kind, own in by_type.items():
        rest: list[Member] = []
        for shape, alike in _grouped(own, _message).items():
            quoting = _grouped(alike, lambda member: _message(member, quotes=True))
            large = {words: group for words, group in quoting.items() if len(group) >= FEWEST}
            if len(large) > MOST_QUOTES:
                large = {}
            left = [member for words, group in quoting.items() if words not in large for member in group]
            for words, group in [*large.items(), (shape, left if len(left) >= FEWEST else [])]:
                if group:
                    yield _error(kind, words, group)
            rest += left if len(left) < FEWEST else []
        shapes = {_message(member) for member in rest}
        if rest:
            yield _error(kind, shapes.pop() if len(shapes) == 1 else "", rest)


def _error(kind: str, shape: str, members: Sequence[Member]) -> Part:
    messages = sorted({" ".join(str(finding.current).partition(": ")[2].split()) for _, finding in members})
    if len(messages) == 1:
        told = messages[0]
    else:
        told = shape or f"{messages[0]} and {plural(len(messages) - 1, 'other message')}"
    title = f"reasoning failed: {kind}: {cut(told, TITLE_WIDTH)}" if told else f"reasoning failed: {kind}"
    return Part(title, ("failed", kind, shape), members)


def _message(member: Member, *, quotes: bool = False) -> str:
    result, finding = member
    return message_shape(str(finding.current).partition(": ")[2], result.id, result.name, quotes=quotes)


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
    changed: list[tuple[Member, tuple[str, ...]]] = []
    orders: list[tuple[Member, tuple[str, ...]]] = []
    for member in members:
        finding = member[1]
        if finding.count is None:
            continue
        paths = finding.forms or tuple(map(path_form, finding.paths))
        left = tuple(path for path in paths if not _in_lists(path, finding.reordered))
        if finding.reordered:
            orders.append((member, finding.reordered))
        if left or not finding.reordered:
            changed.append((member, left))
    yield from _by_paths(changed)
    yield from _by_paths(orders, reordered=True)


def _in_lists(path: str, lists: Sequence[str]) -> bool:
    return any(path.startswith(f"{one}[]") for one in lists)


def _by_paths(members: Sequence[tuple[Member, tuple[str, ...]]], *, reordered: bool = False) -> Iterable[Part]:
    """Part outputs by the paths that changed in them; *reordered* paths are lists in another order."""
    for paths, places in path_groups([own for _, own in members]):
        group = [members[place][0] for place in places]
        more = f" and {plural(len(paths) - 1, 'more path')}" if len(paths) > 1 else ""
        what = f"output {cut(paths[0], TITLE_WIDTH)}{more}" if paths else "output changed outside the metrics"
        order = (ANOTHER_ORDER,) if reordered else ()
        yield Part(
            ": ".join((what, *order)),
            ("output", *order, *paths, *_kinds(group)),
            group,
            paths=paths,
            reordered=reordered,
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
    moves = [move for _, move in pairs]
    counts = all(move.is_count(COUNTS) for move in moves)
    groups, left = ([], moves) if counts else group_moves(moves)
    for group in groups:
        size = _size(group)
        kinds = _kinds([owner[move.place] for move in group.moves]) if size.value is None else ()
        identity = (metric, issue, size.kind, *([_size_class(group.value)] if kinds == () else _ends(size)), *kinds)
        yield Part(f"{metric} {size.text}", identity, [owner[move.place] for move in group.moves], size)
    for spread in _spreads(left, counts=counts):
        size = _spread(spread, counts=counts)
        members = [owner[move.place] for move in spread]
        yield Part(f"{metric} {size.text}", (metric, issue, "spread", *_ends(size), *_kinds(members)), members, size)


def _spreads(moves: Sequence[Move], *, counts: bool) -> Iterable[list[Move]]:
    """Yield what no size explains: up and down apart, and types apart unless all of both moved by one size."""
    groups: dict[Any, list[Move]] = defaultdict(list)
    for move in moves:
        direction = (move.difference > 0) - (move.difference < 0)
        groups[direction, move.percent is None and not counts, move.deal_type].append(move)
    alike: dict[Any, list[Move]] = defaultdict(list)
    for key, group in groups.items():
        size = _spread(group, counts=counts)
        ends = size.percent if size.percent is not None and not counts else size.amount
        one_size = ends is not None and ends[0] == ends[1]
        alike[(key[:2], ends) if one_size else key].extend(group)
    return alike.values()


def _size(group: Group) -> Size:
    percent, amount = _ranges(group.moves)
    if group.kind == "nearly":
        value = _spread(group.moves)
        return Size("ratio", value.text, group.value, percent, amount)
    if group.kind == "both":
        text = f"{_percent(group.value)} and {shown_amount(Decimal(repr(group.amount)))}"
        return Size("spread", text, None, percent, amount)
    if group.kind == "rounding":
        text = f"rounded to {Decimal(repr(group.value)).normalize():,f}"
    elif group.kind == "ratio":
        text = _percent(group.value)
    else:
        exactly = amount[1] - amount[0] <= abs(amount[0]) * Decimal(repr(NOISE))
        text = shown_amount(amount[0] if amount[0] == amount[1] else Decimal(repr(group.value)))
        text = text if exactly else f"about {text}"
    return Size(group.kind, text, group.value, percent, amount)


def _spread(moves: Sequence[Move], *, counts: bool = False) -> Size:
    percent, amount = _ranges(moves)
    between = " … " if counts else " to "
    ends = map(_percent, percent) if percent is not None and not counts else map(shown_amount, amount)
    return Size("spread", between.join(dict.fromkeys(ends)), None, percent, amount)


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
    """Part changes that have no size: what came, items of lists, and what became what where several did alike."""
    kinds = _grouped(members, lambda member: _item_change(member) or _transition(member))
    rest: dict[str, list[Member]] = defaultdict(list)
    for (broad, narrow), group in kinds.items():
        if narrow and (len(group) >= FEWEST or len(kinds) == 1):
            yield _valued(metric, narrow, (metric, issue, narrow), group)
        else:
            rest[broad].extend(group)
    for broad, group in rest.items():
        yield _valued(metric, broad, (metric, issue, broad, _values_digest(group)), group)


def _valued(metric: str, what: str, identity: Identity, members: Sequence[Member]) -> Part:
    if what == ANOTHER_ORDER:
        return Part(f"{metric}: {what}", identity, members, reordered=True)
    return Part(f"{metric} {what}", identity, members)


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
