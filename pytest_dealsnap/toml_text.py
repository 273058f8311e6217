"""Reading TOML: whatever is wrong with a text is a ``ValueError`` of one line.

Only the standard library is used here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any

__all__ = ["parse_toml"]

# What TOML asks of every reader. Python would take a hexadecimal number of any length, and then fail to show it.
_LARGEST = 2**63


def parse_toml(text: str, *, parse_float: Callable[[str], Any] = float) -> dict[str, Any]:
    """Return the document that *text* is; *parse_float* makes a number of a text with a point.

    Raises :class:`ValueError` (``tomllib``'s own among them) for what is no TOML, nested too deeply, or holds a
    number beyond 64 bits or an exponent that *parse_float* does not take.
    """
    try:
        document = tomllib.loads(text, parse_float=parse_float)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ArithmeticError:
        raise ValueError("a number in it is too large") from None
    left: list[Any] = [document]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left += value.values()
        elif isinstance(value, list):
            left += value
        elif isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
            raise ValueError("a whole number in it is beyond 64 bits")
    return document
