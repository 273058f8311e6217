"""The sizes of one metric's changes: which deals moved by one ratio, by one amount, by rounding, or by neither.

Each change is an interval: a value that is written in whole thousands could come of any within a
thousand. The ratio, or the amount, that lies in the most intervals is one change; what it explains is
taken away, and the rest is looked at again. What two changes on top of each other explain belongs to both.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import median

from pytest_dealsnap.causes.combined import Group, combined, share_rounding, without_sums
from pytest_dealsnap.causes.deltas import NOISE, Digit, Move, is_multiple

__all__ = ["SMALLEST_GROUP", "group_moves", "least_group"]

# Fewer deals, or a smaller part of a metric's changes, move alike by chance.
SMALLEST_GROUP = 3
# Of numbers that agree to the digit, two are enough where so little chance could have brought them together.
SMALLEST_PAIR = 2
CHANCE = 0.05
SMALLEST_SHARE = 0.05
# How much denser than an even spread a group must lie, or which part of what is left it must be.
DENSITY = 4.0
MOST_OF_THEM = 0.8
# Percentage points: where no ratio fits to the digit, those within this of each other are one, if they are so
# large a part of all that are left, or of those of one deal type.
LOOSE = 0.05
LOOSE_SHARE = 0.25
LOOSE_SHARE_OF_TYPE = 0.5
# A change says nothing of the ratio if it is known less exactly than this many percentage points, nor of any
# size if than this part of itself; then only equal ones count.
VAGUE = 0.5
VAGUE_PART = 0.1
# Of the changes that are smaller than a unit, how many must end at a multiple of it.
ROUNDED_SHARE = 0.6
# Baselines below that are counts rather than money.
SMALL_COUNT = 50
NEARLY_ALL = 0.95
# The last decimal place that is taken for a rounding; what has more is a binary number's.
FINEST = -4


def least_group(count: int) -> float:
    """Return how many of *count* changes are the fewest that count as a group."""
    return max(SMALLEST_GROUP, count * SMALLEST_SHARE)


def group_moves(moves: Sequence[Move]) -> tuple[list[Group], list[Move]]:
    """Return the groups of one size among *moves*, the largest first, and what is left.

    Linear in the moves but for one sorting: a group holds at least one in twenty.
    """
    least = max(SMALLEST_PAIR, len(moves) * SMALLEST_SHARE)
    waiting = [move for move in moves if move.difference]
    _find_slack(waiting)
    still = [move for move in moves if not move.difference]
    groups: list[Group] = []
    units: set[float] = set()
    while len(waiting) >= least:
        found = _largest(waiting, least)
        if found is None:
            break
        groups.append(found)
        taken = {move.place for move in found.moves}
        waiting = [move for move in waiting if move.place not in taken]
        if found.kind == "rounding" and found.value not in units:
            units.add(found.value)
            for move in waiting:
                if is_multiple(move.after, found.value):
                    move.slack = max(move.slack, found.value)
    groups = without_sums(groups)
    left = combined(groups, waiting)
    share_rounding(groups)
    return groups, [*left, *still]


def _find_slack(moves: Sequence[Move]) -> None:
    """Note of each move how exactly its new value is known, as the digits of all of them tell."""
    if not moves:
        return
    before, after = _last_digit(move.before for move in moves), _last_digit(move.after for move in moves)
    rounded = 10.0**after if after > before else 0.5 * 10.0 ** min(after, 0) if after >= FINEST else 0.0
    for move in moves:
        move.slack = rounded


def _last_digit(digits: Iterable[Digit]) -> int:
    """Return the exponent of the last digit that all but a few of the numbers have."""
    exponents = sorted(exponent for exponent, _ in digits)
    return exponents[len(exponents) // 20]


def _largest(moves: Sequence[Move], least: float) -> Group | None:
    """Return the ratio, the amount or the rounding that explains the most of *moves*, if any explains enough."""
    candidates = [
        found for found in (_ratio(moves, least), _amount(moves, least), _rounding(moves, least)) if found is not None
    ]
    if not candidates:
        return _loose(moves, least)
    counts = all(move.size < SMALL_COUNT for move in moves)
    order = ("amount", "ratio", "rounding") if counts else ("ratio", "amount", "rounding")
    return max(candidates, key=lambda group: (len(group.moves), -order.index(group.kind)))


def _loose(moves: Sequence[Move], least: float) -> Group | None:
    """Return those that moved by nearly one ratio, as a sum of rounded parts does."""
    least = max(least, SMALLEST_GROUP)
    found = _ratio(moves, max(least, LOOSE_SHARE * len(moves)), loose=LOOSE)
    by_type: dict[str, list[Move]] = defaultdict(list)
    for move in moves:
        by_type[move.deal_type].append(move)
    for kind in sorted(by_type) if found is None else ():
        own = by_type[kind]
        found = _ratio(own, max(least, LOOSE_SHARE_OF_TYPE * len(own)), loose=LOOSE)
        if found is not None:
            break
    if found is not None and abs(found.value) <= LOOSE:  # no ratio, but noise
        return Group("spread", 0.0, found.moves)
    return found


Interval = tuple[float, float, Move]
Grain = Callable[[Move], float]


def _ratio(moves: Sequence[Move], least: float, *, loose: float = 0.0) -> Group | None:
    intervals: list[Interval] = []
    for move in moves:
        if move.percent is None:
            continue
        half = 100 * move.slack / move.size
        known = half <= min(VAGUE, VAGUE_PART * abs(move.percent))
        half = max(half if known else 0.0, loose, NOISE * (200 + abs(move.percent)))
        intervals.append((move.percent - half, move.percent + half, move))
    found = _densest(intervals, least, lambda move: 100 * move.slack / move.size)
    if found is None:
        return None
    low, high, members = found
    value = _roundest((low + high) / 2, intervals, len(members))
    if not value and not loose:
        return None  # no change but by rounding
    if not loose:
        voted = {move.place for move in members}
        members += [
            move
            for move in moves
            if move.place not in voted and move.percent is not None and abs(move.residue(value, 0.0)) <= move.tolerance
        ]
    return Group("ratio", value, members)


def _amount(moves: Sequence[Move], least: float) -> Group | None:
    intervals = []
    for move in moves:
        rounded = move.slack > 1 or move.before[0] < move.after[0]
        known = rounded and move.slack <= VAGUE_PART * abs(move.amount)
        half = move.tolerance if known else move.noise
        intervals.append((move.amount - half, move.amount + half, move))
    found = _densest(intervals, least, lambda move: move.slack)
    if found is None:
        return None
    value = _roundest((found[0] + found[1]) / 2, intervals, len(found[2]))
    return Group("amount", value, found[2]) if value else None


def _densest(intervals: Sequence[Interval], least: float, grain: Grain) -> tuple[float, float, list[Move]] | None:
    """Return the stretch that lies in the most *intervals*, and whose they are; ``None`` where too few agree."""
    events = sorted([(low, 0) for low, _, _ in intervals] + [(high, 1) for _, high, _ in intervals])
    best = depth = 0
    start = end = 0.0
    for position, (point, closes) in enumerate(events):
        depth += -1 if closes else 1
        if depth > best and not closes:
            best, start = depth, point
            end = events[position + 1][0]
    if best < least:
        return None
    members = [interval for interval in intervals if interval[0] <= start and interval[1] >= end]
    if len(members) < MOST_OF_THEM * len(intervals) and not _is_dense(members, intervals, grain):
        return None
    return start, end, [move for _, _, move in members]


def _is_dense(members: Sequence[Interval], intervals: Sequence[Interval], grain: Grain) -> bool:
    """Whether far more agree than would if all were spread evenly.

    Two that agree must do so more exactly than chance, given the *grain* of what can be told apart, allows.
    """
    centres = sorted((low + high) / 2 for low, high, _ in intervals)
    edge = len(centres) // 20
    span = centres[-1 - edge] - centres[edge]
    width = median(high - low for low, high, _ in members)
    if len(members) >= SMALLEST_GROUP:
        return len(members) * (span + width) >= DENSITY * len(intervals) * width
    width = max(width, *(2 * grain(move) for _, _, move in members))
    return len(intervals) ** 2 * width <= CHANCE * (span + width)


def _roundest(point: float, intervals: Sequence[Interval], count: int) -> float:
    """Return the number near *point* with the fewest digits that lies in nearly as many of *intervals*."""
    if abs(point) < NOISE:
        return 0.0
    around = [(low, high) for low, high, _ in intervals if low <= point <= high]
    first = math.floor(math.log10(abs(point)))
    for power in range(first + 1, first - 12, -1):
        value = float(f"{round(point / 10.0**power)}e{power}")
        if sum(low <= value <= high for low, high in around) >= NEARLY_ALL * count:
            return value
    return point


def _rounding(moves: Sequence[Move], least: float) -> Group | None:
    """Return those that are what they were, rounded to one unit: 10, 50, 100 and so on."""
    counts = Counter(unit for move in moves for unit in move.units)
    if not counts:
        return None
    unit = max(counts, key=lambda unit: (counts[unit], unit))
    members = [move for move in moves if unit in move.units]
    near = sum(abs(move.amount) < unit and not is_multiple(move.before, unit) for move in moves)
    same = len({move.difference for move in members}) == 1
    enough = len(members) >= max(least, SMALLEST_GROUP, ROUNDED_SHARE * near)
    return Group("rounding", unit, members) if enough and not same else None
