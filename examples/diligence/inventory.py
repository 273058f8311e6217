"""What a deal owns: the systems, sites and teams on each side of it, and the work planned for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Domain(StrEnum):
    """The six parts in which IT is assessed."""

    APPLICATIONS = "applications"
    INFRASTRUCTURE = "infrastructure"
    NETWORK = "network"
    CYBERSECURITY = "cybersecurity"
    IDENTITY_ACCESS = "identity_access"
    ORGANIZATION = "organization"


class Kind(StrEnum):
    """What an inventory item is."""

    APPLICATION = "application"
    DATA_CENTER = "data_center"
    SERVER = "server"
    SITE = "site"
    SECURITY_TOOL = "security_tool"
    DIRECTORY = "directory"
    TEAM = "team"


class Side(StrEnum):
    """Whose item it is. The buyer of a carve-out is the new owner, never the parent."""

    TARGET = "target"
    BUYER = "buyer"
    PARENT = "parent"


class Complexity(StrEnum):
    """How hard an application is to move."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    VERY_HIGH = "very_high"


class Host(StrEnum):
    """Whose data centre an item runs in."""

    OWN = "own"
    PARENT = "parent"
    VENDOR = "vendor"


@dataclass(frozen=True, slots=True)
class Item:
    """One inventory item. Costs are US dollars a year; None means that nobody knows."""

    name: str
    domain: Domain
    kind: Kind
    side: Side = Side.TARGET
    category: str = ""
    vendor: str = ""
    complexity: Complexity = Complexity.MEDIUM
    annual_cost: int | None = None
    user_count: int | None = None
    hosted_by: Host = Host.OWN
    shared: bool = False


@dataclass(frozen=True, slots=True)
class WorkItem:
    """A piece of planned work and its effort in hours."""

    name: str
    domain: Domain
    effort_hours: int


@dataclass(frozen=True, slots=True)
class Inventory:
    """All items of one deal; no answer depends on their order."""

    items: tuple[Item, ...] = ()

    def of(self, kind: Kind, side: Side = Side.TARGET) -> list[Item]:
        """The items of one kind on one side."""
        return [item for item in self.items if item.kind is kind and item.side is side]

    def in_domain(self, domain: Domain) -> list[Item]:
        """The target's items in one domain."""
        return [item for item in self.items if item.domain is domain and item.side is Side.TARGET]

    def users(self) -> int:
        """The target's users: the accounts in its directories."""
        return sum(item.user_count or 0 for item in self.of(Kind.DIRECTORY))

    def applications_by_category(self, side: Side) -> Mapping[str, list[Item]]:
        """One side's applications, grouped by category and sorted by name within each."""
        groups: defaultdict[str, list[Item]] = defaultdict(list)
        for item in sorted(self.of(Kind.APPLICATION, side), key=lambda item: item.name):
            groups[item.category].append(item)
        return groups


def counted(count: int, noun: str) -> str:
    """A count with its noun, such as "1 site" or "1,200 sites"."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def annual_cost(items: Iterable[Item]) -> int:
    """What items cost a year together, in dollars; an unknown cost counts as nothing."""
    return sum(item.annual_cost or 0 for item in items)
