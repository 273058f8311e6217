"""Reporters that join tests by their identity keep deals apart: a failed deal stays red beside those that pass."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.project import Project, deal, deals


def broken(project: Project) -> Project:
    """Return a captured project in which three of five deals fail, the first and the last do not."""
    project.with_deals(*deals(5)).captured()
    return project.with_deals(deal("d1"), *(deal(f"d{n}", amount=300) for n in (2, 3, 4)), deal("d5"))


def results(folder: Path) -> list[dict[str, Any]]:
    """Return what allure-pytest wrote of each test."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*-result.json")]


def test_allure_is_told_each_deal_apart(project: Project) -> None:
    """Every deal has a parameter and a history of its own, and the same one in the next run."""
    pytest.importorskip("allure_pytest")
    project = broken(project)
    histories = []
    for run in ("first", "second"):
        outcome = project.gate("-p", "allure_pytest", "--alluredir", run, *(["-n", "2"] if run == "second" else []))
        assert outcome.code == 1, outcome.text
        found = {result["name"]: result for result in results(project.folder / run)}
        assert len({result["historyId"] for result in found.values()}) == 5
        assert len({result["fullName"] for result in found.values()}) == 1
        histories.append({name: result["historyId"] for name, result in found.items()})
        one = found["test_deal[acquisition-d3]"]
        assert one["parameters"] == [{"name": "deal id", "value": "'d3'"}]
        assert one["status"] != "passed"
    assert histories[0] == histories[1]


def test_the_report_of_the_allure_command_shows_the_failed_deals(project: Project) -> None:
    """The real Allure command counts five tests, of which two passed."""
    pytest.importorskip("allure_pytest")
    command = shutil.which("allure")
    if command is None:
        pytest.skip("the allure command is not installed (npm install -g allure-commandline; it needs Java)")
    version = subprocess.run([command, "--version"], capture_output=True, text=True, check=True, timeout=120).stdout
    if not version.startswith("2."):
        pytest.skip(f"the allure command is version {version.strip()}, this reads the pages of version 2")
    assert broken(project).gate("-p", "allure_pytest", "--alluredir", "results").code == 1
    generate = [command, "generate", "results", "--clean", "-o", "page"]
    subprocess.run(generate, cwd=project.folder, check=True, timeout=120)
    summary = json.loads((project.folder / "page" / "widgets" / "summary.json").read_text(encoding="utf-8"))
    counts = summary["statistic"]
    assert (counts["total"], counts["passed"]) == (5, 2)
    assert counts["failed"] + counts["broken"] == 3


def test_names_in_junit_are_unique(project: Project) -> None:
    """No two deals share a class and a name, by which JUnit's readers join tests."""
    broken(project).gate("--junitxml", "junit.xml")
    cases = re.findall(r'<testcase classname="([^"]*)" name="([^"]*)"', (project.folder / "junit.xml").read_text())
    assert len(cases) == len(set(cases)) == 5


def test_a_readers_callspec_is_no_fixture_of_the_users(project: Project) -> None:
    """A fixture with a parameter's or an argument's name is the user's own, and each item says what it stands for."""
    conftest = """
import pytest

@pytest.fixture(autouse=True)
def deal_id():
    return "mine"

def pytest_runtest_logreport(report):
    pass

def pytest_runtest_teardown(item):
    print("IDENTITY", item.callspec.id, item.callspec.params, item.originalname, item.callspec.getparam("deal id"))
"""
    project = project.with_deals(deal("d1"), deal("c1", kind="carveout")).with_file("conftest.py", conftest).captured()
    outcome = project.gate("-s")
    assert outcome.code == 0, outcome.text
    assert "IDENTITY carveout-c1 {'deal id': 'c1'} test_deal c1" in outcome.text
