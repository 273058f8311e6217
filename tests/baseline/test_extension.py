"""The store of snapshots, and syrupy's own assertion over it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.location import PyTestLocation
from syrupy.session import SnapshotSession

from pytest_dealsnap.baseline.codec import Snapshot, encode
from pytest_dealsnap.baseline.extension import DealAssertion, DealSnapshots, deal_assertion
from pytest_dealsnap.errors import SnapshotError
from pytest_dealsnap.model.results import Failure


def snapshot(deal_id: str, output: dict[str, Any] | None = None, error: Failure | None = None) -> bytes:
    """Return the bytes of a deal's file."""
    metrics = None if error else {"cost_total": 1}
    return encode(Snapshot(deal_id, "Acme", "carveout", None, metrics, output, error))


def test_what_was_recorded_is_recalled(tmp_path: Path) -> None:
    """Bytes come back as they were; an id's file is one, whatever the id."""
    snapshots = DealSnapshots(tmp_path)
    assert snapshots.recall("12") is None
    assert not snapshots.has("12")
    for deal_id in ("12", "../x", "ACME", "a" * 500, ""):
        snapshots.record(deal_id, snapshot(deal_id, {"a": 1}))
        assert snapshots.has(deal_id)
        assert snapshots.recall(deal_id) == snapshot(deal_id, {"a": 1})
        assert snapshots.decode(deal_id, snapshot(deal_id, {"a": 1})).output == {"a": 1}
        assert Path(snapshots.path(deal_id)).resolve().is_relative_to(tmp_path / "deals")
    snapshots.flush()
    assert snapshots.ids() == {"12", "../x", "ACME", "a" * 500, ""}
    assert sorted(snapshots.each_id()) == sorted(snapshots.ids())


def test_strangers_and_leftovers(tmp_path: Path) -> None:
    """A file that is no snapshot is told; what a killed capture left is removed."""
    snapshots = DealSnapshots(tmp_path)
    assert snapshots.clean() == 0
    snapshots.record("1", snapshot("1"))
    (tmp_path / "deals" / "README.txt").write_text("")
    (tmp_path / "deals" / ".dealsnap-1-2.tmp").write_text("")
    assert snapshots.strangers() == ["README.txt"]
    assert snapshots.clean() == 1
    assert sorted(path.name for path in (tmp_path / "deals").iterdir()) == ["1.json", "README.txt"]


def test_errors_and_bad_files_are_captured_anew(tmp_path: Path) -> None:
    """``--dealsnap-only errors`` takes the deals recorded as errors, and those whose file is bad."""
    snapshots = DealSnapshots(tmp_path)
    snapshots.record("good", snapshot("good"))
    snapshots.record("error", snapshot("error", error=Failure("ValueError", "boom")))
    snapshots.record("bad", b"{")
    assert snapshots.errors_among(["good", "error", "bad", "none"]) == {"error", "bad"}


def test_a_file_that_cannot_be_read_or_written_is_named(tmp_path: Path) -> None:
    """A folder in a snapshot's place is one clear error, either way."""
    snapshots = DealSnapshots(tmp_path)
    (tmp_path / "deals" / "1.json").mkdir(parents=True)
    with pytest.raises(SnapshotError, match=r"deals/1\.json cannot be read: Is a directory"):
        snapshots.recall("1")
    with pytest.raises(SnapshotError, match=r"deals/1\.json cannot be written: Is a directory"):
        snapshots.record("1", b"")


