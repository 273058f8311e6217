"""The flag: off it brings the old release back, on it follows the deal's type."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from examples.diligence import flags, population
from examples.diligence.deal_types import effective_deal_type

from . import old_release
from .conftest import Reports, stored_types


@pytest.mark.parametrize(
    ("word", "on"),
    [
        ("true", True),
        ("TRUE", True),
        ("1", True),
        ("", True),
        ("false", False),
        ("False ", False),
        ("0", False),
    ],
)
def test_the_flag_is_read_when_it_is_asked_for(word: str, on: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed environment counts at once, with no import in between."""
    monkeypatch.setenv(flags.DEAL_TYPE_AWARENESS, word)
    assert flags.deal_type_awareness() is on


def test_the_flag_is_on_by_default() -> None:
    """Unset means on."""
    assert flags.deal_type_awareness()


def test_a_mistyped_flag_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A typo is an error, never a silent yes or no."""
    monkeypatch.setenv(flags.DEAL_TYPE_AWARENESS, "flase")
    with pytest.raises(flags.FlagError, match="'flase'; valid are true"):
        flags.deal_type_awareness()


def test_flag_off_computes_what_the_old_release_did(old_release_reports: Reports) -> None:
    """Totals and synergies of every deal, of any type, equal an independent account of the old release."""
    tables = population.generate()
    for deal_id, report in old_release_reports.items():
        items = [row for row in tables["inventory_items"] if row["deal_id"] == deal_id]
        work = [row for row in tables["work_items"] if row["deal_id"] == deal_id]
        assert _estimate(report)["total_cost"] == old_release.total_cost(items, work)
        assert _estimate(report)["multipliers"] == dict.fromkeys(_estimate(report)["by_domain"], 1.0)
        assert report["separation_costs"] == []
        expected = {
            category: tuple(math.floor(amount + 0.5) for amount in bounds)
            for category, bounds in old_release.savings(items).items()
        }
        assert _savings(report) == expected


def test_flag_off_equals_the_old_release_byte_for_byte(
    old_release_reports: Reports, rolled_back_reports: Reports
) -> None:
    """With the flag off the migration changes no report of any type."""
    assert _bytes(rolled_back_reports) == _bytes(old_release_reports)


def test_acquisitions_are_the_same_with_the_flag_on(
    old_release_reports: Reports, reports: Reports, before_url: str
) -> None:
    """An acquisition, and a deal that the backfill made one, comes out the same to the last byte."""
    for deal_id, stored in stored_types(before_url).items():
        same = _bytes(reports[deal_id]) == _bytes(old_release_reports[deal_id])
        assert same is (effective_deal_type(stored) == "acquisition")


def test_flag_on_follows_the_type(reports: Reports, after_url: str) -> None:
    """The report of each deal says its type; TSA, synergies and separation costs keep to theirs."""
    for deal_id, stored in stored_types(after_url).items():
        estimate = _estimate(reports[deal_id])
        assert estimate["deal_type"] == stored
        assert bool(estimate["tsa_costs"]) is (stored == "carveout")
        assert stored == "acquisition" or not reports[deal_id]["synergies"]
        assert stored != "acquisition" or not reports[deal_id]["separation_costs"]


def _estimate(report: dict[str, object]) -> dict[str, Any]:
    estimate = report["cost_estimate"]
    assert isinstance(estimate, dict)
    return estimate


def _savings(report: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {
        synergy["category"]: (synergy["annual_savings_low"], synergy["annual_savings_high"])
        for synergy in report["synergies"]
    }


def _bytes(value: object) -> bytes:
    return json.dumps(value).encode()
