"""Faults a release could carry, switched on by name so that a gate can show that it finds them.

`DILIGENCE_FAULT=rounding,lost_synergy` switches on two; unset, there are none.
"""

from __future__ import annotations

import os
from enum import StrEnum

VARIABLE = "DILIGENCE_FAULT"


class Fault(StrEnum):
    """What can be broken, and how."""

    ROUNDING = "rounding"  # every cost line is rounded up to the next thousand
    TSA_ON_ACQUISITIONS = "tsa_on_acquisitions"  # acquisitions are charged for transition services
    LOST_SYNERGY = "lost_synergy"  # the last synergy of a deal with more than two is lost
    CRASH_ON_EMPTY = "crash_on_empty"  # an empty inventory ends in an exception
    DROPPED_DEAL = "dropped_deal"  # the migration loses an acquisition


class UnknownFaultError(ValueError):
    """The environment asks for a fault that does not exist."""


def active() -> frozenset[Fault]:
    """The faults the environment asks for now; `UnknownFaultError` for a name that is none."""
    names = (name.strip() for name in os.environ.get(VARIABLE, "").split(","))
    return frozenset(parse_fault(name) for name in names if name)


def parse_fault(name: str) -> Fault:
    """The fault of that name, or `UnknownFaultError`."""
    try:
        return Fault(name)
    except ValueError:
        valid = ", ".join(Fault)
        raise UnknownFaultError(f"{VARIABLE} names {name!r}; valid are {valid}") from None
