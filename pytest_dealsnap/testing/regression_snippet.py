"""Values as Python source with the imports that it needs: what a printed regression test is made of."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

__all__ = ["WIDTH", "Source"]

WIDTH = 110


class Source:
    """Source that is being written: :meth:`of` writes values, :meth:`imports` the lines that they need."""

    def __init__(self) -> None:
        self._imports: dict[str, set[str]] = {}

    def need(self, module: str, name: str) -> str:
        """Import the outermost part of *name* from *module*; returns *name*."""
        if module != "builtins":
            self._imports.setdefault(module, set()).add(name.split(".")[0])
        return name

    def need_as(self, module: str, name: str, short: str) -> str:
        """Import the outermost part of *name* under another name; returns what *name* is then called."""
        outermost, dot, rest = name.partition(".")
        self._imports.setdefault(module, set()).add(f"{outermost} as {short}")
        return f"{short}{dot}{rest}"

    def drop(self, module: str, name: str) -> None:
        """Take an import back."""
        self._imports.get(module, set()).discard(name)

    def move(self, module: str, name: str, other: str) -> None:
        """Import *name* from *other*, which has it as well."""
        if name in self._imports.get(module, ()):
            self.drop(module, name)
            self.need(other, name)

    def imports(self) -> list[str]:
        """Return the import lines, the standard library's modules among the others, in order."""
        return [
            f"from {module} import {', '.join(sorted(names))}"
            for module, names in sorted(self._imports.items())
            if names
        ]

    def of(self, value: Any, indent: int = 0, *, room: int = WIDTH) -> str:
        """Return *value* as an expression; lines after the first are indented by *indent* and more."""
        flat = self._flat(value)
        return flat if len(flat) + indent <= room else self._broken(value, indent)

    def _flat(self, value: Any) -> str:
        parts = self._parts(value)
        if parts is None:
            return self._atom(value)
        opening, items, closing = parts
        written = ", ".join(prefix + self._flat(item) for prefix, item in items)
        comma = "," if isinstance(value, tuple) and len(value) == 1 else ""
        return f"{opening}{written}{comma}{closing}"

    def _broken(self, value: Any, indent: int) -> str:
        parts = self._parts(value)
        if parts is None or not parts[1]:
            return self._flat(value)
        opening, items, closing = parts
        inner = " " * (indent + 4)
        lines = [f"{inner}{prefix}{self.of(item, indent + 4, room=WIDTH - len(prefix))}," for prefix, item in items]
        return "\n".join([opening, *lines, " " * indent + closing])

    def _parts(self, value: Any) -> tuple[str, list[tuple[str, Any]], str] | None:
        """Return how a container opens, its items with what stands before each, and how it closes."""
        kind = type(value)
        if kind is list:
            return "[", [("", item) for item in value], "]"
        if kind is tuple:
            return "(", [("", item) for item in value], ")"
        if kind in (set, frozenset):
            items = [("", item) for item in sorted(value, key=repr)]
            if kind is set and items:
                return "{", items, "}"
            return (f"{kind.__name__}([", items, "])") if items else (f"{kind.__name__}(", [], ")")
        if isinstance(value, Mapping):
            return "{", [(f"{self._flat(key)}: ", item) for key, item in value.items()], "}"
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = [field for field in dataclasses.fields(value) if field.init]
            shown = [
                (f"{field.name}=", getattr(value, field.name)) for field in fields if not _is_default(value, field)
            ]
            return f"{self._named(kind)}(", shown, ")"
        return None

    def _named(self, kind: type) -> str:
        return self.need(kind.__module__, kind.__qualname__)

    def _atom(self, value: Any) -> str:
        if isinstance(value, Enum):
            return self._member(value)
        if isinstance(value, type):
            return self._named(value)
        if isinstance(value, float) and not math.isfinite(value):
            return f'float("{value}")'
        if type(value) is str:
            text = repr(value)
            return f'"{text[1:-1]}"' if text[0] == "'" and '"' not in text and "\\'" not in text else text
        for kind, write in _WRITERS.items():
            if type(value) is kind:
                return write(self, value)
        shown = repr(value)
        if shown.startswith(f"{type(value).__name__}("):  # as types write themselves that can be made from it
            self._named(type(value))
        return shown

    def _member(self, value: Enum) -> str:
        """Return an enumeration's member; flags that are combined have no name of their own."""
        named = self._named(type(value))
        members = type(value).__members__
        return f"{named}.{value.name}" if value.name in members else f"{named}({self._flat(value.value)})"

    def moment(self, value: Any) -> str:
        """Return a date, time or duration, by their short names."""
        text = repr(value).replace("datetime.", "")
        if "zoneinfo.ZoneInfo(" in text:  # as a driver gives it
            text = text.replace("zoneinfo.ZoneInfo(", f"{self.need('zoneinfo', 'ZoneInfo')}(")
        for name in ("datetime", "timedelta", "timezone", "date", "time"):
            if f"{name}(" in text or f"{name}.utc" in text:
                self.need("datetime", name)
        return text


def _is_default(value: Any, field: dataclasses.Field[Any]) -> bool:
    if field.default is not dataclasses.MISSING:
        return bool(getattr(value, field.name) is field.default)
    return False


def _decimal(source: Source, value: Decimal) -> str:
    return f'{source.need("decimal", "Decimal")}("{value}")'


def _uuid(source: Source, value: UUID) -> str:
    return f'{source.need("uuid", "UUID")}("{value}")'


_WRITERS: dict[type, Callable[[Source, Any], str]] = {
    Decimal: _decimal,
    UUID: _uuid,
    **dict.fromkeys((datetime, date, time, timedelta, timezone), Source.moment),
}
