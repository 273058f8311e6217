"""What the type column holds: every stored type counted, and the rows that the backfill would change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from pytest_dealsnap.deals.deal import StoredRow, id_order, id_text
from pytest_dealsnap.deals.types import DealTypes

__all__ = ["KINDS", "BackfillRow", "Kind", "StoredType", "TypeAudit", "TypeConstraints", "audit_types"]

Kind = Literal["valid", "alias", "null", "blank", "invalid"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class StoredType:
    """One value of the type column: what it counts as, in how many rows it stands, and in how many deals."""

    stored_type: str | None
    kind: Kind
    counts_as: str
    rows: int
    deals: int


@dataclass(frozen=True, slots=True)
class BackfillRow:
    """One row that the backfill would change; ``is_deal`` is false where ``deals.where`` leaves it out."""

    id: str | None
    name: str | None
    stored_type: str | None
    kind: Kind
    becomes: str
    is_deal: bool


@dataclass(frozen=True, slots=True)
class TypeAudit:
    """The type column of all rows, those outside of ``deals.where`` too: a migration changes them all.

    ``stored`` is ordered by kind, then by count; ``backfill`` by id. ``duplicates`` maps the ids that
    several deals share to how many do; ``nameless`` counts the deals whose id is NULL.
    """

    stored: tuple[StoredType, ...]
    backfill: tuple[BackfillRow, ...]
    duplicates: Mapping[str, int]
    nameless: int

    @property
    def rows(self) -> int:
        """How many rows the table holds."""
        return sum(value.rows for value in self.stored)

    @property
    def deals(self) -> int:
        """How many of them are deals, by ``deals.where``."""
        return sum(value.deals for value in self.stored)

    def of_kind(self, kind: Kind) -> int:
        """How many rows hold a type of *kind*."""
        return sum(value.rows for value in self.stored if value.kind == kind)

    def deals_by_type(self) -> Counter[str]:
        """Count the deals by effective type."""
        counts: Counter[str] = Counter()
        for value in self.stored:
            counts[value.counts_as] += value.deals
        return counts


@dataclass(frozen=True, slots=True)
class TypeConstraints:
    """What the database itself insists on, by its reflected schema.

    ``nullable`` says whether NULL may be stored, ``accepted`` which of the invalid probes may be,
    ``refused`` which of the valid types may not. ``checks`` are the texts of the CHECK constraints,
    or the labels of an enumerated type, that speak of the column.
    """

    nullable: bool
    accepted: tuple[str, ...]
    refused: tuple[str, ...]
    checks: tuple[str, ...]


def audit_types(rows: Iterable[StoredRow], types: DealTypes, *, ids_unique: bool = False) -> TypeAudit:
    """Count *rows* in one pass; only rows that the backfill would change are kept.

    *ids_unique* says that the schema keeps ids from being shared, so that none need be remembered.
    """
    totals: Counter[str | None] = Counter()
    deals: Counter[str | None] = Counter()
    ids: Counter[str] = Counter()
    backfill: list[BackfillRow] = []
    nameless = 0
    for row in rows:
        totals[row.stored_type] += 1
        deals[row.stored_type] += row.is_deal
        if row.is_deal:
            nameless += row.key is None
            if not ids_unique and row.key is not None:
                ids[_shown_id(row.key)] += 1
        becomes = types.effective(row.stored_type)
        if becomes != row.stored_type:
            shown = None if row.key is None else _shown_id(row.key)
            kind = kind_of(row.stored_type, types)
            backfill.append(BackfillRow(shown, row.name, row.stored_type, kind, becomes, row.is_deal))
    stored = [
        StoredType(value, kind_of(value, types), types.effective(value), count, deals[value])
        for value, count in totals.items()
    ]
    return TypeAudit(
        stored=tuple(sorted(stored, key=lambda s: _order(s, types))),
        backfill=tuple(sorted(backfill, key=lambda row: (row.id is None, id_order(row.id or "")))),
        duplicates={deal_id: count for deal_id, count in sorted(ids.items()) if count > 1},
        nameless=nameless,
    )


def kind_of(stored: str | None, types: DealTypes) -> Kind:
    """Return what kind of value the type column holds."""
    if stored is None:
        return "null"
    if types.recognizes(stored):
        return "valid" if stored in types.valid else "alias"
    return "invalid" if stored.strip() else "blank"


def _order(value: StoredType, types: DealTypes) -> tuple[int, int, str]:
    if value.kind == "valid":
        return (0, types.valid.index(str(value.stored_type)), "")
    return (KINDS.index(value.kind), -value.rows, value.stored_type or "")


def _shown_id(key: object) -> str:
    """Return the id's text, also of one that the gate would refuse, such as a date."""
    try:
        return id_text(key)
    except TypeError:
        return str(key)
