"""The cost engine against figures worked out by hand from the planning tables."""

from __future__ import annotations

import logging

import pytest

from examples.diligence.costs import MULTIPLIERS, calculate_costs
from examples.diligence.deal_types import ALIASES, DealType, UnknownDealTypeError
from examples.diligence.inventory import Complexity, Domain, Host, Inventory, Item, Kind, Side, WorkItem

COMPANY = Inventory(
    (
        Item("Mail", Domain.APPLICATIONS, Kind.APPLICATION, complexity=Complexity.LOW),
        Item("Shop", Domain.APPLICATIONS, Kind.APPLICATION, complexity=Complexity.HIGH),
        Item("Ledger", Domain.APPLICATIONS, Kind.APPLICATION, category="ERP", user_count=50),
        Item("Buyer's shop", Domain.APPLICATIONS, Kind.APPLICATION, side=Side.BUYER),
        Item("Cellar", Domain.INFRASTRUCTURE, Kind.DATA_CENTER),
        Item("Leeds", Domain.NETWORK, Kind.SITE),
        Item("York", Domain.NETWORK, Kind.SITE),
        Item("Directory", Domain.IDENTITY_ACCESS, Kind.DIRECTORY, user_count=100),
    )
)
WORK = (WorkItem("Migrate mail", Domain.APPLICATIONS, 10), WorkItem("Rewire", Domain.NETWORK, 3))


def applications(count: int, *, hosted_by: Host = Host.OWN) -> tuple[Item, ...]:
    """So many applications of medium complexity."""
    return tuple(
        Item(f"Application {number}", Domain.APPLICATIONS, Kind.APPLICATION, hosted_by=hosted_by)
        for number in range(count)
    )


def shared_servers(count: int) -> tuple[Item, ...]:
    """So many servers shared with the parent."""
    return tuple(Item(f"Server {number}", Domain.INFRASTRUCTURE, Kind.SERVER, shared=True) for number in range(count))


def test_an_acquisition_costs_base_drivers_and_effort() -> None:
    """Each domain is its base, its drivers and its hours at 150, undoubled by any multiplier."""
    estimate = calculate_costs(WORK, COMPANY)
    assert estimate.by_domain == {
        Domain.APPLICATIONS: 14_000 + 30_000 + 510_000 + 1_500,
        Domain.INFRASTRUCTURE: 30_000 + 1_000 + 25_000,
        Domain.NETWORK: 100_000 + 40_000 + 450,
        Domain.CYBERSECURITY: 150_500,
        Domain.IDENTITY_ACCESS: 76_500,
        Domain.ORGANIZATION: 250_000,
    }
    assert estimate.tsa_costs == 0
    assert estimate.total_cost == 1_228_950


def test_a_carveout_costs_its_multipliers_and_the_least_tsa() -> None:
    """Each domain has the carve-out's multiplier, and a year of the least TSA is added."""
    estimate = calculate_costs(WORK, COMPANY, deal_type="carveout")
    assert estimate.by_domain == {
        Domain.APPLICATIONS: 999_900,
        Domain.INFRASTRUCTURE: 112_000,
        Domain.NETWORK: 308_990,
        Domain.CYBERSECURITY: 285_950,
        Domain.IDENTITY_ACCESS: 191_250,
        Domain.ORGANIZATION: 400_000,
    }
    assert estimate.tsa_costs == 600_000
    assert estimate.total_cost == 2_898_090


def test_a_divestiture_costs_its_multipliers_and_no_tsa() -> None:
    """Each domain has the divestiture's multiplier, and nothing is rented."""
    estimate = calculate_costs(WORK, COMPANY, deal_type="divestiture")
    assert estimate.by_domain == {
        Domain.APPLICATIONS: 1_222_100,
        Domain.INFRASTRUCTURE: 140_000,
        Domain.NETWORK: 393_260,
        Domain.CYBERSECURITY: 346_150,
        Domain.IDENTITY_ACCESS: 229_500,
        Domain.ORGANIZATION: 500_000,
    }
    assert estimate.tsa_costs == 0


def test_an_empty_inventory_costs_the_bases() -> None:
    """With nothing on record, the six bases remain."""
    assert calculate_costs((), Inventory()).total_cost == 605_000


def test_unknown_user_counts_cost_nothing() -> None:
    """A directory or ERP without a user count counts as having no users."""
    items = (
        Item("Directory", Domain.IDENTITY_ACCESS, Kind.DIRECTORY),
        Item("Ledger", Domain.APPLICATIONS, Kind.APPLICATION, category="ERP"),
    )
    assert calculate_costs((), Inventory(items)).total_cost == 605_000 + 500_000


@pytest.mark.parametrize(
    ("hosted", "shared", "months", "cost"),
    [
        (0, 0, 12, 600_000),  # the least
        (10, 0, 12, 600_000),  # exactly the least
        (11, 0, 12, 660_000),
        (4, 5, 6, 420_000),
        (20, 40, 12, 6_000_000),  # exactly the most
        (21, 40, 24, 12_000_000),  # the most
    ],
)
def test_tsa_follows_what_the_parent_runs(hosted: int, shared: int, months: int, cost: int) -> None:
    """5,000 a month an application, 10,000 a component, 50,000 at least and 500,000 at most."""
    inventory = Inventory(applications(hosted, hosted_by=Host.PARENT) + shared_servers(shared))
    assert calculate_costs((), inventory, "carveout", tsa_months=months).tsa_costs == cost


def test_the_deal_type_defaults_to_acquisition() -> None:
    """Callers written before deal types go on as they were."""
    assert calculate_costs(WORK, COMPANY) == calculate_costs(WORK, COMPANY, deal_type="acquisition")


@pytest.mark.parametrize(("alias", "meant"), ALIASES.items())
def test_aliases_cost_what_they_mean(alias: str, meant: DealType) -> None:
    """Each other name of a deal type gives that type's estimate."""
    assert calculate_costs(WORK, COMPANY, alias) == calculate_costs(WORK, COMPANY, meant)


@pytest.mark.parametrize("text", ["merger", "Acquisition", "carve-out ", ""])
def test_an_unknown_deal_type_is_refused(text: str) -> None:
    """The error shows the value and what is valid."""
    with pytest.raises(UnknownDealTypeError, match="acquisition, carveout, divestiture") as refused:
        calculate_costs(WORK, COMPANY, text)
    assert repr(text) in str(refused.value)


def test_every_deal_type_has_every_multiplier() -> None:
    """No domain falls back to 1.0 outside acquisitions."""
    assert set(MULTIPLIERS[DealType.ACQUISITION].values()) == {1}
    for deal_type in (DealType.CARVEOUT, DealType.DIVESTITURE):
        assert len(MULTIPLIERS[deal_type]) == 6
        assert all(factor > 1 for factor in MULTIPLIERS[deal_type].values())


def test_the_log_tells_type_and_total(caplog: pytest.LogCaptureFixture) -> None:
    """One line goes in and one comes out, in words an auditor can count."""
    with caplog.at_level(logging.INFO, logger="examples.diligence"):
        calculate_costs(WORK, COMPANY, deal_type="carveout")
    assert caplog.messages == [
        "Cost calculation: deal_type=carveout, work_item_count=2",
        "Cost result: total=$2898090, multiplier_applied=1.87",
    ]
