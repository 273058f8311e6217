"""From a call of the reasoner into the baseline, and against it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.baseline.recording import Capture, Recorder, duplicated
from pytest_dealsnap.deals.deal import Deal, DealRef
from pytest_dealsnap.errors import SnapshotError
from pytest_dealsnap.judging.verdict import decide, summarize
from pytest_dealsnap.model.results import DealResult, Failure
from pytest_dealsnap.pipeline.gate import Gate
from pytest_dealsnap.reasoning.calls import Reasoning
from tests.builders import configure

RATIO = '[rules.carveout]\ncost_total = "ratio 1.5..3.0"\n'


class Project:
    """A project with a baseline, whose deals come out as a test says."""

    def __init__(self, root: Path, text: str = "") -> None:
        self.config = configure(root, text)
        self.snapshots = DealSnapshots(self.config.snapshots)
        self.recorder = Recorder(self.config)
        self._capture = Capture(self.recorder, self.snapshots)
        self._gate = Gate(self.config, self.recorder, self.snapshots)

    @staticmethod
    def _deal(stored: str | None, deal_id: str) -> tuple[DealRef, Deal]:
        kind = stored if stored in ("acquisition", "carveout", "divestiture") else "acquisition"
        return DealRef(deal_id, deal_id, stored, kind), Deal(deal_id, "Acme", kind, stored)

    def capture(self, made: Any, stored: str | None = "acquisition", deal_id: str = "1") -> DealResult:
        """Record one deal."""
        ref, deal = self._deal(stored, deal_id)
        return self._capture(ref, deal, made if isinstance(made, Reasoning) else Reasoning(output=made))

    def gate(self, made: Any, stored: str | None = "acquisition", deal_id: str = "1") -> DealResult:
        """Judge one deal."""
        ref, deal = self._deal(stored, deal_id)
        return self._gate(ref, deal, made if isinstance(made, Reasoning) else Reasoning(output=made)).result

    def missing(self, deal_id: str = "1") -> DealResult:
        """Judge a deal that the database has not."""
        return self._gate.missing(DealRef(deal_id, deal_id, "acquisition", "acquisition"))


BOOM = Reasoning(failure=Failure("ValueError", "boom"))


def cost(total: Any, **more: Any) -> dict[str, Any]:
    """Return an output with that cost."""
    return {"cost_estimate": {"total_cost": total}, **more}


def test_a_capture_says_what_it_did(tmp_path: Path) -> None:
    """First new, then left alone, then written anew; an error is recorded as one."""
    project = Project(tmp_path)
    assert project.capture(cost(1)).status == "new"
    before = Path(project.snapshots.path("1")).stat()
    assert project.capture(cost(1)).status == "matched"
    assert Path(project.snapshots.path("1")).stat().st_mtime_ns == before.st_mtime_ns
    assert Path(project.snapshots.path("1")).stat().st_ino == before.st_ino
    assert project.capture(cost(2)).status == "changed"
    errored = project.capture(BOOM)
    assert (errored.status, errored.error) == ("errored", Failure("ValueError", "boom"))
    assert project.capture(Reasoning(), deal_id="2").error == Failure("Error", "")


def test_an_error_takes_no_bad_snapshots_place(tmp_path: Path) -> None:
    """It may have been an output; git has what it was."""
    project = Project(tmp_path)
    project.capture(cost(1))
    Path(project.snapshots.path("1")).write_bytes(b"{")
    result = project.capture(BOOM)
    assert (result.status, result.compared) == ("errored", False)
    assert project.snapshots.recall("1") == b"{"
    assert project.capture(cost(2)).status == "changed"


def test_metrics_without_a_value_are_told(tmp_path: Path) -> None:
    """A capture names the metrics that a deal does not have."""
    assert Project(tmp_path).capture(cost(1)).absent_metrics == ("narrative_excerpt", "synergy_count", "synergy_types")


def test_volatile_paths_are_not_recorded_but_measured(tmp_path: Path) -> None:
    """What is dropped never reaches the file; a metric may still look at it."""
    project = Project(tmp_path, 'metrics = { at = "at" }\n[output]\ndrop = ["at", "rows[].id"]\n')
    project.capture({"at": "now", "rows": [{"id": 1, "v": 2}]})
    recorded = project.snapshots.decode("1", project.snapshots.recall("1") or b"")
    assert recorded.output == {"rows": [{"v": 2}]}
    assert recorded.metrics == {"at": "now"}
    assert project.recorder.project({"at": "now", "x": 1}) == {"x": 1}


def test_metrics_only(tmp_path: Path) -> None:
    """``record = "metrics"`` keeps the output out of the baseline."""
    project = Project(tmp_path, '[output]\nrecord = "metrics"\n')
    project.capture(cost(5, secret="x"))
    assert b"secret" not in (project.snapshots.recall("1") or b"")
    assert project.recorder.project(cost(5))["cost_total"] == 5
    assert project.gate(cost(5, secret="y")).status == "matched"
    assert project.gate(cost(6)).status == "regressed"


def test_a_snapshot_that_is_too_large_is_an_error(tmp_path: Path) -> None:
    """The limit is kept, and the message says what to do."""
    project = Project(tmp_path, "[output]\nmax_bytes = 1000\n")
    result = project.capture(cost(5, text="x" * 2000))
    assert result.status == "errored"
    assert result.error is not None
    assert "more than the 1,000 of output.max_bytes" in result.error.message
    assert len(project.snapshots.recall("1") or b"") < 1000


def test_a_number_that_cannot_be_written_is_an_error_of_its_deal(tmp_path: Path) -> None:
    """One deal with a number beyond Python's limit does not stop the others; its path is named."""
    result = Project(tmp_path).capture(cost(10**5000))
    assert result.status == "errored"
    assert result.error is not None
    assert result.error.type == "OutputError"
    assert result.error.message.startswith("at metrics.cost_total: a number is too long to be written")


