"""A reasoner: what it costs to take a company over. It runs on the cluster's workers, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["value"]

COST_PER_HEAD = 1_850
COST_PER_APPLICATION = 42_000


def value(deal: Mapping[str, Any]) -> dict[str, Any]:
    """Return the costs and synergies of one deal; ``deal["…"]`` is any column of its row."""
    people = deal["headcount"] * COST_PER_HEAD
    applications = deal["applications"] * COST_PER_APPLICATION
    return {
        "cost_estimate": {"total_cost": people + applications, "people": people, "applications": applications},
        "synergies": [{"type": "consolidation"}] if deal["applications"] > 5 else [],
        "narrative": f"{deal['headcount']} people and {deal['applications']} applications are taken over.",
    }
