"""Numbers of an output, as the decimals that they are written as."""

from __future__ import annotations

from decimal import Decimal

__all__ = ["Number", "exact"]

Number = int | float | Decimal


def exact(number: Number) -> Decimal:
    """Return the decimal that *number* is written as: ``0.1`` is one tenth."""
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
