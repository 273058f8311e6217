"""The deals of the example, the same on every machine: sound ones, neglected ones, and hostile names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum

from . import profiles
from .catalogue import FIRST_WORDS, HOSTILE_NAMES, LEGAL_FORMS, TRADES
from .deal_types import DealType, effective_deal_type
from .dice import Dice
from .inventory import Item, WorkItem
from .portfolio import Profile, items, work_items

SEED = 20250215
FIRST_DAY = datetime(2024, 1, 8, 9, 0, tzinfo=UTC)

Row = Mapping[str, object]

# Stored type and status, and how many deals have them.
STORED: tuple[tuple[str | None, str, int], ...] = (
    ("acquisition", "active", 250),
    ("carveout", "active", 45),
    ("divestiture", "active", 12),
    (None, "active", 5),
    ("merger", "active", 3),
    ("Acquisition", "active", 2),
    ("carve-out ", "active", 2),
    ("", "active", 2),
    ("acquisition", "deleted", 5),
    ("carveout", "deleted", 2),
    (None, "deleted", 1),
)
EMPTY_INVENTORIES = (30, 90, 150, 210)  # of the active acquisitions, counted in order of id
UNKNOWN_COSTS = (12, 47, 83, 119, 160, 201)
UNCOUNTED_USERS = (25, 66, 140, 222)
LEANING_CARVEOUTS = (4, 31)  # of the active carve-outs
LONG_TSA_CARVEOUT = 17


@dataclass(frozen=True, slots=True)
class _Place:
    """A deal's id, what is stored of it, and its rank among the active deals of its stored type."""

    deal_id: int
    stored_type: str | None
    status: str
    rank: int

    def is_(self, deal_type: DealType, *ranks: int) -> bool:
        return self.status == "active" and self.stored_type == deal_type and self.rank in ranks


def generate(seed: int = SEED) -> dict[str, list[Row]]:
    """The rows of every table by its name, parents before children."""
    tables: dict[str, list[Row]] = {"deals": [], "inventory_items": [], "work_items": []}
    for place in _places(Dice(seed)):
        dice = Dice(seed * 1_000 + place.deal_id)
        profile = _profile(dice, place)
        tables["deals"].append(_deal(dice, place))
        if not place.is_(DealType.ACQUISITION, *EMPTY_INVENTORIES):
            _append(tables["inventory_items"], place.deal_id, items(dice, profile))
            _append(tables["work_items"], place.deal_id, work_items(dice, profile))
    return tables


def _places(dice: Dice) -> list[_Place]:
    stored = [(deal_type, status) for deal_type, status, count in STORED for _ in range(count)]
    places: list[_Place] = []
    ranks: dict[tuple[str | None, str], int] = {}
    for deal_id, (deal_type, status) in enumerate(dice.shuffled(stored), start=1):
        rank = ranks.get((deal_type, status), 0)
        ranks[deal_type, status] = rank + 1
        places.append(_Place(deal_id, deal_type, status, rank))
    return places


def _profile(dice: Dice, place: _Place) -> Profile:
    if place.is_(DealType.CARVEOUT, *LEANING_CARVEOUTS):
        return profiles.LEANING_ON_THE_PARENT[LEANING_CARVEOUTS.index(place.rank)]
    if place.is_(DealType.CARVEOUT, LONG_TSA_CARVEOUT):
        return profiles.LONG_TSA
    profile = profiles.draw(dice, effective_deal_type(place.stored_type))
    if place.is_(DealType.ACQUISITION, *UNKNOWN_COSTS):
        profile = replace(profile, unknown_costs=0.3)
    return replace(profile, counts_users=not place.is_(DealType.ACQUISITION, *UNCOUNTED_USERS))


def _deal(dice: Dice, place: _Place) -> Row:
    name = _company(dice)
    if place.deal_id % 21 == 7:
        name = HOSTILE_NAMES[place.deal_id // 21 % len(HOSTILE_NAMES)]
    return {
        "id": place.deal_id,
        "name": name,
        "target_name": name,
        "buyer_name": _company(dice),
        "parent_name": _company(dice),
        "deal_type": place.stored_type,
        "status": place.status,
        "tsa_months": _tsa_months(dice, place),
        "created_at": FIRST_DAY + timedelta(hours=31 * place.deal_id),
        "updated_at": None,
    }


def _tsa_months(dice: Dice, place: _Place) -> int | None:
    if place.stored_type != DealType.CARVEOUT or place.is_(DealType.CARVEOUT, *LEANING_CARVEOUTS):
        return None
    if place.is_(DealType.CARVEOUT, LONG_TSA_CARVEOUT):
        return profiles.LONG_TSA_MONTHS
    return dice.pick((None, None, None, 6, 9, 12))


def _company(dice: Dice) -> str:
    return f"{dice.pick(FIRST_WORDS)} {dice.pick(TRADES)} {dice.pick(LEGAL_FORMS)}"


def _append(rows: list[Row], deal_id: int, values: list[Item] | list[WorkItem]) -> None:
    for value in values:
        fields = {name: _plain(getattr(value, name)) for name in value.__slots__}
        rows.append({"id": len(rows) + 1, "deal_id": deal_id, **fields})


def _plain(value: object) -> object:
    return value.value if isinstance(value, Enum) else value
