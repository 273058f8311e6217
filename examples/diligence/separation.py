"""What leaving the parent takes: a stand-up cost and a TSA for each kind of application shared with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from .deal_types import DealType, parse_deal_type
from .inventory import Inventory, Item, Side, annual_cost


@dataclass(frozen=True, slots=True)
class StandUp:
    """What a category costs to set up anew, in dollars, and how long the parent's is rented meanwhile."""

    low: int
    high: int
    tsa_months: int
    criticality: str


STAND_UPS = {
    "ERP": StandUp(1_000_000, 5_000_000, 18, "critical"),
    "HCM": StandUp(500_000, 2_000_000, 18, "critical"),
    "CRM": StandUp(200_000, 1_000_000, 12, "high"),
}
OTHER_STAND_UP = StandUp(100_000, 500_000, 12, "medium")


@dataclass(frozen=True, slots=True)
class SeparationCost:
    """One category to separate. Amounts are dollars, the TSA fee by the month."""

    name: str
    category: str
    setup_cost_low: int
    setup_cost_high: int
    tsa_months: int
    tsa_monthly_fee_low: float
    tsa_monthly_fee_high: float
    criticality: str
    affected_systems: tuple[str, ...]


def calculate_separation_costs(inventory: Inventory, deal_type: str = "acquisition") -> list[SeparationCost]:
    """The separation costs by category: none for an acquisition, and a TSA only for a carve-out."""
    kind = parse_deal_type(deal_type)
    if kind is DealType.ACQUISITION:
        return []
    targets = inventory.applications_by_category(Side.TARGET)
    parents = inventory.applications_by_category(Side.PARENT)
    factor = size_factor(inventory.users())
    return [
        _separation_cost(category, targets[category], parents[category], factor, kind)
        for category in sorted(targets.keys() & parents.keys())
    ]


def size_factor(users: int) -> Decimal:
    """How much of the stand-up cost applies to a unit with so many users."""
    if users < 500:
        return Decimal("1.0")
    return Decimal("0.8") if users < 2_000 else Decimal("0.6")


def _separation_cost(
    category: str, targets: Sequence[Item], parents: Sequence[Item], factor: Decimal, deal_type: DealType
) -> SeparationCost:
    stand_up = STAND_UPS.get(category, OTHER_STAND_UP)
    rented = deal_type is DealType.CARVEOUT
    parent_cost = annual_cost(parents) if rented else 0
    return SeparationCost(
        name=f"{category}: leave the parent's system",
        category=category,
        setup_cost_low=int(stand_up.low * factor),
        setup_cost_high=int(stand_up.high * factor),
        tsa_months=stand_up.tsa_months if rented else 0,
        tsa_monthly_fee_low=_monthly(parent_cost, "0.10"),
        tsa_monthly_fee_high=_monthly(parent_cost, "0.15"),
        criticality=stand_up.criticality,
        affected_systems=tuple(sorted(item.name for item in (*targets, *parents))),
    )


def _monthly(annual: int, share: str) -> float:
    return float((annual * Decimal(share) / 12).quantize(Decimal("0.01"), ROUND_HALF_UP))
