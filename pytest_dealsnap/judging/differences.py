"""Where two outputs differ: a quick walk that judges, and deepdiff that explains.

The walk visits only what differs and costs microseconds, so every changed deal can afford it.
deepdiff (some milliseconds a deal) writes the explanation that a person reads, for deals shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal, localcontext
from typing import Any

from pytest_dealsnap.judging.alignment import aligned
from pytest_dealsnap.judging.paths import show_path
from pytest_dealsnap.judging.values import exact, is_number, normal, same, working_context

__all__ = ["ABSENT", "changed_leaves", "explain"]


class _Absent:
    """Stands for a value that one side does not have."""

    def __repr__(self) -> str:
        return "absent"


ABSENT = _Absent()
Path = tuple[str | int, ...]


def changed_leaves(baseline: Any, current: Any, path: Path = ()) -> Iterator[tuple[Path, Any, Any]]:
    """Yield ``(path, baseline value, current value)`` of every leaf that differs, in path order.

    A key or index that one side lacks is one leaf, with ``ABSENT`` for the missing value.
    """
    if isinstance(baseline, dict) and isinstance(current, dict):
        for key in sorted(baseline.keys() | current.keys()):
            yield from _child(baseline.get(key, ABSENT), current.get(key, ABSENT), (*path, key))
    elif isinstance(baseline, list) and isinstance(current, list):
        for index in range(max(len(baseline), len(current))):
            before = baseline[index] if index < len(baseline) else ABSENT
            after = current[index] if index < len(current) else ABSENT
            yield from _child(before, after, (*path, index))
    elif not same(baseline, current):
        yield path, baseline, current


def _child(before: Any, after: Any, path: Path) -> Iterable[tuple[Path, Any, Any]]:
    if isinstance(before, (dict, list)) and isinstance(after, (dict, list)):
        return changed_leaves(before, after, path)
    return () if same(before, after) else ((path, before, after),)


_MOVES = {
    "dictionary_item_added": "added",
    "iterable_item_added": "added",
    "dictionary_item_removed": "removed",
    "iterable_item_removed": "removed",
    "values_changed": "changed",
    "type_changes": "changed",
}


def explain(baseline: Any, current: Any, *, limit: int = 12) -> tuple[list[tuple[str, str, Any, Any]], int]:
    """Explain a difference as ``(path, move, before, after)`` rows, at most *limit*, and their total.

    Entries of lists are aligned, so one that came or went in the middle is one row, and a list in another order is one
    row, ``reordered``. Numbers are compared as the decimals that they are written as. An entry that went is told by
    its old place, all others by their new ones.
    """
    rows = list(_rows(baseline, current, ()))
    rows.sort(key=lambda row: [(isinstance(step, str), step) for step in row[0]])
    shown = [(show_path(path), move, _shown(before), _shown(after)) for path, move, before, after in rows[:limit]]
    return shown, len(rows)


Row = tuple[Path, str, Any, Any]


def _rows(before: Any, after: Any, path: Path) -> Iterator[Row]:
    if before is ABSENT or after is ABSENT:
        yield path, "added" if before is ABSENT else "removed", before, after
    elif isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            yield from _rows(before.get(key, ABSENT), after.get(key, ABSENT), (*path, key))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _list_rows(before, after, path)
    elif not same(before, after):
        yield path, "changed", before, after


def _list_rows(before: list[Any], after: list[Any], path: Path) -> Iterator[Row]:
    """Yield the rows of two lists: deepdiff aligns those of single values, but not those of objects."""
    if same(before, after):
        return
    if len(before) == len(after) and Counter(map(normal, before)) == Counter(map(normal, after)):
        yield path, "reordered", before, after
        return
    pairs = aligned(before, after)
    if pairs is None:
        yield from _explained(before, after, path)
        return
    for ours, theirs in pairs:
        one, other = (ABSENT if ours is None else before[ours]), (ABSENT if theirs is None else after[theirs])
        place = ours if theirs is None else theirs
        assert place is not None
        yield from _rows(one, other, (*path, place))


def _explained(before: Any, after: Any, path: Path) -> Iterator[Row]:
    from deepdiff import DeepDiff  # imported here: deepdiff takes 0.2 s, and most runs differ nowhere

    difference = DeepDiff(_comparable(before), _comparable(after), view="tree")
    for kind, leaves in difference.items():
        for leaf in leaves:
            yield (*path, *_deepdiff_path(leaf)), _MOVES.get(kind, kind), _side(leaf.t1), _side(leaf.t2)


def _shown(value: Any) -> Any:
    return value if value is ABSENT else _side(_comparable(value))


class _Written(str):
    """A number as deepdiff compares it: by its text. Its own arithmetic knows no infinity, nor ``True`` from 1."""

    number: Any

    @classmethod
    def of(cls, number: int | float | Decimal) -> _Written:
        value = exact(number)
        if value.is_nan():
            written = cls("NaN")
            written.number = "NaN"
            return written
        with localcontext(working_context(value)):
            written = cls(value.normalize() if value else 0)
        written.number = number if isinstance(number, int) else value
        return written


def _comparable(value: Any) -> Any:
    """Return *value* with every number as deepdiff is to see it."""
    if isinstance(value, dict):
        return {key: _comparable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    return _Written.of(value) if is_number(value) else value


def _deepdiff_path(leaf: Any) -> Path:
    return tuple(leaf.path(output_format="list"))


def _side(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _side(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_side(item) for item in value]
    if isinstance(value, _Written):
        return value.number
    return ABSENT if type(value).__name__ == "NotPresent" else value
