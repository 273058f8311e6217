"""What was given as a deal, as a deal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_dealsnap.config import DealsConfig
from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.deals.types import DealTypes
from pytest_dealsnap.errors import SourceError, did_you_mean

__all__ = ["as_deal", "told"]


def as_deal(item: Any, columns: DealsConfig) -> Any:
    """Return *item* as a :class:`Deal` if it is one or a record of one; anything else as it is."""
    if isinstance(item, Deal) or not isinstance(item, Mapping):
        return item
    if columns.id not in item:
        hint = did_you_mean(columns.id, map(str, item))
        raise SourceError(f"a record has no {columns.id!r} (deals.id).{hint} It has: {', '.join(map(str, item))}")
    stored = item.get(columns.type) if columns.type else None
    stored = None if stored is None else str(getattr(stored, "value", stored))
    name = item.get(columns.name) if columns.name else None
    effective = DealTypes.of(columns).effective(stored)
    return Deal(item[columns.id], None if name is None else str(name), effective, stored, dict(item))


def told(item: Any, columns: DealsConfig) -> Any:
    """Return a deal as it is printed: with plain fields, which a test can be given."""
    deal = as_deal(item, columns)
    if not isinstance(deal, Deal):
        return deal
    return Deal(deal.id, deal.name, deal.deal_type, deal.stored_type, dict(deal.fields))
