"""The capture: what `pytest --dealsnap-update` writes, and what it never does."""

from __future__ import annotations

import json

from pytest_dealsnap import __version__
from tests.plugin.project import Project, clean_environment, deal, deals, run_pytest

FAILS_FOR = """
def value(transaction):
    if transaction.id in {names!r}:
        raise LookupError("no rate")
    return {{"offer": {{"price": transaction["amount"]}}, "risks": []}}
"""
UNORDERED = """
import enum
from decimal import Decimal

class Kind(enum.Enum):
    SALE = "sale"

def value(transaction):
    return {
        "risks": {"currency", "people", "contracts", "tax"},
        "offer": {"price": Decimal("100.10"), "by": {Kind.SALE: float("nan"), "best": float("inf")}},
        "memo": "über “alles” 🚀",
    }
"""


def test_a_capture_writes_one_readable_file_a_deal_and_says_where_it_came_from(project: Project) -> None:
    """Each file is UTF-8, two-space indented, sorted, ended by a newline; the manifest names the origin."""
    project = project.with_deals(deal("a-1", amount=1250000, kind=None), deal("b", kind="carveout", title="Ørsted"))
    outcome = project.capture()
    assert (outcome.code, outcome.closing) == (0, "2 passed")
    assert set(project.snapshots()) == {"a-1.json", "b.json"}
    assert (
        (project.baseline / "a-1.json").read_text(encoding="utf-8")
        == """\
{
  "deal_id": "a-1",
  "deal_name": "Orion",
  "deal_type": "acquisition",
  "metrics": {
    "price": 1250000,
    "risk_count": 0
  },
  "output": {
    "memo": "as signed",
    "offer": {
      "price": 1250000
    },
    "risks": []
  },
  "stored_type": null
}
"""
    )
    assert '"Ørsted"' in (project.baseline / "b.json").read_text(encoding="utf-8")
    manifest = json.loads((project.folder / "snapshots" / "manifest.json").read_text())
    assert manifest["format"] == 1
    assert manifest["plugin_version"] == __version__
    assert manifest["git"] == {"commit": None, "dirty": None}
    assert (manifest["database"], manifest["dialect"]) == ("sqlite:///book.db", "sqlite")
    assert manifest["alembic_revision"] is None
    assert manifest["reasoner"] == "valuation:value"
    assert manifest["deals"] == {"acquisition": 1, "carveout": 1}
    assert manifest["rules"]["acquisition"] == {"*": "report", "price": "within 5%", "risk_count": "equal"}
    assert outcome.report["run"]["mode"] == "capture"
    assert outcome.report["verdict"] is None
    assert outcome.statuses == {"a-1": "new", "b": "new"}
    gate = project.gate()
    assert (gate.code, gate.closing, gate.action) == (0, "2 passed", "proceed")
    assert gate.statuses == {"a-1": "matched", "b": "matched"}


def test_a_second_capture_rewrites_only_what_changed_and_deletes_nothing(project: Project) -> None:
    """An update leaves equal snapshots untouched, and keeps those of deals that are gone."""
    before = project.with_deals(deal("a"), deal("b"), deal("c")).captured().snapshots()
    times = {path.name: path.stat().st_mtime_ns for path in project.baseline.iterdir()}
    outcome = project.with_deals(deal("a"), deal("b", amount=7)).capture()
    after = project.snapshots()
    assert outcome.code == 0
    assert outcome.statuses == {"a": "matched", "b": "changed"}
    assert set(after) == {"a.json", "b.json", "c.json"}
    assert (after["a.json"], after["c.json"]) == (before["a.json"], before["c.json"])
    assert json.loads(after["b.json"])["metrics"]["price"] == 7
    assert (project.baseline / "a.json").stat().st_mtime_ns == times["a.json"]
    for narrowed in (["-k", "a"], ["--dealsnap-id", "b"], ["--dealsnap-type", "acquisition", "--dealsnap-sample", "1"]):
        assert project.with_deals(deal("a"), deal("b", amount=7)).capture(*narrowed).code == 0
        assert project.snapshots() == after


