"""Every report tells how noise decided: both numbers of the rule, what fresh runs said, how many suspects there are."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.model.exact_numbers import exact
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.noise import MetricNoise, NoiseFacts, TypeNoise
from pytest_dealsnap.reporting.page_data import page_data
from pytest_dealsnap.reporting.writers import writer_of
from tests.reporting.runs import finding, finished, result, saved

RULE = "within 5% or noise (8.1 %, 20 pairs)"
FACTS = NoiseFacts({"acquisition": TypeNoise(20, 0, {"cost_total": MetricNoise("number", 20, Decimal("0.081"), 0)})})
CONFIRMED = "confirmed by 4 + 4 fresh runs: all of one side lie beyond the other's (by chance 1.4 %)"
SUMMARY = "2 deals beyond rule and floor of noise: 1 confirmed by fresh runs of both sides; 1 not confirmed: noise"


def noisy_run() -> FinishedRun:
    """Return a run with a confirmed deal, one that was noise, and one within the floor."""
    cost = {"allowed": RULE}
    confirmed = finding("cost_total", 100, 130, 30.0, noise="confirmed", note=CONFIRMED, **cost)
    noise = finding("cost_total", 100, 120, 20.0, gates=False, noise="not confirmed", note="it is noise", **cost)
    inside = finding("cost_total", 100, 107, 7.0, gates=False, noise="floor", **cost)
    results = [result("1", "regressed", confirmed), result("2", "changed", noise), result("3", "changed", inside)]
    return finished(results, noise=FACTS)


@pytest.mark.parametrize("name", ["markdown", "html", "json"])
def test_a_report_tells_the_rule_with_both_numbers(name: str) -> None:
    """And the page, the summary of a pull request and the JSON say what fresh runs came to."""
    text = writer_of(name).render(noisy_run())
    assert "8.1 %, 20 pairs" in text
    assert SUMMARY in text


def test_a_saved_report_concludes_the_same(tmp_path: Path) -> None:
    """Read again, the findings still say how noise decided."""
    run = noisy_run()
    again = saved(run, tmp_path)
    assert again.facts.noise is not None
    assert exact(again.facts.noise.types["acquisition"].metrics["cost_total"].floor or 0) == Decimal("0.081")
    assert (again.verdict, again.notes, again.summary) == (run.verdict, run.notes, run.summary)


@pytest.mark.parametrize(
    ("rule", "band"),
    [
        (RULE, {"percent": 8.1}),
        ("within 9% or noise (8.1 %, 20 pairs)", {"percent": 9.0}),
        ("within 5% or noise (no floor)", {"percent": 5.0}),
    ],
)
def test_the_page_draws_the_band_that_is_allowed(rule: str, band: dict[str, Any]) -> None:
    """The wider one of rule and floor."""
    run = finished([result("1", "changed", finding("cost_total", 100, 107, 7.0, gates=False, allowed=rule))])
    (drawn,) = page_data(run)["bands"].values()
    assert {key: value for key, value in drawn.items() if value is not None} == band
