"""A baseline error that went away: the deal's output was never approved, so it is new."""

from __future__ import annotations

from tests.plugin.project import Project, deals

FAILS = "def value(t):\n    if t.id == 'd2':\n        raise ValueError('no rate')\n"
WORKS = "    return {'offer': {'price': t['amount']}, 'risks': []}\n"


def test_a_baseline_error_that_went_away_is_new_until_its_output_is_approved(project: Project) -> None:
    """Not passed for ever: reported, with how to approve it; ``deals.new = "fail"`` fails it; then it is judged."""
    project = project.with_deals(*deals(3)).with_reasoner(FAILS + WORKS)
    project.capture("--dealsnap-only", "missing")
    works = project.with_reasoner("def value(t):\n" + WORKS)
    gate = works.gate()
    assert gate.statuses == {"d1": "matched", "d2": "new", "d3": "matched"}, gate.text
    assert (gate.code, gate.action, gate.closing) == (1, "inconclusive", "2 passed, 1 skipped")
    assert "it failed in the baseline (ValueError: no rate) and works now" in gate.deal("d2")["reason"]
    assert "1 deal failed in the baseline and has an output now" in gate.text
    assert "pytest --dealsnap-update --dealsnap-only errors" in gate.text
    assert "--dealsnap-only missing" not in gate.text
    strict = works.gate("--dealsnap-deals-new", "fail")
    assert (strict.code, strict.closing) == (1, "1 failed, 2 passed")
    assert works.capture("--dealsnap-only", "errors").code == 0
    approved = works.with_reasoner("def value(t):\n" + WORKS.replace("t['amount']", "100 * t['amount']")).gate()
    assert approved.statuses["d2"] == "regressed"


def test_the_same_error_stays_changed(project: Project) -> None:
    """One that fails as in the baseline is allowed, as before; another type of error is not."""
    project = project.with_deals(*deals(2)).with_reasoner(FAILS + WORKS)
    project.capture()
    assert project.gate().statuses == {"d1": "matched", "d2": "changed"}
    other = project.with_reasoner(FAILS.replace("ValueError", "KeyError") + WORKS)
    assert other.gate().statuses == {"d1": "matched", "d2": "errored"}
