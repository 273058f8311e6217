"""Changed outputs, parted by the paths that changed: paths that change in the same deals are one change."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from pytest_dealsnap.causes.moves import FEWEST
from pytest_dealsnap.judging.templates import path_shapes

__all__ = ["path_groups"]

# Paths whose deals are the same but for this part of them change together.
TOGETHER = 0.7
MOST_GROUPS = 30


def path_groups(outputs: Sequence[Sequence[str]]) -> Iterator[tuple[tuple[str, ...], list[int]]]:
    """Yield the paths that change together, masked, and the places of the outputs where they do, the most first.

    *outputs* are the changed paths of each. Paths that change in few outputs stand with the last group.
    """
    shapes = path_shapes({path for paths in outputs for path in paths})
    places: dict[str, list[int]] = defaultdict(list)
    for place, paths in enumerate(outputs):
        for shape in sorted({shapes[path] for path in paths}):
            places[shape].append(place)
        if not paths:
            places[""].append(place)
    alike: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for shape in sorted(places):
        alike[tuple(places[shape])].append(shape)
    sets = sorted(alike, key=lambda own: (-len(own), alike[own]))
    large = [own for own in sets if len(own) >= FEWEST][:MOST_GROUPS]
    told: set[int] = set()
    for group in _merged(large):
        members = sorted({place for own in group for place in own})
        told.update(members)
        yield tuple(path for own in group for path in alike[own] if path), members
    rest = [own for own in sets if own not in set(large)]
    left = sorted({place for own in rest for place in own} - told)
    if left:
        known = set(left)
        yield tuple(path for own in rest if known.intersection(own) for path in alike[own] if path)[:MOST_GROUPS], left


def _merged(sets: Sequence[tuple[int, ...]]) -> list[list[tuple[int, ...]]]:
    """Return *sets*, largest first, with each put to the first larger one that is nearly the same."""
    shared = _overlaps(sets)
    groups: list[list[int]] = []
    for number, own in enumerate(sets):
        for group in groups:
            both = shared[group[0], number]
            if both >= TOGETHER * (len(sets[group[0]]) + len(own) - both):
                group.append(number)
                break
        else:
            groups.append([number])
    return [[sets[number] for number in group] for group in groups]


def _overlaps(sets: Sequence[tuple[int, ...]]) -> Counter[tuple[int, int]]:
    """Count the outputs that each two of *sets* share, in one pass over them."""
    in_sets: dict[int, list[int]] = defaultdict(list)
    for number, own in enumerate(sets):
        for place in own:
            in_sets[place].append(number)
    combinations = Counter(map(tuple, in_sets.values()))
    shared: Counter[tuple[int, int]] = Counter()
    for numbers, count in combinations.items():
        for position, one in enumerate(numbers):
            for other in numbers[position:]:
                shared[one, other] += count
    return shared
