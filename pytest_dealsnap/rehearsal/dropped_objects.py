"""Parts of the schema that an upgrade lost by the way: there before, gone after, and nothing asked to drop them.

Alembic's batch mode builds a SQLite table anew from what is reflected of it: triggers go, and so does a
CHECK that stood there before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

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
        for name, words in _lost_constraints(shape, after.tables[table])
    ]
    lost += [(name, f"{kind} {name}") for kind, name in sorted(before.others - after.others)]
    return [words for name, words in lost if not (name and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", dropped))]


def _lost_constraints(old: TableShape, new: TableShape) -> Iterator[tuple[str, str]]:
    gone = old.columns.keys() - new.columns.keys()
    for kind, noun in CONSTRAINTS.items():
        there = getattr(new, kind)
        names, contents = {part[0] for part in there if part[0]}, {part[1:] for part in there}
        for part in getattr(old, kind):
            if part[0] in names or part[1:] in contents or any(column in str(part[1:]) for column in gone):
                continue
            yield part[0], f"{noun} {said(part)}"
