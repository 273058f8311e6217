"""The projects that are timed against each other: same deals, same outputs, other ways to test them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

__all__ = ["SUITES", "Suite", "build_suite"]

REASONER = '''
"""A reasoner that does nothing but answer: about 2 KB, a different one for every deal."""

import asyncio
import os
import time

DOMAINS = ("applications", "infrastructure", "network", "cybersecurity", "identity", "organization")
SENTENCE = "The target's systems are consolidated into the buyer's within the first hundred days. "
FACTOR = float(os.environ.get("COST_FACTOR", "1"))


def reason(deal_id):
    return {
        "cost_estimate": {
            "total_cost": 1000.0 * deal_id * FACTOR,
            "by_domain": {domain: 100.5 * deal_id + rank for rank, domain in enumerate(DOMAINS)},
        },
        "synergies": [
            {"type": "consolidation", "name": f"system {number}", "annual_savings_low": 12500 + number,
             "annual_savings_high": 40000 + deal_id, "confidence": "high", "timeframe": "6-12 months"}
            for number in range(4)
        ],
        "narrative": f"Deal {deal_id}. " + SENTENCE * 9,
    }


def reason_slowly(deal_id):
    time.sleep(0.05)
    return reason(deal_id)


async def reason_slowly_async(deal_id):
    await asyncio.sleep(0.05)
    return reason(deal_id)
'''

BARE = """
import pytest

@pytest.mark.parametrize("deal_id", range(1, {count} + 1))
def test_deal(deal_id):
    pass
"""

AMBER = """
import pytest
from reasoner import reason

@pytest.mark.parametrize("deal_id", range(1, {count} + 1))
def test_deal(deal_id, snapshot):
    assert reason(deal_id) == snapshot
"""

SINGLE_FILES = """
import pytest
from reasoner import reason
from syrupy.extensions.json import JSONSnapshotExtension

@pytest.fixture
def snapshot(snapshot):
    return snapshot.use_extension(JSONSnapshotExtension)

@pytest.mark.parametrize("deal_id", range(1, {count} + 1))
def test_deal(deal_id, snapshot):
    assert reason(deal_id) == snapshot
"""

CONFIG = """
[tool.dealsnap]
database = "sqlite:///deals.db"
reasoner = "reasoner:reason"

[tool.dealsnap.rules."*"]
cost_total = "within 5%"
"*" = "report"

[tool.pytest.ini_options]
addopts = ["-q", "-p", "no:cacheprovider", "-p", "no:cov"]
"""


@dataclass(frozen=True, slots=True)
class Suite:
    """One way to test the deals: its test file, and pytest's arguments to record and to verify."""

    name: str
    source: str | None
    record: tuple[str, ...]
    verify: tuple[str, ...]


_WITHOUT_US = ("-p", "no:dealsnap")
SUITES = {
    suite.name: suite
    for suite in (
        Suite("bare", BARE, (), (*_WITHOUT_US, "-p", "no:syrupy", "-p", "no:xdist")),
        Suite("dealsnap", None, ("--dealsnap-update",), ("--dealsnap",)),
        Suite("amber", AMBER, ("--snapshot-update", *_WITHOUT_US), _WITHOUT_US),
        Suite("single-files", SINGLE_FILES, ("--snapshot-update", *_WITHOUT_US), _WITHOUT_US),
    )
}


def build_suite(folder: Path, suite: Suite, count: int) -> None:
    """Write the project of *suite* with *count* deals into *folder*."""
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(CONFIG)
    (folder / "reasoner.py").write_text(REASONER)
    (folder / "conftest.py").write_text("")
    if suite.source is not None:
        (folder / "test_deals.py").write_text(suite.source.format(count=count))
    connection = sqlite3.connect(folder / "deals.db")
    connection.execute("CREATE TABLE deals (id INTEGER PRIMARY KEY, name TEXT, deal_type TEXT)")
    types = ("acquisition", "acquisition", "acquisition", "carveout", "divestiture")
    rows = ((number, f"Deal {number}", types[number % 5]) for number in range(1, count + 1))
    connection.executemany("INSERT INTO deals VALUES (?, ?, ?)", rows)
    connection.commit()
    connection.close()
