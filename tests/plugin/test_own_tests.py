"""Tests of a user's own over deals need no baseline, unless they ask for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugin.project import Project, deal

OWN = """
def test_has_a_price(deal, deal_output):
    assert deal_output["offer"]["price"] > 0


def test_of_no_deal():
    pass


def test_as_before(deal_output, deal_baseline):
    assert deal_output == deal_baseline
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Two deals that nobody captured, and tests of the user's own over them."""
    return Project(tmp_path).with_deals(deal("1"), deal("2")).with_file("tests/test_own.py", OWN)


@pytest.mark.parametrize("more", [(), ("-n", "2")])
@pytest.mark.parametrize(
    ("arguments", "passed"),
    [
        (("tests", "-k", "price"), 2),
        (("tests/test_own.py::test_has_a_price",), 2),
        (("tests/test_own.py::test_has_a_price[acquisition-1]",), 1),
        (("tests/test_own.py::test_of_no_deal",), 1),
    ],
)
def test_no_other_deal_runs_and_no_baseline_is_needed(
    project: Project, arguments: tuple[str, ...], passed: int, more: tuple[str, ...]
) -> None:
    """Chosen by a word, by name or by a click; there is no verdict, and the tests decide."""
    outcome = project.gate(*arguments, *more)
    assert outcome.code == 0, outcome.text
    assert f"{passed} passed" in outcome.text
    assert "verdict:" not in outcome.text


@pytest.mark.parametrize("more", [(), ("-n", "2")])
def test_deals_and_tests_of_the_baseline_need_one(project: Project, more: tuple[str, ...]) -> None:
    """The run of all is refused before any deal is reasoned; a test that asks for the baseline says what it lacks."""
    for arguments in ((), ("tests",)):
        outcome = project.gate(*arguments, *more)
        assert outcome.code == 4, outcome.text
        assert "there is nothing to judge against" in outcome.text
    outcome = project.gate("tests", "-k", "as_before", *more)
    assert outcome.code == 1
    assert "deal 1 has no snapshot in" in outcome.text
