"""Runs that cost money and are killed: the benchmark's checks at a few calls, and some hundred interleavings."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.interruptions import DEALS, interleave, killed_at, paid_project


@pytest.mark.parametrize("workers", [1, 8])
def test_a_killed_run_goes_on_and_reports_the_same(tmp_path: Path, workers: int) -> None:
    """At most a call for each worker is paid in vain; ``python -m benchmarks.interruptions`` kills at every call."""
    paid_project(tmp_path)
    whole = killed_at(tmp_path, 0, workers)
    assert (whole.begun, whole.told) == (DEALS, DEALS)
    for k in (1, 17, DEALS):
        run = killed_at(tmp_path, k, workers)
        assert run.first_code != 0
        assert DEALS <= run.begun <= run.told <= DEALS + workers
        assert run.report == whole.report


def test_no_interleaving_begins_a_call_beyond_the_budget(tmp_path: Path) -> None:
    """And what is told as spent was spent; the benchmark goes through ten thousand."""
    assert all(begun or refused for begun, refused in (interleave(seed, tmp_path) for seed in range(300)))
