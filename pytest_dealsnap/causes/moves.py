"""Numbers that changed, as intervals: which of them one size explains.

A number that is written in whole thousands may come of any within a thousand, so each change is an interval: of
ratios, and of amounts. Where more intervals share a place than chance brings together, they are one change. What that
explains is taken away, and the rest is looked at again. Ratios and amounts on top of each other, and ratios that fit
but nearly, come last. Each change is in one group.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, product
from math import log

from pytest_dealsnap.causes.chance import UNLIKELY, agreement
from pytest_dealsnap.causes.deltas import NOISE, Move, is_multiple

__all__ = ["FEWEST", "Group", "group_moves"]

# Two deals always have something in common.
FEWEST = 3
# Percentage points within which sums of rounded parts are one ratio.
NEARLY = 0.05
# Each group costs one look at all that is left.
MOST_GROUPS = 50
# The last decimal place that is taken for a rounding; what has more is a binary number's.
FINEST = -4


@dataclass(slots=True, eq=False)
class Group:
    """Changes of one size.

    ``kind`` is ``ratio``, ``nearly``, ``amount``, ``rounding`` or ``both``; ``value`` is the percent, the amount or
    the unit, and ``amount`` what comes on top of the percent of ``both``.
    """

    kind: str
    value: float
    moves: list[Move]
    amount: float = 0.0


@dataclass(frozen=True, slots=True)
class _Interval:
    """The sizes that one change may come of; ``grain`` is how finely the size of any change can be told apart."""

    low: float
    high: float
    grain: float
    move: Move


def group_moves(moves: Sequence[Move]) -> tuple[list[Group], list[Move]]:
    """Return the groups of one size among *moves*, as they were found, and what no size explains."""
    _find_slack(moves)
    left = [move for move in moves if move.difference]
    groups: list[Group] = []
    while len(left) >= FEWEST and len(groups) < MOST_GROUPS:
        found = max(_candidates(left), key=lambda group: len(group.moves), default=None)
        if found is None:
            break
        groups.append(found)
        left = _without(left, found)
    left = _explained(groups, left)
    groups, pieces = _without_pieces(groups)
    left += pieces
    for look in (_on_top, _nearly):
        for group in list(look(groups, left)):
            groups.append(group)
            left = _without(left, group)
    return groups, [*left, *(move for move in moves if not move.difference)]


def _without(moves: Sequence[Move], group: Group) -> list[Move]:
    taken = {move.place for move in group.moves}
    return [move for move in moves if move.place not in taken]


def _candidates(moves: Sequence[Move]) -> Iterator[Group]:
    ratio = _densest([_ratio(move) for move in moves if move.percent is not None], len(moves))
    if ratio is not None:
        yield Group("ratio", *ratio)
    amount = _densest([_amount(move) for move in moves], len(moves))
    if amount is not None:
        yield Group("amount", *amount)
    rounding = _rounding(moves)
    if rounding is not None:
        yield rounding


def _find_slack(moves: Sequence[Move]) -> None:
    """Note how exactly each new value is known: to half a unit of its last digit.

    To a whole unit of its type where the new values end earlier than the old ones did: they may be rounded up or down.
    """
    by_type: dict[str, list[Move]] = defaultdict(list)
    for move in moves:
        by_type[move.deal_type].append(move)
    for group in by_type.values():
        before, after = (sorted(digits)[len(group) // 20] for digits in _last_digits(group))
        fives = {move.after[1] for move in group if move.after[0] == after} == {5}
        for move in group:
            own = 0.5 * 10.0 ** min(move.after[0], 0) if move.after[0] >= FINEST else 0.0
            move.slack, move.coarser = (5 if fives else 1) * 10.0**after if after > before else own, after > before
            move.unit = 10.0 ** min(before, after)


def _last_digits(moves: Sequence[Move]) -> tuple[list[int], list[int]]:
    return [move.before[0] for move in moves], [move.after[0] for move in moves]


def _ratio(move: Move, nearly: float = 0.0) -> _Interval:
    assert move.percent is not None
    half = max(100 * move.slack / move.size, NOISE * (200 + abs(move.percent)), nearly)
    return _Interval(move.percent - half, move.percent + half, 2 * half, move)


def _amount(move: Move) -> _Interval:
    half = move.tolerance if move.coarser else move.noise
    return _Interval(move.amount - half, move.amount + half, max(2 * half, move.unit), move)


def _densest(intervals: Sequence[_Interval], count: int) -> tuple[float, list[Move]] | None:
    """Return the size at which *intervals* agree most exactly, and the changes that it explains.

    ``None`` where chance brings as many of *count* together. An interval that holds 0 is no change but by rounding.
    """
    told = [interval for interval in intervals if interval.low > 0 or interval.high < 0]
    if len(told) < FEWEST:
        return None
    span = _span(told)
    start, end = _heaviest([(interval, log(max(span / interval.grain, 1.0))) for interval in told])
    members = [interval for interval in told if interval.low <= start and interval.high >= end]
    reach = min(span, max(abs(start), abs(end))) if len(members) < len(told) else max(abs(start), abs(end))
    shares = [min(member.grain / reach, 1.0) for member in members]
    if len(members) < FEWEST or agreement(shares, count, tests=2 * count) > UNLIKELY:
        return None
    return _roundest(start, end), [member.move for member in members]


def _span(intervals: Sequence[_Interval]) -> float:
    """Return the middle four fifths of the places where *intervals* lie; those at one place count once."""
    places: list[float] = []
    for centre, grain in sorted(((one.low + one.high) / 2, one.grain) for one in intervals):
        if not places or centre - places[-1] > grain:
            places.append(centre)
    edge = len(places) // 10
    span = places[-1 - edge] - places[edge]
    return span or max(map(abs, places))


def _heaviest(weighed: Sequence[tuple[_Interval, float]]) -> tuple[float, float]:
    """Return the stretch in which the intervals that share it weigh most."""
    ends = [((one.low, False, weight), (one.high, True, -weight)) for one, weight in weighed]
    events = sorted(event for pair in ends for event in pair)
    heavy = list(accumulate(weight for _, _, weight in events))
    heaviest = max((place for place, (_, closes, _) in enumerate(events) if not closes), key=heavy.__getitem__)
    return events[heaviest][0], events[heaviest + 1][0]


def _roundest(start: float, end: float) -> float:
    """Return the number with the fewest digits from *start* to *end*."""
    middle = (start + end) / 2
    rounded = (float(f"{middle:.{digits}e}") for digits in range(16))
    return next((value for value in rounded if start <= value <= end), middle)


def _rounding(moves: Sequence[Move]) -> Group | None:
    """Return those that are what they were, rounded to one unit: 10, 50, 100 and so on."""
    counts = Counter(unit for move in moves for unit in move.units)
    if not counts:
        return None
    unit = max(counts, key=lambda unit: (counts[unit], unit))
    members = [move for move in moves if unit in move.units]
    near = [move for move in moves if abs(move.amount) < unit and not is_multiple(move.before, unit)]
    end = _usual_end([move.before[0] for move in near])
    others = [move.after[0] for move in near if unit not in move.units]
    if len(others) >= FEWEST:  # what all new numbers end at, also those of another change, says nothing for this one
        end = max(end, _usual_end(others))
    share = min(10.0**end / unit, 1.0)
    same = len({move.difference for move in members}) == 1
    enough = len(members) >= FEWEST and agreement([share] * len(members), len(near), tests=len(counts)) <= UNLIKELY
    return Group("rounding", unit, members) if enough and not same else None


def _usual_end(digits: Sequence[int]) -> int:
    """Return the exponent at which numbers end, but for one in twenty."""
    return sorted(digits)[len(digits) // 20]


def _explained(groups: Sequence[Group], moves: Sequence[Move]) -> list[Move]:
    """Give what one of *groups* explains, though it says little of the size, to the largest such; return the rest."""
    ratios = sorted((group.value, place) for place, group in enumerate(groups) if group.kind == "ratio")
    left = []
    for move in moves:
        own = _ratio(move) if move.percent is not None else None
        first = bisect_left(ratios, (own.low, -1)) if own is not None else len(ratios)
        fitting = [place for value, place in ratios[first:] if own is not None and value <= own.high]
        if fitting:
            groups[min(fitting)].moves.append(move)
        else:
            left.append(move)
    return left


def _without_pieces(groups: Sequence[Group]) -> tuple[list[Group], list[Move]]:
    """Return *groups* without ratios that lie near two others or more, and the changes of these.

    Beside another size, the changes of one ratio whose parts were rounded lie so near each other that a few of them
    look exact. Two ratios near each other are two.
    """
    ratios = sorted((group for group in groups if group.kind == "ratio"), key=lambda group: group.value)
    heaps: list[list[Group]] = []
    for group in ratios:
        if heaps and group.value - heaps[-1][-1].value <= NEARLY:
            heaps[-1].append(group)
        else:
            heaps.append([group])
    pieces = [group for heap in heaps if len(heap) >= FEWEST for group in heap]
    kept = [group for group in groups if group not in pieces]
    return kept, [move for group in pieces for move in group.moves]


def _on_top(groups: Sequence[Group], moves: Sequence[Move]) -> Iterator[Group]:
    """Yield what a ratio and an amount that were found explain on top of each other."""
    ratios, amounts = ([group for group in groups if group.kind == kind] for kind in ("ratio", "amount"))
    left = list(moves)
    for ratio, amount in product(ratios[:FEWEST], amounts[:FEWEST]):
        factors = (1.0, 1 + ratio.value / 100)
        fits = _both(ratio.value, [factor * amount.value for factor in factors])
        members = [move for move in left if fits(move)]
        shares = [min(2 * (move.tolerance or move.unit) / abs(amount.value), 1.0) for move in members]
        if len(members) >= FEWEST and agreement(shares, len(moves), tests=FEWEST**2) <= UNLIKELY:
            yield Group("both", ratio.value, members, amount=amount.value)
            left = [move for move in left if not fits(move)]


def _both(percent: float, amounts: Sequence[float]) -> Callable[[Move], bool]:
    return lambda move: any(abs(move.residue(percent, amount)) <= move.tolerance for amount in amounts)


def _nearly(groups: Sequence[Group], moves: Sequence[Move]) -> Iterator[Group]:
    """Yield those of one type that moved by nearly one ratio, as a sum of rounded parts does."""
    by_type: dict[str, list[Move]] = defaultdict(list)
    for move in moves:
        if move.percent is not None:
            by_type[move.deal_type].append(move)
    for kind in sorted(by_type):
        left = by_type[kind]
        while (found := _densest([_ratio(move, NEARLY) for move in left], len(left))) is not None:
            group = Group("nearly", *found)
            yield group
            left = _without(left, group)
