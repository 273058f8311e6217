"""SQL conditions, as CHECK constraints hold them, evaluated over the values of a row.

SQLGlot reads the text; what is not understood is refused when it is read, never guessed. ``NULL`` is
``None``, and a comparison with it is unknown, which is ``None`` as well.
"""

from __future__ import annotations

import fnmatch
import operator
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import sqlglot
from sqlglot import exp

from pytest_dealsnap.deals.dialects import SQLGLOT_NAMES

__all__ = ["MOMENTS", "UnreadConditionError", "columns_in", "evaluate", "is_all", "like_pattern", "read_condition"]

Row = Mapping[str, Any]
# What "now" may be when the row is inserted: a row is allowed only if it is at both.
MOMENTS = (datetime(2020, 1, 1), datetime(2100, 1, 1))  # compared with naive and aware ones alike


class UnreadConditionError(Exception):
    """A condition says something that is not understood here; the text says what."""


def read_condition(text: str) -> exp.Expr:
    """Return the condition that *text* is; raises :class:`UnreadConditionError`."""
    parsed = None
    for dialect in SQLGLOT_NAMES:
        try:
            parsed = sqlglot.parse_one(f"SELECT 1 WHERE {text}", dialect=dialect)
            break
        except (sqlglot.errors.SqlglotError, ValueError):
            continue
    where = parsed.args.get("where") if parsed is not None else None
    if where is None:
        raise UnreadConditionError("it is not SQL that is understood here")
    condition: exp.Expr = where.this
    for node in condition.walk():
        if type(node) not in _KNOWN or _is_unusual(node):
            raise UnreadConditionError(f"{node.sql()} is not understood here")
    return condition


def _is_unusual(node: exp.Expr) -> bool:
    """Whether a known part says more than is known of it: which end is trimmed, or an array written as a text."""
    if isinstance(node, exp.Trim):
        return node.args.get("position") not in (None, "BOTH") or node.args.get("expression") is not None
    if isinstance(node, exp.Anonymous):
        return not is_all(node)
    return isinstance(node, exp.Any) and node.find(exp.Array) is None


def is_all(node: exp.Expr) -> bool:
    """Whether *node* is ``ALL (ARRAY[…])``, which a parser may take for a function."""
    named = isinstance(node, exp.Anonymous) and node.name.upper() == "ALL"
    return (named or isinstance(node, exp.All)) and node.find(exp.Array) is not None


def columns_in(condition: exp.Expr) -> frozenset[str]:
    """Return the names of the columns that *condition* speaks of."""
    return frozenset(column.name for column in condition.find_all(exp.Column))


def evaluate(node: exp.Expr, row: Row, now: datetime = MOMENTS[0]) -> Any:
    """Return the value of *node* for *row*: ``None`` for NULL and unknown.

    Raises :class:`ArithmeticError` or :class:`TypeError` where the database would raise an error.
    """
    return _VALUES[type(node)](node, row, now)


def _column(node: exp.Expr, row: Row, now: datetime) -> Any:
    return row[node.name]


def _literal(node: exp.Expr, row: Row, now: datetime) -> Any:
    if node.is_string:
        return node.name
    return int(node.name) if re.fullmatch(r"\d+", node.name) else Decimal(node.name)


def _inner(node: exp.Expr, row: Row, now: datetime) -> Any:
    return evaluate(node.this, row, now)


def _cast(node: exp.Expr, row: Row, now: datetime) -> Any:
    value = evaluate(node.this, row, now)
    kind = node.args["to"].this.name
    if isinstance(value, str) and kind.startswith(("DATE", "TIME")):
        return _moment(value, datetime if kind != "DATE" else date)
    if isinstance(value, str) and kind in ("INT", "BIGINT", "SMALLINT", "DECIMAL", "DOUBLE", "FLOAT"):
        return Decimal(value)
    return value


def _both(node: exp.Expr, row: Row, now: datetime) -> tuple[Any, Any]:
    return _alike(evaluate(node.this, row, now), evaluate(node.expression, row, now))


