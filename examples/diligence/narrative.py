"""The page of prose at the head of a report: integration, standalone readiness or clean separation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .costs import CostEstimate
from .deal_types import DealType
from .inventory import Inventory, Kind, counted
from .separation import SeparationCost
from .synergies import Synergy
from .transition_services import hosted_applications, shared_components


@dataclass(frozen=True, slots=True)
class Parties:
    """Who takes part in a deal, by name."""

    target: str
    buyer: str
    parent: str


INTEGRATION = """\
{target} joins {buyer}. The question for this report is how the two are integrated: what runs on Day 1, \
what is brought together afterwards, and what that costs.

On Day 1 {target} keeps its own directory with {users}, its {sites} and its {applications}. Trust \
between the two directories and mail routing come first, because everything else depends on them. \
Nothing that bills, ships or pays is moved in the first hundred days.

The one-time cost of integration is estimated at {total:,} US dollars. The largest share, {largest_cost:,}, \
falls to {largest_domain}.

{synergies}

The integration is best run as one programme with a single owner on each side, a frozen scope for the \
first wave, and a monthly review of savings against this estimate."""

STANDALONE = """\
{target} leaves {parent} and must stand alone under its new owner, {buyer}. The question for this report is \
what it lacks on the day it leaves, how long it rents that from {parent}, and what it costs to replace.

{parent} hosts {hosted} of its {applications} and shares {shared} with it. Until they are replaced, a \
transition service agreement covers them, at {tsa:,} US dollars in all.

The one-time cost of standing alone is estimated at {total:,} US dollars, transition services included. The \
largest share of the work, {largest_cost:,}, falls to {largest_domain}.

{separation}

On Day 1, {users} at {sites} shall notice nothing. Exit from each transition service is a \
milestone of its own, with a date, an owner and a test; extensions are priced as penalties."""

CLEAN_SEPARATION = """\
{target} is untangled from the systems of {parent} and passes to {buyer}. The question for this report is \
how the cut is made cleanly, with as little harm as possible to what remains.

RemainCo keeps the contracts, the platforms and {shared} shared until now; {target} \
takes {applications}, {sites} and {users} with it. Data is copied, filtered and \
handed over, then deleted on the side that may not keep it.

The one-time cost of separation is estimated at {total:,} US dollars. The largest share, {largest_cost:,}, \
falls to {largest_domain}.

{separation}

Stranded cost at RemainCo deserves a plan of its own: licences sized for the whole group, teams that lose \
half their work, and data centres that grow too large."""

_TEMPLATES = {
    DealType.ACQUISITION: INTEGRATION,
    DealType.CARVEOUT: STANDALONE,
    DealType.DIVESTITURE: CLEAN_SEPARATION,
}


def write(
    parties: Parties,
    inventory: Inventory,
    estimate: CostEstimate,
    synergies: Sequence[Synergy],
    separation_costs: Sequence[SeparationCost],
) -> str:
    """The narrative of a deal, by the template of the type it was estimated as."""
    domain, cost = max(estimate.by_domain.items(), key=lambda line: line[1])
    return _TEMPLATES[estimate.deal_type].format(
        target=parties.target,
        buyer=parties.buyer,
        parent=parties.parent,
        users=counted(inventory.users(), "user"),
        sites=counted(len(inventory.of(Kind.SITE)), "site"),
        applications=counted(len(inventory.of(Kind.APPLICATION)), "application"),
        hosted=len(hosted_applications(inventory)),
        shared=counted(len(shared_components(inventory)), "infrastructure component"),
        total=estimate.total_cost,
        tsa=estimate.tsa_costs,
        largest_domain=domain.replace("_", " and "),
        largest_cost=cost,
        synergies=_synergies(synergies),
        separation=_separation(separation_costs),
    )


def _synergies(synergies: Sequence[Synergy]) -> str:
    if not synergies:
        return "No two applications overlap enough to promise a saving, so none is promised."
    low = sum(synergy.annual_savings_low for synergy in synergies)
    high = sum(synergy.annual_savings_high for synergy in synergies)
    names = ", ".join(synergy.category for synergy in synergies)
    return f"Savings of {low:,} to {high:,} US dollars a year are within reach in: {names}."


def _separation(costs: Sequence[SeparationCost]) -> str:
    if not costs:
        return "No kind of application is shared with the parent, which keeps the cut short."
    low, high = sum(c.setup_cost_low for c in costs), sum(c.setup_cost_high for c in costs)
    names = ", ".join(f"{cost.category} ({cost.criticality})" for cost in costs)
    return f"Setting up replacements takes {low:,} to {high:,} US dollars: {names}."
