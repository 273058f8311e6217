"""Synergies and separation costs against figures worked out by hand."""

from __future__ import annotations

import pytest

from examples.diligence.inventory import Domain, Inventory, Item, Kind, Side
from examples.diligence.separation import calculate_separation_costs
from examples.diligence.synergies import identify_synergies


def application(name: str, category: str, side: Side, annual_cost: int | None = None, vendor: str = "") -> Item:
    """An application of one side."""
    return Item(
        name,
        Domain.APPLICATIONS,
        Kind.APPLICATION,
        side=side,
        category=category,
        vendor=vendor or name,
        annual_cost=annual_cost,
    )


def directory(users: int) -> Item:
    """So many users."""
    return Item("Directory", Domain.IDENTITY_ACCESS, Kind.DIRECTORY, user_count=users)


def test_consolidation_saves_the_smaller_side_and_a_part_of_the_larger() -> None:
    """10 to 30 % of the larger, 50 to 200 % of the smaller to achieve; a CRM takes long."""
    inventory = Inventory(
        (
            application("Leads", "CRM", Side.TARGET, 40_000),
            application("Contacts", "CRM", Side.TARGET, 20_000),
            application("Pipeline", "CRM", Side.BUYER, 200_000),
        )
    )
    (synergy,) = identify_synergies(inventory)
    assert (synergy.annual_savings_low, synergy.annual_savings_high) == (80_000, 120_000)
    assert (synergy.cost_to_achieve_low, synergy.cost_to_achieve_high) == (30_000, 120_000)
    assert (synergy.timeframe, synergy.confidence) == ("12-18 months", "medium")
    assert synergy.affected_items == ("Contacts", "Leads", "Pipeline")


@pytest.mark.parametrize(
    ("category", "months", "confidence"),
    [(category, "12-18 months", "medium") for category in ("ERP", "CRM", "Finance", "HCM", "HR")]
    + [(category, "6-12 months", "high") for category in ("Analytics", "Telecom", "Documents")],
)
def test_what_runs_the_business_moves_slowly(category: str, months: str, confidence: str) -> None:
    """ERP, CRM, finance and HR, by either of its names, take longer and are less certain than the rest."""
    inventory = Inventory(
        (application("Ours", category, Side.TARGET, 60_000), application("Theirs", category, Side.BUYER, 60_000))
    )
    (synergy,) = identify_synergies(inventory)
    assert (synergy.timeframe, synergy.confidence) == (months, confidence)


@pytest.mark.parametrize(("together", "count"), [(99_999, 0), (100_000, 1)])
def test_consolidation_must_be_worthwhile(together: int, count: int) -> None:
    """Below 100,000 a year together there is no synergy."""
    items = (
        application("Ours", "Analytics", Side.TARGET, 50_000),
        application("Theirs", "Analytics", Side.BUYER, together - 50_000),
    )
    assert len(identify_synergies(Inventory(items))) == count


@pytest.mark.parametrize(
    ("category", "vendors", "kind"),
    [
        ("Analytics", ("Qlik", "Tableau"), "consolidation"),
        ("Analytics", ("Qlik", "Qlik"), "license_optimization"),
        ("Telecom", ("Orange", "Orange"), "renegotiation"),
    ],
)
def test_the_type_of_a_synergy_follows_category_and_vendor(category: str, vendors: tuple[str, str], kind: str) -> None:
    """Services are renegotiated, one vendor's licences are joined, the rest is consolidated."""
    target, buyer = vendors
    items = (
        application("Ours", category, Side.TARGET, 90_000, target),
        application("Theirs", category, Side.BUYER, 90_000, buyer),
    )
    (synergy,) = identify_synergies(Inventory(items))
    assert synergy.type == kind


def test_an_unknown_cost_counts_as_nothing() -> None:
    """A side whose cost nobody knows neither saves nor fails."""
    items = (
        application("Ours", "Analytics", Side.TARGET),
        application("Theirs", "Analytics", Side.BUYER, 100_000),
    )
    (synergy,) = identify_synergies(Inventory(items))
    assert (synergy.annual_savings_low, synergy.cost_to_achieve_high) == (10_000, 0)


@pytest.mark.parametrize(
    ("category", "users", "setup", "months", "criticality"),
    [
        ("ERP", 499, (1_000_000, 5_000_000), 18, "critical"),
        ("ERP", 500, (800_000, 4_000_000), 18, "critical"),
        ("HCM", 1_999, (400_000, 1_600_000), 18, "critical"),
        ("CRM", 2_000, (120_000, 600_000), 12, "high"),
        ("Documents", 0, (100_000, 500_000), 12, "medium"),
    ],
)
def test_standing_up_follows_category_and_size(
    category: str, users: int, setup: tuple[int, int], months: int, criticality: str
) -> None:
    """The table's figures, times 1.0 under 500 users, 0.8 under 2,000, 0.6 from there."""
    items = (
        application("Ours", category, Side.TARGET, 1),
        application("Parent's", category, Side.PARENT, 120_000),
        directory(users),
    )
    (cost,) = calculate_separation_costs(Inventory(items), "carveout")
    assert (cost.setup_cost_low, cost.setup_cost_high) == setup
    assert (cost.tsa_months, cost.criticality) == (months, criticality)
    assert (cost.tsa_monthly_fee_low, cost.tsa_monthly_fee_high) == (1_000.0, 1_500.0)
    assert cost.affected_systems == ("Ours", "Parent's")


def test_a_divestiture_stands_up_without_a_tsa() -> None:
    """The set-up is the carve-out's; nothing is rented."""
    items = (
        application("Ours", "ERP", Side.TARGET, 1),
        application("Parent's", "ERP", Side.PARENT, 120_000),
    )
    (cost,) = calculate_separation_costs(Inventory(items), "divestiture")
    assert (cost.setup_cost_low, cost.tsa_months, cost.tsa_monthly_fee_high) == (1_000_000, 0, 0.0)


def test_only_shared_categories_are_separated() -> None:
    """What the parent does not run too needs no separation."""
    items = (application("Ours", "ERP", Side.TARGET, 1), application("Parent's", "CRM", Side.PARENT, 1))
    assert calculate_separation_costs(Inventory(items), "carveout") == []
