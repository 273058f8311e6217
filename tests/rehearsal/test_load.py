"""Reads and writes beside an upgrade: what became of them is counted, and nothing is changed by them."""

from __future__ import annotations

import time
from pathlib import Path

from pytest_dealsnap.config_reading import load_config
from pytest_dealsnap.rehearsal.load import Load
from tests.rehearsal.sample_project import run_statements
from tests.rehearsal.test_scratch import query


def test_requests_that_fail_are_counted_with_their_reason(tmp_path: Path) -> None:
    """A table that is away for a moment fails the reads and the writes that meet it; the others are done."""
    url = f"sqlite:///{tmp_path / 'deals.db'}"
    run_statements(
        url, "CREATE TABLE deals (id INTEGER PRIMARY KEY, name TEXT)", "INSERT INTO deals VALUES (1, 'Acme')"
    )
    load = Load(url, load_config(tmp_path, flags={}, environ={}).deals)
    load.start()
    run_statements(url, "ALTER TABLE deals RENAME TO away")
    while not (load._failed["read"] and load._failed["write"]):
        time.sleep(0.001)
    run_statements(url, "ALTER TABLE away RENAME TO deals")
    fact = load.stop()
    assert fact.reads > 0
    assert fact.writes > 0
    assert fact.failed_reads > 0
    assert fact.failed_writes > 0
    assert set(fact.reasons) == {"OperationalError: no such table: deals"}
    assert query(url, "SELECT name FROM deals") == ["Acme"]