def test_a_capture_records_errors_goes_on_and_can_try_them_again(project: Project) -> None:
    """An error is recorded in place of an output, counted, and tried again by `--dealsnap-only errors`."""
    project = project.with_deals(*deals(4))
    outcome = project.with_reasoner(FAILS_FOR.format(names=("d2", "d3"))).capture("--dealsnap-allow-errors")
    assert (outcome.code, outcome.closing) == (0, "4 passed")
    assert "git add snapshots && git commit" in outcome.text
    assert "2 deals could not be reasoned and were recorded as errors: LookupError: no rate" in outcome.text
    assert "pytest --dealsnap-update --dealsnap-only errors" in outcome.text
    assert project.snapshot("d2") == {
        "deal_id": "d2",
        "deal_name": "Orion",
        "deal_type": "acquisition",
        "error": {"message": "no rate", "type": "LookupError"},
        "stored_type": "acquisition",
    }
    again = project.with_reasoner(FAILS_FOR.format(names=("d3",))).capture("--dealsnap-only", "errors", "-v")
    assert again.statuses == {"d2": "changed", "d3": "errored"}
    assert again.code == 1, "one deal of two still fails"
    assert project.snapshot("d2")["metrics"]["price"] == 100
    nothing = project.capture("--dealsnap-only", "errors")
    assert nothing.statuses == {"d3": "changed"}
    assert project.capture("--dealsnap-only", "errors").code == 0


def test_a_capture_fails_if_every_deal_errored(project: Project) -> None:
    """A baseline of nothing but errors is not a baseline: exit code 1, in one process and in two."""
    project = project.with_deals(*deals(2)).with_reasoner(FAILS_FOR.format(names=("d1", "d2")))
    assert project.capture().code == 1
    assert project.capture("-n", "2").code == 1


def test_a_first_capture_with_errors_fails_and_is_not_to_be_committed(project: Project) -> None:
    """Failed deals are recorded as errors, shown as failed, counted, and exit with 1; nothing advises to commit."""
    project = project.with_deals(*deals(19)).with_reasoner(FAILS_FOR.format(names=[f"d{n}" for n in range(1, 13)]))
    for workers in ((), ("-n", "2")):
        outcome = project.capture("-v", *workers)
        assert outcome.code == 1
        assert outcome.closing == "12 failed, 7 passed"
        assert "12 of 19 deals failed" in outcome.text
        assert "FAILED (errored)" in outcome.text
        assert "PASSED (error" not in outcome.text
        assert "git commit" not in outcome.text
        assert "pytest --dealsnap-update --dealsnap-only errors" in outcome.text
        assert "error" in project.snapshot("d1")
    allowed = project.capture("-v", "--dealsnap-allow-errors")
    assert (allowed.code, allowed.closing) == (0, "19 passed")
    assert "PASSED (error recorded)" in allowed.text
    assert "12 of 19 deals failed" in allowed.text
    refused = project.gate("--dealsnap-allow-errors")
    assert refused.code == 4
    assert "--dealsnap-allow-errors goes with --dealsnap-update" in refused.text


def test_an_update_never_replaces_an_output_by_an_error_unless_it_is_told_to(project: Project) -> None:
    """The deal fails in the capture and its snapshot stays, also a bad one; the next gate is not green."""
    project = project.with_deals(*deals(3)).captured()
    (project.baseline / "d3.json").write_text("{")
    before = project.snapshots()
    failing = project.with_reasoner(FAILS_FOR.format(names=("d2", "d3")))
    for arguments in ((), ("--dealsnap-id", "d2"), ("-n", "1"), ("--dealsnap-only", "errors")):
        outcome = failing.capture(*arguments)
        assert outcome.code == 1, outcome.text
        assert "no error takes the place of a recorded output" in outcome.text
        assert "git commit" not in outcome.text
        after = project.snapshots()
        assert (after["d2.json"], after["d3.json"]) == (before["d2.json"], before["d3.json"])
    gate = failing.gate()
    assert gate.code == 1
    assert gate.statuses == {"d1": "matched", "d2": "errored", "d3": "errored"}
    assert "--dealsnap-update --dealsnap-id" not in gate.text.partition("next:")[2]
    told = failing.capture("--dealsnap-allow-errors")
    assert told.code == 0, told.text
    assert "error" in project.snapshot("d2")
    assert "error" in project.snapshot("d3")


