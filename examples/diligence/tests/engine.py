"""The engine as a reasoner of deals that nobody stored, and strategies that make such deals up."""

from __future__ import annotations

from hypothesis import strategies as st

from examples.diligence import flags
from examples.diligence.analysis_runner import DealFile, reason
from examples.diligence.deal_types import ALIASES, VALID_DEAL_TYPES, DealType, parse_deal_type
from examples.diligence.inventory import Complexity, Domain, Host, Inventory, Item, Kind, Side, WorkItem
from examples.diligence.narrative import Parties
from pytest_dealsnap.testing import Deal, deals

KINDS = {
    Kind.APPLICATION: Domain.APPLICATIONS,
    Kind.DATA_CENTER: Domain.INFRASTRUCTURE,
    Kind.SERVER: Domain.INFRASTRUCTURE,
    Kind.SITE: Domain.NETWORK,
    Kind.SECURITY_TOOL: Domain.CYBERSECURITY,
    Kind.DIRECTORY: Domain.IDENTITY_ACCESS,
    Kind.TEAM: Domain.ORGANIZATION,
}
CATEGORIES = ("ERP", "erp", "CRM", "Telecom", "Documents")


def engine(deal: Deal, deal_type: str = "acquisition") -> dict[str, object]:
    """What the engine makes of a made-up deal; `UnknownDealTypeError` for a type that is none."""
    kind = parse_deal_type(deal_type)
    file = DealFile(
        deal_id=deal.id,
        deal_type=kind,
        parties=Parties(deal.name or "", "Buyer", "Parent"),
        tsa_months=deal["tsa_months"],
        inventory=Inventory(tuple(deal["inventory"])),
        work_items=tuple(deal["work_items"]),
    )
    return reason(file, kind)


def flagged_engine(deal: Deal, deal_type: str = "acquisition") -> dict[str, object]:
    """The engine behind the feature flag, as the running system has it."""
    return engine(deal, deal_type if flags.deal_type_awareness() else DealType.ACQUISITION.value)


def items() -> st.SearchStrategy[Item]:
    """Items of every kind, in the domain that the kind belongs to; applications more often than others."""
    return _of_kind(Kind.APPLICATION) | st.one_of([_of_kind(kind) for kind in KINDS])


def _of_kind(kind: Kind) -> st.SearchStrategy[Item]:
    application = kind is Kind.APPLICATION
    return st.builds(
        Item,
        name=st.text("abcA ", max_size=4),
        domain=st.just(KINDS[kind]),
        kind=st.just(kind),
        side=st.sampled_from(Side),
        category=st.sampled_from(CATEGORIES if application else ("",)),
        vendor=st.sampled_from(("", "SAP", "Oracle")),
        complexity=st.sampled_from(Complexity),
        annual_cost=st.none() | st.integers(0, 2_000_000),
        user_count=st.none() | st.integers(0, 20_000),
        hosted_by=st.sampled_from(Host),
        shared=st.booleans(),
    )


def inventories() -> st.SearchStrategy[list[Item]]:
    """Inventories of a few kinds of item, up to a hundred alike: caps are reached by numbers, not by variety."""
    group = st.tuples(items(), st.sampled_from((1, 1, 1, 20, 60, 110)))
    return st.lists(group, max_size=6).map(lambda groups: [item for item, count in groups for _ in range(count)])


def made_up_deals() -> st.SearchStrategy[Deal]:
    """Deals of every type and spelling with an inventory, planned work and the length of a TSA."""
    work = st.builds(WorkItem, st.just("work"), st.sampled_from(Domain), st.integers(0, 2_000))
    return deals(
        types=VALID_DEAL_TYPES,
        aliases={alias: target.value for alias, target in ALIASES.items()},
        fields={
            "inventory": inventories(),
            "work_items": st.lists(work, max_size=3),
            "tsa_months": st.integers(6, 24),
        },
    )
