"""A snapshot whose metrics and output disagree is bad; what cannot be told is not held against it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.baseline.codec import Snapshot
from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.baseline.manifest import MANIFEST, manifest_text
from pytest_dealsnap.baseline.recording import Recorder
from pytest_dealsnap.baseline.snapshot_consistency import Consistency
from pytest_dealsnap.errors import SnapshotError
from tests.builders import configure

METRICS = 'metrics = { price = "price", memo = { path = "memo", max_chars = 5 } }\n'
GOOD = Snapshot(
    "1", None, "acquisition", None, metrics={"price": 5, "memo": "hello"}, output={"price": 5, "memo": "hello you"}
)


def consistency(root: Path, *, drops: bool = False, recorded: Any = None) -> Consistency:
    """Return the check of a baseline whose manifest has the paths *recorded*."""
    config = configure(root, METRICS)
    if recorded is not None:
        config.snapshots.mkdir(parents=True, exist_ok=True)
        (config.snapshots / MANIFEST).write_bytes(manifest_text({"format": 1, "metrics": recorded}))
    return Consistency(DealSnapshots(config.snapshots), Recorder(config).metrics, drops=drops)


def with_metrics(**values: Any) -> Snapshot:
    """Return the snapshot with other metrics."""
    return replace(GOOD, metrics={**(GOOD.metrics or {}), **values})


@pytest.mark.parametrize("metrics", [{}, {"price": 5.0}, {"memo": "he"}, {"memo": "hello you, all"}])
def test_what_agrees(tmp_path: Path, metrics: dict[str, Any]) -> None:
    """Numbers as they compare; a text that another ``max_chars`` cut."""
    snapshot = with_metrics(**metrics)
    assert consistency(tmp_path).checked(snapshot) is snapshot


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ({"price": 6}, "its metric price is 6, and its output says 5"),
        ({"memo": "other"}, "its metric memo is 'other', and its output says 'hello'"),
        ({"memo": 7}, "its metric memo is 7"),
        ({"memo": "x" * 90}, "…, and its output says"),
        ({"price": "5"}, "its metric price is '5', and its output says 5"),
    ],
)
def test_what_disagrees_is_a_bad_snapshot(tmp_path: Path, metrics: dict[str, Any], words: str) -> None:
    """The error has both values, the metric's path and the way out."""
    with pytest.raises(SnapshotError, match=words) as caught:
        consistency(tmp_path).checked(with_metrics(**metrics))
    assert "Restore it from git" in str(caught.value)


def test_a_metric_that_is_not_recorded_is_not_held_against_it(tmp_path: Path) -> None:
    """It was added since; nor is an error, nor a snapshot of metrics alone."""
    check = consistency(tmp_path)
    for snapshot in (replace(GOOD, metrics={"price": 5}), replace(GOOD, output=None), replace(GOOD, metrics=None)):
        assert check.checked(snapshot) is snapshot


def test_a_metric_whose_path_changed_is_taken_anew(tmp_path: Path) -> None:
    """Its recorded value goes; the others are checked as before."""
    check = consistency(tmp_path, recorded={"price": "total", "memo": "memo"})
    assert check.checked(with_metrics(price=99)).metrics == {"memo": "hello"}
    without = replace(GOOD, metrics={"memo": "hello"})
    assert check.checked(without) is without
    with pytest.raises(SnapshotError):
        check.checked(with_metrics(price=99, memo="other"))


def test_with_dropped_paths_only_what_the_other_side_shows_is_checked(tmp_path: Path) -> None:
    """A metric may need a value that is not recorded; whose other side agrees, needs none."""
    check = consistency(tmp_path, drops=True)
    bad = with_metrics(price=6)
    assert check.checked(bad) is bad
    assert check.checked(bad, bad) is bad
    assert check.checked(bad, replace(GOOD, output=None)) is bad
    assert check.checked(bad, replace(GOOD, metrics={})) is bad
    with pytest.raises(SnapshotError, match="its metric price is 6"):
        check.checked(bad, GOOD)
