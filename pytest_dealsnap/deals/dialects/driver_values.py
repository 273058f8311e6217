"""Values as drivers hand them over, and how a column is read by a function of dealsnap's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Dialect as SQLAlchemyDialect
from sqlalchemy.types import TypeEngine

__all__ = ["Converted", "Undecodable"]


class Undecodable(bytes):
    """The bytes of a text that is not of its encoding; as a text, with escapes for what is not."""

    def __str__(self) -> str:
        return self.decode("utf-8", "backslashreplace")


class Converted(TypeEngine[Any]):
    """Reads a value by a function; one that it refuses stays as it is."""

    cache_ok = True

    def __init__(self, convert: Callable[[Any], Any]) -> None:
        self.convert = convert

    def result_processor(self, dialect: SQLAlchemyDialect, coltype: object) -> Callable[[Any], Any]:
        def converted(value: Any) -> Any:
            try:
                return None if value is None else self.convert(value)
            except (TypeError, ValueError, OverflowError):
                return value

        return converted
