"""Plugins that run a failed test again, and pytest's own ways to order tests, work with deals as with any test."""

from __future__ import annotations

import pytest

from tests.plugin.project import Project, deals

# Each call is counted in a file, because a rerun is a call of its own; d2 answers rightly from the third call on.
FLAKY = """
from pathlib import Path

def value(t):
    calls = Path(f"calls-{t.id}")
    calls.write_text(calls.read_text() + "." if calls.exists() else ".")
    late = t.id == "d2" and len(calls.read_text()) < 3
    return {"offer": {"price": 999 if late else t["amount"]}, "risks": [], "memo": "as signed"}
"""

SKIPPING = """
import pytest

def pytest_collection_modifyitems(items):
    items[0].add_marker(pytest.mark.skip("slow"))
"""

RERUNS = ("-p", "pytest_rerunfailures", "--reruns", "2")
RETRIES = ("-p", "pytest_retry.retry_plugin", "--retries", "2")


@pytest.mark.parametrize("flags", [RERUNS, RETRIES, (*RERUNS, "-n", "1"), (*RERUNS, "--dealsnap-workers", "2")])
def test_a_rerun_calls_the_reasoner_anew_and_the_last_attempt_counts(project: Project, flags: tuple[str, ...]) -> None:
    """The deal passes at its third attempt: the verdict is of that, and the summary says that it is flaky."""
    project = project.with_deals(*deals(3)).captured()
    outcome = project.with_reasoner(FLAKY).gate(*flags, "--junitxml", "junit.xml")
    assert (outcome.code, outcome.action) == (0, "proceed"), outcome.text
    assert outcome.statuses == {"d1": "matched", "d2": "matched", "d3": "matched"}
    assert [len((project.folder / f"calls-d{number}").read_text()) for number in (1, 2, 3)] == [1, 3, 1]
    assert "1 deal passed only when run again: d2" in outcome.text
    properties = [(p.get("name"), p.get("value")) for p in outcome.junit["test_deal[acquisition-d2]"].iter("property")]
    assert [value for name, value in properties if name == "status"] == ["matched"]


@pytest.mark.parametrize("flags", [(*RERUNS[:-1], "1"), (*RETRIES[:-1], "1")])
def test_a_deal_that_fails_at_every_attempt_fails(project: Project, flags: tuple[str, ...]) -> None:
    """Two attempts are one too few: one failed deal, counted once."""
    project = project.with_deals(*deals(3)).captured()
    outcome = project.with_reasoner(FLAKY).gate(*flags)
    assert (outcome.code, outcome.action) == (1, "disable_flag"), outcome.text
    assert outcome.statuses["d2"] == "regressed"
    assert outcome.report["summary"]["regressed"] == 1
    assert "only when run again" not in outcome.text


def test_an_output_that_tests_share_is_computed_anew_for_a_rerun(project: Project) -> None:
    """The user's own test over the deal runs again by a fresh call, too."""
    project = project.with_deals(*deals(2)).captured().with_reasoner(FLAKY)
    own = "def test_own(deal_output):\n    assert deal_output['offer']['price'] == 100\n"
    project = project.with_file("test_own.py", own)
    outcome = project.gate("test_own.py", *RERUNS)
    assert outcome.code == 0, outcome.text
    assert len((project.folder / "calls-d2").read_text()) == 3


def test_the_ways_of_pytests_to_order_and_to_stop_work_with_deals(project: Project) -> None:
    """New tests first, failed ones first, step by step."""
    project = project.with_deals(*deals(3)).captured().with_file("test_own.py", "def test_own():\n    pass\n")
    moved = "def value(t):\n    return {'offer': {'price': 900 if t.id == 'd2' else 100}, 'risks': []}\n"
    project = project.with_reasoner(moved)
    new_first = project.gate("--nf", "test_own.py")
    assert (new_first.code, new_first.closing) == (1, "1 failed, 3 passed"), new_first.text
    failed_first = project.gate("--ff", "-v")
    assert failed_first.closing == "1 failed, 2 passed", failed_first.text
    assert failed_first.text.index("-d2]") < failed_first.text.index("-d1]")
    stepwise = project.gate("--sw")
    assert stepwise.code == 2, stepwise.text
    assert stepwise.action == "inconclusive"


def test_a_deal_that_a_conftest_marks_as_skipped_is_not_judged(project: Project) -> None:
    """Pytest asks a skipped item for its line; the gate says which deals it did not judge, and does not proceed."""
    outcome = project.with_deals(*deals(3)).captured().with_file("conftest.py", SKIPPING).gate("-rs")
    assert outcome.code == 1, outcome.text
    assert "not judged: 1 deal (d1)" in outcome.text
    assert outcome.verdict.startswith("INCONCLUSIVE")
