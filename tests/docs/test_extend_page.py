"""The page on extensions: its conftest.py does what is said of it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.pages import DOCS, page
from tests.plugin.project import CONFIG, Project, deal

SECTION = page("how-to/extend")


def test_the_rule_and_the_format_work_as_shown(tmp_path: Path) -> None:
    """The rule judges by the name that the text gives it, and the flag of the text writes the report."""
    [block] = re.findall(r"```python\n# conftest.py\n(.*?)```", SECTION, re.DOTALL)
    [rule] = re.findall(r"`(price = .*?)`", SECTION)
    [report] = re.findall(r"`--dealsnap-report (\S+)`", SECTION)
    config = CONFIG.replace('price = "within 5%"', rule)
    project = Project(tmp_path).with_config(config).with_file("conftest.py", block)
    project = project.with_deals(deal("d1"), deal("d2")).captured()
    outcome = project.with_deals(deal("d1", amount=1100), deal("d2", amount=1101)).gate("--dealsnap-report", report)
    assert outcome.statuses == {"d1": "changed", "d2": "regressed"}, outcome.text
    [finding] = [finding for finding in outcome.deal("d2")["findings"] if finding["gates"]]
    assert finding["note"] == "1001 above"
    assert (tmp_path / "ids.txt").read_text() == "d1 changed\nd2 regressed"


def test_it_names_every_kind_of_hook() -> None:
    """And the example is where it says."""
    assert (DOCS / "how-to" / re.findall(r"\]\((\S*/examples/\w+)\)", SECTION)[0] / "pyproject.toml").is_file()
