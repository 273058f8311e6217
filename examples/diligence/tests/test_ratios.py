"""The plan's expectation: what a separation costs beside the same deal as an acquisition."""

from __future__ import annotations

from typing import Any, cast

from .conftest import Reports, stored_types

# Small units that lean on their parent for nearly everything, or for two years.
OUTLIERS = {48: (903_400, 3_501_655), 154: (811_550, 2_749_060), 248: (1_218_050, 6_007_635)}


def test_carveouts_cost_half_as_much_again_to_three_times(
    old_release_reports: Reports, reports: Reports, before_url: str
) -> None:
    """All but the known outliers lie between 1.5 and 3.0, and those cost what is on record."""
    outside = {}
    for deal_id in _of_type(before_url, "carveout"):
        baseline, current = _total(old_release_reports[deal_id]), _total(reports[deal_id])
        if not 1.5 <= current / baseline <= 3.0:
            outside[deal_id] = (baseline, current)
    assert outside == OUTLIERS


def test_divestitures_cost_two_to_three_and_a_half_times(
    old_release_reports: Reports, reports: Reports, before_url: str
) -> None:
    """All of them lie between 2.0 and 3.5."""
    for deal_id in _of_type(before_url, "divestiture"):
        assert 2.0 <= _total(reports[deal_id]) / _total(old_release_reports[deal_id]) <= 3.5


def _of_type(url: str, deal_type: str) -> list[int]:
    return [deal_id for deal_id, stored in stored_types(url).items() if stored == deal_type]


def _total(report: dict[str, object]) -> int:
    return cast(int, cast(dict[str, Any], report["cost_estimate"])["total_cost"])
