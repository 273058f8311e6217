"""Fixtures: tests of the user's own over the deals, and a reasoner of their own making."""

from __future__ import annotations

import re

import pytest

from tests.plugin.project import CONFIG, REASONER, Project, deal, deals

COUNTING = """
from pathlib import Path

def value(transaction):
    with Path("calls.txt").open("a") as calls:
        calls.write(f"{transaction.id}\\n")
    return {"offer": {"price": transaction["amount"]}, "risks": []}
"""
TESTS = """
import pytest

def test_price(deal, deal_output):
    assert deal_output["offer"]["price"] == deal["amount"]
    deal_output["offer"]["price"] = "spoilt for nobody else"

def test_baseline(deal_output, deal_baseline):
    assert deal_output == deal_baseline

def test_facts(deal):
    assert (deal.name, deal.deal_type, deal.stored_type) == ("Orion", "acquisition", "acquisition")
    assert set(deal.fields) == {"deal_no", "title", "kind", "amount"}

def test_plain():
    pass
"""
BASELINE_TEST = "def test_baseline(deal_output, deal_baseline):\n    assert deal_output == deal_baseline\n"


@pytest.mark.parametrize("flags", [[], ["-n", "2", "--dist", "loadscope"]], ids=["one process", "two workers"])
def test_an_output_is_computed_once_a_deal_and_shared_by_all_tests(project: Project, flags: list[str]) -> None:
    """`deal`, `deal_output` and `deal_baseline` serve any number of tests by one call of the reasoner."""
    project = project.with_deals(*deals(3)).with_reasoner(COUNTING).with_file("test_own.py", TESTS).captured()
    calls = project.folder / "calls.txt"
    calls.unlink()
    outcome = project.gate("test_own.py", *flags)
    assert outcome.code == 0, outcome.text
    assert outcome.closing == "13 passed"
    if not flags:
        assert sorted(calls.read_text().split()) == ["d1", "d2", "d3"]
    assert outcome.report["summary"]["deals"] == 3, "the user's tests are no deals"


def test_without_the_flag_such_tests_are_skipped_and_say_how_to_run_them(project: Project) -> None:
    """Plain pytest runs no reasoner: tests over deals are skipped, with the command as reason."""
    project = project.with_deals(*deals(3)).with_reasoner(COUNTING).with_file("test_own.py", TESTS)
    outcome = project.run("-rs")
    assert (outcome.code, outcome.closing) == (0, "1 passed, 3 skipped")
    assert "pytest --dealsnap" in outcome.text
    assert not (project.folder / "calls.txt").exists()


def test_a_difference_fails_readably(project: Project) -> None:
    """`assert deal_output == deal_baseline` fails with the changed lines; it judges no rule but sameness."""
    project = project.with_deals(deal("a"), deal("b")).with_file("test_own.py", BASELINE_TEST).captured()
    outcome = project.with_deals(deal("a"), deal("b", amount=101)).gate("test_own.py")
    assert outcome.closing == "1 failed, 3 passed"
    assert outcome.statuses == {"a": "matched", "b": "changed"}
    assert "test_baseline[acquisition-b]" in outcome.text
    assert '"price": 100' in outcome.text
    assert '"price": 101' in outcome.text
    assert outcome.code == 1


def test_sameness_is_that_of_the_rules(project: Project) -> None:
    """NaN equals NaN, 5 equals 5.0, true is not 1, and what is dropped is not compared."""
    outputs = {"offer": {"price": 5}, "risks": [], "nan": float("nan"), "flag": 1, "at": 1}
    source = "from math import nan\n\ndef value(t):\n    return {}\n"
    project = project.with_deals(deal("a")).with_file("test_own.py", BASELINE_TEST)
    project = project.with_settings('drop = ["at"]', section="output")
    project.with_reasoner(source.format(repr(outputs))).captured()
    same = project.with_reasoner(source.format(repr({**outputs, "offer": {"price": 5.0}, "at": 2}))).gate("test_own.py")
    assert (same.code, same.closing) == (0, "2 passed"), same.text
    other = project.with_reasoner(source.format(repr({**outputs, "flag": True}))).gate("test_own.py")
    assert other.closing == "1 failed, 1 passed"


