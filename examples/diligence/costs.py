"""What the work of a deal costs, by domain and deal type, in whole US dollars."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

from . import faults
from .deal_types import DealType, parse_deal_type
from .faults import Fault
from .inventory import Complexity, Domain, Inventory, Item, Kind, WorkItem
from .transition_services import USUAL_MONTHS, transition_service_cost

logger = logging.getLogger(__name__)

HOURLY_RATE = 150

BASE = {
    Domain.APPLICATIONS: 0,
    Domain.INFRASTRUCTURE: 30_000,
    Domain.NETWORK: 100_000,
    Domain.CYBERSECURITY: 150_000,
    Domain.IDENTITY_ACCESS: 75_000,
    Domain.ORGANIZATION: 250_000,
}
PER_USER = {Domain.INFRASTRUCTURE: 10, Domain.CYBERSECURITY: 5, Domain.IDENTITY_ACCESS: 15}
PER_DATA_CENTER = 25_000
PER_SITE = 20_000
PER_APPLICATION = 20_000
ERP_BASE = 500_000
ERP_PER_USER = 200
COMPLEXITY = {
    Complexity.LOW: Decimal("0.7"),
    Complexity.MEDIUM: Decimal("1.0"),
    Complexity.HIGH: Decimal("1.5"),
    Complexity.VERY_HIGH: Decimal("2.0"),
}


def _multipliers(**factors: str) -> dict[Domain, Decimal]:
    return {domain: Decimal(factors.get(domain.value, "1.0")) for domain in Domain}


MULTIPLIERS = {
    DealType.ACQUISITION: _multipliers(),
    DealType.CARVEOUT: _multipliers(
        applications="1.8",
        infrastructure="2.0",
        network="2.2",
        cybersecurity="1.9",
        identity_access="2.5",
        organization="1.6",
    ),
    DealType.DIVESTITURE: _multipliers(
        applications="2.2",
        infrastructure="2.5",
        network="2.8",
        cybersecurity="2.3",
        identity_access="3.0",
        organization="2.0",
    ),
}


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """One-time cost of a deal: a line for each domain and one for transition services."""

    deal_type: DealType
    by_domain: Mapping[Domain, int]
    tsa_costs: int

    @property
    def total_cost(self) -> int:
        """All lines together."""
        return sum(self.by_domain.values()) + self.tsa_costs


def calculate_costs(
    work_items: Sequence[WorkItem],
    inventory: Inventory,
    deal_type: str = "acquisition",
    *,
    tsa_months: int = USUAL_MONTHS,
) -> CostEstimate:
    """Estimate a deal: base, drivers and effort of each domain, times the deal type's multiplier, plus TSA.

    `deal_type` is a deal type or an alias of one, else `UnknownDealTypeError`.
    """
    kind = parse_deal_type(deal_type)
    _log("Cost calculation: deal_type=%s, work_item_count=%d", deal_type=kind.value, work_item_count=len(work_items))
    broken = faults.active()
    if Fault.CRASH_ON_EMPTY in broken and not inventory.items:
        raise ZeroDivisionError("average cost of an item in an empty inventory")
    plain = _plain_costs(work_items, inventory, round_up=Fault.ROUNDING in broken)
    by_domain = {domain: _whole_dollars(plain[domain] * MULTIPLIERS[kind][domain]) for domain in Domain}
    estimate = CostEstimate(kind, by_domain, transition_service_cost(inventory, kind, months=tsa_months))
    applied = round(sum(by_domain.values()) / float(sum(plain.values())), 3)
    _log("Cost result: total=$%d, multiplier_applied=%s", total=estimate.total_cost, multiplier_applied=applied)
    return estimate


def _log(message: str, **facts: object) -> None:
    # The facts fill the message in order, and reach a structured log by name.
    logger.info(message, *facts.values(), extra={"facts": facts})


def _plain_costs(work_items: Sequence[WorkItem], inventory: Inventory, *, round_up: bool) -> dict[Domain, Decimal]:
    plain = dict.fromkeys(Domain, Decimal(0))
    for domain, amount in _lines(work_items, inventory):
        plain[domain] += _next_thousand(amount) if round_up else amount
    return plain


def _lines(work_items: Sequence[WorkItem], inventory: Inventory) -> Iterator[tuple[Domain, Decimal]]:
    users = inventory.users()
    for domain in Domain:
        yield domain, Decimal(BASE[domain] + PER_USER.get(domain, 0) * users)
    yield Domain.INFRASTRUCTURE, Decimal(PER_DATA_CENTER * len(inventory.of(Kind.DATA_CENTER)))
    yield Domain.NETWORK, Decimal(PER_SITE * len(inventory.of(Kind.SITE)))
    for application in inventory.of(Kind.APPLICATION):
        yield Domain.APPLICATIONS, _application_cost(application)
    for work in work_items:
        yield work.domain, Decimal(work.effort_hours * HOURLY_RATE)


def _application_cost(application: Item) -> Decimal:
    if application.category == "ERP":
        return Decimal(ERP_BASE + ERP_PER_USER * (application.user_count or 0))
    return PER_APPLICATION * COMPLEXITY[application.complexity]


def _next_thousand(amount: Decimal) -> Decimal:
    return (amount / 1000).to_integral_value(ROUND_CEILING) * 1000


def _whole_dollars(amount: Decimal) -> int:
    return int(amount.to_integral_value(ROUND_HALF_UP))
