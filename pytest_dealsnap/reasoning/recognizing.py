"""Recognizing a value's canonical text without writing it: what a gate of unchanged deals does all the time."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

__all__ = ["quick_size", "written_as"]

_COMPACT = json.JSONEncoder(ensure_ascii=False, sort_keys=True, check_circular=False, separators=(",", ": "))
_INDENT = re.compile(rb"\n *")
_NOT_FINITE = re.compile("NaN|Infinity")
_WRITTEN_OTHERWISE = re.compile(rb"e-|NaN|Infinity")
_PRETTY = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


def written_as(value: Any, data: bytes) -> bool:
    """Whether *data* is what ``canonical.dumps`` writes for *value*, with a final newline.

    orjson tells it in a fiftieth of the time that writing takes. It writes some small numbers another
    way, and refuses large ones, Decimals and lone surrogates: then a slower way tells. May say no where
    only ``canonical.dumps`` itself can tell.
    """
    try:
        if orjson.dumps(value, option=_PRETTY) != data:
            return bool(_WRITTEN_OTHERWISE.search(data)) and _compactly_written_as(value, data)
        # orjson writes NaN and the infinities as null: where there is a null, make sure that it is one.
        if b"null" not in data or not _NOT_FINITE.search(_COMPACT.encode(value)):
            return True
        return _compactly_written_as(value, data)
    except (TypeError, ValueError, RecursionError):
        return _compactly_written_as(value, data)


def quick_size(value: Any) -> int | None:
    """Return how many bytes *value* takes, within a factor of two; ``None`` where only ``canonical.dumps`` can tell."""
    try:
        return len(orjson.dumps(value, option=_PRETTY))
    except (TypeError, RecursionError):
        return None


def _compactly_written_as(value: Any, data: bytes) -> bool:
    """Compare without line breaks and indents, as Python's C encoder writes; no text holds a line break of its own."""
    try:
        compact = _COMPACT.encode(value).encode()
        json.loads(data)  # a line break inside a text would vanish with the indents: such a file is no JSON
    except (TypeError, ValueError, RecursionError):
        return False
    return _INDENT.sub(b"", data) == compact and data.endswith(b"}\n")
