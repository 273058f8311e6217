"""What differs between two outputs of the same code for the same deal: volatile paths, and metrics that are noisy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pytest_dealsnap.judging.differences import ABSENT, changed_leaves
from pytest_dealsnap.judging.metrics import Metric
from pytest_dealsnap.judging.paths import selecting_path, show_path
from pytest_dealsnap.judging.reordering import Path, inside, reordered_places, value_at
from pytest_dealsnap.judging.templates import path_form

__all__ = ["Instability", "unstable"]

Kind = Literal["value", "order"]


@dataclass(frozen=True, slots=True)
class Instability:
    """A place at which two runs of the same code differ.

    ``path`` has no places in lists (``synergies[].id``); ``metric`` is the metric that reads it, if one does; ``kind``
    is ``order`` for a list with the same items in another order.
    """

    path: str
    kind: Kind
    metric: str | None
    first: Any
    second: Any


def unstable(first: Mapping[str, Any], second: Mapping[str, Any], metrics: Sequence[Metric]) -> list[Instability]:
    """Return the places at which the outputs *first* and *second* of one deal differ, each path once."""
    found: dict[str, Instability] = {}
    for path, before, after in _differences(dict(first), dict(second)):
        form = path_form(show_path(path))
        kind: Kind = "order" if isinstance(before, list) and isinstance(after, list) else "value"
        found.setdefault(form, Instability(form, kind, _metric_of(path, metrics), before, after))
    return list(found.values())


def _differences(first: Any, second: Any) -> Iterator[tuple[Path, Any, Any]]:
    """Yield what differs: a list in another order as a whole, all else by its leaves."""
    leaves = list(changed_leaves(first, second))
    places = reordered_places([path for path, _, _ in leaves], first, second)
    told: set[Path] = set()
    for path, before, after in leaves:
        place = inside(path, places)
        if place is None:
            yield path, _shown(before), _shown(after)
        elif place not in told:
            told.add(place)
            yield place, value_at(first, place), value_at(second, place)


def _shown(value: Any) -> Any:
    return None if value is ABSENT else value


def _metric_of(path: tuple[str | int, ...], metrics: Sequence[Metric]) -> str | None:
    for metric in metrics:
        pattern = selecting_path(metric.spec.path)
        if pattern is not None and pattern.covers(path):
            return metric.name
    return None