def test_an_interrupted_capture_leaves_whole_files_and_is_resumed(project: Project) -> None:
    """A killed capture leaves whole snapshots only; `--dealsnap-only missing` records the rest."""
    killed = project.with_deals(*deals(5)).with_reasoner(
        "import os\n\ndef value(transaction):\n    if transaction.id == 'd4':\n        os.kill(os.getpid(), 9)\n"
        "    return {'offer': {'price': 1}, 'risks': []}\n"
    )
    assert killed.capture().code not in (0, 1)
    assert set(killed.snapshots()) == {"d1.json", "d2.json", "d3.json"}
    for name in ("d1", "d2", "d3"):
        assert killed.snapshot(name)["metrics"]["price"] == 1
    (project.baseline / ".dealsnap-1-1.tmp").write_text("half")
    resumed = project.with_deals(*deals(5))
    outcome = resumed.capture("--dealsnap-only", "missing")
    assert outcome.statuses == {"d4": "new", "d5": "new"}
    assert outcome.report["run"]["partial"] is True
    assert not (project.baseline / ".dealsnap-1-1.tmp").exists()
    nothing = resumed.capture("--dealsnap-only", "missing")
    assert nothing.code == 0, nothing.text
    assert "no tests ran" in nothing.text
    assert resumed.snapshot("d1")["metrics"]["price"] == 1, "what was captured before stands"


def test_the_same_outputs_give_the_same_bytes(project: Project) -> None:
    """Sets, enums and NaN are written alike under every hash seed, in any process, and read back as the same."""
    project = project.with_deals(deal("a"), deal("b")).with_reasoner(UNORDERED)
    assert project.with_environment(PYTHONHASHSEED="1").capture().code == 0
    first = project.snapshots()
    again = project.with_environment(PYTHONHASHSEED="2").capture("-n", "2")
    assert again.statuses == {"a": "matched", "b": "matched"}
    assert project.snapshots() == first
    gate = project.with_environment(PYTHONHASHSEED="3").gate()
    assert (gate.code, gate.statuses) == (0, {"a": "matched", "b": "matched"})


def test_only_metrics_are_recorded_where_the_user_says_so(project: Project) -> None:
    """`record = "metrics"` keeps outputs out of git, `drop` volatile paths; both still gate."""
    full = project.with_deals(deal("a")).with_settings('drop = ["memo"]', section="output")
    full.captured()
    assert full.snapshot("a")["output"] == {"offer": {"price": 100}, "risks": []}
    lean = project.with_deals(deal("a")).with_settings('record = "metrics"', section="output")
    lean.captured()
    assert set(lean.snapshot("a")) == {"deal_id", "deal_name", "deal_type", "stored_type", "metrics"}
    outcome = lean.with_deals(deal("a", amount=200)).gate()
    assert outcome.statuses == {"a": "regressed"}


def test_the_baseline_does_not_depend_on_where_pytest_was_started(project: Project) -> None:
    """Run from a folder below, the paths of the configuration file still count from the root folder."""
    project = project.with_deals(deal("a")).captured()
    below = project.folder / "below"
    below.mkdir()
    outcome = run_pytest(below, "-c", "../pyproject.toml", "--dealsnap", environment=clean_environment())
    assert outcome.code == 0, outcome.text
    assert list(below.iterdir()) == []


def test_a_long_id_is_cut_where_deals_are_only_named(project: Project) -> None:
    """An id that no path can hold is that deal's error, and fills no screen."""
    outcome = project.with_deals(deal("a" * 5_000), deal("b")).capture("--tb=no", "--no-summary", "-q")
    assert outcome.code == 1
    note = next(line for line in outcome.text.splitlines() if line.startswith("note: not recorded: 1 deal"))
    assert len(note) < 150


def test_a_killed_first_capture_is_finished_and_not_committed(project: Project) -> None:
    """What finishes it is advised once, by the capture that was stopped and by a gate over what it left."""
    advice = "pytest --dealsnap-update --dealsnap-only missing"
    stopping = "def value(t):\n    if t.id == 'd2':\n        raise KeyboardInterrupt\n"
    stopping += "    return {'offer': {'price': 1}, 'risks': []}\n"
    stopped = project.with_deals(*deals(4)).with_reasoner(stopping).capture()
    assert stopped.code == 2, stopped.text
    assert stopped.text.count(advice) == 1, stopped.text
    assert "git add" not in stopped.text
    gated = project.with_deals(*deals(4)).gate()
    assert gated.code == 1
    steps = gated.text.partition("next:")[2]
    assert steps.count(advice) == 1, gated.text
    assert "finish the capture" in steps
