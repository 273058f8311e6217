"""What kind of value a column holds: SQLAlchemy's types, boiled down to what a database takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum as PythonEnum
from typing import Any
from uuid import UUID

from sqlalchemy import types
from sqlalchemy.engine.default import DefaultDialect

__all__ = ["ValueKind", "kind_of"]


@dataclass(frozen=True, slots=True)
class ValueKind:
    """A kind of value by name, with what bounds it; only what fits the name is set.

    ``low`` and ``high`` bound integers and decimals, ``length`` texts and bytes. ``scale`` counts a
    decimal's places, ``bits`` a float's size. ``choices`` are an enumeration's members, ``stored`` what
    the database keeps of each. ``item`` is an array's kind, ``depth`` how deep it is.
    ``padded`` texts lose the blanks that they end in. ``decorator`` is a type of the user's own that changes
    values on their way to the database and back.
    """

    name: str
    type_name: str = ""
    low: int | None = None
    high: int | None = None
    length: int | None = None
    scale: int | None = None
    bits: int = 64
    aware: bool = False
    padded: bool = False
    choices: tuple[Any, ...] = ()
    stored: tuple[str, ...] = ()
    item: ValueKind | None = None
    depth: int = 1
    decorator: Decorator | None = None

    def in_database(self, value: Any) -> Any:
        """Return what a condition of the database sees of *value*."""
        if self.decorator is not None:
            return self.decorator.stored(value)
        if self.choices and value in self.choices:
            return self.stored[self.choices.index(value)]
        return value


@dataclass(frozen=True, slots=True)
class Decorator:
    """A ``TypeDecorator``, asked what it stores of a value, and whether it reads that back as the same value."""

    type_: Any
    length: int | None

    def stored(self, value: Any) -> Any:
        """Return what the database gets of *value*."""
        type_ = self.type_
        return type_.process_bind_param(value, _DIALECT) if type_._has_bind_processor else value

    def reads_back(self, value: Any) -> bool:
        """Whether *value* can be stored and is read as the same; where only reading converts, whether it is read."""
        type_ = self.type_
        try:
            stored = self.stored(value)
            if not isinstance(stored, type_.impl_instance.python_type):
                return False
            if self.length is not None and len(stored) > self.length:
                return False
            found = type_.process_result_value(stored, _DIALECT) if type_._has_result_processor else stored
        except Exception:  # the user's own code may refuse a value as it likes
            return False
        return not type_._has_bind_processor or (type(found) is type(value) and bool(found == value))


_DIALECT = DefaultDialect()


def _decorated(type_: Any, plain: ValueKind) -> ValueKind:
    """Return the kind of values that a type of the user's own takes, stores and reads back."""
    if plain.name == "unknown" or not (type_._has_bind_processor or type_._has_result_processor):
        return plain
    decorator = Decorator(type_, plain.length)
    for kind, probes in (_probed(plain), *_candidates(type_)):
        if any(map(decorator.reads_back, probes)):
            return replace(kind, decorator=decorator)
    return ValueKind("unknown", type(type_).__name__)


def _probed(plain: ValueKind) -> tuple[ValueKind, tuple[Any, ...]]:
    """Return *plain* with the values that tell whether the decorated type takes what its implementation takes."""
    known = {kind.name: probes for kind, probes in _CANDIDATES}
    return plain, plain.choices or known.get(plain.name, ())


def _candidates(type_: Any) -> Iterator[tuple[ValueKind, tuple[Any, ...]]]:
    for held in vars(type_).values():
        if isinstance(held, type) and issubclass(held, PythonEnum):
            members = tuple(held)
            yield ValueKind("enum", choices=members, stored=tuple(member.name for member in members)), members
    yield from _CANDIDATES


# Whole numbers by the names that dialects give them, else by SQLAlchemy's own classes.
_BITS = {"TINYINT": 7, "MEDIUMINT": 24}
# Beyond what a 64-bit float holds exactly, two numbers of SQLite would be one.
DEFAULT_DIGITS = 15
DEFAULT_SCALE = 2


def kind_of(type_: Any) -> ValueKind:
    """Return the kind of *type_*, a SQLAlchemy type; ``unknown`` where no values of it are known."""
    visit_name = type_.__visit_name__.upper()
    for kind, read in _READERS:
        if isinstance(type_, kind) and visit_name not in _STRANGE:
            found: ValueKind = read(type_)
            return found
    if isinstance(type_, types.TypeDecorator):
        return _decorated(type_, kind_of(type_.impl_instance))
    if visit_name == "DOMAIN":
        return kind_of(type_.data_type)
    return ValueKind(_NAMED.get(visit_name, "unknown"), _shown(type_))


