"""The example of an extension: its rule and its format, through pytest and through the command line."""

from __future__ import annotations

import csv
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from examples.extension.dealsnap_extension import rounds_to
from pytest_dealsnap.reporting.writers import writer_of
from tests.cli.console import dealsnap
from tests.extensions.installing import EXAMPLE, installed_example
from tests.plugin.project import CONFIG, Project, deal
from tests.reporting.rehearsals import REHEARSAL

ROUNDED = CONFIG.replace('price = "within 5%"', 'price = "rounds to 2"')
BEFORE = (deal("d1", amount=100), deal("d2", amount=100))
AFTER = (deal("d1", amount=100.004), deal("d2", amount=100.006))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A captured project with the example installed; one of its two deals has moved beyond rounding."""
    site = installed_example(tmp_path / "site")
    project = Project(tmp_path / "firm").with_config(ROUNDED).with_environment(PYTHONPATH=site)
    return project.with_deals(*BEFORE).captured().with_deals(*AFTER)


def test_the_rule_and_the_format_in_a_gate(project: Project) -> None:
    """`rounds to 2` judges each deal, `csv` lists them; also under workers."""
    started = project.with_environment(PYTHONUTF8="1")  # xdist's workers have the path that Python started with
    for gating, workers in ((project, ()), (started, ("-n", "2"))):
        outcome = gating.gate("--dealsnap-report", "csv:deals.csv", *workers)
        assert outcome.statuses == {"d1": "changed", "d2": "regressed"}, outcome.text
        [finding] = [finding for finding in outcome.deal("d2")["findings"] if finding["metric"] == "price"]
        assert finding["allowed"] == "rounds to 2"
        rows = list(csv.DictReader((project.folder / "deals.csv").read_text(encoding="utf-8").splitlines()))
        assert {(row["deal"], row["status"], row["current"]) for row in rows if row["metric"] == "price"} == {
            ("d1", "changed", "100.004"),
            ("d2", "regressed", "100.006"),
        }


def test_the_command_line_knows_both(project: Project) -> None:
    """`report`, `merge` and `compare` write the format, `compare` and `accept` judge by the rule."""
    site = project.environment["PYTHONPATH"]
    project.gate("--dealsnap-report", "csv:deals.csv")
    written = (project.folder / "deals.csv").read_text(encoding="utf-8")

    def command(*arguments: str) -> str:
        answer = dealsnap(project.folder, *arguments, PYTHONPATH=site)
        assert answer.code in (0, 1), answer.err
        return answer.out

    assert command("report", "report.json", "--format", "csv") == written
    command("report", "report.json", "--report", "csv:again.csv")
    assert (project.folder / "again.csv").read_text(encoding="utf-8") == written
    (project.folder / "snapshots").rename(project.folder / "before")
    assert project.capture().code == 0
    compared = command("compare", "before", "snapshots", "--report", "csv:-")
    assert "d1,acquisition,changed,price" in compared
    assert "d2,acquisition,regressed,price" in compared


def test_a_rehearsals_report_in_the_format(tmp_path: Path) -> None:
    """`dealsnap report` renders a saved rehearsal by it, as `rehearse --report` does."""
    (tmp_path / "saved.json").write_text(writer_of("json").render_rehearsal(REHEARSAL), encoding="utf-8")
    site = installed_example(tmp_path / "site")
    answer = dealsnap(tmp_path, "report", "saved.json", "--format", "csv", PYTHONPATH=site)
    assert answer.code == 0, answer.err
    rows = list(csv.DictReader(answer.out.splitlines()))
    assert [row["phase"] for row in rows] == [phase.name for phase in REHEARSAL.phases]
    refused = dealsnap(tmp_path, "rehearse", "--report", "cvs:x", PYTHONPATH=site)
    assert refused.code == 2
    assert 'Did you mean "csv"?' in refused.err
    taken = dealsnap(tmp_path, "rehearse", "--report", "csv:x", PYTHONPATH=site)
    assert "there is nothing to rehearse" in taken.err


def test_a_rehearsal_judges_by_the_rule_and_writes_the_format(project: Project) -> None:
    """On a scratch copy, from the command line; the rule stands beside the gate's deals."""
    project.with_settings('flag = "AWARE"', section="rehearsal").write()
    site = project.environment["PYTHONPATH"]
    reports = ("--report", "csv:phases.csv", "--report", "json:rehearsal.json")
    answer = dealsnap(project.folder, "rehearse", "--no-load", *reports, PYTHONPATH=site)
    assert answer.code in (0, 1), answer.err
    saved = json.loads((project.folder / "rehearsal.json").read_text(encoding="utf-8"))
    rows = list(csv.DictReader((project.folder / "phases.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["phase"] for row in rows] == [phase["name"] for phase in saved["phases"]]
    assert len(saved["gate"]["deals"]) == 2


def test_slips_are_usage_errors_that_name_the_forms(project: Project) -> None:
    """A wrong word is refused by the extension's own sentence, a wrong form by the nearest one."""
    for rule, words in (
        ("rounds to two", "'rounds to two': 'two' is not a whole number of digits"),
        ("round to 2", 'unknown rule. Did you mean "rounds to {digits}"?'),
    ):
        outcome = project.with_config(ROUNDED.replace("rounds to 2", rule)).run("--dealsnap")
        assert outcome.code == 4, outcome.text
        assert words in outcome.text
    without = project.with_environment(PYTHONPATH="").run("--dealsnap")
    assert without.code == 4
    assert "'rounds to 2': unknown rule" in without.text


@pytest.mark.parametrize(
    ("baseline", "current", "holds"),
    [
        (1.004, 1.0, True),
        (1.006, 1.0, False),
        (Decimal("1e300"), 1e300, True),
        (None, None, True),
        (None, 1, False),
        (True, 1.004, False),
        ("1", 1.001, False),
        (float("nan"), 1, False),
    ],
)
def test_the_rule(baseline: object, current: object, holds: bool) -> None:
    """Numbers are rounded; anything else must be equal."""
    assert rounds_to("2").holds(baseline, current) is holds


def test_its_readme_is_a_project_that_works() -> None:
    """The rule and the commands that it shows are those of the tests above."""
    text = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    assert 'cost_total = "rounds to 2"' in text
    assert re.findall(r"^\$ dealsnap (\w+)", text, re.MULTILINE) == ["report", "rehearse"]
    assert json.dumps("extension")[1:-1] in (EXAMPLE / "pyproject.toml").read_text(encoding="utf-8")
