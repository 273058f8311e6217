"""Which deals run next in this process, for calls that are begun ahead of their tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_dealsnap._compat import dealt_out
from pytest_dealsnap.plugin.items import DealItem

if TYPE_CHECKING:
    import pytest

    from pytest_dealsnap.deals.selection import Entry
    from pytest_dealsnap.pipeline.calls_asked import Order

__all__ = ["following", "one_worker_for_all", "order_of"]

T = TypeVar("T")


def order_of(config: pytest.Config, items: Sequence[pytest.Item]) -> Order:
    """Return the order in which this process runs the deals among *items*.

    An xdist worker knows only what its controller has dealt out to it: to look further would be to
    pay for calls that another worker makes.
    """
    positions_next = dealt_out(config)
    if positions_next is not None:
        return lambda entry: _dealt_out(entry, positions_next, items)
    entries = [item.entry for item in items if isinstance(item, DealItem)]
    positions = {entry.ref.id: position for position, entry in enumerate(entries)}
    return lambda entry: following(entries, positions[entry.ref.id])


def one_worker_for_all(dist: str, workers: int) -> str:
    """Return what to say where xdist runs all deals on one worker, as one file; empty where it spreads them.

    Args:
        dist: The value of xdist's ``--dist``.
        workers: How many workers there are.
    """
    if dist not in ("loadfile", "loadscope") or workers < 2:
        return ""
    return f"--dist {dist} runs all deals on one of {workers} workers; --dist worksteal spreads them"


def following(entries: Sequence[T], position: int) -> Iterator[T]:
    """Yield the entries from *position* on, without a step over those before it: a run asks once for each deal."""
    return (entries[index] for index in range(position, len(entries)))


def _dealt_out(entry: Entry, positions_next: Callable[[], list[Any]], items: Sequence[pytest.Item]) -> Iterator[Entry]:
    yield entry
    for index in positions_next():
        item = items[index] if isinstance(index, int) else None
        if isinstance(item, DealItem):
            yield item.entry
