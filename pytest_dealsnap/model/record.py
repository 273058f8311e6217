"""Records: frozen structs with one JSON form.

The form is made of plain values, which the canonical codec writes: msgspec's own JSON would lose NaN, the digits of a
Decimal, and texts with a lone surrogate.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

__all__ = ["Record", "RecordError", "always", "from_plain", "replace", "to_plain"]

RecordError = msgspec.ValidationError

T = TypeVar("T")
R = TypeVar("R", bound="Record")


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """A value that never changes. Each kind says ``frozen=True`` again, for the type checker.

    A field that has its default is left out of the JSON form, unless the default was made by :func:`always`.
    Readers ignore keys that they do not know, because a later version may add some.
    """


def always(default: T) -> T:
    """Return the default of a field that stands in the JSON form also when it has that default."""

    def make() -> T:
        return default

    return msgspec.field(default_factory=make)


def replace(record: R, **changes: Any) -> R:
    """Return *record* with other values in the fields that *changes* names."""
    return msgspec.structs.replace(record, **changes)


def to_plain(value: Any, *, other: Callable[[Any], Any] | None = None) -> Any:
    """Return the JSON form of *value*, a record or a container of records, as plain values.

    Args:
        value: What to take apart. Decimals stay as they are, times become ISO 8601 texts.
        other: Makes a plain value of what has no JSON form.
    """
    plain = msgspec.to_builtins(value, builtin_types=(Decimal, datetime), enc_hook=other)
    return _with_texts_for_times(plain) if isinstance(plain, (dict, list)) else plain


def _with_texts_for_times(plain: Any) -> Any:
    items = plain.items() if isinstance(plain, dict) else enumerate(plain)
    for key, item in items:
        if isinstance(item, datetime):
            plain[key] = item.astimezone(UTC).isoformat(timespec="seconds")
    return plain


def from_plain(kind: type[T], plain: Any) -> T:
    """Return the *kind* of record whose JSON form is *plain*.

    Raises:
        RecordError: A value is of another kind than its field. The message names the place, such as ``$.run.total``.
    """
    return msgspec.convert(plain, kind)
