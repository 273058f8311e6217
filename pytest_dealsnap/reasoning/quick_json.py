"""Canonical text by way of orjson, in a fiftieth of the time: recognized, measured, or written where it is the same.

A gate of unchanged deals recognizes all the time, a capture writes. orjson writes some numbers another way, and refuses
large ones, Decimals and lone surrogates; of those only ``canonical.dumps`` knows the text.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

__all__ = ["quick_size", "quick_text", "written_as"]

_COMPACT = json.JSONEncoder(ensure_ascii=False, sort_keys=True, check_circular=False, separators=(",", ": "))
_INDENT = re.compile(rb"\n *")
_NOT_FINITE = re.compile("NaN|Infinity")
_WRITTEN_OTHERWISE = re.compile(rb"e-|NaN|Infinity")
# A number at the end of a line, where no text can stand: orjson's exponents, and its small numbers without one.
_NUMBER_OF_ITS_OWN = re.compile(rb"(?:[0-9]e[+-]?[0-9]+|0\.0000[0-9]*),?\n")
_PRETTY = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


def written_as(value: Any, data: bytes) -> bool:
    """Whether *data* is what ``canonical.dumps`` writes for *value*, with a final newline.

    Where orjson writes another way, a slower way tells. May say no where only ``canonical.dumps`` itself can tell.
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


def quick_text(value: Any) -> bytes | None:
    """Return what ``canonical.dumps`` writes for *value*, with a final newline; ``None`` where only it can tell."""
    try:
        data = orjson.dumps(value, option=_PRETTY)
    except (TypeError, RecursionError):
        return None
    if _NUMBER_OF_ITS_OWN.search(data) or (b"null" in data and _NOT_FINITE.search(_COMPACT.encode(value))):
        return None
    return data


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