def test_syrupy_finds_nothing_and_deletes_nothing(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A partial run cannot make syrupy delete approved work: it sees no snapshot, and is refused."""
    snapshots = DealSnapshots(tmp_path)
    snapshots.record("1", snapshot("1"))
    location = PyTestLocation(request.node)
    assert len(list(snapshots.extension.discover_snapshots(test_location=location))) == 0
    with pytest.raises(SnapshotError, match="dealsnap never deletes by an update"):
        snapshots.extension.delete_snapshots(snapshot_location=snapshots.path("1"), snapshot_names={"1"})
    assert snapshots.has("1")


def test_two_baselines_do_not_mix(tmp_path: Path) -> None:
    """Each baseline has a folder of its own, though syrupy asks the class for it."""
    one, two = DealSnapshots(tmp_path / "one"), DealSnapshots(tmp_path / "two")
    one.record("1", b"one")
    assert two.recall("1") is None
    assert one.recall("1") == b"one"


@pytest.fixture
def assertion(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    """Make assertions against a recorded output, in a syrupy session whose failures are not this run's."""
    session = SnapshotSession(pytest_session=request.session)

    def make(recorded: Snapshot, project: Any = dict) -> DealAssertion:
        return deal_assertion(
            DealSnapshots(tmp_path),
            recorded,
            project=project,
            node=request.node,
            session=session,
        )

    return make


RECORDED = Snapshot("12", "Acme", "carveout", None, {"cost_total": 5}, {"a": 5, "b": [1, {"c": 0.1}]})


@pytest.mark.parametrize(
    ("output", "equal"),
    [
        ({"a": 5, "b": [1, {"c": 0.1}]}, True),
        ({"b": (1, {"c": 0.1}), "a": 5.0}, True),
        ({"a": 6, "b": [1, {"c": 0.1}]}, False),
        ({"a": True, "b": [1, {"c": 0.1}]}, False),
        ({"a": 5}, False),
        ({}, False),
    ],
)
def test_an_output_equals_its_snapshot_where_it_is_the_same(assertion: Any, output: Any, equal: bool) -> None:
    """``assert deal_output == deal_baseline`` goes by the judge's sameness, in syrupy's assertion."""
    baseline = assertion(RECORDED)
    assert isinstance(baseline, SnapshotAssertion)
    assert (output == baseline) is equal


def test_a_difference_is_shown_line_by_line(assertion: Any) -> None:
    """The report of a failed assertion marks what was and what is."""
    baseline = assertion(RECORDED)
    assert (baseline == {"a": 6, "b": [1, {"c": 0.1}]}) is False
    report = "\n".join(baseline.get_assert_diff())
    assert '-   "a": 5,' in report or '-  "a": 5,' in report
    assert '+   "a": 6,' in report or '+  "a": 6,' in report


def test_dropped_paths_and_metrics_only(assertion: Any) -> None:
    """An output is compared the way it was recorded: without dropped paths, or by its metrics only."""
    without_time = assertion(RECORDED, lambda output: {k: v for k, v in output.items() if k != "at"})
    assert without_time == {"a": 5, "b": [1, {"c": 0.1}], "at": "now"}
    metrics_only = assertion(
        Snapshot("12", "Acme", "carveout", None, {"cost_total": 5}), lambda output: {"cost_total": output["a"]}
    )
    assert metrics_only == {"a": 5, "whatever": 1}
    assert (metrics_only.output, metrics_only.metrics) == (None, {"cost_total": 5})
    assert without_time.output == RECORDED.output
    assert without_time.index == "12"


KILLED = """
import sys
from pathlib import Path
from pytest_dealsnap.baseline.codec import Snapshot, encode
from pytest_dealsnap.baseline.extension import DealSnapshots
snapshots = DealSnapshots(Path(sys.argv[1]))
n = 0
while True:
    output = {"n": n, "text": "x" * 200_000}
    snapshots.record(str(n), encode(Snapshot(str(n), None, "carveout", None, {}, output)))
    n += 1
    if n == 10:
        print("under way", flush=True)
"""


def test_a_killed_capture_leaves_whole_snapshots_only(tmp_path: Path) -> None:
    """Every snapshot that is there after a kill can be decoded."""
    with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True) as capture:
        assert capture.stdout is not None
        assert capture.stdout.readline() == "under way\n"
        capture.kill()
    snapshots = DealSnapshots(tmp_path)
    assert len(snapshots.ids()) >= 10
    for deal_id in snapshots.ids():
        data = snapshots.recall(deal_id)
        assert data is not None
        assert snapshots.decode(deal_id, data).output == {"n": int(deal_id), "text": "x" * 200_000}
    assert snapshots.strangers() == []
