"""Records: frozen structs with one JSON form.

The form is made of plain values, which the canonical codec writes: msgspec's own JSON would lose NaN, the digits of a
Decimal, and texts with a lone surrogate.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar, cast

import msgspec

__all__ = [
    "Record",
    "RecordError",
    "always",
    "described",
    "field",
    "fields",
    "from_plain",
    "key_of",
    "one_of",
    "replace",
    "time_of",
    "to_plain",
]

RecordError = msgspec.ValidationError

field = msgspec.field
fields = msgspec.structs.fields

T = TypeVar("T")


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


def described(text: str, **bounds: Any) -> msgspec.Meta:
    """Return what a JSON Schema says of a field: what it is, and its bounds, which readers check (``ge``, ``le``)."""
    return msgspec.Meta(description=text, **bounds)


def time_of(text: str) -> msgspec.Meta:
    """Return what a JSON Schema says of a time; not every checker of a schema knows the format of times."""
    pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
    return msgspec.Meta(
        description=f"{text}, with its offset from UTC.", tz=True, extra_json_schema={"pattern": pattern}
    )


def one_of(words: Iterable[str]) -> msgspec.Meta:
    """Return that a text is one of *words*: a JSON Schema says so, and readers refuse any other."""
    known = list(words)
    return msgspec.Meta(pattern=f"^({'|'.join(known)})$", extra_json_schema={"enum": known})


def key_of(error: RecordError) -> str:
    """Return the key, of the record that was read, whose value *error* is about; empty for the record as a whole."""
    found = re.search(r" - at `\$\.(\w+)", str(error))
    return found[1] if found else ""


def replace(value: T, **changes: Any) -> T:
    """Return *value*, a record or a dataclass, with other values in the fields that *changes* names."""
    if isinstance(value, msgspec.Struct):
        return cast("T", msgspec.structs.replace(value, **changes))
    return cast("T", dataclasses.replace(cast("Any", value), **changes))


def to_plain(value: Any, *, other: Callable[[Any], Any] | None = None) -> Any:
    """Return the JSON form of *value*, a record or a container of records, as plain values.

    Args:
        value: What to take apart. Decimals stay as they are. Times become ISO 8601 texts,
            where they stand in the record or in one of its fields.
        other: Makes a plain value of what has no JSON form.
    """
    plain = msgspec.to_builtins(value, builtin_types=(Decimal, datetime), enc_hook=other)
    if isinstance(plain, dict):
        for part in (plain, *plain.values()):
            if isinstance(part, dict):
                _write_times(part)
    return plain


def _write_times(plain: dict[str, Any]) -> None:
    """Have texts in place of times; the whole of a document of many deals is not walked for the few that there are."""
    for key, value in plain.items():
        if isinstance(value, datetime):
            plain[key] = value.astimezone(UTC).isoformat(timespec="seconds")


def from_plain(kind: type[T], plain: Any) -> T:
    """Return the *kind* of record whose JSON form is *plain*.

    Raises:
        RecordError: A value is of another kind than its field. The message names the place, such as ``$.run.total``.
    """
    return msgspec.convert(plain, kind)
