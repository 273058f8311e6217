"""Canonical JSON: the same output gives the same bytes on every machine, Python and hash seed.

:func:`canonical` turns what a reasoner returned into plain values; :func:`dumps` writes those with
sorted keys and two-space indent; :func:`loads` reads them back without losing a digit. Numbers keep
the digits that they are written with: a ``float`` as Python writes it, a ``Decimal`` as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any
from uuid import UUID

from pytest_dealsnap.errors import OutputError
from pytest_dealsnap.reasoning.converters import added_converter
from pytest_dealsnap.reasoning.library_values import fields_of, is_missing, library_scalar, pydantic_form

__all__ = ["canonical", "canonical_output", "dumps", "loads"]

_ATOMS = frozenset({str, int, float, bool, type(None)})
_SURROGATE = re.compile("[\ud800-\udfff]")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class _Place:
    """Where in the output a value stands: a chain of containers back to the top."""

    __slots__ = ("container", "parent", "step")

    def __init__(self, container: object, parent: _Place | None, step: object) -> None:
        self.container = container
        self.parent = parent
        self.step = step

    def path(self, step: object = None) -> str:
        steps = [] if step is None else [step]
        place: _Place | None = self
        while place is not None and place.parent is not None:
            if place.step is not None:  # the output itself is no step
                steps.append(place.step)
            place = place.parent
        return _path_text(reversed(steps))

    def holds(self, container: object) -> bool:
        place: _Place | None = self
        while place is not None:
            if place.container is container:
                return True
            place = place.parent
        return False


def _path_text(steps: Iterable[object]) -> str:
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text or "the top"


def canonical_output(value: Any) -> dict[str, Any]:
    """Return the canonical form of what a reasoner returned.

    It must be a mapping or a dataclass, attrs, msgspec or pydantic object. Raises :class:`OutputError`,
    naming the path of the first value that JSON has no canonical form for.
    """
    place = _Place(None, None, None)
    if type(value) is not dict and (convert := added_converter(type(value))) is not None:
        value = _converted(convert, value, place, None)
    form = pydantic_form(value)
    fields = _fields(value if form is None else form[0], place, None)
    if fields is None:
        what = "nothing (None)" if value is None else f"{type(value).__name__}"
        if form is not None:
            what += f", which is {type(form[0]).__name__} when it is dumped"
        raise OutputError(
            f"the reasoner returned {what}; it must return a mapping, or a dataclass, attrs, msgspec or pydantic object"
        )
    return canonical(fields)  # type: ignore[no-any-return]  # a mapping becomes a dict


def canonical(value: Any) -> Any:
    """Return *value* as canonical plain values: dict, list, str, int, float, Decimal, bool, None."""
    try:
        return _plain(value, _Place(None, None, None), None)
    except RecursionError:
        raise OutputError("the output is nested too deeply for JSON") from None


def _plain(value: Any, place: _Place, step: object) -> Any:
    kind = type(value)
    if kind in _ATOMS:
        return value
    if kind is dict:
        return _object(value, value.items(), place, step)
    if kind is list or kind is tuple:
        return _array(value, place, step)
    return _convert(value, place, step)


def _object(container: Any, items: Iterable[tuple[Any, Any]], place: _Place, step: object) -> dict[str, Any]:
    inner = _enter(container, place, step)
    result: dict[str, Any] = {}
    for key, item in items:
        name = key if type(key) is str else _key(key, inner)
        if name in result:
            raise OutputError(f"at {inner.path()}: two keys are both written {name!r}")
        result[name] = item if type(item) in _ATOMS else _plain(item, inner, name)
    return result


def _array(container: Any, place: _Place, step: object) -> list[Any]:
    inner = _enter(container, place, step)
    return [item if type(item) in _ATOMS else _plain(item, inner, index) for index, item in enumerate(container)]


def _enter(container: Any, place: _Place, step: object) -> _Place:
    if place.holds(container):
        raise OutputError(f"at {place.path(step)}: the output contains itself (a cycle)")
    return _Place(container, place, step)


def _key(key: Any, place: _Place) -> str:
    if isinstance(key, Enum):
        return _key(key.value, place)
    if isinstance(key, str):
        return str.__str__(key)
    if isinstance(key, bool) or key is None:
        raise OutputError(f"at {place.path()}: {key!r} cannot be a key")
    if isinstance(key, int):
        return int.__repr__(key)
    if isinstance(key, date) and not is_missing(key):
        return key.isoformat()
    if isinstance(key, (UUID, Decimal)):
        return str(key)
    raise OutputError(f"at {place.path()}: {_type_name(key)} cannot be a key: {_short(key)}")


def _convert(value: Any, place: _Place, step: object) -> Any:
    """Return the plain form of a value that is no exact JSON type."""
    exactly = _EXACTLY.get(type(value))
    if exactly is not None:
        return exactly(value)
    convert_added = added_converter(type(value))
    if convert_added is not None:
        return _plain(_converted(convert_added, value, place, step), _enter(value, place, None), step)
    if isinstance(value, Enum):  # before the scalars: one of texts is a text, too
        return _plain(value.value, place, step)
    scalar = library_scalar(value)
    if scalar is not value:
        return _plain(scalar, place, step)
    for kinds, convert in _SCALARS:
        if isinstance(value, kinds):
            if _fields(value, place, step) is not None:
                break  # a number or text with fields of its own is more than that
            return convert(value)
    else:
        if isinstance(value, (set, frozenset)):
            return sorted(_array(value, place, step), key=lambda item: dumps(item))
        if isinstance(value, (list, tuple)):
            return _array(value, place, step)
        form = pydantic_form(value)
        if form is not None:
            return _plain(form[0], _enter(value, place, None), step)
        fields = _fields(value, place, step)
        if fields is not None:
            return _object(value, fields.items(), place, step)
    raise OutputError(
        f"at {place.path(step)}: {_type_name(value)} has no canonical JSON form: {_short(value)}. "
        "Return plain values, or leave it out"
    )


def _converted(convert: Callable[[Any], Any], value: Any, place: _Place, step: object) -> Any:
    try:
        return convert(value)
    except Exception as error:
        raise OutputError(
            f"at {place.path(step)}: the converter of {_type_name(value)} raised {type(error).__name__}: {error}"
        ) from error


def _decimal(value: Decimal) -> Decimal:
    return Decimal("NaN") if value.is_nan() else Decimal(value)


# In this order: a datetime is a date, too.
_SCALARS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (str, str.__str__),
    (int, int),
    (float, float),
    (Decimal, _decimal),
    (datetime, datetime.isoformat),
    (date, date.isoformat),
    (UUID, str),
)
# The same for what is of just that class, as nearly all are: nothing else of it needs to be asked.
_EXACTLY = dict(_SCALARS)


def _fields(value: Any, place: _Place, step: object) -> Mapping[Any, Any] | None:
    try:
        return fields_of(value)
    except AttributeError as error:
        raise OutputError(f"at {place.path(step)}: {_type_name(value)} lacks a field: {error}") from None


def _type_name(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except Exception as error:
        text = f"(its repr raised {type(error).__name__})"
    text = _ADDRESS.sub("", text)  # it would make every capture another one
    return text if len(text) <= 80 else text[:77] + "…"


def dumps(value: Any) -> str:
    """Return the canonical text of a canonical *value*: sorted keys, two-space indent, no final newline.

    NaN and the infinities are the words ``NaN``, ``Infinity`` and ``-Infinity``, as Python's own
    ``json`` writes and reads them.
    """
    try:
        text = _text(value, "\n")
    except ValueError as error:
        raise OutputError(
            f"at {_path_text(_too_long(value) or ())}: a number is too long to be written: {error}"
        ) from None
    return text if text.isascii() else _SURROGATE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def _too_long(value: Any) -> list[object] | None:
    """Return the steps to the first number that Python does not write; ``None`` where there is none."""
    if isinstance(value, (dict, list)):
        for step, item in sorted(value.items()) if isinstance(value, dict) else enumerate(value):
            steps = _too_long(item)
            if steps is not None:
                return [step, *steps]
        return None
    try:
        _text(value, "\n")
    except ValueError:
        return []
    return None


def _text(value: Any, newline: str) -> str:
    """Return the text of *value*; *newline* is a line break with the indent of its container.

    The one hot loop of a run: scalars are written where they stand, not by a call each.
    """
    kind = type(value)
    if kind is dict:
        if not value:
            return "{}"
        inner = newline + "  "
        parts = []
        for key in sorted(value):
            item = value[key]
            if type(item) is str:
                parts.append(_key_text(key) + encode_basestring(item))
            else:
                parts.append(_key_text(key) + _text(item, inner))
        return "{" + inner + ("," + inner).join(parts) + newline + "}"
    if kind is str:
        return encode_basestring(value)
    if kind is list or kind is tuple:
        if not value:
            return "[]"
        inner = newline + "  "
        return "[" + inner + ("," + inner).join([_text(item, inner) for item in value]) + newline + "]"
    if kind is int:
        return int.__repr__(value)
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    return _number(value)


@lru_cache(maxsize=4096)
def _key_text(key: str) -> str:
    return f"{encode_basestring(key)}: "


def _number(value: float | Decimal) -> str:
    if value != value:
        return "NaN"
    if value in (_INFINITY, -_INFINITY):
        return "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, float):
        return float.__repr__(value)
    text = str(value)
    if len(text) > _MOST_DIGITS and text.lstrip("-").isdigit():
        raise ValueError(f"it has {len(text)} digits, and Python reads at most {_MOST_DIGITS}")
    return text


_INFINITY = float("inf")
# Python's own limit for whole numbers; a Decimal that is one would be written, and never read again.
_MOST_DIGITS = 4300


def loads(text: str) -> Any:
    """Read canonical text back: a number is a ``float`` where that keeps every digit, else a ``Decimal``.

    Raises :class:`ValueError` for what is no JSON, or has a key twice (as a bad merge leaves it).
    """
    return json.loads(text, parse_float=_parse_number, object_pairs_hook=_unique_keys)


def _parse_number(text: str) -> float | Decimal:
    number = float(text)
    if repr(number) == text:
        return number
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"the exponent of {text[:40]} is too large") from None


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands there twice")
    return result
