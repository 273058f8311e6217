"""What is kept of one deal in full: every metric side by side, where the output differs, how its reasoner failed."""

from __future__ import annotations

from typing import Annotated, Any

from pytest_dealsnap.model.record import Record, always, described, one_of

__all__ = ["OUTCOMES", "VALUE", "Details", "Difference", "MetricRow"]

MOVES = ("added", "removed", "changed", "reordered")
# What became of a metric: unchanged, changed as its rule allows, broken, or not told by this run.
OUTCOMES = ("same", "allowed", "fails", "ignored", "unknown")

VALUE = described("A value of the output. NaN and the infinities stand as the texts NaN, Infinity and -Infinity.")


class MetricRow(Record, frozen=True):
    """One metric on both sides: how far it moved, the rule that judged it, and one of ``OUTCOMES``."""

    metric: str
    baseline: Annotated[Any, VALUE]
    current: Annotated[Any, VALUE]
    change_percent: float | None
    rule: str
    outcome: Annotated[str, one_of(OUTCOMES), described("unknown: one side has no output.")]


class Difference(Record, frozen=True):
    """One difference of two outputs; ``move`` is one of ``MOVES``, an absent side ``None``.

    ``reordered`` is a list with the same items in another order.
    """

    path: str
    move: Annotated[str, one_of(MOVES)]
    baseline: Annotated[Any, VALUE] = always(None)
    current: Annotated[Any, VALUE] = always(None)


class Details(Record, frozen=True):
    """All metrics of a deal, the first differences of its output, how many of those there are, and a traceback."""

    metrics: Annotated[tuple[MetricRow, ...], described("Every metric on both sides.")] = always(())
    differences: Annotated[tuple[Difference, ...], described("The first differences of the two outputs.")] = always(())
    total: Annotated[int, described("How many differences there are.", ge=0)] = always(0)
    traceback: Annotated[
        str, described("Where the reasoner raised, without secrets and without dealsnap's own frames.")
    ] = ""
