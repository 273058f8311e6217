"""Whether the deal type reaches the reasoner at all: some deals are given another type, and reasoned again."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, column, table, update

from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.config import DealsConfig
from pytest_dealsnap.deals.deal import id_order
from pytest_dealsnap.deals.table_names import place_of
from pytest_dealsnap.rehearsal.capture_differences import Difference, differences

__all__ = ["Reach", "choose_deals", "give_types", "next_type", "reach_of"]

DEALS_A_TYPE = 4


def choose_deals(captured: DealSnapshots, keys: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return the first deals of every type that have an answer: their ids with effective and stored type."""
    chosen: dict[str, tuple[str, str]] = {}
    counts: Counter[str] = Counter()
    for deal_id in sorted(captured.ids() & keys.keys(), key=id_order):
        snapshot = captured.decode(deal_id, captured.recall(deal_id) or b"")
        if snapshot.error is None and snapshot.stored_type is not None and counts[snapshot.deal_type] < DEALS_A_TYPE:
            counts[snapshot.deal_type] += 1
            chosen[deal_id] = (snapshot.deal_type, snapshot.stored_type)
    return chosen


def next_type(current: str, deals: DealsConfig) -> str:
    """Return the valid type that follows the effective type *current*, the last one's being the first."""
    return deals.types[(deals.types.index(current) + 1) % len(deals.types)]


def give_types(connection: Connection, deals: DealsConfig, types: Mapping[str, str], keys: Mapping[str, Any]) -> None:
    """Store the *types* of these deals, by their ids."""
    schema, name = place_of(deals.table)
    source = table(name, column(deals.id), column(deals.type), schema=schema)
    for deal_id, stored in types.items():
        connection.execute(update(source).where(source.c[deals.id] == keys[deal_id]).values({deals.type: stored}))


@dataclass(frozen=True, slots=True)
class Reach:
    """What another type changed.

    ``tried`` counts the deals with an answer under both types, ``metrics`` in how many of them each metric differs,
    ``noticed`` are those in which one does. ``lines`` are the differences outside of every metric.
    """

    tried: int
    metrics: Mapping[str, int]
    noticed: tuple[str, ...]
    lines: tuple[Difference, ...]


def reach_of(before: DealSnapshots, after: DealSnapshots, deals: DealsConfig) -> Reach:
    """Return which metrics depend on the deal type.

    A text that only says the type again does not depend on it. A deal without an answer says nothing. Where no deal
    has a value for any metric, the lines of the output stand for the metrics.

    Args:
        before: the answers under each deal's own type.
        after: the answers of some of these deals under another type.
        deals: names the types and their aliases.
    """
    words = sorted({*deals.types, *deals.aliases}, key=len, reverse=True)
    echo = re.compile(rf"(?i)(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)")
    metrics: Counter[str] = Counter()
    noticed: list[str] = []
    tried, measured = 0, False
    for deal_id in sorted(before.ids() & after.ids(), key=id_order):
        old, new = (side.decode(deal_id, side.recall(deal_id) or b"") for side in (before, after))
        if old.error is not None or new.error is not None:
            continue
        tried += 1
        sides = (dict(old.metrics or {}), dict(new.metrics or {}))
        measured = measured or any(value is not None for side in sides for value in side.values())
        moved = {
            name for name in sides[0] | sides[1] if _plain(sides[0].get(name), echo) != _plain(sides[1].get(name), echo)
        }
        metrics.update(moved)
        noticed += [deal_id] if moved else []
    lines = tuple(difference for difference in differences(before, after) if _is_more(difference, echo))
    if not measured:
        noticed = [difference.id for difference in lines]
    return Reach(tried, dict(metrics.most_common()), tuple(noticed), lines)


def _is_more(difference: Difference, echo: re.Pattern[str]) -> bool:
    """Return whether an answer differs in more than the words for a type; an error is no answer."""
    if difference.leaves[0][0] == "error":
        return False
    return any(_plain(before, echo) != _plain(after, echo) for _, before, after in difference.leaves)


def _plain(value: Any, echo: re.Pattern[str]) -> str:
    """Return what *value* says without the words for a type."""
    return echo.sub("", json.dumps(value, sort_keys=True, default=str))