def test_a_missing_or_bad_snapshot_is_an_error_not_a_difference(project: Project) -> None:
    """`deal_baseline` refuses what it cannot compare with, naming file and way out, without a traceback of ours."""
    project = project.with_deals(*deals(4)).with_file("test_own.py", BASELINE_TEST).captured()
    (project.baseline / "d1.json").unlink()
    (project.baseline / "d2.json").write_text('{"deal_id": "d2"')
    raising = REASONER.replace("return", "assert transaction.id != 'd3', 'no rate'\n    return {} or")
    outcome = project.with_reasoner(raising).with_deals(*deals(3), deal("d4", amount=7)).gate("test_own.py", "-v")
    lines = outcome.text.splitlines()
    results = {
        line.split("[acquisition-")[1][:2]: line.split("] ")[1].split()[0]
        for line in lines
        if line.startswith("test_own.py::")
    }
    assert results == {"d1": "ERROR", "d2": "ERROR", "d3": "ERROR", "d4": "FAILED"}
    assert "deal d1 has no snapshot in" in outcome.text
    assert "d2.json is truncated or no JSON" in outcome.text
    assert "the reasoner failed for deal d3: AssertionError: no rate" in outcome.text
    assert "pytest_dealsnap/plugin" not in outcome.text, "our own frames help nobody"


REASONER_FIXTURE = """
import pytest
from pathlib import Path

def note(word):
    with Path("notes.txt").open("a") as notes:
        notes.write(word + "\\n")

@pytest.fixture(scope="session")
def rates():
    note("open")
    yield {"factor": 3}
    note("close")

@pytest.fixture(autouse=True)
def tidy(tmp_path):
    note("before")
    yield
    note("after")

@pytest.fixture(scope="SCOPE")
def deal_reasoner(rates):
    note("made")
    def reason(transaction):
        return {"offer": {"price": transaction["amount"] * rates["factor"]}, "risks": []}
    yield reason
    note("unmade")
"""


@pytest.mark.parametrize(("scope", "made"), [("function", 3), ("module", None), ("session", 1)])
def test_the_reasoner_is_an_overridden_fixture_of_any_scope(project: Project, scope: str, made: int | None) -> None:
    """`deal_reasoner` may use other fixtures; autouse fixtures surround each deal; all are torn down."""
    without = CONFIG.replace('reasoner = "valuation:value"', "")
    project = project.with_config(without).with_file("conftest.py", REASONER_FIXTURE.replace("SCOPE", scope))
    project = project.with_deals(*deals(3)).with_file("test_own.py", BASELINE_TEST)
    outcome = project.capture()
    assert outcome.code == 0, outcome.text
    assert project.snapshot("d1")["metrics"]["price"] == 300
    notes = (project.folder / "notes.txt").read_text().split()
    assert (notes.count("open"), notes.count("close")) == (1, 1)
    assert (notes.count("before"), notes.count("after")) == (3, 3)
    assert notes.count("made") == notes.count("unmade")
    if made is not None:
        assert notes.count("made") == made
    assert notes[-1] == "close"
    gate = project.gate("test_own.py")
    assert (gate.code, gate.closing) == (0, "6 passed"), gate.text
    manifest = (project.folder / "snapshots" / "manifest.json").read_text()
    assert '"reasoner": "the deal_reasoner fixture"' in manifest


def test_a_fixture_that_fails_is_that_deals_error(project: Project) -> None:
    """A failing autouse fixture or reasoner fixture is shown as pytest shows it, and is never a pass."""
    conftest = "import pytest\n\n@pytest.fixture\ndef deal_reasoner():\n    raise ConnectionError('engine is down')\n"
    project = project.with_deals(*deals(2)).captured().with_file("conftest.py", conftest)
    outcome = project.gate()
    assert outcome.code == 1
    assert "engine is down" in outcome.text
    assert outcome.action == "inconclusive"
    assert "passed" not in outcome.closing


HOOKS = """
import pytest

def pytest_runtest_setup(item):
    print("\\nset up", item.nodeid)

def pytest_runtest_call(item):
    if "d2" in item.nodeid:
        pytest.skip("not d2")
"""


def test_the_hooks_of_the_root_conftest_serve_the_deals(project: Project) -> None:
    """What a project's `conftest.py` does for each of its tests, it does for each deal."""
    project = project.with_deals(*deals(3)).with_file("conftest.py", HOOKS).captured()
    outcome = project.gate("-s")
    assert outcome.closing == "2 passed, 1 skipped"
    assert re.findall(r"^set up (.*)$", outcome.text, re.MULTILINE) == [
        f"deals::test_deal[acquisition-d{number}]" for number in (1, 2, 3)
    ]
