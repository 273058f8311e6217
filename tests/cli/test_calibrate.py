"""`dealsnap calibrate`: what differs between two runs of the same code is found, and left out of snapshots."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.cli.console import dealsnap
from tests.plugin.project import CONFIG, Project, deal

NOISY = """
import itertools

_calls = itertools.count()


def value(transaction):
    n = next(_calls)
    risks = ["license", "lease"] if n % 2 else ["lease", "license"]
    return {
        "offer": {"price": transaction["amount"] + (n % 2) * 3},
        "risks": [],
        "tags": risks,
        "made": {"generated_at": f"2026-11-30T10:00:{n % 60:02}Z", "password": f"secret={n}"},
        "parts": [{"id": n, "name": "a"}],
    }
"""


@pytest.fixture
def noisy(tmp_path: Path) -> Project:
    """Five deals and a reasoner that never answers twice alike."""
    rows = [deal(number, amount=100 * number) for number in range(1, 6)]
    return Project(tmp_path).with_deals(*rows).with_file("valuation.py", NOISY)


def settings(folder: Path) -> Any:
    """Return the configuration as it is written."""
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["dealsnap"]


def test_steady_code_has_nothing_to_settle(tmp_path: Path) -> None:
    """Exit 0, and the number of pairs is said."""
    Project(tmp_path).with_deals(deal("1"), deal("2")).write()
    said = dealsnap(tmp_path, "calibrate")
    assert (said.code, said.out) == (0, "2 deals reasoned twice: no difference\n")


def test_what_differs_is_said_with_the_line_that_settles_it(noisy: Project) -> None:
    """Paths without places in lists; a metric is no candidate, nor is a list in another order hidden in its items."""
    noisy.write()
    said = dealsnap(noisy.folder, "calibrate", "--pairs", "3")
    assert said.code == 1
    assert "3 deals reasoned twice: 3 with a difference" in said.out
    assert 'drop = ["made.generated_at", "made.password", "parts[].id", "tags"]' in said.out
    assert "the same items in another order" in said.out
    assert "price: a metric that differs by itself needs a rule with room" in said.out
    assert "drop" not in settings(noisy.folder).get("output", {})


def test_what_differs_is_written_and_then_settled(noisy: Project) -> None:
    """The file keeps its comments and its other keys; what was dropped before stays dropped."""
    config = CONFIG + '\n# what is left out\n[tool.dealsnap.output]\ndrop = ["tags"]  # by hand\n'
    project = noisy.with_config(config).with_file("valuation.py", NOISY.replace("+ (n % 2) * 3", ""))
    project.write()
    before = settings(project.folder)
    said = dealsnap(project.folder, "calibrate", "--write")
    assert said.code == 0, said.out + said.err
    after = settings(project.folder)
    assert after["output"]["drop"] == ["tags", "made.generated_at", "made.password", "parts[].id"]
    assert {**after, "output": None} == {**before, "output": None}
    assert "# what is left out" in (project.folder / "pyproject.toml").read_text(encoding="utf-8")
    again = dealsnap(project.folder, "calibrate")
    assert (again.code, again.out) == (0, "5 deals reasoned twice: no difference\n")


def test_a_deal_that_fails_is_named(tmp_path: Path) -> None:
    """Nothing can be said of it, so the command is not green."""
    failing = "def value(transaction):\n    raise ValueError('no rate')\n"
    Project(tmp_path).with_deals(deal("1")).with_file("valuation.py", failing).write()
    said = dealsnap(tmp_path, "calibrate")
    assert said.code == 1
    assert "no output of deal 1: ValueError: no rate" in said.out


def test_what_cannot_be_calibrated_is_a_usage_error(tmp_path: Path) -> None:
    """A fixture's reasoner, no pairs, no deals; each says what to do."""
    project = Project(tmp_path).with_deals(deal("1"))
    project.write()
    assert "--pairs 0: must be at least 1" in dealsnap(tmp_path, "calibrate", "--pairs", "0").err
    paid = project.with_settings('cost = "usage.cost"', section="calls")
    paid.write()
    assert "say how many deals to reason twice, --pairs N" in dealsnap(tmp_path, "calibrate").err
    project.with_deals().write()
    assert "there is nothing to calibrate" in dealsnap(tmp_path, "calibrate").err
    project.with_config(CONFIG.replace('reasoner = "valuation:value"', "")).write()
    said = dealsnap(tmp_path, "calibrate")
    assert said.code == 2
    assert "that of the deal_reasoner fixture can be called by pytest only" in said.err
