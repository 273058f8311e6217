"""How a deal's result travels from an xdist worker to the controller: as text that loses nothing."""

from __future__ import annotations

from pytest_dealsnap.model.record import Record, from_plain, to_plain
from pytest_dealsnap.model.results import DealResult
from pytest_dealsnap.reasoning.canonical import canonical, dumps, loads

__all__ = ["pack", "unpack"]


class Parcel(Record, frozen=True):
    """A result, and the ledger entries that it used."""

    result: DealResult
    used: tuple[int, ...]


def pack(result: DealResult, used: tuple[int, ...]) -> str:
    """Return *result*, and the ledger entries that it used, as text."""
    return dumps(to_plain(Parcel(result, used), other=canonical))


def unpack(text: str) -> tuple[DealResult, tuple[int, ...]]:
    """Return what :func:`pack` packed."""
    parcel = from_plain(Parcel, loads(text))
    return parcel.result, parcel.used
