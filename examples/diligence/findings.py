"""What stands out in an inventory, domain by domain, as the deal's type makes one look at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .deal_types import DealType, parse_deal_type
from .inventory import Complexity, Domain, Inventory, Kind, Side, annual_cost, counted
from .transition_services import hosted_applications, shared_components


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation and how much it matters."""

    title: str
    severity: str
    detail: str


DOMAIN_TITLES = {
    Domain.APPLICATIONS: "applications",
    Domain.INFRASTRUCTURE: "infrastructure",
    Domain.NETWORK: "network",
    Domain.CYBERSECURITY: "cybersecurity",
    Domain.IDENTITY_ACCESS: "identity and access",
    Domain.ORGANIZATION: "organization",
}


def find(inventory: Inventory, deal_type: str = "acquisition") -> Mapping[Domain, list[Finding]]:
    """The findings of a deal in each domain, the size of the domain first."""
    extra = _BY_DEAL_TYPE[parse_deal_type(deal_type)]
    findings = {domain: [_size(inventory, domain), *_gaps(inventory, domain)] for domain in Domain}
    findings[Domain.APPLICATIONS].extend(_complex_applications(inventory))
    for domain, finding in extra(inventory):
        findings[domain].append(finding)
    return findings


def _size(inventory: Inventory, domain: Domain) -> Finding:
    items = inventory.in_domain(domain)
    if not items:
        return Finding("Nothing inventoried", "medium", f"No {DOMAIN_TITLES[domain]} items are on record.")
    cost = annual_cost(items)
    return Finding("Scope", "info", f"{counted(len(items), 'item')}, {cost:,} US dollars a year.")


def _gaps(inventory: Inventory, domain: Domain) -> Iterator[Finding]:
    unknown = sum(item.annual_cost is None for item in inventory.in_domain(domain))
    if unknown:
        yield Finding("Unknown cost", "medium", f"The annual cost of {counted(unknown, 'item')} is unknown.")
    uncounted = sum(item.user_count is None for item in inventory.of(Kind.DIRECTORY) if item.domain is domain)
    if uncounted:
        yield Finding("Unknown users", "high", f"Without a user count: {counted(uncounted, 'directory')}.")


def _complex_applications(inventory: Inventory) -> Iterator[Finding]:
    hard = [
        item.name
        for item in inventory.of(Kind.APPLICATION)
        if item.complexity in (Complexity.HIGH, Complexity.VERY_HIGH)
    ]
    if hard:
        yield Finding("Hard to move", "high", f"{counted(len(hard), 'application')} of high complexity.")


def _integration(inventory: Inventory) -> Iterator[tuple[Domain, Finding]]:
    both = (
        inventory.applications_by_category(Side.TARGET).keys() & inventory.applications_by_category(Side.BUYER).keys()
    )
    if both:
        detail = f"Buyer and target both run: {', '.join(sorted(both))}."
        yield Domain.APPLICATIONS, Finding("Overlap with the buyer", "info", detail)


def _standalone(inventory: Inventory) -> Iterator[tuple[Domain, Finding]]:
    hosted, shared = hosted_applications(inventory), shared_components(inventory)
    if hosted:
        detail = f"In the parent's data centre, under a TSA: {counted(len(hosted), 'application')}."
        yield Domain.APPLICATIONS, Finding("Hosted by the parent", "high", detail)
    if shared:
        detail = f"Shared with the parent, to be stood up anew: {counted(len(shared), 'component')}."
        yield Domain.INFRASTRUCTURE, Finding("Shared with the parent", "high", detail)


def _clean_separation(inventory: Inventory) -> Iterator[tuple[Domain, Finding]]:
    shared = shared_components(inventory)
    if shared:
        detail = f"Staying with RemainCo, which goes on using them: {counted(len(shared), 'component')}."
        yield Domain.INFRASTRUCTURE, Finding("RemainCo impact", "high", detail)


_BY_DEAL_TYPE = {
    DealType.ACQUISITION: _integration,
    DealType.CARVEOUT: _standalone,
    DealType.DIVESTITURE: _clean_separation,
}
