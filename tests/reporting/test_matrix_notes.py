"""A matrix run's conclusions: drawn from its results alone, so that shards and saved reports draw the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import Finding, Kind
from pytest_dealsnap.reporting.conclusion import conclude
from pytest_dealsnap.reporting.merging import merge_runs
from tests.reporting.runs import facts, result, saved

PAIR = "carveout / acquisition"


def without_effect(deal_id: str, *, of: str = "output", **more: Any) -> Any:
    """Return the result of a deal whose type makes no difference."""
    finding = Finding(
        of, "type_has_no_effect", None, [PAIR], allowed="the types differ", gates=False, kind=Kind.NO_EFFECT
    )
    return result(deal_id, "changed", replace(finding, **more))


def run(*results: Any, **changes: Any) -> FinishedRun:
    """Conclude a matrix run of these results."""
    changes = {"mode": "matrix", "baseline": None, "total": len(results), **changes}
    return conclude(facts(len(results), **changes), results)


def test_a_type_without_effect_on_any_deal_fails_all(tmp_path: Path) -> None:
    """Roll back, by the usual thresholds, with what to do; read back from a saved report it is the same."""
    finished = run(without_effect("1"), without_effect("2", note="does it read its database there?"))
    assert finished.verdict is not None
    assert (finished.verdict.action, finished.summary.affected_percent) == ("roll_back", 100.0)
    [note] = [note for note in finished.notes if "does not reach" in note]
    assert note.startswith(f"no deal's output differs between {PAIR}: the deal type does not reach the reasoner (does")
    assert note.endswith(f'"output: {PAIR}" = "equal" in [tool.dealsnap.matrix.rules]')
    assert finished.causes[0].title.startswith(f"the same output: {PAIR}")
    again = saved(finished, tmp_path)
    assert [(one.status, one.findings) for one in again.results] == [
        (one.status, one.findings) for one in finished.results
    ]
    mended = run(without_effect("1"), result("2"))
    assert mended.verdict is not None
    assert (mended.verdict.action, mended.next_steps) == ("proceed", ())


def test_shards_decide_together() -> None:
    """A part cannot tell; joined, they fail all deals or none."""
    first = run(without_effect("1"), total=2, partial=True, shard="1/2")
    assert first.verdict is not None
    assert first.verdict.action == "inconclusive"
    for other, action in ((without_effect("2"), "roll_back"), (result("2"), "proceed")):
        second = run(other, total=2, partial=True, shard="2/2")
        merged = merge_runs([("a.json", first), ("b.json", second)])
        assert merged.verdict is not None
        assert merged.verdict.action == action


def test_metrics_that_never_differ_are_noted() -> None:
    """Only a note: what differs may be volatile, or not measured."""
    finished = run(without_effect("1", of="metrics"), without_effect("2", of="metrics"))
    assert finished.verdict is not None
    assert finished.verdict.action == "proceed"
    assert any("name them in output.drop" in note for note in finished.notes)


def test_an_idle_rule_is_never_green_and_steps_are_safe_to_type() -> None:
    """The rule is named; an id that no terminal could show is not part of a command."""
    idle = run(result("1"), absent_metrics={"no.such": "only carveout"})
    assert idle.verdict is not None
    assert idle.verdict.action == "inconclusive"
    assert "1 matrix rule found nothing to judge in any deal: no.such" in idle.verdict.reason
    broken = Finding(f"cost: {PAIR}", "matrix_rule_broken", 1, 9, 800.0, "1.5..3.0", kind=Kind.BETWEEN_TYPES)
    assert [len(run(result(name, "regressed", broken)).next_steps) for name in ("a b", "\x1b")] == [2, 1]
    assert "--dealsnap-id 'a b'" in run(result("a b", "regressed", broken)).next_steps[1]
