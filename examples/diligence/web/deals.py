"""Deals as the web side finds, creates and changes them, in the session of the request."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from flask import request
from sqlalchemy import ColumnElement, func, insert, literal, or_, select

from examples.diligence import metrics
from examples.diligence.deal_types import VALID_DEAL_TYPES, DealType
from examples.diligence.models import Deal, InventoryItem, PlannedWorkItem

from .extensions import db
from .fields import LARGEST_ID, InvalidDealError, Values

logger = logging.getLogger(__name__)

ACTIVE = Deal.status != "deleted"


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the deals found, and how many there are in all."""

    deals: Sequence[Deal]
    number: int
    size: int
    total: int

    @property
    def last(self) -> int:
        """The number of the last page, from 1."""
        return max(1, -(-self.total // self.size))


def find(deal_type: DealType | None = None, text: str = "", *, number: int = 1, size: int = 25) -> Page:
    """A page of the deals that are not deleted, newest first; `text` is looked for in their names."""
    wanted = [ACTIVE]
    if deal_type:
        wanted.append(_counts_as(deal_type))
    if text:
        wanted.append(or_(*(column.icontains(text, autoescape=True) for column in (Deal.name, Deal.target_name))))
    total = db.session.scalar(select(func.count()).select_from(Deal).where(*wanted)) or 0
    rows = select(Deal).where(*wanted).order_by(Deal.id.desc()).limit(size).offset((number - 1) * size)
    return Page(db.session.scalars(rows).all(), number, size, total)


def searchable(text: str) -> str:
    """A text as it can be looked for: without blanks at its ends, and without NUL, which PostgreSQL refuses."""
    return text.replace("\0", "").strip()


def get(deal_id: int) -> Deal | None:
    """The deal of that id, unless it is deleted."""
    if deal_id > LARGEST_ID:  # PostgreSQL would refuse to compare it
        return None
    return db.session.scalar(select(Deal).where(Deal.id == deal_id, ACTIVE))


def create(values: Values) -> Deal:
    """Store a new deal; `inventory_from` copies inventory and planned work of another, else `InvalidDealError`."""
    source = values.pop("inventory_from", None)
    if source is not None and (not isinstance(source, int) or get(source) is None):
        raise InvalidDealError({"inventory_from": f"there is no deal {source}"})
    deal = Deal(**values)
    db.session.add(deal)
    db.session.flush()
    if source is not None:
        _copy_belongings(source, deal.id)
    db.session.commit()
    metrics.deal_creation("created")
    _log("Deal created: deal_id=%d, deal_type=%s", deal)
    return deal


def change(deal: Deal, values: Values) -> None:
    """Store new values of some fields."""
    if "inventory_from" in values:
        raise InvalidDealError({"inventory_from": "can only be given when a deal is created"})
    for name, value in values.items():
        setattr(deal, name, value)
    db.session.commit()
    _log("Deal changed: deal_id=%d, deal_type=%s", deal)


def count_failure(error: Exception) -> None:
    """Count a deal that was not created, and why."""
    outcome = "error"
    if isinstance(error, InvalidDealError):
        outcome = "invalid_deal_type" if "deal_type" in error.fields else "invalid"
    metrics.deal_creation(outcome)
    # No word of the client's own: whatever it sends, it cannot forge a line that someone counts.
    facts = {"outcome": outcome, "client": request.remote_addr, "path": request.path}
    logger.warning("Deal not created: outcome=%s, client=%s, path=%s", *facts.values(), extra={"facts": facts})


def _counts_as(deal_type: DealType) -> ColumnElement[bool]:
    if deal_type is not DealType.ACQUISITION:
        return Deal.deal_type == deal_type.value
    others = [other for other in VALID_DEAL_TYPES if other != deal_type]
    return Deal.deal_type.is_(None) | Deal.deal_type.not_in(others)


def _copy_belongings(source: int, deal_id: int) -> None:
    for table in (InventoryItem.__table__, PlannedWorkItem.__table__):
        columns = [column for column in table.columns if column.name not in ("id", "deal_id")]
        rows = select(literal(deal_id), *columns).where(table.c.deal_id == source).order_by(table.c.id)
        db.session.execute(insert(table).from_select(["deal_id", *columns], rows))  # type: ignore[arg-type]


def _log(message: str, deal: Deal) -> None:
    facts = {"deal_id": deal.id, "deal_type": deal.deal_type}
    logger.info(message, *facts.values(), extra={"facts": facts})
