"""CHECK constraints as facts: whether a row is allowed, and what they leave of one column's values."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlglot import exp

from pytest_dealsnap.deals.conditions import (
    MOMENTS,
    UnreadConditionError,
    columns_in,
    evaluate,
    is_all,
    like_pattern,
    read_condition,
)

__all__ = ["NO_LIMITS", "Bound", "Check", "Limits", "limits_of", "read_check"]


@dataclass(frozen=True, slots=True)
class Bound:
    """An end of a range; ``included`` says whether the value itself is in it."""

    value: Any
    included: bool = True


@dataclass(frozen=True, slots=True)
class Limits:
    """What is left of a column's values. ``choices`` are all of them, where that is known.

    ``patterns`` are regular expressions that the whole text must match; ``ascii`` says that case is
    changed on the way, which databases do alike for ASCII only. ``null`` is false where NULL is not allowed.
    """

    choices: tuple[Any, ...] | None = None
    low: tuple[Bound, ...] = ()
    high: tuple[Bound, ...] = ()
    min_length: int = 0
    max_length: int | None = None
    patterns: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    ascii: bool = False
    null: bool = True

    def __and__(self, other: Limits) -> Limits:
        """Return what both leave."""
        shortest = [n for n in (self.max_length, other.max_length) if n is not None]
        return Limits(
            _common(self.choices, other.choices),
            self.low + other.low,
            self.high + other.high,
            max(self.min_length, other.min_length),
            min(shortest) if shortest else None,
            self.patterns + other.patterns,
            self.searches + other.searches,
            self.ascii or other.ascii,
            self.null and other.null,
        )


NO_LIMITS = Limits()


def _common(one: tuple[Any, ...] | None, other: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    if one is None or other is None:
        return one if other is None else other
    return tuple(choice for choice in one if choice in other)


@dataclass(frozen=True, slots=True)
class Check:
    """One condition that every row meets.

    ``columns`` are the columns that it speaks of, by name, ``mentioned`` those of each of its parts;
    ``moments`` are the times at which it is asked.
    """

    text: str
    columns: frozenset[str]
    condition: exp.Expr
    mentioned: Mapping[int, frozenset[str]]
    moments: tuple[datetime, ...] = MOMENTS

    @classmethod
    def of(cls, text: str, condition: exp.Expr) -> Check:
        """Return the check of *condition*, with the columns of each of its parts looked up once."""
        mentioned = {id(node): columns_in(node) for node in condition.walk()}
        timeless = condition.find(exp.CurrentTimestamp, exp.CurrentDate) is None
        moments = MOMENTS[:1] if timeless else MOMENTS
        return cls(text, columns_in(condition), condition, mentioned, moments)

    @property
    def literals(self) -> tuple[Any, ...]:
        """The values that the condition is written with, and a number's neighbours: likely bounds."""
        found: dict[Any, None] = {}
        for literal in self.condition.find_all(exp.Literal):
            value = evaluate(literal, {})
            found[value] = None
            if not isinstance(value, str):
                found.update(dict.fromkeys((value - 1, value + 1, -value)))
        return tuple(found)

    def renamed(self, names: Mapping[str, str]) -> Check:
        """Return the check with columns under other names."""
        condition = self.condition.copy()
        for column in list(condition.find_all(exp.Column)):
            column.this.set("this", names.get(column.name, column.name))
        return Check.of(self.text, condition)

    def allows(self, row: Mapping[str, Any]) -> bool:
        """Whether the database would take *row*: the condition is true or unknown, whenever that is."""
        try:
            answers = [evaluate(self.condition, row, now) for now in self.moments]
        except (ArithmeticError, TypeError, ValueError):
            return False
        return all(answer is None or bool(answer) for answer in answers)

    def limits(self, column: str, known: Mapping[str, Any]) -> Limits:
        """Return what the condition leaves for *column*, given the values of the *known* others."""
        if column not in self.columns:
            return NO_LIMITS
        found = NO_LIMITS
        for now in self.moments:
            found = found & _Reading(self.mentioned, column, known, now).of(self.condition)
        return found


def read_check(text: str) -> Check:
    """Return the check that *text* is; raises :class:`UnreadConditionError`."""
    return Check.of(text, read_condition(text))


def limits_of(checks: Iterable[Check], column: str, known: Mapping[str, Any]) -> Limits:
    """Return what all *checks* together leave for *column*."""
    found = NO_LIMITS
    for check in checks:
        found = found & check.limits(column, known)
    return found


_MIRRORED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
    exp.EQ: exp.EQ,
}


