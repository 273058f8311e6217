"""Values of one column: a strategy for its kind, inside what the constraints leave of it."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from pytest_dealsnap.deals.check_constraints import Bound, Limits
from pytest_dealsnap.deals.value_kinds import ValueKind
from pytest_dealsnap.testing.texts import ASCII, CHARACTERS, texts

__all__ = ["Strategy", "values_within"]

Strategy = st.SearchStrategy[Any]

FIRST_YEAR, LAST_YEAR = 1900, 2200
MOST_DAYS = 36_500
# Beyond, a database that keeps decimals in binary cannot tell two of them apart.
EXACT_DIGITS = 15


@lru_cache(maxsize=2_048)
def values_within(kind: ValueKind, limits: Limits) -> Strategy | None:
    """Return the values of *kind* that *limits* leave; ``None`` where there are none, or none are known.

    What limits cannot tell, such as a remainder, is left to who draws.
    """
    decorator = kind.decorator
    if limits.choices is not None:
        choices = [value for choice in limits.choices for value in _coerced(kind, choice)]
        if decorator is not None:
            choices = [value for value in choices if decorator.reads_back(value)]
        return st.sampled_from(choices) if choices else None
    make = _MAKERS.get(kind.name)
    strategy = make(kind, limits) if make is not None else None
    return strategy if strategy is None or decorator is None else strategy.filter(decorator.reads_back)


def _coerced(kind: ValueKind, choice: Any) -> Iterable[Any]:
    """Yield *choice*, a value of a condition, as the column's own; nothing where it cannot be one."""
    try:
        if kind.name == "enum":
            yield kind.choices[kind.stored.index(choice)]
        elif kind.name == "boolean":
            yield {0: False, 1: True}[choice]
        elif kind.name == "integer":
            if int(choice) == choice and kind.low is not None and kind.low <= choice <= (kind.high or 0):
                yield int(choice)
        elif kind.name == "float":
            number = float(choice)
            yield from (number,) if kind.bits == 64 or _single(number) == number else ()
        elif kind.name in ("decimal", "number"):
            yield Decimal(choice) if kind.name == "decimal" else float(choice)
        elif kind.name in _MOMENTS:
            yield _MOMENTS[kind.name].fromisoformat(choice) if isinstance(choice, str) else choice
        elif kind.name != "text" or (isinstance(choice, str) and len(choice) <= (kind.length or len(choice))):
            yield choice
    except (ValueError, KeyError, TypeError, ArithmeticError):
        return


_MOMENTS: dict[str, Any] = {"date": date, "datetime": datetime, "time": time}


def _tightest(
    bounds: tuple[Bound, ...], pick: Callable[[Iterable[Any]], Any], convert: Callable[[Any], Any]
) -> Bound | None:
    """Return the bound that leaves least, of those that are of the column's kind."""
    usable = []
    for bound in bounds:
        try:
            usable.append(Bound(convert(bound.value), bound.included))
        except (TypeError, ValueError, ArithmeticError):
            continue
    if not usable:
        return None
    value = pick(bound.value for bound in usable)
    return Bound(value, all(bound.included for bound in usable if bound.value == value))


def _steps(kind: ValueKind, limits: Limits, scale: int) -> tuple[int, int] | None:
    """Return the range of a number in steps of ``10 ** -scale``; ``None`` where it is empty."""
    low, high = (kind.low or 0) * 10**scale, (kind.high or 0) * 10**scale
    if kind.name != "integer":
        low, high = low - 10**scale + 1, high + 10**scale - 1
    unit = Decimal(1).scaleb(-scale)
    if bound := _tightest(limits.low, max, Decimal):
        steps = math.ceil(bound.value / unit)
        low = max(low, steps + (not bound.included and steps == bound.value / unit))
    if bound := _tightest(limits.high, min, Decimal):
        steps = math.floor(bound.value / unit)
        high = min(high, steps - (not bound.included and steps == bound.value / unit))
    return (low, high) if low <= high else None


def _integers(kind: ValueKind, limits: Limits) -> Strategy | None:
    steps = _steps(kind, limits, 0)
    return st.integers(*steps) if steps else None


def _decimals(kind: ValueKind, limits: Limits) -> Strategy | None:
    scale = kind.scale or 0
    steps = _steps(kind, limits, scale)
    if steps is None:
        return None
    low, high = steps
    exact = 10**EXACT_DIGITS - 1
    if low <= exact and -exact <= high:
        low, high = max(low, -exact), min(high, exact)
    strategy: Strategy = st.integers(low, high).map(lambda number: _scaled(number, scale))
    return strategy.map(float) if kind.name == "number" else strategy


def _scaled(number: int, scale: int) -> Decimal:
    digits = tuple(map(int, str(abs(number))))
    return Decimal((int(number < 0), digits, -scale))  # exact, whatever the application's decimal context


