"""Lists of two outputs that hold the same items in another order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence, Set
from typing import Any

from pytest_dealsnap.judging.paths import show_path
from pytest_dealsnap.judging.templates import path_form
from pytest_dealsnap.judging.values import normal

__all__ = ["Path", "inside", "only_reordered", "reordered_places", "value_at"]

Path = tuple[str | int, ...]
MOST_FORMS = 500


def reordered_places(paths: Iterable[Path], before: Any, after: Any) -> frozenset[Path]:
    """Return the outermost lists on the way to changed *paths* whose items are the same in another order.

    Args:
        paths: Where the two outputs differ, leaf by leaf.
        before: One output.
        after: The other one.
    """
    changed: dict[Path, set[int]] = {}
    for path in paths:
        for end, step in enumerate(path):
            if isinstance(step, int):
                changed.setdefault(path[:end], set()).add(step)
    found: set[Path] = set()
    for place in sorted(changed, key=len):
        old, new = value_at(before, place), value_at(after, place)
        if inside(place, found) is None and _same_items(old, new, changed[place]):
            found.add(place)
    return frozenset(found)


def only_reordered(paths: Sequence[Path], places: Set[Path]) -> tuple[str, ...]:
    """Return the forms of *places* of which nothing but the order changed, in any of their lists.

    Args:
        paths: Where the two outputs differ.
        places: The lists among them that are in another order.
    """
    told = {path_form(show_path(place)) for place in places}
    others = {path_form(show_path(path)) for path in paths if inside(path, places) is None} if told else set()
    return tuple(sorted(form for form in told if not any(one.startswith(f"{form}[]") for one in others)))[:MOST_FORMS]


def inside(path: Path, places: Set[Path]) -> Path | None:
    """Return that of *places* which *path* lies in."""
    return next((path[:end] for end in range(len(path)) if path[:end] in places), None) if places else None


def value_at(value: Any, path: Sequence[str | int]) -> Any:
    """Return what stands at *path* of an output."""
    for step in path:
        value = value[step]
    return value


def _same_items(before: list[Any], after: list[Any], changed: Iterable[int]) -> bool:
    """Whether the items at the places that *changed* are the same ones: all others stand where they stood."""
    if len(before) != len(after):
        return False
    return Counter(normal(before[place]) for place in changed) == Counter(normal(after[place]) for place in changed)