@dataclass(frozen=True, slots=True)
class _Reading:
    """One reading of a condition for one column. What it cannot tell, it leaves to ``Check.allows``."""

    mentioned: Mapping[int, frozenset[str]]
    column: str
    known: Mapping[str, Any]
    now: datetime

    def of(self, node: exp.Expr) -> Limits:
        node = node.unnest()
        if not self._mentions(node):
            return NO_LIMITS
        if isinstance(node, exp.And):
            return self.of(node.this) & self.of(node.expression)
        if isinstance(node, exp.Or):
            return self._either(node)
        if isinstance(node, exp.Not):
            inner = node.this.unnest()
            return replace(NO_LIMITS, null=False) if self._is_null(inner) else NO_LIMITS
        if isinstance(node, exp.Column):
            return Limits(choices=(True,))
        return self._compared(node)

    def _compared(self, node: exp.Expr) -> Limits:
        if isinstance(node, exp.Is):
            return replace(NO_LIMITS, null=False) if node.args.get("negate") and self._is_null(node) else NO_LIMITS
        if isinstance(node, exp.In) and self._is_column(node.this) and node.expressions:
            return self._choices(node.expressions)
        if isinstance(node, exp.Between):
            low = self._bounded(exp.GTE, node.this, node.args["low"])
            return low & self._bounded(exp.LTE, node.this, node.args["high"])
        if isinstance(node, (exp.Like, exp.Glob, exp.RegexpLike)) and self._is_column(node.this):
            return self._pattern(node)
        kind = type(node)
        if kind not in _MIRRORED:
            return NO_LIMITS
        if isinstance(node.expression, exp.Any) or is_all(node.expression):
            array = node.expression.find(exp.Array)
            one_of = kind is exp.EQ and isinstance(node.expression, exp.Any) and self._is_column(node.this)
            return self._choices(array.expressions) if one_of and array is not None else NO_LIMITS
        if self._mentions(node.this) and not self._mentions(node.expression):
            return self._bounded(kind, node.this, node.expression)
        if self._mentions(node.expression) and not self._mentions(node.this):
            return self._bounded(_MIRRORED[kind], node.expression, node.this)
        return replace(NO_LIMITS, ascii=node.find(exp.Upper, exp.Lower) is not None)

    def _either(self, node: exp.Or) -> Limits:
        """Return what the alternatives leave that are not decided already: their choices, or the only one's."""
        open_ones = []
        for alternative in _alternatives(node):
            if self._is_null(alternative):
                continue  # whether NULL is drawn is the column's own matter
            if self._mentions(alternative):
                open_ones.append(alternative)
                continue
            answer = self._value(alternative)
            if answer is _UNKNOWN or answer is None or answer:
                return NO_LIMITS
        read = [self.of(alternative) for alternative in open_ones]
        if len(read) == 1:
            nullable = len(open_ones) < len(list(_alternatives(node)))
            return replace(read[0], null=read[0].null or nullable)
        if read and all(one.choices is not None for one in read):
            return Limits(choices=tuple(dict.fromkeys(c for one in read for c in one.choices or ())))
        return NO_LIMITS

    def _bounded(self, kind: type[exp.Expr], side: exp.Expr, other: exp.Expr) -> Limits:
        """Return the limits of ``side kind other``, where *side* is the column or its length."""
        value = self._value(other)
        if value is _UNKNOWN or value is None:
            return NO_LIMITS
        inner = side.unnest()
        if isinstance(inner, exp.Length) and isinstance(value, int):
            return self._length(kind, inner, value)
        if isinstance(inner, (exp.Upper, exp.Lower)):
            return replace(NO_LIMITS, ascii=True)
        if not self._is_column(inner):
            return NO_LIMITS
        if kind is exp.EQ:
            return Limits(choices=(value,))
        bound = (Bound(value, kind in (exp.GTE, exp.LTE)),)
        return Limits(low=bound) if kind in (exp.GT, exp.GTE) else Limits(high=bound)

    def _length(self, kind: type[exp.Expr], side: exp.Length, value: int) -> Limits:
        lower: dict[type[exp.Expr], int] = {exp.GT: value + 1, exp.GTE: value, exp.EQ: value}
        upper: dict[type[exp.Expr], int] = {exp.LT: value - 1, exp.LTE: value, exp.EQ: value}
        least, most = lower.get(kind, 0), upper.get(kind)
        if self._is_column(side.this):
            return Limits(min_length=least, max_length=most)
        return Limits(min_length=least)  # of what was trimmed: the whole is at least as long

    def _pattern(self, node: exp.Expr) -> Limits:
        pattern = self._value(node.expression)
        if not isinstance(pattern, str) or node.args.get("negate"):
            return NO_LIMITS
        if isinstance(node, exp.Like):
            return Limits(patterns=(like_pattern(pattern),))
        if isinstance(node, exp.Glob):
            return Limits(patterns=(fnmatch.translate(pattern.replace("[^", "[!")),))
        return Limits(searches=(pattern,), ascii=True)

    def _choices(self, options: list[exp.Expr]) -> Limits:
        values = [self._value(option) for option in options]
        if _UNKNOWN in values:
            return NO_LIMITS
        return Limits(choices=tuple(value for value in values if value is not None))

    def _value(self, node: exp.Expr) -> Any:
        if not self.mentioned[id(node)] <= self.known.keys():
            return _UNKNOWN
        try:
            return evaluate(node, self.known, self.now)
        except (ArithmeticError, TypeError, ValueError, UnreadConditionError):
            return _UNKNOWN

    def _mentions(self, node: exp.Expr) -> bool:
        return self.column in self.mentioned[id(node)]

    def _is_column(self, node: exp.Expr) -> bool:
        node = node.unnest()
        while isinstance(node, exp.Cast):
            node = node.this.unnest()
        return isinstance(node, exp.Column) and node.name == self.column

    def _is_null(self, node: exp.Expr) -> bool:
        return isinstance(node, exp.Is) and isinstance(node.expression, exp.Null) and self._is_column(node.this)


_UNKNOWN: Any = object()


def _alternatives(node: exp.Expr) -> Iterator[exp.Expr]:
    node = node.unnest()
    if isinstance(node, exp.Or):
        yield from _alternatives(node.this)
        yield from _alternatives(node.expression)
    else:
        yield node
