"""Whether the deal type reaches the reasoner at all: some deals are given another type, and reasoned again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, column, table, update

from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.config import DealsConfig
from pytest_dealsnap.deals.deal import id_order
from pytest_dealsnap.rehearsal.capture_differences import Difference, differences

__all__ = ["choose_deals", "differs_beyond_echo", "give_types", "next_type"]

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
    schema, _, name = deals.table.rpartition(".")
    source = table(name, column(deals.id), column(deals.type), schema=schema or None)
    for deal_id, stored in types.items():
        connection.execute(update(source).where(source.c[deals.id] == keys[deal_id]).values({deals.type: stored}))


def differs_beyond_echo(before: DealSnapshots, after: DealSnapshots, deals: DealsConfig) -> list[str]:
    """Return the deals whose answer differs in more than a line that just says the type again."""
    words = {*deals.types, *deals.aliases}

    def is_echo(difference: Difference) -> bool:
        return all(old in words and new in words for _, old, new in _plain(difference))

    return [difference.id for difference in differences(before, after) if not is_echo(difference)]


def _plain(difference: Difference) -> list[tuple[str, Any, Any]]:
    """Return the leaves with values that can be looked up; what cannot is no type."""
    return [(p, a if isinstance(a, str) else "", b if isinstance(b, str) else "") for p, a, b in difference.leaves]
