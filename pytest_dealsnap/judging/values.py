"""Sameness and exact numbers of canonical values.

A canonical value is ``None``, ``bool``, ``int``, ``float``, ``Decimal``, ``str``, ``list`` or
``dict`` with string keys. Numbers are judged as the decimals that they are written as, never in
binary, so that a bound such as "5 %" holds exactly at the bound.
"""

from __future__ import annotations

import math
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext
from typing import Any, TypeGuard

from pytest_dealsnap.model.exact_numbers import Number, exact

__all__ = [
    "Number",
    "exact",
    "in_words",
    "is_nan",
    "is_number",
    "is_present",
    "normal",
    "percent_change",
    "same",
    "working_context",
]

# Of one of these kinds both, values are the same where Python says so, but for NaN.
_LEAVES = frozenset({str, int, float, bool, type(None)})


def is_number(value: object) -> TypeGuard[int | float | Decimal]:
    """Whether *value* is a number; ``True`` and ``False`` are not."""
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def is_nan(value: object) -> bool:
    """Whether *value* is a NaN, binary or decimal."""
    if isinstance(value, float):
        return math.isnan(value)
    return isinstance(value, Decimal) and value.is_nan()


def is_present(value: object) -> bool:
    """Whether a metric has a value: not absent, not null, not NaN."""
    return value is not None and not is_nan(value)


def working_context(*numbers: Decimal) -> Context:
    """Return a decimal context in which sums and products of *numbers* are not rounded.

    Precision covers the digits of all operands and the span of their exponents, within reason:
    beyond ten thousand digits the smaller operand could not tip any tolerance. Nothing overflows:
    two infinities would be equal, and any difference within every tolerance.
    """
    digits = 32
    exponents = [0]
    for number in numbers:
        parts = number.as_tuple()
        digits += len(parts.digits)
        if isinstance(parts.exponent, int):
            exponents += [parts.exponent, parts.exponent + len(parts.digits)]
    precision = min(digits + max(exponents) - min(exponents), 10_000)
    return Context(prec=precision, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[])


def same(left: Any, right: Any) -> bool:
    """Whether two canonical values are the same: 5 is 5.0, NaN is NaN, ``True`` is not 1."""
    kind = type(left)
    if kind is type(right) and kind in _LEAVES:
        return bool(left == right) or (kind is float and left != left and right != right)
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and left.keys() == right.keys()
            and all(same(value, right[key]) for key, value in left.items())
        )
    if isinstance(left, list):
        return (
            isinstance(right, list)
            and len(left) == len(right)
            and all(same(one, other) for one, other in zip(left, right, strict=True))
        )
    if is_number(left) and is_number(right):
        if is_nan(left) or is_nan(right):
            return is_nan(left) and is_nan(right)
        return exact(left) == exact(right)
    return type(left) is type(right) and bool(left == right)


def in_words(value: Any) -> Any:
    """Return *value* with ``"NaN"`` and ``"Infinity"`` for what JSON has no number for, as a saved report has it."""
    if isinstance(value, dict):
        return {key: in_words(item) for key, item in value.items()}
    if isinstance(value, list):
        return [in_words(item) for item in value]
    if is_number(value) and not exact(value).is_finite():
        return "NaN" if is_nan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def normal(value: Any) -> tuple[Any, ...]:
    """Return a hashable stand-in: two values have equal ones exactly when they are the same."""
    if isinstance(value, dict):
        return ("object", frozenset((key, normal(item)) for key, item in value.items()))
    if isinstance(value, list):
        return ("array", tuple(normal(item) for item in value))
    if is_number(value):
        return ("nan",) if is_nan(value) else ("number", exact(value))
    return (type(value).__name__, value)


def percent_change(baseline: object, current: object) -> float | None:
    """Return the change in percent of the baseline's magnitude, or ``None`` where there is none.

    None: one is no finite number, or the baseline is 0.
    """
    if not (is_number(baseline) and is_number(current)):
        return None
    before, after = exact(baseline), exact(current)
    if not (before.is_finite() and after.is_finite()) or before == 0:
        return None
    with localcontext(working_context(before, after)):
        change = float((after - before) / abs(before) * 100)
    return round(change, 6) if math.isfinite(change) else None
