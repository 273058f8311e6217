"""What holds for every inventory, searched for by Hypothesis."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from examples.diligence import findings
from examples.diligence.analysis_runner import DealFile, reason
from examples.diligence.costs import calculate_costs
from examples.diligence.deal_types import DealType
from examples.diligence.inventory import Inventory, Item, WorkItem
from examples.diligence.narrative import Parties
from examples.diligence.separation import calculate_separation_costs
from examples.diligence.synergies import identify_synergies

ITEMS = st.builds(
    Item,
    name=st.text(max_size=8),
    category=st.sampled_from(["", "ERP", "HCM", "CRM", "Telecom", "Documents"]),
    vendor=st.sampled_from(["", "SAP", "Oracle"]),
    annual_cost=st.none() | st.integers(0, 2_000_000),
    user_count=st.none() | st.integers(0, 20_000),
)
WORK_ITEMS = st.lists(st.builds(WorkItem, effort_hours=st.integers(0, 2_000)), max_size=5)
DEAL_TYPES = st.sampled_from(DealType)
ITEM_LISTS = st.lists(ITEMS, max_size=25)


@given(ITEM_LISTS, WORK_ITEMS, DEAL_TYPES, st.integers(6, 24))
def test_only_carveouts_pay_a_tsa(items: list[Item], work: list[WorkItem], deal_type: DealType, months: int) -> None:
    """A TSA is charged to carve-outs, between the least and the most, and to nobody else."""
    tsa = calculate_costs(work, Inventory(tuple(items)), deal_type, tsa_months=months).tsa_costs
    if deal_type is DealType.CARVEOUT:
        assert 50_000 * months <= tsa <= 500_000 * months
    else:
        assert tsa == 0


@given(ITEM_LISTS, DEAL_TYPES)
def test_a_deal_has_synergies_or_separation_costs(items: list[Item], deal_type: DealType) -> None:
    """Only acquisitions consolidate, only the others separate, and only carve-outs rent meanwhile."""
    inventory = Inventory(tuple(items))
    synergies = identify_synergies(inventory, deal_type)
    separation_costs = calculate_separation_costs(inventory, deal_type)
    if deal_type is DealType.ACQUISITION:
        assert separation_costs == []
    else:
        assert synergies == []
    if deal_type is not DealType.CARVEOUT:
        assert all(cost.tsa_months == cost.tsa_monthly_fee_high == 0 for cost in separation_costs)


@given(ITEM_LISTS, ITEMS, WORK_ITEMS, DEAL_TYPES)
def test_more_inventory_never_costs_less(
    items: list[Item], more: Item, work: list[WorkItem], deal_type: DealType
) -> None:
    """One item more leaves the cost of each domain, and the TSA, as it was or higher."""
    smaller = calculate_costs(work, Inventory(tuple(items)), deal_type)
    larger = calculate_costs(work, Inventory((*items, more)), deal_type)
    assert all(larger.by_domain[domain] >= cost for domain, cost in smaller.by_domain.items())
    assert larger.tsa_costs >= smaller.tsa_costs


@given(ITEM_LISTS, WORK_ITEMS)
def test_deal_types_cost_in_order(items: list[Item], work: list[WorkItem]) -> None:
    """Domain by domain an acquisition is the cheapest and a divestiture the dearest."""
    acquisition, carveout, divestiture = (
        calculate_costs(work, Inventory(tuple(items)), deal_type).by_domain for deal_type in DealType
    )
    for domain, cost in acquisition.items():
        assert cost <= carveout[domain] <= divestiture[domain]


@given(ITEM_LISTS.flatmap(lambda items: st.tuples(st.just(items), st.permutations(items))), DEAL_TYPES)
def test_the_order_of_the_inventory_does_not_matter(orders: tuple[list[Item], list[Item]], deal_type: DealType) -> None:
    """The same items in another order give the same report."""
    one, other = (reason(deal_file(items), deal_type) for items in orders)
    assert one == other


@given(ITEM_LISTS, DEAL_TYPES)
def test_every_domain_has_findings(items: list[Item], deal_type: DealType) -> None:
    """No domain is passed over in silence."""
    assert all(findings.find(Inventory(tuple(items)), deal_type).values())


def deal_file(items: list[Item]) -> DealFile:
    """A deal with that inventory."""
    return DealFile(
        deal_id=1,
        deal_type=DealType.ACQUISITION,
        parties=Parties("{Target}", "Buyer", "Parent"),
        tsa_months=12,
        inventory=Inventory(tuple(items)),
        work_items=(),
    )