def _floats(kind: ValueKind, limits: Limits) -> Strategy | None:
    low, high = _tightest(limits.low, max, float), _tightest(limits.high, min, float)
    bounded = low is not None or high is not None
    if low and high and (low.value > high.value or (low.value == high.value and not (low.included and high.included))):
        return None
    strategy: Strategy = st.floats(
        low.value if low else None,
        high.value if high else None,
        exclude_min=low is not None and not low.included,
        exclude_max=high is not None and not high.included,
        allow_nan=False,
        allow_infinity=False,
        allow_subnormal=False,
        width=32 if kind.bits == 32 and not bounded else 64,
    )
    return strategy.map(_single) if kind.bits == 32 and bounded else strategy


def _single(number: float) -> float:
    most = 3.4e38
    shortened: float = struct.unpack("f", struct.pack("f", max(-most, min(most, number))))[0]
    return shortened


def _texts(kind: ValueKind, limits: Limits) -> Strategy | None:
    strategy = _any_texts(kind, limits)
    return strategy.filter(lambda text: not text.endswith(" ")) if kind.padded and strategy is not None else strategy


def _any_texts(kind: ValueKind, limits: Limits) -> Strategy | None:
    lengths = [length for length in (kind.length, limits.max_length) if length is not None]
    most = min(lengths) if lengths else None
    if most is not None and limits.min_length > most:
        return None

    def fits(text: str) -> bool:
        return limits.min_length <= len(text) and (most is None or len(text) <= most)

    if limits.patterns:
        alphabet = ASCII if limits.ascii else CHARACTERS
        return st.from_regex(limits.patterns[0], fullmatch=True, alphabet=alphabet).filter(fits)
    if limits.searches:
        pattern = re.sub(r"(?<!\\)\$$", r"\\Z", limits.searches[0])
        return st.from_regex(pattern, alphabet=ASCII).filter(fits)
    if limits.ascii:
        return st.text(ASCII, min_size=limits.min_length, max_size=most)
    return texts(min_length=limits.min_length, max_length=most)


def _dates(kind: ValueKind, limits: Limits) -> Strategy | None:
    def as_date(value: Any) -> date:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else date(value.year, value.month, value.day)

    low, high = _tightest(limits.low, max, as_date), _tightest(limits.high, min, as_date)
    first = low.value + timedelta(not low.included) if low else date(FIRST_YEAR, 1, 1)
    last = high.value - timedelta(not high.included) if high else date(LAST_YEAR, 12, 31)
    return st.dates(first, last) if first <= last else None


def _datetimes(kind: ValueKind, limits: Limits) -> Strategy | None:
    def as_datetime(value: Any) -> datetime:
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
        found = found if isinstance(found, datetime) else datetime(found.year, found.month, found.day)
        return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found

    low, high = _tightest(limits.low, max, as_datetime), _tightest(limits.high, min, as_datetime)
    tick = timedelta(microseconds=1)
    first = low.value + tick * (not low.included) if low else datetime(FIRST_YEAR, 1, 1)
    last = high.value - tick * (not high.included) if high else datetime(LAST_YEAR, 12, 31)
    zones = st.just(UTC) if kind.aware else st.none()
    return st.datetimes(first, last, timezones=zones) if first <= last else None


def _times(kind: ValueKind, limits: Limits) -> Strategy | None:
    return st.times(timezones=st.just(UTC) if kind.aware else st.none()).map(lambda found: found.replace(fold=0))


def _json(kind: ValueKind, limits: Limits) -> Strategy | None:
    text = st.text(CHARACTERS, max_size=8)
    leaves = st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | text
    inner = st.recursive(
        st.none() | leaves,
        lambda children: st.lists(children, max_size=3) | st.dictionaries(text, children, max_size=3),
        max_leaves=6,
    )
    return st.dictionaries(text, inner, max_size=3) | st.lists(inner, max_size=3) | leaves


def _arrays(kind: ValueKind, limits: Limits) -> Strategy | None:
    item = values_within(kind.item, Limits()) if kind.item is not None else None
    if item is None:
        return None
    if kind.depth == 1:
        return st.lists(item, max_size=3)
    # All rows of an array are of one length.
    rows: Strategy = item
    for _ in range(kind.depth):
        rows = st.lists(rows, min_size=2, max_size=2)
    return rows


def _of(strategy: Strategy) -> Callable[[ValueKind, Limits], Strategy | None]:
    return lambda kind, limits: strategy


_MAKERS: dict[str, Callable[[ValueKind, Limits], Strategy | None]] = {
    "integer": _integers,
    "float": _floats,
    "decimal": _decimals,
    "number": _decimals,
    "text": _texts,
    "boolean": _of(st.booleans()),
    "date": _dates,
    "datetime": _datetimes,
    "time": _times,
    "interval": _of(st.timedeltas(timedelta(days=-MOST_DAYS), timedelta(days=MOST_DAYS))),
    "enum": lambda kind, limits: st.sampled_from(kind.choices) if kind.choices else None,
    "json": _json,
    "binary": lambda kind, limits: st.binary(max_size=kind.length),
    "uuid": _of(st.uuids()),
    "uuid_text": _of(st.uuids().map(str)),
    "array": _arrays,
    "address": _of(st.ip_addresses().map(str)),
    "network": _of(st.ip_addresses(v=4).map(lambda address: f"{address}/32")),
    "hardware_address": _of(st.from_regex("[0-9a-f]{2}(:[0-9a-f]{2}){5}", fullmatch=True)),
}
