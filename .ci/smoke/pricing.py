"""A reasoner: the cost of a deal by its number."""

import os


def price(deal_id: str) -> dict[str, float]:
    """Return the cost of the deal, in dollars."""
    return {"cost": 1000.0 * int(deal_id.removeprefix("T-")) * float(os.environ.get("COST_FACTOR", "1")) + 1}
