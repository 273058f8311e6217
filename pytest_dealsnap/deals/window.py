"""Reading ahead: rows are asked for in windows that grow while deals are run in the plan's order."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_dealsnap.deals.deal import Deal, DealRef
from pytest_dealsnap.deals.selection import Entry
from pytest_dealsnap.deals.source import DealSource
from pytest_dealsnap.errors import DealNotFoundError

__all__ = ["ReadAhead"]

WIDEST = 256


class ReadAhead:
    """A source's rows in windows of 1, 2, 4 … 256, so that one deal costs one row, and many few questions.

    A run that jumps (``-k``, a worker's share) falls back to small windows; at most one window is held.
    """

    def __init__(self, source: DealSource, entries: Sequence[Entry]) -> None:
        self._source = source
        self._refs = [entry.ref for entry in entries if entry.kind != "missing" and entry.ref.copies == 1]
        self._positions = {ref.id: position for position, ref in enumerate(self._refs)}
        self._window: dict[str, Deal | DealNotFoundError] = {}
        self._next = -1  # so that a first deal, whichever it is, costs one row
        self._width = 1

    def fetch(self, ref: DealRef) -> Deal:
        """Return the deal's row; raises :class:`DealNotFoundError` where it has gone or changed its type."""
        if ref.id not in self._window:
            self._read_from(self._positions[ref.id])
        deal = self._window.pop(ref.id)
        if isinstance(deal, DealNotFoundError):
            raise deal
        return deal

    def _read_from(self, position: int) -> None:
        in_order = position == self._next and not self._window
        self._width = min(self._width * 2, WIDEST) if in_order else 1
        refs = self._refs[position : position + self._width]
        self._window = dict(zip((ref.id for ref in refs), self._source.fetch_many(refs), strict=True))
        self._next = position + len(refs)
