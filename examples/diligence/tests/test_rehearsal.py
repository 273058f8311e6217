"""The rollout, rehearsed on a copy of the unmigrated database: green on both databases, red with its faults."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from examples.diligence import database

from .checkout import QUICK

ROOT = database.PACKAGE.parents[1]


def rehearse(url: str, report: Path, *options: str, fault: str = "") -> dict[str, Any]:
    """Rehearse at the checkout's root, and return the report."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest_dealsnap",
            "rehearse",
            "--database",
            url,
            "--report",
            f"json:{report}",
            *options,
        ],
        cwd=ROOT,
        env=os.environ | {"DILIGENCE_FAULT": fault, "PYTEST_ADDOPTS": QUICK},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    document: dict[str, Any] = json.loads(report.read_text())
    assert (done.returncode == 0) == (document["verdict"]["action"] == "proceed")
    return document


def take_time_over_ddl(url: str) -> None:
    """Let each ALTER TABLE, also of a copy of the database, hold its locks for a while, as on a large table."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION take_time() RETURNS event_trigger LANGUAGE plpgsql"
            " AS $$ BEGIN PERFORM pg_sleep(0.5); END $$"
        )
        connection.exec_driver_sql(
            "CREATE EVENT TRIGGER take_time ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION take_time()"
        )
    engine.dispose()


def gating(report: dict[str, Any]) -> set[str]:
    """The findings that keep a rollout from being green."""
    return {finding["code"] for finding in report["findings"] if finding["weight"] != "note"}


def test_the_rehearsal_is_green_on_sqlite(before_url: str, tmp_path: Path) -> None:
    """Nothing else is found, what changes is put down to the code, and the original keeps every byte."""
    path = Path(before_url.removeprefix("sqlite:///"))
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    report = rehearse(before_url, tmp_path / "report.json", "--sample", "30")
    none = "none of 30 affected; at most 29 of 321 (9.0 %) with 95 % confidence"
    assert report["verdict"] == {"action": "inconclusive", "reason": none}, "a sample of 30 proves no more"
    assert gating(report) == {"gate_inconclusive"}
    assert report["attribution"]["code"] == len(report["attribution"]["deals"]) > 0
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert [name.name for name in path.parent.iterdir()] == [path.name]


def test_the_rehearsal_is_green_on_postgresql(new_postgres: Callable[[], str], tmp_path: Path) -> None:
    """On a sample of the deals; the locks of the migration are told."""
    url = new_postgres()
    database.build(url, "before")
    take_time_over_ddl(url)
    report = rehearse(url, tmp_path / "report.json", "--sample", "15")
    assert report["verdict"]["action"] == "inconclusive", "a sample of 15 claims nothing of the other deals"
    assert gating(report) == {"gate_inconclusive"}
    assert {"relation": "deals", "mode": "AccessExclusiveLock"}.items() <= report["locks"][0].items()
    assert report["affected"]["high"] > 0


def test_its_faults_are_red(before_url: str, tmp_path: Path) -> None:
    """Every fault that the example knows is found in one rehearsal, each by what it breaks."""
    faults = "rounding,tsa_on_acquisitions,lost_synergy,crash_on_empty,dropped_deal"
    # A seed whose sample holds a deal with an empty inventory.
    report = rehearse(before_url, tmp_path / "report.json", "--no-load", "--sample", "30", "--seed", "27", fault=faults)
    assert report["verdict"]["action"] == "roll_back"
    assert {"rows_lost", "old_answers_differ", "deals_regressed", "downgrade_loses_data"} <= gating(report)
    [old] = [finding for finding in report["findings"] if finding["code"] == "old_answers_differ"]
    lines = "\n".join(old["evidence"])
    assert "error: in " in lines  # crash_on_empty
    assert "cost_estimate.total_cost: in " in lines  # rounding
    assert "synergies[]: in " in lines  # lost_synergy
    lost = [finding["title"] for finding in report["findings"] if finding["code"] == "rows_lost"]
    assert "1 row of deals is lost" in lost  # dropped_deal
    acquisitions = [deal for deal in report["gate"]["deals"] if deal["deal_type"] == "acquisition"]
    assert {deal["status"] for deal in acquisitions} >= {"regressed"}  # tsa_on_acquisitions