_NAMED = {"INET": "address", "CIDR": "network", "MACADDR": "hardware_address", "INTERVAL": "interval"}
_STRANGE = frozenset({"SET", "TSVECTOR"})  # texts by their class, but not every text is one


def _shown(type_: Any) -> str:
    try:
        return str(type_)
    except Exception:  # a type of the user's own need not know how to print itself
        return type(type_).__name__


def _integer(type_: Any) -> ValueKind:
    bits = _BITS.get(type_.__visit_name__.upper())
    if bits is None:
        bits = 16 if isinstance(type_, types.SmallInteger) else 64 if isinstance(type_, types.BigInteger) else 32
    low = 0 if bits == 7 or getattr(type_, "unsigned", False) else -(2 ** (bits - 1))
    return ValueKind("integer", low=low, high=127 if bits == 7 else 2 ** (bits - 1) - 1)


def _float(type_: Any) -> ValueKind:
    single = type_.__visit_name__ == "REAL" or (type_.precision is not None and type_.precision <= 24)
    return ValueKind("float", bits=32 if single else 64)


def _decimal(type_: Any) -> ValueKind:
    digits = type_.precision
    scale = type_.scale if type_.scale is not None else (0 if digits is not None else DEFAULT_SCALE)
    whole = (digits if digits is not None else DEFAULT_DIGITS) - scale
    limit = 10**whole - 1
    name = "decimal" if type_.asdecimal else "number"
    return ValueKind(name, low=-limit, high=limit, scale=scale, bits=digits or DEFAULT_DIGITS)


def _enum(type_: Any) -> ValueKind:
    labels, members = tuple(type_.enums), type_.enum_class
    choices: tuple[Any, ...] = labels
    if isinstance(members, type) and issubclass(members, PythonEnum):
        every = tuple(members.__members__.values())
        choices = every if len(every) == len(labels) else tuple(members)
    return ValueKind("enum", choices=choices, stored=labels)


def _text(type_: Any) -> ValueKind:
    return ValueKind("text", length=type_.length, padded=type_.__visit_name__.upper() in ("CHAR", "NCHAR"))


def _array(type_: Any) -> ValueKind:
    item = kind_of(type_.item_type)
    return ValueKind("array", item=item, depth=type_.dimensions or 1) if item.name != "unknown" else item


_READERS: tuple[tuple[type, Callable[[Any], ValueKind]], ...] = (
    (types.Enum, _enum),
    (types.Boolean, lambda type_: ValueKind("boolean")),
    (types.Integer, _integer),
    (types.Float, _float),
    (types.Numeric, _decimal),
    (types.ARRAY, _array),
    (types.JSON, lambda type_: ValueKind("json")),
    (types.Uuid, lambda type_: ValueKind("uuid" if type_.as_uuid else "uuid_text")),
    (types.Interval, lambda type_: ValueKind("interval")),
    (types._Binary, lambda type_: ValueKind("binary", length=type_.length)),
    (types.DateTime, lambda type_: ValueKind("datetime", aware=bool(type_.timezone))),
    (types.Date, lambda type_: ValueKind("date")),
    (types.Time, lambda type_: ValueKind("time", aware=bool(type_.timezone))),
    (types.String, _text),
)
_LARGE = 10**13 - 1
_DAY = datetime(2027, 1, 31, 12, 30)
# Kinds of values that a type of the user's own may take, each with some; the first that it reads back is its kind.
_CANDIDATES: tuple[tuple[ValueKind, tuple[Any, ...]], ...] = (
    (ValueKind("text"), ("a", "A", "a1", "")),
    (ValueKind("uuid"), (UUID(int=5),)),
    (ValueKind("uuid_text"), (str(UUID(int=5)),)),
    (ValueKind("datetime"), (_DAY,)),
    (ValueKind("datetime", aware=True), (_DAY.replace(tzinfo=UTC),)),
    (ValueKind("date"), (date(2027, 1, 31),)),
    (ValueKind("time"), (time(12, 30),)),
    (ValueKind("interval"), (timedelta(days=1),)),
    (ValueKind("boolean"), (True, False)),
    (ValueKind("decimal", low=-_LARGE, high=_LARGE, scale=2, bits=15), (Decimal("1.50"), Decimal("2.00"))),
    (ValueKind("integer", low=-(2**31), high=2**31 - 1), (7, 100)),
    (ValueKind("float"), (1.5,)),
    (ValueKind("binary"), (b"ab",)),
    (ValueKind("json"), ({"a": [1]}, [1], {})),
)
