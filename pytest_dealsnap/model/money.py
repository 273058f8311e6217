"""How far a run moved money: totals of a number over all deals, by type, and the deals that moved most."""

from __future__ import annotations

from decimal import Context, Decimal, localcontext

from pytest_dealsnap.model.exact_numbers import Number, exact
from pytest_dealsnap.model.record import Record, always

__all__ = ["SUMS", "Money", "Mover", "TypeMoney"]

# Sums of money are exact; a number with more digits is no money.
SUMS = Context(prec=100, traps=[])


class TypeMoney(Record, frozen=True):
    """One metric's totals over the deals of one type that have a number on both sides.

    ``more`` and ``less`` count the deals that rose and fell, ``percent`` is the least and the largest of their
    changes, where all have one. ``rules`` judged those that changed. ``lost`` counts deals that had a number and
    have none now: they are in no total.
    """

    deal_type: str
    deals: int
    baseline: Decimal
    current: Decimal
    more: int = always(0)
    less: int = always(0)
    percent: tuple[float, float] | None = always(None)
    rules: tuple[str, ...] = always(())
    lost: int = always(0)


class Mover(Record, frozen=True):
    """One deal that changed, with its numbers."""

    id: str
    name: str | None
    deal_type: str
    baseline: Number
    current: Number
    change_percent: float | None

    @property
    def difference(self) -> Decimal:
        """How much more the deal has now."""
        with localcontext(SUMS):
            return exact(self.current) - exact(self.baseline)


class Money(Record, frozen=True):
    """One metric's totals by deal type, and the deals that moved most."""

    metric: str
    types: tuple[TypeMoney, ...]
    movers: tuple[Mover, ...] = ()

    @property
    def total(self) -> TypeMoney:
        """The totals of all types together."""
        ranges = [kind.percent for kind in self.types if kind.more or kind.less]
        known = [ends for ends in ranges if ends is not None]
        with localcontext(SUMS):
            return TypeMoney(
                deal_type="",
                deals=sum(kind.deals for kind in self.types),
                baseline=sum((kind.baseline for kind in self.types), Decimal(0)),
                current=sum((kind.current for kind in self.types), Decimal(0)),
                more=sum(kind.more for kind in self.types),
                less=sum(kind.less for kind in self.types),
                percent=(min(low for low, _ in known), max(high for _, high in known))
                if known and len(known) == len(ranges)
                else None,
                rules=tuple(sorted({rule for kind in self.types for rule in kind.rules})),
                lost=sum(kind.lost for kind in self.types),
            )
