"""An output as its snapshot gives it back: keys sorted, numbers of the kind that the file is read as.

A metric sees this form on both sides. Else ``keys(costs)`` or ``to_string(costs)`` would depend on the order in which
the reasoner built a dictionary, and on whether the output comes from the reasoner or from the file.
"""

from __future__ import annotations

from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

__all__ = ["compact_text", "recorded_form", "recorded_number"]


def recorded_form(value: Any) -> Any:
    """Return a canonical *value* as it would be after writing and reading it."""
    kind = type(value)
    if kind is dict:
        return {key: recorded_form(value[key]) for key in sorted(value)}
    if kind is list:
        return [recorded_form(item) for item in value]
    return recorded_number(value) if kind is Decimal else value


def recorded_number(number: Decimal) -> int | float | Decimal:
    """Return *number* as the int or float that its text is read as, where that keeps every digit as written."""
    text = str(number)
    try:
        if text.lstrip("-").isdigit():
            return int(text)
        binary = float(text)
    except ValueError:  # more digits than Python reads; it is refused where it is written
        return number
    return binary if not number.is_finite() or repr(binary) == text else number


def compact_text(value: Any) -> str:
    """Return canonical JSON on one line, without blanks: keys sorted, numbers with the digits they have."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{encode_basestring(key)}:{compact_text(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact_text, value)) + "]"
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    words = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    return words.get(repr(value), str(value))
