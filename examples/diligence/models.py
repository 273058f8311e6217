"""The tables as they stand at the newest revision; how they came to be so is in `migrations/`."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, String, false, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


def _now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """What all tables of the system belong to."""


class Deal(Base):
    """A company changing hands."""

    __tablename__ = "deals"
    __table_args__ = (
        CheckConstraint("deal_type IN ('acquisition', 'carveout', 'divestiture')", name="valid_deal_type"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    target_name: Mapped[str] = mapped_column(String(255))
    buyer_name: Mapped[str | None] = mapped_column(String(255))
    parent_name: Mapped[str | None] = mapped_column(String(255))
    deal_type: Mapped[str] = mapped_column(String(50), default="acquisition")
    status: Mapped[str] = mapped_column(String(20), default="active", server_default="active")
    tsa_months: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=_now, server_default=func.now())
    updated_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), onupdate=_now)


class InventoryItem(Base):
    """A system, site, directory or team on one side of a deal; costs are US dollars a year."""

    __tablename__ = "inventory_items"

    id: Mapped[int] = mapped_column(primary_key=True)
    deal_id: Mapped[int] = mapped_column(ForeignKey("deals.id"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    domain: Mapped[str] = mapped_column(String(30))
    kind: Mapped[str] = mapped_column(String(30))
    side: Mapped[str] = mapped_column(String(10), default="target", server_default="target")
    category: Mapped[str] = mapped_column(String(50), default="", server_default="")
    vendor: Mapped[str] = mapped_column(String(100), default="", server_default="")
    complexity: Mapped[str] = mapped_column(String(10), default="medium", server_default="medium")
    annual_cost: Mapped[int | None]
    user_count: Mapped[int | None]
    hosted_by: Mapped[str] = mapped_column(String(10), default="own", server_default="own")
    shared: Mapped[bool] = mapped_column(default=False, server_default=false())


class PlannedWorkItem(Base):
    """A piece of work planned for a deal and its effort in hours."""

    __tablename__ = "work_items"

    id: Mapped[int] = mapped_column(primary_key=True)
    deal_id: Mapped[int] = mapped_column(ForeignKey("deals.id"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    domain: Mapped[str] = mapped_column(String(30))
    effort_hours: Mapped[int]
