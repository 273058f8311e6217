"""TSA: the parent's systems, rented by a carve-out until it stands alone."""

from __future__ import annotations

from . import faults, flags
from .deal_types import DealType, parse_deal_type
from .faults import Fault
from .inventory import Domain, Host, Inventory, Item, Kind

PER_HOSTED_APPLICATION = 5_000
PER_SHARED_COMPONENT = 10_000
LEAST_A_MONTH = 50_000
MOST_A_MONTH = 500_000
USUAL_MONTHS = 12


def hosted_applications(inventory: Inventory) -> list[Item]:
    """The target's applications that run in the parent's data centre."""
    return [item for item in inventory.of(Kind.APPLICATION) if item.hosted_by is Host.PARENT]


def shared_components(inventory: Inventory) -> list[Item]:
    """The infrastructure the target shares with its parent."""
    return [item for item in inventory.in_domain(Domain.INFRASTRUCTURE) if item.shared]


def monthly_fee(inventory: Inventory) -> int:
    """What the parent charges a month, in dollars, between the least and the most it would."""
    fee = PER_HOSTED_APPLICATION * len(hosted_applications(inventory))
    fee += PER_SHARED_COMPONENT * len(shared_components(inventory))
    return min(max(fee, LEAST_A_MONTH), MOST_A_MONTH)


def transition_service_cost(inventory: Inventory, deal_type: str = "acquisition", *, months: int = USUAL_MONTHS) -> int:
    """The whole TSA in dollars: nothing but for a carve-out."""
    return monthly_fee(inventory) * months if _is_charged(parse_deal_type(deal_type)) else 0


def _is_charged(deal_type: DealType) -> bool:
    if deal_type is DealType.ACQUISITION and Fault.TSA_ON_ACQUISITIONS in faults.active():
        # A fault of the new behaviour, so that turning the flag off cures it.
        return flags.deal_type_awareness()
    return deal_type is DealType.CARVEOUT
