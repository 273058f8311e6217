"""How large the companies of the population are, for each kind of deal, and the few that are special."""

from __future__ import annotations

from dataclasses import replace

from .deal_types import DealType
from .dice import Dice
from .inventory import Complexity
from .portfolio import Profile

# Carve-outs whose TSA outgrows the work: small units that lean on their parent for nearly everything.
LEANING_ON_THE_PARENT = (
    Profile(
        applications=12, users=90, sites=1, data_centers=0, servers=9, work_items=6, buyer_applications=6,
        parent_applications=10, hosted_applications=12, shared_components=9,
        complexities=(Complexity.LOW, Complexity.MEDIUM),
    ),
    Profile(
        applications=20, users=240, sites=2, data_centers=0, servers=24, work_items=8, buyer_applications=8,
        parent_applications=14, hosted_applications=18, shared_components=22,
    ),
)  # fmt: skip

# Another small unit, with little hosted but a TSA of two years.
LONG_TSA = Profile(
    applications=7, users=60, sites=1, data_centers=0, servers=4, work_items=5, buyer_applications=5,
    parent_applications=8, hosted_applications=3, shared_components=2,
)  # fmt: skip
LONG_TSA_MONTHS = 24


def draw(dice: Dice, deal_type: DealType) -> Profile:
    """The profile of a company that is the target of such a deal."""
    if deal_type is DealType.ACQUISITION:
        return _acquired(dice)
    return _separated(dice, deal_type)


def _acquired(dice: Dice) -> Profile:
    size = dice.between(1, 100)
    if size <= 15:
        small = _sized(dice, dice.between(2, 8))
        return replace(small, chores=dice.between(60, 130)) if dice.chance(0.4) else small
    if size <= 70:
        return _sized(dice, dice.between(10, 40))
    return _sized(dice, dice.between(41, 110) if size <= 95 else dice.between(150, 240))


def _separated(dice: Dice, deal_type: DealType) -> Profile:
    company = _sized(dice, dice.between(15, 90))
    hosted = company.applications * dice.between(8, 20) // 100
    return replace(
        company,
        parent_applications=dice.between(8, 30),
        hosted_applications=hosted if deal_type is DealType.CARVEOUT else hosted // 2,
        shared_components=dice.between(1, 4),
    )


def _sized(dice: Dice, applications: int) -> Profile:
    return Profile(
        applications=applications,
        users=applications * dice.between(8, 60),
        sites=dice.between(1, 3 + applications // 8),
        data_centers=dice.between(0, 1 + applications // 30),
        servers=dice.between(1, 2 + applications // 2),
        work_items=dice.between(2, 4 + applications // 2),
        erps=1 if applications > 12 and dice.chance(0.4) else 0,
        buyer_applications=dice.between(4, 30) if applications > 8 else dice.between(0, 5),
        parent_applications=dice.between(3, 12) if dice.chance(0.15) else 0,
    )
