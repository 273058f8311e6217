"""From the text of a deal id back to the keys that a database may hold it as."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from sqlalchemy.types import NullType

from pytest_dealsnap.deals.deal import id_text

__all__ = ["keys_of"]


def keys_of(deal_id: str, column_type: Any) -> list[Any]:
    """Return *deal_id* as values of its column's type; none where it cannot be one.

    Of a column without a type, which SQLite and its views have, the values may be of any.
    """
    if isinstance(column_type, NullType):
        return _any_keys(deal_id)
    try:
        return [_converter(column_type)(deal_id)]
    except (ValueError, InvalidOperation):
        return []


def _any_keys(deal_id: str) -> list[Any]:
    keys: list[Any] = [deal_id]
    for pattern, read in _FORMS:
        if pattern.fullmatch(deal_id) and id_text(key := read(deal_id)) == deal_id:
            keys.append(key)
    return keys


_FORMS: tuple[tuple[re.Pattern[str], Callable[[str], Any]], ...] = (
    (re.compile("-?[0-9]{1,18}"), int),
    (re.compile(r"-?[0-9]{1,20}\.[0-9]{1,20}|-?[0-9.]{1,25}e[+-]?[0-9]{1,3}"), float),
    (re.compile("(?:[0-9a-f]{2})+"), bytes.fromhex),
)


def _whole_number(text: str) -> int:
    number = int(text)
    if number.bit_length() > 63:
        raise ValueError("more than the 64 bits that databases give a whole number")
    return number


def _converter(column_type: Any) -> Callable[[str], Any]:
    try:
        python_type = column_type.python_type
    except NotImplementedError:
        return str
    if python_type is UUID:
        return UUID
    if python_type is int:
        return _whole_number
    if python_type in (Decimal, float):
        return Decimal
    if python_type is bytes:
        return bytes.fromhex
    return str
