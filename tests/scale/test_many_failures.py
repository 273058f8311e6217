"""Thousands of regressed deals: a grouped summary in bounded output, all of them in the report."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugin.project import Project
from tests.scale.running import padded

COUNT = 2_000


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A captured project in which every deal's price has risen since: half by a tenth, half by 50."""
    project = Project(tmp_path_factory.mktemp("broken")).with_deals(*padded(COUNT, amount=1_000)).captured()
    rows = padded(COUNT, amount=1_000)
    return project.with_deals(
        *((*row[:3], 1_100 if number % 2 else 1_200 + 7 * (number % 5)) for number, row in enumerate(rows))
    )


def test_the_output_is_bounded_and_the_report_complete(broken: Project) -> None:
    """2,000 failures: under 700 lines, causes with their counts, a hint where the rest is, and a full report."""
    outcome = broken.gate("-ra")
    assert outcome.code == 1
    assert set(outcome.statuses.values()) == {"regressed"}
    assert len(outcome.statuses) == COUNT
    lines = [line for line in outcome.text.splitlines() if set(line) - set("R.[]% 0123456789")]
    assert len(lines) < 700
    assert len(outcome.text) < 150_000
    assert "1,980 more failed deals are not shown above; all of them are in the report" in outcome.text
    assert any("1,000" in line and "price +10.0% · acquisition" in line for line in lines)
    causes = outcome.report["causes"]
    assert len(causes) <= 8
    assert {deal_id for cause in causes for deal_id in cause["deals"]} == set(outcome.statuses)
    assert outcome.closing == f"{COUNT} failed"
    assert outcome.action == "roll_back"


def test_without_a_report_the_way_to_one_is_shown(tmp_path: Path) -> None:
    """Without a report the summary says how to get all failed deals."""
    project = Project(tmp_path).with_deals(*padded(30)).captured().with_deals(*padded(30, amount=200))
    outcome = project.run("--dealsnap", "-q", "--tb=no")
    assert outcome.code == 1
    assert "10 more failed deals are not shown above; all of them are with --dealsnap-report" in outcome.text
