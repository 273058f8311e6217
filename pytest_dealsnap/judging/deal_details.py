"""What is kept of one deal in full: every metric side by side, and where the output differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["OUTCOMES", "Details", "Difference", "MetricRow", "details_from_plain", "details_to_plain"]

# What became of a metric: unchanged, changed as its rule allows, broken, or not told by this run.
OUTCOMES = ("same", "allowed", "fails", "ignored", "unknown")


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric on both sides: how far it moved, the rule that judged it, and one of ``OUTCOMES``."""

    metric: str
    baseline: Any
    current: Any
    change_percent: float | None
    rule: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference of two outputs; ``move`` is ``added``, ``removed`` or ``changed``, an absent side ``None``."""

    path: str
    move: str
    baseline: Any = None
    current: Any = None


@dataclass(frozen=True, slots=True)
class Details:
    """All metrics of a deal, the first differences of its output, and how many of those there are."""

    metrics: tuple[MetricRow, ...] = ()
    differences: tuple[Difference, ...] = ()
    total: int = 0


def details_to_plain(details: Details) -> dict[str, Any]:
    """Return *details* as plain values, for a report and to travel between processes."""
    return {
        "metrics": [{name: getattr(row, name) for name in MetricRow.__slots__} for row in details.metrics],
        "differences": [{name: getattr(row, name) for name in Difference.__slots__} for row in details.differences],
        "total": details.total,
    }


def details_from_plain(plain: Mapping[str, Any]) -> Details:
    """Return the details that :func:`details_to_plain` took apart."""
    return Details(
        metrics=tuple(MetricRow(**row) for row in plain["metrics"]),
        differences=tuple(Difference(**row) for row in plain["differences"]),
        total=plain["total"],
    )
