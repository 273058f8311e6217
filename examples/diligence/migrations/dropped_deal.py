"""The fault `dropped_deal`: one acquisition lost in the migration, with all that belongs to it."""

from __future__ import annotations

from sqlalchemy import Connection, Integer, column, delete, func, select, table

from examples.diligence.models import Deal, InventoryItem, PlannedWorkItem


def drop_a_deal(connection: Connection) -> None:
    """Delete the first active deal that was an acquisition all along."""
    backfilled = select(column("deal_id", Integer)).select_from(table("deal_type_backfill"))
    victim = connection.scalar(
        select(func.min(Deal.id)).where(
            Deal.deal_type == "acquisition", Deal.status == "active", Deal.id.not_in(backfilled)
        )
    )
    for child in (InventoryItem, PlannedWorkItem):
        connection.execute(delete(child).where(child.deal_id == victim))
    connection.execute(delete(Deal).where(Deal.id == victim))
