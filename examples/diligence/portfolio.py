"""What one company of the population owns, and the work planned for it, drawn from a profile of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .catalogue import CHORES, EVERYDAY_CATEGORIES, PRODUCTS, SECURITY_TOOLS, TASKS, TEAMS
from .dice import Dice
from .inventory import Complexity, Domain, Host, Item, Kind, Side, WorkItem

# Most applications are of middling complexity.
COMPLEXITIES = (Complexity.LOW,) * 5 + (Complexity.MEDIUM,) * 9 + (Complexity.HIGH,) * 5 + (Complexity.VERY_HIGH,)


@dataclass(frozen=True, slots=True)
class Profile:
    """How large a company is, and how much it leans on a parent."""

    applications: int
    users: int
    sites: int
    data_centers: int
    servers: int
    work_items: int
    erps: int = 0
    buyer_applications: int = 0
    parent_applications: int = 0
    hosted_applications: int = 0
    shared_components: int = 0
    chores: int = 0  # small pieces of work of a few hours each
    unknown_costs: float = 0.0  # the part of items whose cost nobody knows
    counts_users: bool = True
    complexities: tuple[Complexity, ...] = COMPLEXITIES


def items(dice: Dice, profile: Profile) -> list[Item]:
    """The inventory of a company: its own, and its buyer's and parent's applications beside it."""
    drawn = [
        *_applications(dice, profile),
        *_other_side(dice, Side.BUYER, profile.buyer_applications),
        *_other_side(dice, Side.PARENT, profile.parent_applications),
        *_infrastructure(dice, profile),
        *_organization(dice, profile),
    ]
    return [replace(item, annual_cost=None) if dice.chance(profile.unknown_costs) else item for item in drawn]


def work_items(dice: Dice, profile: Profile) -> list[WorkItem]:
    """The work planned for a company: projects of days or weeks, and chores of hours."""
    domains = tuple(Domain)
    projects = [
        WorkItem(f"{dice.pick(TASKS)} {number:03}", dice.pick(domains), dice.between(8, 120))
        for number in range(profile.work_items)
    ]
    chores = [
        WorkItem(f"{dice.pick(CHORES)} {number:03}", dice.pick(domains), dice.between(1, 4))
        for number in range(profile.chores)
    ]
    return projects + chores


def _applications(dice: Dice, profile: Profile) -> Iterator[Item]:
    for number in range(profile.applications):
        category = "ERP" if number < profile.erps else dice.pick(EVERYDAY_CATEGORIES)
        vendor = dice.pick(PRODUCTS[category])
        hosted = number >= profile.applications - profile.hosted_applications
        yield Item(
            name=f"{vendor} {category} {number:03}",
            domain=Domain.APPLICATIONS,
            kind=Kind.APPLICATION,
            hosted_by=Host.PARENT if hosted else dice.pick((Host.OWN, Host.OWN, Host.VENDOR)),
            complexity=dice.pick(profile.complexities),
            category=category,
            vendor=vendor,
            annual_cost=dice.between(4, 120) * 1_000,
            user_count=dice.between(profile.users // 20, profile.users),
        )


def _other_side(dice: Dice, side: Side, count: int) -> Iterator[Item]:
    for number in range(count):
        category = "ERP" if number == 0 else dice.pick(EVERYDAY_CATEGORIES)
        vendor = dice.pick(PRODUCTS[category])
        yield Item(
            name=f"{side.title()}'s {vendor} {category} {number:03}",
            domain=Domain.APPLICATIONS,
            kind=Kind.APPLICATION,
            side=side,
            category=category,
            vendor=vendor,
            annual_cost=dice.between(10, 400) * 1_000,
        )


def _infrastructure(dice: Dice, profile: Profile) -> Iterator[Item]:
    for number in range(profile.data_centers):
        cost = dice.between(50, 400) * 1_000
        yield Item(f"Data centre {number}", Domain.INFRASTRUCTURE, Kind.DATA_CENTER, annual_cost=cost)
    for number in range(max(profile.servers, profile.shared_components)):
        yield Item(
            f"Server {number:03}",
            Domain.INFRASTRUCTURE,
            Kind.SERVER,
            annual_cost=dice.between(1, 12) * 1_000,
            shared=number < profile.shared_components,
        )
    for number in range(profile.sites):
        yield Item(f"Site {number:02}", Domain.NETWORK, Kind.SITE, annual_cost=dice.between(5, 60) * 1_000)


def _organization(dice: Dice, profile: Profile) -> Iterator[Item]:
    for name in SECURITY_TOOLS[: dice.between(1, len(SECURITY_TOOLS))]:
        cost = dice.between(5, 90) * 1_000
        yield Item(name, Domain.CYBERSECURITY, Kind.SECURITY_TOOL, annual_cost=cost)
    users = profile.users if profile.counts_users else None
    yield Item(
        "Directory", Domain.IDENTITY_ACCESS, Kind.DIRECTORY, annual_cost=dice.between(5, 50) * 1_000,
        user_count=users,
    )  # fmt: skip
    for name in TEAMS[: dice.between(1, len(TEAMS))]:
        yield Item(name, Domain.ORGANIZATION, Kind.TEAM, annual_cost=dice.between(80, 900) * 1_000)
