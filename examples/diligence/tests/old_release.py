"""The release before deal types: what it computed, written down a second time without a look at the new one.

It knows no deal type, no transition services and no flag. The flag, turned off, has to bring it back.
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

from examples.diligence.population import Row

COMPLEXITY = {
    "low": Fraction(7, 10),
    "medium": Fraction(1),
    "high": Fraction(3, 2),
    "very_high": Fraction(2),
}


def total_cost(items: list[Row], work: list[Row]) -> int:
    """Base, drivers and effort of all six domains, in dollars."""
    own = [item for item in items if item["side"] == "target"]
    users = sum(_number(item["user_count"]) for item in own if item["kind"] == "directory")
    total = Fraction(75_000 + 30_000 + 100_000 + 150_000 + 250_000 + (15 + 10 + 5) * users)
    for item in own:
        if item["kind"] == "data_center":
            total += 25_000
        elif item["kind"] == "site":
            total += 20_000
        elif item["kind"] == "application" and item["category"] == "ERP":
            total += 500_000 + 200 * _number(item["user_count"])
        elif item["kind"] == "application":
            total += 20_000 * COMPLEXITY[str(item["complexity"])]
    total += sum(150 * _number(task["effort_hours"]) for task in work)
    assert total.denominator == 1
    return int(total)


def savings(items: list[Row]) -> dict[str, tuple[Fraction, Fraction]]:
    """Low and high annual savings in dollars for each category worth consolidating."""
    sides: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for item in items:
        if item["kind"] == "application" and item["side"] in ("target", "buyer"):
            costs = sides[str(item["category"])]
            side = str(item["side"])
            costs[side] = costs.get(side, 0) + _number(item["annual_cost"])
    both = {category: sorted(costs.values()) for category, costs in sides.items() if len(costs) == 2}
    return {
        category: (smaller + Fraction(larger, 10), smaller + Fraction(3 * larger, 10))
        for category, (smaller, larger) in both.items()
        if smaller + larger >= 100_000
    }


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