def _alike(left: Any, right: Any) -> tuple[Any, Any]:
    """Return two values of one kind: a text beside a date is read as one, a decimal beside a float as one."""
    if isinstance(left, float) or isinstance(right, float):
        return (float(left), float(right)) if isinstance(left, Decimal) or isinstance(right, Decimal) else (left, right)
    if isinstance(left, str) and isinstance(right, (date, time)):
        left = _moment(left, type(right))
    elif isinstance(right, str) and isinstance(left, (date, time)):
        right = _moment(right, type(left))
    if isinstance(left, datetime) != isinstance(right, datetime):
        left = left.date() if isinstance(left, datetime) and isinstance(right, date) else left
        right = right.date() if isinstance(right, datetime) and isinstance(left, date) else right
    if isinstance(left, datetime) and isinstance(right, datetime) and (left.tzinfo is None) != (right.tzinfo is None):
        left, right = left.replace(tzinfo=None), right.replace(tzinfo=None)
    return left, right


def _moment(text: str, kind: type) -> Any:
    try:
        return datetime.fromisoformat(text) if kind is datetime else kind.fromisoformat(text)  # type: ignore[attr-defined]
    except ValueError:
        raise TypeError(f"{text!r} is no {kind.__name__}") from None


def _comparison(compare: Callable[[Any, Any], bool]) -> Callable[[exp.Expr, Row, datetime], Any]:
    def value(node: exp.Expr, row: Row, now: datetime) -> Any:
        if isinstance(node.expression, exp.Any) or is_all(node.expression):
            array = node.expression.find(exp.Array)
            options = array.expressions if array is not None else []
            answers = [_compared(compare, evaluate(node.this, row, now), evaluate(o, row, now)) for o in options]
            return _any(answers) if isinstance(node.expression, exp.Any) else _all(answers)
        return _compared(compare, *_both(node, row, now))

    return value


def _compared(compare: Callable[[Any, Any], bool], left: Any, right: Any) -> bool | None:
    return None if left is None or right is None else compare(*_alike(left, right))


def _any(answers: list[bool | None]) -> bool | None:
    return True if True in answers else None if None in answers else False


def _all(answers: list[bool | None]) -> bool | None:
    return False if False in answers else None if None in answers else True


def _and(node: exp.Expr, row: Row, now: datetime) -> bool | None:
    answers = [evaluate(node.this, row, now), evaluate(node.expression, row, now)]
    return False if any(a is not None and not a for a in answers) else None if None in answers else True


def _or(node: exp.Expr, row: Row, now: datetime) -> bool | None:
    return _any([None if a is None else bool(a) for a in (evaluate(n, row, now) for n in (node.this, node.expression))])


def _not(node: exp.Expr, row: Row, now: datetime) -> bool | None:
    answer = evaluate(node.this, row, now)
    return None if answer is None else not answer


def _is(node: exp.Expr, row: Row, now: datetime) -> bool:
    left, right = _both(node, row, now)
    if isinstance(node.expression, exp.Boolean):
        answer = left is not None and bool(left) == right
    else:
        answer = left is right if left is None or right is None else bool(left == right)
    return answer != bool(node.args.get("negate"))


def _distinct(node: exp.Expr, row: Row, now: datetime) -> bool:
    left, right = _both(node, row, now)
    return bool(left == right) == isinstance(node, exp.NullSafeEQ)


def _in(node: exp.Expr, row: Row, now: datetime) -> bool | None:
    value = evaluate(node.this, row, now)
    return _any([_compared(operator.eq, value, evaluate(option, row, now)) for option in node.expressions])


def _between(node: exp.Expr, row: Row, now: datetime) -> bool | None:
    value, low, high = (evaluate(node.args[name], row, now) for name in ("this", "low", "high"))
    above, below = _compared(operator.ge, value, low), _compared(operator.le, value, high)
    return False if False in (above, below) else None if None in (above, below) else True


def _case(node: exp.Expr, row: Row, now: datetime) -> Any:
    for branch in node.args["ifs"]:
        if evaluate(branch.this, row, now):
            return evaluate(branch.args["true"], row, now)
    default = node.args.get("default")
    return None if default is None else evaluate(default, row, now)


def like_pattern(pattern: str) -> str:
    """Return the regular expression of a LIKE pattern, to be matched in full."""
    parts = {"%": "(?s:.*)", "_": "(?s:.)"}
    return "".join(parts.get(character) or re.escape(character) for character in pattern)


