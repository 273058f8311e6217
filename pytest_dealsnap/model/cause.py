"""A cause, and what its deals have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any

from pytest_dealsnap.model.record import Record, always, described
from pytest_dealsnap.model.results import Kind

__all__ = ["FIRST_MARK", "NO_MARK", "Cause", "Common", "Features", "Size"]

FIRST_MARK, NO_MARK = 48, "."


class Size(Record, frozen=True):
    """How far numbers moved: ``kind`` is ``ratio``, ``amount``, ``rounding`` or ``spread``.

    ``value`` is the percent, the amount or the unit; ``percent`` and ``amount`` are the least and the largest change.
    """

    kind: str
    text: str
    value: float | None
    percent: tuple[float, float] | None
    amount: tuple[Decimal, Decimal] | None


class Common(Record, frozen=True):
    """A feature of all ``deals`` of a cause, which no other deal has, among those of the types in ``within``.

    ``field`` is a column, ``output.PATH``, or ``deal type``; empty ``within`` stands for all types. ``chance`` is
    Fisher's exact test: how likely chance makes any such feature. ``failed`` counts deals that have it and no output,
    so that nobody knows what they would show.
    """

    field: str
    values: tuple[Any, ...]
    deals: int
    within: Annotated[tuple[str, ...], described("The types among which that was counted; empty for all.")] = always(())
    failed: Annotated[int, described("How many deals without an output have it, too.", ge=0)] = always(0)
    chance: Annotated[
        float,
        described(
            "How likely chance makes any such feature: Fisher's exact test, corrected for how many were looked at.",
            ge=0,
            le=1,
        ),
    ] = always(0.0)
    text: Annotated[str, described("In words, where a report holds it.")] = ""


class Features(Record, frozen=True):
    """Traits of a run's compared deals.

    ``compared`` counts deals by type. ``values`` lists each field's values, as JSON texts; ``totals``
    counts them by field, type and value. ``deals`` has, for each affected deal, one character a field:
    the place of its value. Of the fields in ``dropped``, which have too many values, only null, empty and 0 are told.
    """

    compared: Mapping[str, int] = always({})
    values: Mapping[str, Sequence[str]] = always({})
    totals: Mapping[str, Mapping[str, Sequence[int]]] = always({})
    deals: Mapping[str, str] = always({})
    dropped: frozenset[str] = frozenset()

    def of(self, deal_id: str) -> dict[str, str]:
        """Return the traits of an affected deal: the JSON text of each field's value."""
        marks = self.deals.get(deal_id, "")
        pairs = zip(self.values.items(), marks, strict=False)
        return {name: values[ord(mark) - FIRST_MARK] for (name, values), mark in pairs if mark != NO_MARK}


class Cause(Record, frozen=True):
    """A group of findings that look like one change; ``deals`` are ids in order.

    ``failing`` counts the deals that it can fail, ``size`` says how far numbers moved, ``paths`` where an
    output changed, ``reordered`` that only the order of lists did. ``common`` is what its deals have in common and no
    others; ``also`` names what else changed in just these deals.

    The id follows from the metric and from what the change is (how far, which items, which paths), not from
    how many deals there are: another change of the same metric has another id.
    """

    id: Annotated[str, described("The same for the same change in another run.")]
    title: str
    metric: str
    issue: str
    deal_types: tuple[str, ...]
    deals: Annotated[tuple[str, ...], described("Ids, in deal order.")]
    gates: Annotated[bool, described("Whether it can fail its deals.")]
    failing: Annotated[int, described("Deals that it can fail.", ge=0)] = always(0)
    size: Annotated[Size | None, described("How far numbers moved; null where none did.")] = always(None)
    common: Annotated[tuple[Common, ...], described("What its deals have in common and no, or few, others.")] = always(
        ()
    )
    also: Annotated[tuple[str, ...], described("What else changed in just these deals.")] = ()
    paths: Annotated[tuple[str, ...], described("Where the output changed.")] = ()
    reordered: Annotated[bool, described('Only the order of lists changed: the rule "same items" allows it.')] = False
    age: Annotated[
        str, described("new or persisting, against the latest earlier run; absent where none was compared.")
    ] = ""
    kind: Annotated[Kind, described("What its findings are about.")] = always(Kind.METRIC)
