"""Deals that are deleted or change their type while a run goes on: not judged, and said as just that."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugin.project import Project, deals

# The first deal whose test runs changes two others, as another user of the application would.
MOVING = """
import os
import sqlite3

def value(transaction):
    if os.environ.get("MOVE") and transaction["deal_no"] == "d1":
        with sqlite3.connect("book.db", timeout=5) as other:
            other.execute("DELETE FROM transactions WHERE deal_no = 'd2'")
            other.execute("UPDATE transactions SET kind = 'carveout' WHERE deal_no = 'd3'")
        other.close()
    LIVE
    return {"offer": {"price": transaction["amount"]}, "risks": [], "memo": "as signed"}
"""
# A reasoner that reads the database itself, at its own moment.
LIVE = """
    if os.environ.get("MOVE"):
        with sqlite3.connect("book.db", timeout=5) as own:
            [(kind,)] = own.execute("SELECT kind FROM transactions WHERE deal_no = ?", (transaction["deal_no"],))
        if kind == "carveout":
            return {"offer": {"price": 1}, "risks": [], "memo": "as a carveout"}
"""


# Loaded before the run begins.
CONFTEST = """
import os
import sqlite3

connection = sqlite3.connect("book.db")
connection.execute("PRAGMA journal_mode = " + os.environ.get("JOURNAL", "delete"))
connection.close()
"""


def moving(folder: Path, reasoner: str, journal: str) -> Project:
    """Return a captured project whose deals d2 and d3 move while d1 is judged."""
    project = Project(folder).with_deals(*deals(4)).with_reasoner(reasoner).with_file("conftest.py", CONFTEST)
    return project.with_environment(JOURNAL=journal).captured().with_environment(MOVE="1")


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_a_deal_that_moved_is_not_judged_where_the_reasoner_sees_it(
    tmp_path: Path, journal: str, workers: tuple[str, ...]
) -> None:
    """The reasoner fails for the deleted deal and answers otherwise for the retyped one: neither is its fault."""
    outcome = moving(tmp_path, MOVING.replace("    LIVE\n", LIVE), journal).gate(*workers)
    assert outcome.action == "inconclusive", outcome.text
    assert outcome.code == 1
    assert outcome.statuses == {"d1": "matched", "d4": "matched"}
    assert "deal d2 was deleted, or is no longer selected, since the list of deals was read" in outcome.text
    assert "the type of deal d3 changed from 'acquisition' to 'carveout' since the list of deals" in outcome.text


@pytest.mark.parametrize(("journal", "settings"), [("delete", ""), ("wal", "snapshot_seconds = 0")])
def test_a_deal_that_moved_beyond_the_kept_state_is_not_judged(tmp_path: Path, journal: str, settings: str) -> None:
    """Neither missing, nor corruption, nor the row of after with the type of before."""
    outcome = moving(tmp_path, MOVING.replace("LIVE", "pass"), journal).with_settings(settings, section="deals").gate()
    assert outcome.action == "inconclusive", outcome.text
    assert outcome.statuses == {"d1": "matched", "d4": "matched"}


def test_deals_are_judged_by_the_kept_state(tmp_path: Path) -> None:
    """In WAL mode list and rows are those of the beginning, and a reasoner that takes its deal sees no other."""
    outcome = moving(tmp_path, MOVING.replace("LIVE", "pass"), "wal").gate()
    assert outcome.action == "proceed", outcome.text
    assert set(outcome.statuses.values()) == {"matched"}
    assert len(outcome.statuses) == 4


def test_a_capture_records_no_error_of_a_deal_that_was_deleted(tmp_path: Path) -> None:
    """Its snapshot stays as it was, and the run is not green."""
    project = moving(tmp_path, MOVING.replace("    LIVE\n", LIVE), "wal")
    before = project.snapshots()["d2.json"]
    outcome = project.run("--dealsnap-update")
    assert outcome.code == 1, outcome.text
    assert project.snapshots()["d2.json"] == before
