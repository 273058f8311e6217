"""The user's own test suite, when its command does not do what it is asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_dealsnap.rehearsal.step_environment import StepEnvironment
from pytest_dealsnap.rehearsal.timeline import Timeline
from pytest_dealsnap.rehearsal.user_tests import UserTests
from tests.rehearsal.sample_project import Firm


def user_tests(firm: Firm, command: str, *, scratch: str | None = None) -> tuple[UserTests, Timeline]:
    """Return the tests that *command* runs, on copies of the firm's database."""
    config = firm.config()
    config = replace(config, rehearsal=replace(config.rehearsal, tests=command))
    timeline = Timeline(lambda line: None)
    step_environment = StepEnvironment(
        config, "sqlite:///nowhere.db", scratch or firm.url, firm.folder, 60, lambda line: None
    )
    return UserTests(step_environment, timeline), timeline


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("true", "it wrote no JUnit XML: does rehearsal.tests say {junit}"),
        ("echo not xml > {junit}; exit 3", "your test command ended with status 3; what it wrote to {junit} is no"),
        ("echo '<testsuites/>' > {junit}", "its JUnit XML holds no test"),
    ],
)
def test_a_suite_that_cannot_be_read_is_unfinished(tmp_path: Path, command: str, words: str) -> None:
    """Never an empty success; and there is nothing to compare the second run with."""
    tests, timeline = user_tests(Firm.found(tmp_path), command)
    tests.before()
    tests.after("on")
    [problem] = timeline.problems
    assert (problem.code, problem.weight) == ("tests_unread", "unfinished")
    assert words in problem.title
    assert (timeline.phases[-1].status, timeline.phases[-1].headline) == (
        "skipped", "there is no run before to compare with",
    )  # fmt: skip


def test_a_database_that_dealsnap_cannot_copy_is_told(tmp_path: Path) -> None:
    """Tests may change their database, so that they have a copy of their own; without one they do not run."""
    tests, timeline = user_tests(Firm.found(tmp_path), "touch ran", scratch="mysql://db/deals")
    tests.before()
    [problem] = timeline.problems
    assert problem.title.startswith("your tests did not run, for want of a copy: ")
    assert not (tmp_path / "ran").exists()
