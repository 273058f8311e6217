"""The three kinds of deal, the other names people use for them, and what a stored value counts as."""

from __future__ import annotations

from enum import StrEnum


class DealType(StrEnum):
    """Which way a company moves: into the buyer, out of its parent, or off the seller's systems."""

    ACQUISITION = "acquisition"
    CARVEOUT = "carveout"
    DIVESTITURE = "divestiture"


VALID_DEAL_TYPES = tuple(deal_type.value for deal_type in DealType)

ALIASES = {
    "bolt_on": DealType.ACQUISITION,
    "platform": DealType.ACQUISITION,
    "carve_out": DealType.CARVEOUT,
    "carve-out": DealType.CARVEOUT,
    "spinoff": DealType.CARVEOUT,
    "spin-off": DealType.CARVEOUT,
    "sale": DealType.DIVESTITURE,
    "disposal": DealType.DIVESTITURE,
}


class UnknownDealTypeError(ValueError):
    """A caller named a deal type that does not exist."""


def parse_deal_type(text: str) -> DealType:
    """The deal type a caller means by `text`, an exact name or an alias; else `UnknownDealTypeError`."""
    if text in VALID_DEAL_TYPES:
        return DealType(text)
    if text in ALIASES:
        return ALIASES[text]
    raise UnknownDealTypeError(
        f"unknown deal type {text!r}; valid are {', '.join(VALID_DEAL_TYPES)} and the aliases {', '.join(ALIASES)}"
    )


def effective_deal_type(stored: str | None) -> DealType:
    """What a stored value counts as: a valid type itself, anything else an acquisition.

    That is what the backfill makes of it, so a deal means the same before and after the migration.
    """
    return DealType(stored) if stored in VALID_DEAL_TYPES else DealType.ACQUISITION
