"""The example system at the root: its gate is green, each of its faults is its own kind of red."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.example.checkout import Checkout
from tests.plugin.project import Outcome


def counts(outcome: Outcome) -> dict[tuple[str, str], int]:
    """Count the report's deals by type and status."""
    return dict(Counter((entry["deal_type"], entry["status"]) for entry in outcome.report["deals"]))


def affected(outcome: Outcome) -> dict[tuple[str, str], int]:
    """Count those that failed."""
    return {key: count for key, count in counts(outcome).items() if key[1] in ("regressed", "errored", "missing")}


def test_the_gate_at_the_root_proceeds_and_leaves_the_work_tree_clean(checkout: Checkout) -> None:
    """A clone, `pytest --dealsnap`: proceed, every deal compared, no file changed."""
    outcome = checkout.run("--dealsnap")
    assert outcome.code == 0, outcome.text
    assert outcome.verdict == "PROCEED - none of 321 compared deals is affected"
    assert counts(outcome) == {
        ("acquisition", "matched"): 250,
        ("acquisition", "changed"): 14,
        ("carveout", "changed"): 42,
        ("carveout", "accepted"): 3,
        ("divestiture", "changed"): 12,
    }
    assert checkout.changes() == ""


def test_a_fresh_capture_equals_the_committed_snapshots(checkout: Checkout) -> None:
    """Capturing the system from before the migration gives the committed files, byte for byte."""
    outcome = checkout.run("--dealsnap-update", "-n", "2", PYTHONHASHSEED="77")
    assert outcome.code == 0, outcome.text
    assert set(outcome.statuses.values()) == {"matched"}
    changed = [line.split()[-1] for line in checkout.changes().splitlines()]
    assert set(changed) <= {"snapshots/manifest.json"}, "its time and commit are this capture's"


@pytest.mark.parametrize(
    ("fault", "expected", "action"),
    [
        ("rounding", {("acquisition", "regressed"): 13}, "fix_forward"),
        ("tsa_on_acquisitions", {("acquisition", "regressed"): 264}, "roll_back"),
        ("lost_synergy", {("acquisition", "regressed"): 226}, "roll_back"),
        ("crash_on_empty", {("acquisition", "errored"): 4}, "fix_forward"),
        ("dropped_deal", {("acquisition", "missing"): 1}, "roll_back"),
    ],
)
def test_each_fault_is_its_own_kind_of_red(
    checkout: Checkout, fault: str, expected: dict[tuple[str, str], int], action: str
) -> None:
    """A fault of the code or of the migration fails exactly the deals that it reaches."""
    outcome = checkout.run("--dealsnap", "-q", DILIGENCE_FAULT=fault)
    assert outcome.code == 1
    assert affected(outcome) == expected
    assert outcome.action == action
    assert outcome.report["summary"]["deals"] == 321


def test_a_fault_that_there_is_not_is_a_usage_error(checkout: Checkout) -> None:
    """A typing error must not run the example without a fault."""
    outcome = checkout.run("--dealsnap", DILIGENCE_FAULT="roundign")
    assert outcome.code == 4, outcome.text
    assert "DILIGENCE_FAULT names 'roundign'; valid are rounding" in outcome.text


def test_a_flag_that_stays_off_leaves_every_separation_regressed(checkout: Checkout) -> None:
    """After the migration with the flag off, carve-outs and divestitures cost what they did: under their ratio."""
    outcome = checkout.run("--dealsnap", "-q", DEAL_TYPE_AWARENESS="false")
    assert outcome.code == 1
    assert affected(outcome) == {("carveout", "regressed"): 45, ("divestiture", "regressed"): 12}
    ratios = {"carveout": "ratio 1.5..3.0", "divestiture": "ratio 2.0..3.5"}
    for entry in outcome.report["deals"]:
        gating = [finding for finding in entry["findings"] if finding["gates"]]
        assert [finding["allowed"] for finding in gating] == (
            [ratios[entry["deal_type"]]] if entry["deal_type"] in ratios else []
        )
    assert outcome.action == "disable_flag"


OUTLIERS = "id IN (1, 2, 3, 48, 154, 248)"


def test_the_matrix_at_the_root_finds_the_known_outliers(checkout: Checkout) -> None:
    """Each deal under each type keeps to the plan's ratios, but for three carve-outs that the ledger knows."""
    before = checkout.changes()
    outcome = checkout.run("--dealsnap", "--dealsnap-matrix", "--dealsnap-deals-where", OUTLIERS)
    assert (outcome.code, outcome.action) == (0, "proceed"), outcome.text
    assert {name for name, status in outcome.statuses.items() if status == "accepted"} == {"48", "154", "248"}
    ratios = [finding["note"] for finding in outcome.deal("48")["findings"]]
    assert ratios == ["3.876 times"]
    assert checkout.changes() == before


def test_the_matrix_finds_a_type_that_never_reaches_the_engine(checkout: Checkout) -> None:
    """With the flag off no deal's report depends on its type, and the run says so."""
    arguments = ("--dealsnap", "--dealsnap-matrix", "--dealsnap-deals-where", "id IN (1, 2, 3)")
    outcome = checkout.run(*arguments, DEAL_TYPE_AWARENESS="false")
    assert (outcome.code, outcome.action) == (1, "roll_back")
    assert "the deal type does not reach the reasoner" in outcome.text


def test_the_committed_baseline_says_where_it_came_from(checkout: Checkout) -> None:
    """The manifest at the root is whole: it names revision, reasoner, rules and the deals by type."""
    manifest = json.loads((checkout.folder / "snapshots" / "manifest.json").read_text())
    assert manifest["format"] == 1
    assert manifest["alembic_revision"] == "0001"
    assert manifest["reasoner"] == "examples.diligence.analysis_runner:run_reasoning_phase"
    assert sum(manifest["deals"].values()) == 321
    assert manifest["rules"]["carveout"]["cost_total"] == "ratio 1.5..3.0"
