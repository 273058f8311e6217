"""Every deal type in every domain: what a change of the analysis has to be tested with."""

from __future__ import annotations

from typing import Any, cast

import pytest

from examples.diligence.analysis_runner import DealFile, reason
from examples.diligence.costs import MULTIPLIERS
from examples.diligence.deal_types import DealType
from examples.diligence.inventory import Domain, Host, Inventory, Item, Kind, Side, WorkItem
from examples.diligence.narrative import Parties

ITEMS = (
    Item("Ledger", Domain.APPLICATIONS, Kind.APPLICATION, category="ERP", annual_cost=90_000, hosted_by=Host.PARENT),
    Item("Buyer's", Domain.APPLICATIONS, Kind.APPLICATION, side=Side.BUYER, category="ERP", annual_cost=90_000),
    Item("Parent's", Domain.APPLICATIONS, Kind.APPLICATION, side=Side.PARENT, category="ERP", annual_cost=90_000),
    Item("Server", Domain.INFRASTRUCTURE, Kind.SERVER, shared=True),
    Item("Leeds", Domain.NETWORK, Kind.SITE),
    Item("Firewall", Domain.CYBERSECURITY, Kind.SECURITY_TOOL),
    Item("Directory", Domain.IDENTITY_ACCESS, Kind.DIRECTORY, user_count=400),
    Item("Service Desk", Domain.ORGANIZATION, Kind.TEAM),
)
FILE = DealFile(
    deal_id=1,
    deal_type=DealType.ACQUISITION,
    parties=Parties("Target", "Buyer", "Parent"),
    tsa_months=12,
    inventory=Inventory(ITEMS),
    work_items=tuple(WorkItem(f"Work on {domain}", domain, 40) for domain in Domain),
)
TYPES = pytest.mark.deal_matrix
TYPES_AND_DOMAINS = pytest.mark.deal_matrix(domain=Domain)


def report(deal_type: str = "acquisition") -> dict[str, Any]:
    """The report of one and the same company as a deal of that type."""
    return cast(dict[str, Any], reason(FILE, DealType(deal_type)))


@TYPES_AND_DOMAINS
def test_a_domain_costs_its_multiple(deal_type: str, domain: Domain) -> None:
    """Each domain costs what it costs in an acquisition, times the type's multiplier, which the report names."""
    plain, estimate = report()["cost_estimate"], report(deal_type)["cost_estimate"]
    assert estimate["multipliers"][domain] == float(MULTIPLIERS[DealType(deal_type)][domain])
    assert estimate["by_domain"][domain] == plain["by_domain"][domain] * MULTIPLIERS[DealType(deal_type)][domain]
    assert (estimate["by_domain"][domain] > plain["by_domain"][domain]) is (deal_type != "acquisition")


@TYPES_AND_DOMAINS
def test_a_domain_has_findings(deal_type: str, domain: Domain) -> None:
    """Each domain is looked at for each type, and its scope comes first."""
    findings = report(deal_type)["findings"][domain]
    assert findings[0]["title"] == "Scope"
    assert all(finding["severity"] in ("info", "medium", "high") for finding in findings)


@TYPES
def test_a_type_has_a_question_of_its_own(deal_type: str) -> None:
    """Synergies or separation costs, a TSA or none, and the narrative's template."""
    made = report(deal_type)
    acquisition, carveout = deal_type == "acquisition", deal_type == "carveout"
    assert made["cost_estimate"]["deal_type"] == deal_type
    assert [bool(made["synergies"]), bool(made["separation_costs"])] == [acquisition, not acquisition]
    assert bool(made["cost_estimate"]["tsa_costs"]) is carveout
    words = {
        DealType.ACQUISITION: "joins Buyer",
        DealType.CARVEOUT: "must stand alone",
        DealType.DIVESTITURE: "RemainCo keeps",
    }
    assert [word in made["narrative"] for word in words.values()] == [kind == deal_type for kind in words]


def test_no_two_types_agree() -> None:
    """Total, narrative and findings differ between any two types."""
    reports = [report(deal_type) for deal_type in DealType]
    assert len({made["cost_estimate"]["total_cost"] for made in reports}) == 3
    assert len({made["narrative"] for made in reports}) == 3
    assert len({str(made["findings"]) for made in reports}) == 3
