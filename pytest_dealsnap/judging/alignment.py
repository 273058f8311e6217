"""Which entries of two lists of objects belong together, so that one that is gone does not shift the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from pytest_dealsnap.judging.values import normal

__all__ = ["Pair", "aligned"]

# Place in the one list and in the other; None where it is not in that one.
Pair = tuple[int | None, int | None]
Entry = Mapping[str, Any]
# Longer lists are compared place by place: aligning them would take too long.
LONGEST = 2_000


def aligned(before: Sequence[Any], after: Sequence[Any]) -> list[Pair] | None:
    """Return the pairs of entries that belong together, in order; ``None`` for what are no lists of objects.

    Entries belong together where a text in them, such as a name, is the same on both sides and tells
    them apart; else where they are the same, or stand at the same place between those that are.
    """
    longest = max(len(before), len(after))
    if not before or not after or longest > LONGEST or not all(isinstance(item, dict) for item in (*before, *after)):
        return None
    names = _names(before, after)
    if names is not None:
        return list(_by_name(*names))
    return list(_by_sameness(before, after))


def _names(before: Sequence[Entry], after: Sequence[Entry]) -> tuple[list[str], list[str]] | None:
    """Return what names each entry: the field whose texts tell entries apart and agree the most on both sides."""
    best: tuple[list[str], list[str]] | None = None
    most = 0
    for key in sorted(before[0]):
        ours, theirs = _texts(key, before), _texts(key, after)
        shared = set(ours) & set(theirs)
        in_order = [name for name in ours if name in shared] == [name for name in theirs if name in shared]
        if len(shared) > most and in_order:
            best, most = (ours, theirs), len(shared)
    return best


def _texts(key: str, entries: Sequence[Entry]) -> list[str]:
    """Return the texts of a field, one an entry; none where not every entry has one of its own."""
    texts = [text for entry in entries if isinstance(text := entry.get(key), str)]
    return texts if len(set(texts)) == len(entries) else []


def _by_name(ours: Sequence[str], theirs: Sequence[str]) -> Iterator[Pair]:
    places = {name: place for place, name in enumerate(theirs)}
    own = set(ours)
    added = 0
    for place, name in enumerate(ours):
        there = places.get(name)
        if there is not None:
            yield from ((None, new) for new in range(added, there) if theirs[new] not in own)
            added = there + 1
        yield place, there
    yield from ((None, new) for new in range(added, len(theirs)))


def _by_sameness(before: Sequence[Entry], after: Sequence[Entry]) -> Iterator[Pair]:
    blocks = SequenceMatcher(None, [normal(item) for item in before], [normal(item) for item in after], autojunk=False)
    for _, first, last, start, end in blocks.get_opcodes():
        for step in range(max(last - first, end - start)):
            yield (first + step if first + step < last else None), (start + step if start + step < end else None)
