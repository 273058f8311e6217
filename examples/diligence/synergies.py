"""What an acquisition saves where buyer and target run the same kind of application."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import faults
from .deal_types import DealType, parse_deal_type
from .faults import Fault
from .inventory import Inventory, Item, Side, annual_cost

WORTHWHILE_TOGETHER = 100_000
SLOW_CATEGORIES = frozenset({"ERP", "CRM", "Finance", "HCM", "HR"})
SERVICE_CATEGORIES = frozenset({"Telecom", "Collaboration"})


@dataclass(frozen=True, slots=True)
class Synergy:
    """One saving. Amounts are whole dollars: savings a year, cost to achieve once."""

    type: str
    name: str
    category: str
    annual_savings_low: int
    annual_savings_high: int
    cost_to_achieve_low: int
    cost_to_achieve_high: int
    timeframe: str
    confidence: str
    affected_items: tuple[str, ...]


def identify_synergies(inventory: Inventory, deal_type: str = "acquisition") -> list[Synergy]:
    """The synergies of a deal by category; a carve-out or divestiture has none."""
    if parse_deal_type(deal_type) is not DealType.ACQUISITION:
        return []
    targets = inventory.applications_by_category(Side.TARGET)
    buyers = inventory.applications_by_category(Side.BUYER)
    synergies = [
        _synergy(category, targets[category], buyers[category])
        for category in sorted(targets.keys() & buyers.keys())
        if annual_cost(targets[category]) + annual_cost(buyers[category]) >= WORTHWHILE_TOGETHER
    ]
    if Fault.LOST_SYNERGY in faults.active() and len(synergies) > 2:
        return synergies[:-1]
    return synergies


def _synergy(category: str, targets: Sequence[Item], buyers: Sequence[Item]) -> Synergy:
    smaller, larger = sorted((annual_cost(targets), annual_cost(buyers)))
    slow = category in SLOW_CATEGORIES
    kind = _type(category, targets, buyers)
    return Synergy(
        type=kind,
        name=f"{category}: {_TITLES[kind]}",
        category=category,
        annual_savings_low=smaller + _percent(larger, 10),
        annual_savings_high=smaller + _percent(larger, 30),
        cost_to_achieve_low=_percent(smaller, 50),
        cost_to_achieve_high=_percent(smaller, 200),
        timeframe="12-18 months" if slow else "6-12 months",
        confidence="medium" if slow else "high",
        affected_items=tuple(sorted(item.name for item in (*targets, *buyers))),
    )


_TITLES = {
    "consolidation": "move to one platform",
    "license_optimization": "one licence agreement instead of two",
    "renegotiation": "renegotiate the joint volume",
}


def _type(category: str, targets: Sequence[Item], buyers: Sequence[Item]) -> str:
    if category in SERVICE_CATEGORIES:
        return "renegotiation"
    if {item.vendor for item in targets} & {item.vendor for item in buyers}:
        return "license_optimization"
    return "consolidation"


def _percent(amount: int, percent: int) -> int:
    return (amount * percent + 50) // 100
