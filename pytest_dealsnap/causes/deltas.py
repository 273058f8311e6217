"""One number that changed: by how much, how exactly that is known, and whether it could have been rounded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Context, Decimal, localcontext
from functools import cache

from pytest_dealsnap.judging.values import Number, exact, working_context

__all__ = ["Digit", "Move", "is_multiple", "measure", "shown_amount"]

# What binary arithmetic adds to a number, as a part of it.
NOISE = 1e-9
MOST_DIGITS = 20
# Exact for numbers of so many digits; others get a context made for them.
_PLAIN = Context(prec=120, traps=[])

# Exponent and value of a number's last digit.
Digit = tuple[int, int]


@dataclass(slots=True, eq=False)
class Move:
    """One number that changed, at ``place`` in its family.

    ``size`` is the baseline's magnitude and ``amount`` the difference, in binary for sweeping over many;
    ``before`` and ``after`` are exponent and value of their last digits. What the family tells: ``slack`` is how
    exactly the new value is known, ``unit`` what the numbers of its type end at, and ``coarser`` says that the new
    ones end earlier than the old ones did.
    """

    place: int
    deal_type: str
    difference: Decimal
    size: float
    amount: float
    percent: float | None
    before: Digit
    after: Digit
    noise: float
    units: tuple[float, ...] = ()
    slack: float = field(init=False, repr=False)
    coarser: bool = field(init=False, repr=False)
    unit: float = field(init=False, repr=False)

    def residue(self, percent: float, amount: float) -> float:
        """Return what is left of the change beyond *percent* of the magnitude and *amount*."""
        return self.amount - self.size * percent / 100 - amount

    @property
    def tolerance(self) -> float:
        """How much may be left of a change that a size explains."""
        return self.slack + self.noise

    def is_count(self, most: int) -> bool:
        """Whether both numbers are whole and below *most*."""
        whole = self.before[0] >= 0 and self.after[0] >= 0
        return whole and self.size < most and self.size + abs(self.amount) < 2 * most


def measure(place: int, before: Number, after: Number, deal_type: str = "") -> Move | None:
    """Return the move from *before* to *after*; ``None`` where one is not finite, or too large to compare."""
    old, new = exact(before), exact(after)
    if not (old.is_finite() and new.is_finite()):
        return None
    plain = max(abs(old.adjusted()), abs(new.adjusted())) < MOST_DIGITS
    with localcontext(_PLAIN if plain else working_context(old, new)):
        difference = (new - old).normalize()
    size, amount, end = abs(float(old)), float(difference), abs(float(new))
    if not (math.isfinite(size) and math.isfinite(amount) and math.isfinite(end)):
        return None
    percent = 100 * amount / size if size else None
    if percent is not None and not math.isfinite(percent):
        percent = None
    first, last = _digit(old), _digit(new)
    move = Move(place, deal_type, difference, size, amount, percent, first, last, NOISE * (size + end))
    if last[0] >= first[0] and difference and new:
        move.units = tuple(_units(move))
    return move


def _units(move: Move) -> Iterator[float]:
    """Yield the units to which *move* could be a rounding: the new value has them, the old one has not."""
    for power in range(max(move.before[0], move.difference.adjusted()), move.after[0] + 1):
        for digit in (1, 5):
            unit = float(f"{digit}e{power}")
            if abs(move.amount) < unit and is_multiple(move.after, unit) and not is_multiple(move.before, unit):
                yield unit


def _digit(number: Decimal) -> Digit:
    """Return exponent and value of the last digit of *number* that is not 0."""
    if not number:
        return MOST_DIGITS, 0
    _, digits, exponent = number.as_tuple()
    end = len(digits)
    while end > 1 and digits[end - 1] == 0:
        end -= 1
    return max(min(int(exponent) + len(digits) - end, MOST_DIGITS), -MOST_DIGITS), digits[end - 1]


def is_multiple(digit: Digit, unit: float) -> bool:
    """Whether the number with that last digit is a multiple of *unit*, which is 1 or 5 with zeros."""
    step = _step(unit)
    return digit[0] > step[0] or (digit[0] == step[0] and digit[1] % step[1] == 0)


@cache
def _step(unit: float) -> Digit:
    return _digit(exact(unit))


def shown_amount(amount: Decimal) -> str:
    """Return an amount with its sign and grouped digits; a very long one in scientific notation."""
    if not -MOST_DIGITS < amount.adjusted() < MOST_DIGITS:
        return f"{amount:+.6g}"
    with localcontext(working_context(amount)):
        whole = amount.normalize()
    return f"{whole:+,f}"
