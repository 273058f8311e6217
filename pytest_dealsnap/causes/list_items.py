"""How one list became another, told by the items that went and came."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from pytest_dealsnap.judging.values import normal

__all__ = ["ANOTHER_ORDER", "item_change", "items_gone_and_come"]

ANOTHER_ORDER = "same items, another order"
MOST_ITEMS = 4
LONGEST_ITEM = 40


def items_gone_and_come(before: list[Any], after: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return the items of *before* that *after* lacks, and those that it has on top, in the order of the lists."""
    return _beyond(before, after), _beyond(after, before)


def _beyond(items: list[Any], others: list[Any]) -> list[Any]:
    known = Counter(normal(item) for item in others)
    rest = []
    for item in items:
        key = normal(item)
        if known[key]:
            known[key] -= 1
        else:
            rest.append(item)
    return rest


def item_change(before: Any, after: Any) -> tuple[str, str] | None:
    """Return how a list changed, broadly and by its items; ``None`` where one side is no list.

    >>> item_change(["license", "network"], ["network"])
    ('lost items', 'lost "license"')
    """
    if not (isinstance(before, list) and isinstance(after, list)):
        return None
    gone, come = items_gone_and_come(before, after)
    if not gone and not come:
        return ANOTHER_ORDER, ANOTHER_ORDER
    broad = "has other items" if gone and come else "lost items" if gone else "gained items"
    shown = sorted(map(_shown, gone)), sorted(map(_shown, come))
    if len(gone) + len(come) > MOST_ITEMS or any(len(item) > LONGEST_ITEM for side in shown for item in side):
        return broad, ""
    words = [f"{verb} {', '.join(side)}" for verb, side in zip(("lost", "gained"), shown, strict=True) if side]
    return broad, " and ".join(words)


def _shown(item: Any) -> str:
    return json.dumps(item, ensure_ascii=False, sort_keys=True, default=str)
