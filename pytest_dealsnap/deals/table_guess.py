"""Which table holds the deals and what its columns are for, guessed from names, keys and a few values."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pytest_dealsnap.deals.table_names import shown_place
from pytest_dealsnap.deals.type_words import means

__all__ = ["Candidate", "ColumnFacts", "TableFacts", "candidates", "clear_winner", "guess_roles"]

ColumnKind = Literal["text", "enum", "number", "time", "boolean", "other"]

_TABLES = {"deal": 50, "transaction": 30, "opportunity": 25, "mandate": 20, "engagement": 20, "acquisition": 15,
           "merger": 15, "target": 10, "project": 10}  # fmt: skip
# A table that is called so hangs on the deals, or is an old copy of them.
_NOT_DEALS = frozenset(
    {
        *("archive", "audit", "backup", "bak", "comment", "document", "event", "history", "item", "line", "link"),
        *("log", "note", "old", "permission", "staging", "status", "tag", "temp", "tmp", "type", "version"),
    }
)
_TYPES = {"type": 15, "kind": 15, "category": 8, "class": 8, "flavor": 8, "flavour": 8, "nature": 8, "structure": 8}
_NAMES = ("name", "title", "label", "codename", "target", "company", "subject")
_IDS = ("id", "uuid", "guid", "key", "number", "no", "code", "ref")
_TYPE_VALUES = 40
_NAME = 5
_VIEW = 8  # less than the table that it shows
LEAST_SCORE = 25
CLEAR_LEAD = 15


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What is known of a column."""

    name: str
    kind: ColumnKind
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What is known of a table or view; ``values`` are some of those that its text columns hold."""

    schema: str | None
    name: str
    columns: tuple[ColumnFacts, ...]
    is_view: bool = False
    key: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    values: Mapping[str, Collection[str]] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """The name as ``deals.table`` takes it."""
        return shown_place(self.schema, self.name)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A table with the columns that seem to be a deal's id, name and type; ``""`` for one that it lacks."""

    table: TableFacts
    id: str
    name: str
    type: str
    score: int


def candidates(tables: Sequence[TableFacts]) -> list[Candidate]:
    """Return the tables that may hold the deals, the likeliest first."""
    found = [guess_roles(table) for table in tables]
    likely = [one for one in found if one.id and one.score >= LEAST_SCORE]
    return sorted(likely, key=lambda one: (-one.score, one.table.shown))


def clear_winner(likely: Sequence[Candidate]) -> Candidate | None:
    """Return the first of *likely* if it is far ahead of the second."""
    if not likely or (len(likely) > 1 and likely[0].score - likely[1].score < CLEAR_LEAD):
        return None
    return likely[0]


def guess_roles(table: TableFacts) -> Candidate:
    """Return what the columns of *table* seem to be for, and how much it looks like the deals."""
    entity = _words(table.name)
    identity = _id_column(table, entity)
    scores = {column.name: _type_score(column, entity, table.values) for column in table.columns}
    scores.pop(identity, None)
    best = max(scores, key=lambda name: scores[name], default="")
    type_column = best if scores.get(best, 0) > 0 else ""
    name = _name_column(table, entity, {identity, type_column})
    score = (
        _table_score(entity) + max(scores.get(type_column, 0), 0) + (5 if name else 0) - (_VIEW if table.is_view else 0)
    )
    return Candidate(table, identity, name, type_column, score)


def _words(name: str) -> tuple[str, ...]:
    """Return the words of a name, small and singular: ``maDeals`` and ``MA_DEALS`` are ma, deal."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+", name)
    return tuple(_singular(part.casefold()) for part in parts)


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us")) else word


def _table_score(entity: Sequence[str]) -> int:
    if not entity:
        return 0
    score = 0.0
    for word, weight in _TABLES.items():
        share = 1.0 if list(entity) == [word] else 0.7 if entity[-1] == word else 0.4 if word in entity else 0.0
        score = max(score, weight * share)
    return int(score) - (30 if _NOT_DEALS.intersection(entity) else 0)


def _type_score(column: ColumnFacts, entity: Sequence[str], values: Mapping[str, Collection[str]]) -> int:
    words = _words(column.name)
    last = words[-1:] or ("",)
    score = _TYPES.get(last[0], 0)
    if score and len(words) > 1:
        score = 25 if words[0] in (*entity, "deal", "transaction") else score - 5
    if column.kind not in ("text", "enum", "other"):
        return score - 10 if column.kind == "number" else 0
    return score + (_TYPE_VALUES if any(means(value) for value in values.get(column.name, ())) else 0)


def _id_column(table: TableFacts, entity: Sequence[str]) -> str:
    if len(table.key) == 1:
        return table.key[0]
    ranked = sorted(
        (rank, column.name) for column in table.columns if (rank := _id_rank(column.name, entity)) is not None
    )
    usable = [name for _, name in ranked if not table.key or name in table.unique]
    firm = [name for name in usable if name in table.unique]
    return next(iter(firm or usable or table.unique), "")


def _id_rank(name: str, entity: Sequence[str]) -> int | None:
    words = _words(name)
    if not words or words[-1] not in _IDS:
        return None
    own = len(words) == 1 or words[0] in (*entity, "deal")
    return _IDS.index(words[-1]) + (0 if own else len(_IDS))


def _name_column(table: TableFacts, entity: Sequence[str], taken: Collection[str]) -> str:
    texts = [column.name for column in table.columns if column.kind in ("text", "other") and column.name not in taken]
    ranked = []
    for name in texts:
        words = _words(name)
        if words and words[-1] in _NAMES:
            own = len(words) == 1 or words[0] in (*entity, "deal", "target", "project", "company")
            ranked.append((_NAMES.index(words[-1]) + (0 if own else len(_NAMES)), name))
    return min(ranked)[1] if ranked else ""
