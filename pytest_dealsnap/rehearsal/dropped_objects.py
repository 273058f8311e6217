"""Parts of the schema that an upgrade lost by the way: there before, gone after, and nothing asked to drop them.

Alembic's batch mode builds a SQLite table anew from what is reflected of it: triggers go, and so does a
CHECK that stood there before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_dealsnap.deals.table_names import place_of
from pytest_dealsnap.rehearsal.schema import CONSTRAINTS, Schema, TableShape, said

__all__ = ["dropped_objects"]


def dropped_objects(before: Schema, after: Schema, asked: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return in words what is gone; of a table or column that is gone itself, what hung on it is not told."""
    words = [str(note["name"]) for note in asked if note.get("dropped")]
    dropped = " ".join([*words, *(str(note.get("text", "")) for note in asked)])
    lost = [
        (name, f"{table}: {words}")
        for table, shape in before.tables.items()
        if table in after.tables
        for name, words in _lost_constraints(shape, after.tables[table], _unnamed_drops(table, shape, asked))
    ]
    lost += [(name, f"{kind} {name}") for kind, name in sorted(before.others - after.others)]
    return [words for name, words in lost if not (name and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", dropped))]


def _unnamed_drops(table: str, shape: TableShape, asked: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return kind and name of each dropped constraint that has its name from a naming convention alone.

    Batch mode gives the convention's name to a constraint that the database keeps without one.
    """
    named = {part[0] for kind in CONSTRAINTS for part in getattr(shape, kind)}
    drops = (note for note in asked if note.get("kind") == "constraint" and note.get("name"))
    return [
        (str(note.get("of") or ""), str(note["name"]))
        for note in drops
        if note["name"] not in named and str(note["table"]) == place_of(table)[1]
    ]


def _lost_constraints(old: TableShape, new: TableShape, drops: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    gone = old.columns.keys() - new.columns.keys()
    for kind, noun in CONSTRAINTS.items():
        there = getattr(new, kind)
        names, contents = {part[0] for part in there if part[0]}, {part[1:] for part in there}
        for part in getattr(old, kind):
            if part[0] in names or part[1:] in contents or any(column in str(part[1:]) for column in gone):
                continue
            asked = None if part[0] else next((drop for drop in drops if _may_mean(drop, noun, part)), None)
            if asked is not None:
                drops.remove(asked)
            else:
                yield part[0], f"{noun} {said(part)}"


def _may_mean(drop: tuple[str, str], noun: str, part: tuple[Any, ...]) -> bool:
    """Return whether *drop* may mean the constraint *part*, which has no name: by its kind and its first column."""
    kind, name = drop
    if kind.casefold() not in ("", noun.casefold().replace(" ", "")):
        return False
    columns = part[1] if isinstance(part[1], tuple) else ()
    return not columns or columns[0] in name
