"""Changes on top of each other: what two sizes together explain belongs to both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from pytest_dealsnap.causes.deltas import Move, is_multiple

__all__ = ["Group", "combined", "share_rounding", "without_sums"]

MOST_COMBINED = 5


@dataclass(slots=True, eq=False)
class Group:
    """Changes of one size: ``kind`` is ratio, amount, rounding or spread; ``value`` percent, amount or unit.

    ``mixed`` are the places of changes that come of this one with another on top.
    """

    kind: str
    value: float
    moves: list[Move]
    mixed: set[int] = field(default_factory=set)
    also: list[Move] = field(default_factory=list)

    def unmixed(self) -> list[Move]:
        """Return the changes that show this size and no other on top."""
        return [move for move in self.moves if move.place not in self.mixed]


Model = Callable[[Move], float]


def _models(groups: Sequence[Group]) -> Iterator[tuple[Group, Group, Model]]:
    """Yield what two of the largest *groups* come to on top of each other."""
    sized = [group for group in groups if group.kind in ("ratio", "amount")][:MOST_COMBINED]
    for number, one in enumerate(sized):
        for other in sized[number + 1 :]:
            for percent, amount in _sums(one, other):
                yield one, other, partial(_residue, percent, amount)


def _sums(one: Group, other: Group) -> Iterator[tuple[float, float]]:
    """Yield percent and amount of both changes together, in either order where that matters."""
    if one.kind == other.kind == "ratio":
        yield ((1 + one.value / 100) * (1 + other.value / 100) - 1) * 100, 0.0
    elif one.kind == other.kind:
        yield 0.0, one.value + other.value
    else:
        ratio, amount = (one.value, other.value) if one.kind == "ratio" else (other.value, one.value)
        yield ratio, amount
        yield ratio, amount * (1 + ratio / 100)


def _residue(percent: float, amount: float, move: Move) -> float:
    return move.residue(percent, amount)


def combined(groups: Sequence[Group], moves: Sequence[Move]) -> list[Move]:
    """Give what two groups on top of each other explain to both; return what is left."""
    models = list(_models(groups))
    left = []
    for move in moves:
        tolerance = move.tolerance
        pair = next(((one, other) for one, other, model in models if abs(model(move)) <= tolerance), None)
        if pair is None:
            left.append(move)
            continue
        for group in pair:
            group.also.append(move)
            group.mixed.add(move.place)
    return left


def without_sums(groups: Sequence[Group]) -> list[Group]:
    """Return *groups* without those that are two larger ones on top of each other; their changes go to both."""
    kept: list[Group] = []
    for group in groups:
        sums = [
            (one, other)
            for one, other, model in _models(kept)
            if group.kind != "rounding"
            and all(abs(model(move)) <= move.tolerance for move in group.moves)
            and len(group.moves) < min(len(one.moves), len(other.moves))
        ]
        if not sums:
            kept.append(group)
            continue
        for part in sums[0]:
            part.also += group.moves
            part.mixed.update(move.place for move in group.moves)
    return kept


def share_rounding(groups: Sequence[Group]) -> None:
    """Count what a ratio or an amount explains but for its rounding as rounded, too."""
    for rounding in groups:
        if rounding.kind != "rounding":
            continue
        for group in groups:
            if group.kind == "rounding":
                continue
            percent, amount = (group.value, 0.0) if group.kind == "ratio" else (0.0, group.value)
            rounding.also += [
                move
                for move in group.moves
                if abs(move.residue(percent, amount)) > move.noise and is_multiple(move.after, rounding.value)
            ]
