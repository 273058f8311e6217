"""What was seen of a random order of deals, from which a run may stop at any deal."""

from __future__ import annotations

from typing import Annotated

from pytest_dealsnap.model.record import Record, always, described

__all__ = ["Looked", "LookedType"]


class LookedType(Record, frozen=True):
    """One deal type's part of the order.

    ``judged`` counts the deals from the first on, up to one whose outcome is not known yet. ``unknown`` of them could
    not be judged.
    """

    deal_type: str
    deals: Annotated[int, described("How many there are.", ge=0)]
    judged: Annotated[int, described("Deals from the first on that were judged, or could not be.", ge=0)] = always(0)
    affected: Annotated[int, described("Those of them that are affected.", ge=0)] = always(0)
    unknown: Annotated[int, described("Those of them that could not be judged.", ge=0)] = always(0)


class Looked(Record, frozen=True):
    """What was seen of the order by ``seed``. ``decided``: the run stopped because its verdict was decided."""

    seed: int
    types: tuple[LookedType, ...]
    decided: Annotated[bool, described("Whether the run stopped because the verdict was decided.")] = always(False)

    @property
    def deals(self) -> int:
        """How many deals the order has."""
        return sum(one.deals for one in self.types)

    @property
    def judged(self) -> int:
        """How many deals were judged, or could not be, from the first on."""
        return sum(one.judged for one in self.types)
