"""Requests and answers of recorded calls as JSON.

A request becomes canonical JSON, and its hash is what a recorded answer is found by. An answer comes back as what it
was: what JSON has no form for is tagged with its type, and one that would come back as something else is refused.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import importlib
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from pytest_dealsnap.errors import OutputError, ReplayError
from pytest_dealsnap.judging.paths import PathPattern
from pytest_dealsnap.reasoning.canonical import canonical, dumps
from pytest_dealsnap.secrets import MASK, is_secret_header, redact

__all__ = ["TAG", "decode_answer", "encode_answer", "request_key", "request_of", "untagged"]

TAG = "$type"


def request_of(name: str, arguments: Mapping[str, Any], drop: tuple[PathPattern, ...]) -> dict[str, Any]:
    """Return the canonical request of a call, without what *drop* leaves out and without secrets.

    Raises :class:`ReplayError` for an argument that has no canonical form.
    """
    for pattern in drop:
        if len(pattern.steps) == 1:  # before it is looked at: a client or a callback has no canonical form
            arguments = pattern.remove_from(dict(arguments))
    plain: dict[str, Any] = {}
    for key, value in arguments.items():
        try:
            plain[key] = canonical(value)
        except OutputError as error:
            raise ReplayError(
                f"the argument {key} of {name} cannot be recorded: {error}. "
                f'Leave it out of the request: drop = ["{key}"] in [tool.dealsnap.replay]'
            ) from None
    for pattern in drop:
        plain = pattern.remove_from(plain)
    masked: dict[str, Any] = _masked(plain)
    return masked


def request_key(name: str, request: Mapping[str, Any]) -> str:
    """Return what a recorded answer is found by."""
    text = dumps({"arguments": request, "call": name})
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _masked(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _masked(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, key) for item in value]
    if isinstance(value, str):
        return MASK if value and is_secret_header(key) else redact(value)
    return value


# --- answers


def encode_answer(name: str, answer: Any) -> Any:
    """Return *answer* as JSON from which :func:`decode_answer` makes it again, without secrets.

    Raises :class:`ReplayError`, naming the type, for an answer that would not come back as what it was.
    """
    encoded = _encode(name, answer)
    try:
        again = decode_answer(encoded)
    except ReplayError as error:
        raise _refused(name, answer, str(error)) from None
    if not _same(answer, again):
        raise _refused(name, answer, "it comes back as something else")
    masked: Any = _masked(encoded)
    return masked


def untagged(encoded: Any) -> Any:
    """Return an encoded answer without its tags, as what a path such as ``usage.usd`` is looked up in."""
    if isinstance(encoded, list):
        return [untagged(item) for item in encoded]
    if not isinstance(encoded, dict):
        return encoded
    if TAG in encoded:
        if encoded[TAG] == "decimal.Decimal":
            return Decimal(encoded["value"])
        return untagged(encoded["value"])
    return {key: untagged(item) for key, item in encoded.items()}


def _refused(name: str, answer: Any, why: str) -> ReplayError:
    kind = f"{type(answer).__module__}.{type(answer).__qualname__}".removeprefix("builtins.")
    return ReplayError(
        f"the answer of {name} is {kind}, which cannot be recorded: {why}. "
        "Name a function that returns plain values, a dataclass or a pydantic model"
    )


def _encode(name: str, value: Any) -> Any:
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if kind is list:
        return [_encode(name, item) for item in value]
    if kind is dict:
        if all(type(key) is str for key in value) and TAG not in value:
            return {key: _encode(name, item) for key, item in value.items()}
        return {TAG: "dict", "value": [[_encode(name, key), _encode(name, item)] for key, item in value.items()]}
    if kind in (tuple, set, frozenset):
        items = list(value) if kind is tuple else sorted(value, key=repr)
        return {TAG: kind.__name__, "value": [_encode(name, item) for item in items]}
    if kind in (bytes, bytearray):
        return {TAG: kind.__name__, "value": base64.b64encode(value).decode("ascii")}
    for exactly, (to_text, _) in _TEXTS.items():
        if kind is exactly:
            return {TAG: _name(kind), "value": to_text(value)}
    if isinstance(value, Enum):
        return {TAG: _name(kind), "form": "enum", "value": value.name}
    fields = _fields(value)
    if fields is None:
        raise _refused(name, value, "JSON has no form for it")
    form, found = fields
    return {TAG: _name(kind), "form": form, "value": {key: _encode(name, item) for key, item in found.items()}}


_TEXTS: dict[type, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    Decimal: (str, Decimal),
    datetime: (datetime.isoformat, datetime.fromisoformat),
    date: (date.isoformat, date.fromisoformat),
    time: (time.isoformat, time.fromisoformat),
    timedelta: (lambda value: [value.days, value.seconds, value.microseconds], lambda value: timedelta(*value)),
    UUID: (str, UUID),
}


def _fields(value: Any) -> tuple[str, dict[str, Any]] | None:
    """Return how an object is made again, and its fields; ``None`` for one that is no record."""
    kind: Any = type(value)
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return "namedtuple", dict(zip(kind._fields, value, strict=True))
    if hasattr(kind, "model_fields") and hasattr(kind, "model_construct"):
        more = getattr(value, "__pydantic_extra__", None) or {}
        return "pydantic", {key: item for key, item in value.__dict__.items() if key not in more} | more
    if dataclasses.is_dataclass(kind):
        return "fields", {field.name: getattr(value, field.name) for field in dataclasses.fields(kind)}
    if hasattr(kind, "__attrs_attrs__"):
        return "fields", {field.name: getattr(value, field.name) for field in kind.__attrs_attrs__}
    if hasattr(kind, "__struct_fields__"):
        return "struct", {key: getattr(value, key) for key in kind.__struct_fields__}
    return None


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}" if kind in _TEXTS else f"{kind.__module__}:{kind.__qualname__}"


_BY_NAME = {_name(kind): forms[1] for kind, forms in _TEXTS.items()}
_CONTAINERS: dict[str, Callable[[Any], Any]] = {
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "dict": dict,
}


def decode_answer(encoded: Any) -> Any:
    """Return the answer that :func:`encode_answer` encoded; raises :class:`ReplayError` for a type that has gone."""
    if isinstance(encoded, list):
        return [decode_answer(item) for item in encoded]
    if not isinstance(encoded, dict):
        return encoded
    if TAG not in encoded:
        return {key: decode_answer(item) for key, item in encoded.items()}
    tag, value = encoded[TAG], encoded.get("value")
    if tag in ("bytes", "bytearray"):
        data = base64.b64decode(str(value))
        return data if tag == "bytes" else bytearray(data)
    if tag in _CONTAINERS:
        return _CONTAINERS[tag](decode_answer(value))
    if tag in _BY_NAME:
        return _BY_NAME[tag](value)
    kind = _type_named(str(tag))
    try:
        return _made(kind, encoded.get("form"), value)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ReplayError(f"{tag} cannot be made again from its recorded fields: {error}") from None


def _made(kind: Any, form: Any, value: Any) -> Any:
    if form == "enum":
        return kind[value]
    fields = {key: decode_answer(item) for key, item in value.items()}
    if form == "pydantic":
        return kind.model_construct(**fields)
    if form in ("namedtuple", "struct"):
        return kind(**fields)
    made = object.__new__(kind)  # no code of the class runs: it made these very values before
    for key, item in fields.items():
        object.__setattr__(made, key, item)
    return made


def _type_named(tag: str) -> Any:
    module, _, path = tag.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        raise ReplayError(f"the type {tag} of a recorded answer is not there any more: capture again") from None
    return found


def _same(before: Any, after: Any) -> bool:
    """Whether two answers are of the same types and values; a type without an equality of its own goes by its fields.

    NaN is NaN, and keys stand in the same order.
    """
    if type(before) is not type(after):
        return False
    if isinstance(before, float) and math.isnan(before):
        return math.isnan(after)
    if isinstance(before, dict):
        return list(before) == list(after) and all(_same(before[key], after[key]) for key in before)
    if isinstance(before, (list, tuple)):
        return len(before) == len(after) and all(map(_same, before, after))
    if not isinstance(before, Enum) and (fields := _fields(before)) is not None:
        others = _fields(after)
        return others is not None and _same(fields[1], others[1])
    return bool(before == after) or (isinstance(before, Decimal) and before.is_nan() and after.is_nan())
