"""What a run says of plugins that spread the deals, or leave some out."""

from __future__ import annotations

import pytest

from pytest_dealsnap.plugin.run_order import one_worker_for_all
from tests.plugin.project import Project, deals


@pytest.mark.parametrize(
    ("dist", "workers", "said"),
    [("loadfile", 2, True), ("loadscope", 4, True), ("loadscope", 1, False), ("load", 2, False), ("no", 0, False)],
)
def test_only_what_leaves_workers_idle_is_said(dist: str, workers: int, said: bool) -> None:
    """By file and by scope, all deals are one; a single worker has nobody to share with."""
    assert bool(one_worker_for_all(dist, workers)) is said


@pytest.mark.slow
def test_the_header_says_that_one_worker_runs_all_deals(project: Project) -> None:
    """The result is the same, and the header names the way that spreads the deals."""
    project = project.with_deals(*deals(3)).captured()
    outcome = project.gate("-n", "2", "--dist", "loadfile")
    assert (outcome.code, outcome.action) == (0, "proceed"), outcome.text
    assert "--dist loadfile runs all deals on one of 2 workers; --dist worksteal spreads them" in outcome.text
    assert "runs all deals on one" not in project.gate("-n", "2").text


def test_the_header_says_that_testmon_leaves_deals_out(project: Project) -> None:
    """It knows code, not data: a gate after a migration of data alone would judge nothing."""
    option = "def pytest_addoption(parser):\n    parser.addoption('--testmon', action='store_true')\n"
    project = project.with_deals(*deals(1)).captured().with_file("conftest.py", option)
    outcome = project.gate("--testmon")
    assert "--testmon leaves out deals whose code is unchanged, even if their data changed" in outcome.text


def test_a_plugin_that_leaves_out_everything_makes_no_gate_green(project: Project) -> None:
    """As pytest-testmon does, which also turns pytest's "no tests collected" into success."""
    plugin = """
import pytest

def pytest_collection_modifyitems(config, items):
    config.hook.pytest_deselected(items=items[:])
    items[:] = []

@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    session.exitstatus = 0
"""
    project = project.with_deals(*deals(2)).captured().with_file("conftest.py", plugin)
    outcome = project.gate()
    assert outcome.code == pytest.ExitCode.NO_TESTS_COLLECTED, outcome.text
    assert "0 of 2 deals judged: no verdict" in outcome.text
