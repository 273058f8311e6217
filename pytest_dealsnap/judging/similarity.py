"""Whether two texts are at least so similar: exact, and within a bounded amount of work.

The measure is rapidfuzz's normalized Indel similarity, twice the longest common subsequence over both lengths. Its
work grows with the product of the lengths: two texts of a million characters took half a minute.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from rapidfuzz.distance import Indel

__all__ = ["Undecided", "at_least_similar", "seconds_left"]

# rapidfuzz compares 64 characters with one at a step; a slow machine makes this many steps in a second.
STEPS_A_SECOND = 200_000_000
# Letters outside of Latin-1 are looked up in a hash table: a step takes eight times as long.
SLOWER = 8
MOST_STEPS = 400_000_000
PIECES = 64
_seconds_left: ContextVar[float | None] = ContextVar("seconds_left", default=None)


@dataclass(frozen=True, slots=True)
class Undecided:
    """A rule that cannot be decided within the work it may take; ``note`` says why. It does not hold."""

    note: str

    def __bool__(self) -> bool:
        return False


@contextmanager
def seconds_left(seconds: float | None) -> Iterator[None]:
    """Bound the rules that are judged inside by what is left of the deal's time-out; ``None`` for no bound."""
    token = _seconds_left.set(seconds)
    try:
        yield
    finally:
        _seconds_left.reset(token)


def at_least_similar(one: str, other: str, least: Decimal) -> bool | Undecided:
    """Return whether the normalized similarity of two texts is at least *least* (0 to 1).

    The answer is exact. :class:`Undecided` where it would take more than ``MOST_STEPS`` steps, or more than the
    seconds left, and neither bound of the similarity decides.
    """
    total = len(one) + len(other)
    needed = ceil(least * total)
    before = _common(lambda size: one[:size] == other[:size], min(len(one), len(other)))
    one, other = one[before:], other[before:]
    after = _common(lambda size: one[len(one) - size :] == other[len(other) - size :], min(len(one), len(other)))
    one, other = one[: len(one) - after], other[: len(other) - after]
    shared = 2 * (before + after)
    found = _reaches(one, other, needed - shared, _Budget.of_now(one + other))
    if isinstance(found, bool):
        return found
    low, high = (Decimal(shared + part) / total for part in found)
    return Undecided(
        f"too long to be compared in time: their similarity is between {low:.4f} and {high:.4f}. "
        "Judge an excerpt (max_chars), or use another rule"
    )


class _Budget:
    """Steps that may still be made."""

    def __init__(self, steps: float) -> None:
        self.steps = steps

    @classmethod
    def of_now(cls, text: str) -> _Budget:
        seconds = _seconds_left.get()
        steps = MOST_STEPS if seconds is None else min(MOST_STEPS, max(0.0, seconds) * STEPS_A_SECOND)
        return cls(steps / (1 if _is_latin(text) else SLOWER))

    def take(self, steps: float) -> bool:
        """Take *steps* out of the budget, if it has them."""
        if steps > self.steps:
            return False
        self.steps -= steps
        return True


def _is_latin(text: str) -> bool:
    return text.isascii() or max(text) < "\u0100"


def _common(alike: Callable[[int], bool], most: int) -> int:
    """Return the largest size up to *most* at which two ends are alike, by comparing slices and no single letters."""
    return bisect_left(range(1, most + 1), True, key=lambda size: not alike(size))


def _reaches(one: str, other: str, needed: int, budget: _Budget) -> bool | tuple[int, int]:
    """Return whether the similarity of two texts reaches *needed*, else a lower and an upper bound of it."""
    if needed <= 0:
        return True
    high = 2 * sum((Counter(one) & Counter(other)).values()) if budget.steps < _steps(one, other, None) else None
    if high is not None and high < needed:
        return False
    misses = len(one) + len(other) - needed
    if misses < abs(len(one) - len(other)):
        return False
    for allowed in sorted({min(misses, 2_000), min(misses, 10_000), misses}):
        if not budget.take(_steps(one, other, allowed)):
            break
        least = len(one) + len(other) - allowed
        if Indel.similarity(one, other, score_cutoff=least) >= least:
            return True
        if allowed == misses:
            return False
    low = _piecewise(one, other, budget)
    return True if low >= needed else (low, high if high is not None else 2 * min(len(one), len(other)))


def _steps(one: str, other: str, misses: int | None) -> float:
    """Return how many steps a comparison takes that may leave out *misses* letters."""
    width = min(len(one), len(other)) if misses is None else min(misses, len(one), len(other))
    return max(len(one), len(other)) * (width / 64 + 2)


def _piecewise(one: str, other: str, budget: _Budget) -> int:
    """Return a lower bound: what pieces at the same places of both texts have in common."""
    found = 0
    for piece in range(PIECES):
        parts = [text[len(text) * piece // PIECES : len(text) * (piece + 1) // PIECES] for text in (one, other)]
        if budget.take(_steps(parts[0], parts[1], None)):
            found += Indel.similarity(parts[0], parts[1])
    return found
