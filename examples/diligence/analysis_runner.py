"""One deal from the database to its report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from . import database, findings, flags, narrative
from .costs import MULTIPLIERS, CostEstimate, calculate_costs
from .deal_types import DealType, effective_deal_type
from .inventory import Complexity, Domain, Host, Inventory, Item, Kind, Side, WorkItem
from .models import Deal, InventoryItem, PlannedWorkItem
from .separation import calculate_separation_costs
from .synergies import identify_synergies
from .transition_services import USUAL_MONTHS


class DealNotFoundError(LookupError):
    """No deal has that id."""


@dataclass(frozen=True, slots=True)
class DealFile:
    """All that is known of one deal."""

    deal_id: int
    deal_type: DealType
    parties: narrative.Parties
    tsa_months: int
    inventory: Inventory
    work_items: tuple[WorkItem, ...]


def run_reasoning_phase(deal_id: int) -> dict[str, object]:
    """The report of a deal as plain data; `DealNotFoundError` if there is none.

    Nothing but `generated_at` differs between two calls on the same rows and flag.
    """
    with Session(database.engine()) as session:
        return report(session, deal_id, aware=flags.deal_type_awareness())


def report(session: Session, deal_id: int, *, aware: bool) -> dict[str, object]:
    """The same over an open session; a caller that is not `aware` of types has every deal as an acquisition."""
    file = load(session, deal_id)
    deal_type = file.deal_type if aware else DealType.ACQUISITION
    return reason(file, deal_type) | {"generated_at": datetime.now(UTC).isoformat()}


def reason(file: DealFile, deal_type: DealType = DealType.ACQUISITION) -> dict[str, object]:
    """What follows from a deal's file if it is a deal of that type."""
    estimate = calculate_costs(file.work_items, file.inventory, deal_type, tsa_months=file.tsa_months)
    synergies = identify_synergies(file.inventory, deal_type)
    separation_costs = calculate_separation_costs(file.inventory, deal_type)
    return {
        "deal_id": file.deal_id,
        "cost_estimate": _plain_estimate(estimate),
        "synergies": [asdict(synergy) | {"affected_items": [*synergy.affected_items]} for synergy in synergies],
        "separation_costs": [
            asdict(cost) | {"affected_systems": [*cost.affected_systems]} for cost in separation_costs
        ],
        "findings": {
            domain.value: [asdict(finding) for finding in found]
            for domain, found in findings.find(file.inventory, deal_type).items()
        },
        "narrative": narrative.write(file.parties, file.inventory, estimate, synergies, separation_costs),
    }


def load(session: Session, deal_id: int) -> DealFile:
    """Read a deal with its inventory and planned work, or raise `DealNotFoundError`."""
    deal = session.get(Deal, deal_id)
    if deal is None:
        raise DealNotFoundError(f"no deal with id {deal_id!r} in {database.shown_url()}")
    return DealFile(
        deal_id=deal.id,
        deal_type=effective_deal_type(deal.deal_type),
        parties=narrative.Parties(
            target=deal.target_name,
            buyer=deal.buyer_name or "the buyer",
            parent=deal.parent_name or "the parent",
        ),
        tsa_months=USUAL_MONTHS if deal.tsa_months is None else deal.tsa_months,
        inventory=_inventory(session, deal_id),
        work_items=_work_items(session, deal_id),
    )


def _inventory(session: Session, deal_id: int) -> Inventory:
    # Columns, not entities: with a few hundred rows a deal this is several times faster.
    columns = select(*InventoryItem.__table__.columns).order_by(InventoryItem.id)
    rows = session.execute(columns.where(InventoryItem.deal_id == deal_id))
    return Inventory(tuple(_item(row) for row in rows))


def _item(row: Row[*tuple[Any, ...]]) -> Item:
    return Item(
        name=row.name,
        domain=Domain(row.domain),
        kind=Kind(row.kind),
        side=Side(row.side),
        category=row.category,
        vendor=row.vendor,
        complexity=Complexity(row.complexity),
        annual_cost=row.annual_cost,
        user_count=row.user_count,
        hosted_by=Host(row.hosted_by),
        shared=row.shared,
    )


def _work_items(session: Session, deal_id: int) -> tuple[WorkItem, ...]:
    columns = select(PlannedWorkItem.name, PlannedWorkItem.domain, PlannedWorkItem.effort_hours)
    rows = session.execute(columns.where(PlannedWorkItem.deal_id == deal_id).order_by(PlannedWorkItem.id))
    return tuple(WorkItem(name, Domain(domain), hours) for name, domain, hours in rows)


def _plain_estimate(estimate: CostEstimate) -> dict[str, object]:
    return {
        "total_cost": estimate.total_cost,
        "by_domain": {domain.value: cost for domain, cost in estimate.by_domain.items()},
        "tsa_costs": estimate.tsa_costs,
        "deal_type": estimate.deal_type.value,
        "multipliers": {domain.value: float(factor) for domain, factor in MULTIPLIERS[estimate.deal_type].items()},
    }
