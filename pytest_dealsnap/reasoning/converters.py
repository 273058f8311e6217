"""Converters of values that extensions add, by class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.extensions import answers

__all__ = ["added_converter"]

HOOK = "pytest_dealsnap_value_converters"
Converter = Callable[[Any], Any]
# What JSON knows, or canonical JSON writes exactly: an extension cannot make anything else of it.
BUILT_IN = (object, str, int, float, bool, type(None), dict, list, tuple, Decimal, datetime, date, UUID)


def added_converter(kind: type) -> Converter | None:
    """Return the converter for values of *kind*, or of its nearest base that has one.

    Raises :class:`ConfigError` for an extension whose converters cannot be used.
    """
    found = answers(HOOK)
    if not found:  # nearly always: this is asked for every value that is no plain one
        return None
    converters = _checked(found)
    return next((converters[base] for base in kind.__mro__ if base in converters), None)


def _checked(found: list[tuple[str, Any]]) -> dict[type, Converter]:
    converters: dict[type, Converter] = {}
    for extension, added in found:
        if not isinstance(added, Mapping):
            raise ConfigError(f"{HOOK} of {extension} returned {type(added).__name__}; it must return a mapping")
        for kind, convert in added.items():
            if not isinstance(kind, type) or not callable(convert):
                raise ConfigError(f"{HOOK} of {extension}: {kind!r}: {convert!r} is no class and callable")
            if kind in BUILT_IN:
                raise ConfigError(f"{HOOK} of {extension}: {kind.__name__} has a form of its own")
            if kind in converters:
                raise ConfigError(f"{HOOK} of {extension}: {kind.__qualname__} has a converter of another extension")
            converters[kind] = convert
    return converters
