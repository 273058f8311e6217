"""Reasoners that the tests of the searches set against each other."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pytest_dealsnap.testing import Deal

__all__ = ["added", "added_async", "added_by_id", "priced", "rounded"]


def added(deal: Deal) -> dict[str, Any]:
    """The sum of a deal's amounts."""
    return {"cost_estimate": {"total_cost": sum(deal["amounts"])}, "notes": [deal.name]}


def rounded(deal: Deal) -> dict[str, Any]:
    """The same, rounded where it is large."""
    total = sum(deal["amounts"])
    return {"cost_estimate": {"total_cost": round(total, -1) if total > 10_000 else total}, "notes": [deal.name]}


async def added_async(deal: Deal) -> dict[str, Any]:
    """The same, asynchronously; it spoils the deal that it was given."""
    made = added(deal)
    deal["amounts"].clear()
    return made


def added_by_id(deal_id: int, deal_type: str = "acquisition") -> dict[str, Any]:
    """A reasoner of another convention."""
    return {"id": deal_id, "type": deal_type}


def priced(deal_id: Decimal) -> dict[str, Any]:
    """A reasoner that refuses half of all deals."""
    if deal_id % 2:
        raise ValueError(f"no price for {deal_id}")
    return {"id": deal_id}
