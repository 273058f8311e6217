"""How a deal's result travels from an xdist worker to the controller: as text that loses nothing."""

from __future__ import annotations

from dataclasses import replace

from pytest_dealsnap.judging.deal_details import details_from_plain, details_to_plain
from pytest_dealsnap.judging.findings import DealResult, result_from_plain, result_to_plain
from pytest_dealsnap.reasoning.canonical import canonical, dumps, loads

__all__ = ["pack", "unpack"]


def pack(result: DealResult, used: tuple[int, ...]) -> str:
    """Return *result*, and the ledger entries that it used, as text."""
    details = None if result.details is None else details_to_plain(result.details)
    return dumps(canonical({"result": result_to_plain(result), "used": list(used), "details": details}))


def unpack(text: str) -> tuple[DealResult, tuple[int, ...]]:
    """Return what :func:`pack` packed."""
    plain = loads(text)
    details = None if plain["details"] is None else details_from_plain(plain["details"])
    return replace(result_from_plain(plain["result"]), details=details), tuple(plain["used"])