def _is_like(text: str, pattern: str, *, by_case: bool) -> bool:
    """Whether *text* is like *pattern*; :class:`TypeError` where case decides, which some databases ignore."""
    found = re.fullmatch(like_pattern(pattern), text, re.IGNORECASE) is not None
    if by_case and found != (re.fullmatch(like_pattern(pattern), text) is not None):
        raise TypeError(f"whether {text!r} is like {pattern!r} depends on the database")
    return found


def _matches(node: exp.Expr, row: Row, now: datetime) -> bool | None:
    text, pattern = _both(node, row, now)
    if text is None or pattern is None:
        return None
    if isinstance(node, (exp.Like, exp.ILike)):
        return _is_like(text, pattern, by_case=isinstance(node, exp.Like)) != bool(node.args.get("negate"))
    flags = re.IGNORECASE if isinstance(node, exp.RegexpILike) else 0
    if isinstance(node, exp.Glob):
        return fnmatch.fnmatchcase(text, pattern.replace("[^", "[!"))
    return re.search(re.sub(r"(?<!\\)\$$", r"\\Z", pattern), text, flags) is not None


def _of_value(function: Callable[[Any], Any]) -> Callable[[exp.Expr, Row, datetime], Any]:
    def value(node: exp.Expr, row: Row, now: datetime) -> Any:
        inner = evaluate(node.this, row, now)
        return None if inner is None else function(inner)

    return value


def _arithmetic(function: Callable[[Any, Any], Any]) -> Callable[[exp.Expr, Row, datetime], Any]:
    def value(node: exp.Expr, row: Row, now: datetime) -> Any:
        left, right = (evaluate(n, row, now) for n in (node.this, node.expression))
        if left is None or right is None:
            return None
        if isinstance(left, float) or isinstance(right, float):
            left, right = float(left), float(right)
        return function(left, right)

    return value


def _divide(left: Any, right: Any) -> Any:
    whole = isinstance(left, int) and isinstance(right, int)
    return int(Decimal(left) / Decimal(right)) if whole else left / right


def _remainder(left: Any, right: Any) -> Any:
    return left - right * int(Decimal(left) / Decimal(right))


def _coalesce(node: exp.Expr, row: Row, now: datetime) -> Any:
    values = (evaluate(option, row, now) for option in (node.this, *node.expressions))
    return next((value for value in values if value is not None), None)


_VALUES: dict[type[exp.Expr], Callable[[exp.Expr, Row, datetime], Any]] = {
    exp.Column: _column,
    exp.Literal: _literal,
    exp.Null: lambda node, row, now: None,
    exp.Boolean: lambda node, row, now: bool(node.this),
    exp.Paren: _inner,
    exp.Cast: _cast,
    exp.And: _and,
    exp.Or: _or,
    exp.Not: _not,
    exp.EQ: _comparison(operator.eq),
    exp.NEQ: _comparison(operator.ne),
    exp.GT: _comparison(operator.gt),
    exp.GTE: _comparison(operator.ge),
    exp.LT: _comparison(operator.lt),
    exp.LTE: _comparison(operator.le),
    exp.NullSafeEQ: _distinct,
    exp.NullSafeNEQ: _distinct,
    exp.Is: _is,
    exp.In: _in,
    exp.Between: _between,
    exp.Case: _case,
    **dict.fromkeys((exp.Like, exp.ILike, exp.Glob, exp.RegexpLike, exp.RegexpILike), _matches),
    exp.Length: _of_value(len),
    exp.Trim: _of_value(lambda text: text.strip(" ")),
    exp.Lower: _of_value(str.lower),
    exp.Upper: _of_value(str.upper),
    exp.Abs: _of_value(abs),
    exp.Neg: _of_value(operator.neg),
    exp.Add: _arithmetic(operator.add),
    exp.Sub: _arithmetic(operator.sub),
    exp.Mul: _arithmetic(operator.mul),
    exp.Div: _arithmetic(_divide),
    exp.Mod: _arithmetic(_remainder),
    exp.Coalesce: _coalesce,
    **dict.fromkeys((exp.CurrentTimestamp, exp.CurrentDate), lambda node, row, now: now),
}
_PARTS = (exp.Identifier, exp.DataType, exp.Array, exp.Any, exp.All, exp.Anonymous, exp.If, exp.DataTypeParam)
_KNOWN = frozenset((*_VALUES, *_PARTS))
