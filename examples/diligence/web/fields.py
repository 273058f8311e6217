"""What a deal may consist of, whether it comes from the API or from the page."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import TypeGuard

from examples.diligence.deal_types import ALIASES, VALID_DEAL_TYPES, UnknownDealTypeError, parse_deal_type

LONGEST_TEXT = 255  # characters
LEAST_MONTHS, MOST_MONTHS = 6, 24
LARGEST_ID = 2**31 - 1

Values = dict[str, object]


class InvalidDealError(ValueError):
    """A deal cannot be stored as it was given; `fields` says what is wrong with which."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in fields.items()))
        self.fields = dict(fields)


def validate(given: Mapping[str, object], *, required: Collection[str] = ()) -> Values:
    """The fields given, checked and normalised, or an `InvalidDealError` that names every bad one.

    Texts are stripped, aliases of deal types become the type; None clears what is not `required` of any deal.
    """
    values: Values = {}
    problems = {name: "is required" for name in required if name not in given}
    for name, value in given.items():
        try:
            values[name] = _CHECKS[name](value) if name in _CHECKS else _unknown()
        except ValueError as problem:
            problems[name] = str(problem)
    if problems:
        raise InvalidDealError(problems)
    return values


def _needed_text(value: object) -> str:
    text = _text(value)
    if not text:
        raise ValueError("must not be empty")
    if not any(mark.isprintable() and not mark.isspace() for mark in text):
        raise ValueError("must have a character that can be seen")
    return text


def _text(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("must be a text")
    text = value.strip()
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"has {len(text)} characters; at most {LONGEST_TEXT} are stored")
    if any(mark == "\0" or "\ud800" <= mark <= "\udfff" for mark in text):
        raise ValueError("contains a character that cannot be stored")
    return text or None


def _deal_type(value: object) -> str:
    try:
        return parse_deal_type(value if isinstance(value, str) else "").value
    except UnknownDealTypeError:
        raise ValueError(
            f"{_shown(value)} is no deal type; valid are {', '.join(VALID_DEAL_TYPES)} (also: {', '.join(ALIASES)})"
        ) from None


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return f"{value!r:.80}" if isinstance(value, str) else json.dumps(value)[:80]


def _months(value: object) -> int | None:
    if value is None:
        return None
    if not _is_whole(value) or not LEAST_MONTHS <= value <= MOST_MONTHS:
        raise ValueError(f"must be a whole number of months from {LEAST_MONTHS} to {MOST_MONTHS}")
    return value


def _deal_id(value: object) -> int | None:
    if value is None:
        return None
    if not _is_whole(value) or not 1 <= value <= LARGEST_ID:
        raise ValueError("must be the number of a deal")
    return value


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _unknown() -> object:
    raise ValueError(f"is no field of a deal; valid are {', '.join(_CHECKS)}")


_CHECKS: Mapping[str, Callable[[object], object]] = {
    "name": _needed_text,
    "target_name": _needed_text,
    "buyer_name": _text,
    "parent_name": _text,
    "deal_type": _deal_type,
    "tsa_months": _months,
    "inventory_from": _deal_id,
}