@pytest.mark.parametrize(
    "value", [1, 1.5, Decimal("1.10"), float("nan"), float("inf"), None, 10**4000, "\ud800", "<script>"]
)
def test_the_same_again_is_matched(tmp_path: Path, value: Any) -> None:
    """Byte for byte, also where the rules make every deal be judged."""
    for text in ("", RATIO, '[rules."*"]\n"*" = "equal"\n'):
        project = Project(tmp_path, text)
        project.capture(cost(5, value=value))
        assert project.gate(cost(5, value=value)).status == "matched"


def test_a_ratio_is_asked_also_where_the_snapshot_is_the_same(tmp_path: Path) -> None:
    """An unchanged carve-out fails a ratio that asks for a change; an acquisition is passed over."""
    project = Project(tmp_path, RATIO)
    project.capture(cost(5), "carveout")
    assert project.gate(cost(5), "carveout").status == "regressed"
    project.capture(cost(5), "acquisition", "2")
    assert project.gate(cost(5), "acquisition", "2").status == "matched"


def test_a_deal_is_judged_as_the_type_it_was(tmp_path: Path) -> None:
    """The rule is that of the baseline's type, and so is the type that the result shows."""
    project = Project(tmp_path)
    project.capture(cost(100), "acquisition")
    result = project.gate(cost(1000), "carveout")
    assert (result.status, result.deal_type, result.stored_type) == ("regressed", "acquisition", "carveout")
    assert {finding.issue for finding in result.gating} == {"cost_changed", "deal_type_changed"}


def test_the_backfill_is_a_change_that_is_allowed(tmp_path: Path) -> None:
    """NULL that became acquisition changes the file, and nothing that gates."""
    project = Project(tmp_path)
    project.capture(cost(100), None)
    assert project.gate(cost(100), "acquisition").status == "changed"


def test_a_new_deal(tmp_path: Path) -> None:
    """A deal without a snapshot is new, and says why."""
    result = Project(tmp_path).gate(cost(1))
    assert (result.status, result.reason) == ("new", "it has no snapshot in the baseline")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"<<<<<<< HEAD", b"\xff"])
def test_a_bad_snapshot_is_an_error_that_was_not_compared(tmp_path: Path, data: bytes) -> None:
    """It never turns into a pass, and the verdict knows that the deal was not compared."""
    project = Project(tmp_path)
    project.capture(cost(1))
    Path(project.snapshots.path("1")).write_bytes(data)
    result = project.gate(cost(1))
    assert (result.status, result.compared) == ("errored", False)
    assert result.error is not None
    assert result.error.type == "SnapshotError"
    assert decide(summarize([result], selected=1), project.config.verdict).action == "inconclusive"
    gone = project.missing()
    assert (gone.status, gone.compared, gone.corrupt is not None) == ("errored", False, True)


def test_a_missing_deal_is_corruption(tmp_path: Path) -> None:
    """A deal of the baseline that the database lost gates, with its name, and asks for a rollback."""
    project = Project(tmp_path)
    project.capture(cost(1))
    result = project.missing()
    assert (result.status, result.name) == ("missing", "Acme")
    assert [(finding.issue, finding.gates) for finding in result.findings] == [("missing_from_database", True)]
    assert decide(summarize([result], selected=1), project.config.verdict).action == "roll_back"


def test_a_missing_deal_may_be_reported_only(tmp_path: Path) -> None:
    """``deals.missing = "report"`` shows it, and it neither gates nor counts as corruption."""
    project = Project(tmp_path, '[deals]\nmissing = "report"\n')
    project.capture(cost(1))
    result = project.missing()
    assert [finding.gates for finding in result.findings] == [False]
    assert result.corrupt is None


def test_errors_before_and_after(tmp_path: Path) -> None:
    """The same error is a change, another one an error; an output in its place is new, for it was never approved."""
    project = Project(tmp_path)
    project.capture(BOOM)
    assert project.gate(BOOM).status == "changed"
    assert project.gate(Reasoning(failure=Failure("KeyError", "x"))).status == "errored"
    assert project.gate(cost(1)).status == "new"
    project.capture(cost(1))
    assert project.gate(BOOM).status == "errored"


@pytest.mark.parametrize(("gate", "what"), [(True, "judged"), (False, "recorded")])
def test_a_duplicated_id_is_a_failure(gate: bool, what: str) -> None:
    """Which of several rows is the deal, nobody knows."""
    failure = duplicated(DealRef(1, "1", None, "acquisition", copies=3), gate=gate)
    assert failure == Failure("DuplicateDealId", f"3 rows have the id '1', so none of them can be {what}")


def test_an_id_too_long_for_a_path_is_an_error_of_its_deal(tmp_path: Path) -> None:
    """One impossible id is judged as an error; to record it is one, too."""
    project = Project(tmp_path)
    assert project.gate(cost(1), deal_id="A" * 2000).status == "errored"
    with pytest.raises(SnapshotError, match="2000 characters, too many for a path"):
        project.capture(cost(1), deal_id="A" * 2000)
