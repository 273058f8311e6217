"""Whether an operation of a migration is about the deal type: the column of the deals table, and of no other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_dealsnap.config import DealsConfig
from pytest_dealsnap.deals.table_names import place_of

__all__ = ["speaks_of"]

_PART = r"""(?:"[^"]+"|`[^`]+`|\[[^\]]+\]|\w+)"""
_NAME = rf"(?:{_PART}\s*\.\s*)*(?P<table>{_PART})"
# The table that a statement changes; whatever else it reads stands behind it.
_TARGET = re.compile(
    r"\s*(?:(?P<verb>UPDATE|INSERT\s+(?:OR\s+\w+\s+)?INTO|DELETE\s+FROM|ALTER\s+TABLE|CREATE\s+TABLE|DROP\s+TABLE)"
    r"(?:\s+(?:IF\s+(?:NOT\s+)?EXISTS|ONLY|OR\s+\w+))*)\s+" + _NAME,
    re.IGNORECASE,
)
_CONDITION = re.compile(r"\bWHERE\b", re.IGNORECASE)


def speaks_of(asked: Sequence[Mapping[str, Any]], deals: DealsConfig) -> bool:
    """Return whether one of Alembic's operations changes the deal type's column.

    Args:
        asked: the operations, as ``migration_worker`` notes them.
        deals: names the table and its column; a column of another table may well have the same name.
    """
    if not deals.type:
        return False
    column = _word(deals.type)
    table = place_of(deals.table)[1]
    return any(_is_about(note, table, column) for note in asked)


def _is_about(note: Mapping[str, Any], table: str, column: re.Pattern[str]) -> bool:
    if note.get("kind") != "statement":
        same = str(note.get("table") or "").casefold() == table.casefold()
        return same and bool(column.search(f"{note.get('name')} {note.get('condition')} {note.get('columns')}"))
    return any(_changes(statement, table, column) for statement in _statements(str(note.get("text"))))


def _changes(statement: str, table: str, column: re.Pattern[str]) -> bool:
    target = _TARGET.match(statement)
    if target is None:  # a block, a trigger, a WITH: it may do anything with what it names
        return bool(_word(table).search(statement) and column.search(statement))
    if target["table"].strip('"`[]').casefold() != table.casefold():
        return False
    rest = statement[target.end() :]
    if target["verb"].upper() == "UPDATE":
        rest = _CONDITION.split(rest, maxsplit=1)[0]
    return bool(column.search(rest))


def _statements(text: str) -> Iterator[str]:
    if "$" in text or re.search(r"\bBEGIN\b", text, re.IGNORECASE):  # a body whose semicolons part nothing
        yield text
    else:
        yield from text.split(";")


def _word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
