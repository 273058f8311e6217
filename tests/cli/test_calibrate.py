"""`dealsnap calibrate`: what differs between two runs of the same code is found, and left out of snapshots."""

from __future__ import annotations

import json
import re
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
    assert (said.code, said.out) == (
        0,
        "2 deals reasoned twice: no difference\nfloors and rates of errors: snapshots/noise.json\n",
    )


def test_what_differs_is_said_with_the_line_that_settles_it(noisy: Project) -> None:
    """Paths without places in lists; a metric is no candidate, nor is a list in another order hidden in its items."""
    noisy.write()
    said = dealsnap(noisy.folder, "calibrate", "--pairs", "3")
    assert said.code == 1
    assert "3 deals reasoned twice: 3 with a difference" in said.out
    assert 'drop = ["made.generated_at", "made.password", "parts[].id", "tags"]' in said.out
    assert "the same items in another order" in said.out
    assert re.search(r"^price +acquisition +3 +[0-9.]+ % +0 +0 +within 5%$", said.out, re.MULTILINE)
    assert "or noise" not in said.out
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
    assert (again.code, again.out.splitlines()[0]) == (0, "5 deals reasoned twice: no difference")


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


DRIFTING = """
import itertools

_calls = itertools.count()


def value(transaction):
    n = next(_calls)
    with open("calls.txt", "a") as file:
        file.write(f"{transaction.id}\\n")
    return {"offer": {"price": transaction["amount"] + 8 * (n % 2)}, "risks": ["lease"] * (n % 2), "usd": 0.5}
"""


def made(folder: Path) -> int:
    """Return how many calls were made so far."""
    log = folder / "calls.txt"
    return len(log.read_text(encoding="utf-8").split()) if log.exists() else 0


def test_floors_are_kept_and_rules_with_noise_written(tmp_path: Path) -> None:
    """Each broken rule gets `or noise`; the file says pairs, floor, ties and version; then nothing is left."""
    project = Project(tmp_path).with_deals(*(deal(n) for n in range(1, 5))).with_reasoner(DRIFTING)
    project.write()
    said = dealsnap(tmp_path, "calibrate", "--write")
    assert said.code == 0, said.out
    assert settings(tmp_path)["rules"]["acquisition"] == {
        "price": "within 5% or noise",
        "risk_count": "equal or noise",
    }
    assert "at most 1 in 5 further pairs lies beyond a floor of 4 pairs (20.0 %)" in said.out
    kept = json.loads((tmp_path / "snapshots" / "noise.json").read_text(encoding="utf-8"))
    assert (kept["format"], kept["volatile"]) == (1, ["offer.price", "risks[]", "usd"][:2])
    assert kept["types"]["acquisition"]["metrics"]["price"] == {
        "kind": "number",
        "pairs": 4,
        "floor": 0.08,
        "ties": 0,
        "errors": 0,
        "reordered": 0,
    }
    assert len(kept["calls_version"]) == 64
    assert dealsnap(tmp_path, "calibrate").code == 0


def test_no_run_is_paid_twice_and_the_budget_holds(tmp_path: Path) -> None:
    """Through the run store: stopped by the budget it keeps the pairs that it has, and goes on where it was."""
    calls = 'cost = "usd"\nreserve = 0.5\n'
    project = Project(tmp_path).with_deals(*(deal(n) for n in range(1, 5))).with_reasoner(DRIFTING)
    project = project.with_settings(calls, section="calls")
    project.with_settings("budget = 2.5", section="calls").write()
    stopped = dealsnap(tmp_path, "calibrate", "--pairs", "4")
    assert stopped.code == 1
    assert made(tmp_path) == 5
    assert "2 deals reasoned twice: 2 with a difference" in stopped.out
    assert "not all pairs were made: the budget of 2.5 USD allows no further call" in stopped.out
    project.write()
    whole = dealsnap(tmp_path, "calibrate", "--pairs", "4")
    assert made(tmp_path) == 8
    assert re.search("^4 deals reasoned twice: . with a difference, 5 of the runs reused", whole.out, re.MULTILINE)
    assert "spent: 4.0 USD in 8 calls" in whole.out
    dealsnap(tmp_path, "calibrate", "--pairs", "4", "--fresh")
    assert made(tmp_path) == 16


PROMPTING = """
import datetime


def ask(prompt, at):
    return {"usd": 1.5, "price": 100}


def value(transaction):
    answer = ask(f"value {transaction.id}", at=datetime.datetime.now().isoformat())
    return {"offer": {"price": answer["price"]}, "risks": []}
"""


def test_a_volatile_prompt_is_found_by_replay(tmp_path: Path) -> None:
    """Without a paid call: its request is shown, and the argument that replay.drop leaves out."""
    replay = 'calls = ["valuation:ask"]\ncost = "usd"\n'
    project = Project(tmp_path).with_deals(deal("1"), deal("2")).with_reasoner(PROMPTING)
    project = project.with_settings(replay, section="replay").captured()
    said = dealsnap(tmp_path, "calibrate")
    assert said.code == 1
    assert (
        "2 deals replayed: 2 with a request other than the recorded one. Of unchanged code it is volatile:" in said.out
    )
    assert "deal 1: valuation:ask" in said.out
    assert "reasoned twice" not in said.out
    assert '  [tool.dealsnap.replay]\n  drop = ["at"]' in said.out
    assert dealsnap(tmp_path, "calibrate", "--write").code == 0
    project.with_config((tmp_path / "pyproject.toml").read_text(encoding="utf-8")).capture()
    assert dealsnap(tmp_path, "calibrate").out == "2 deals replayed: every request was recorded\n"


def test_a_prompt_that_holds_a_time_is_left_to_its_author(tmp_path: Path) -> None:
    """No setting can leave out a part of a text."""
    prompting = PROMPTING.replace("at=", "text=").replace("prompt, at", "prompt, text")
    replay = 'calls = ["valuation:ask"]\n'
    project = Project(tmp_path).with_deals(deal("1")).with_reasoner(prompting)
    project.with_settings(replay, section="replay").captured()
    said = dealsnap(tmp_path, "calibrate")
    assert said.code == 1
    assert "settle it with" not in said.out


FAILING = """
import itertools

_calls = itertools.count()


def value(transaction):
    if next(_calls) == 1:
        raise RuntimeError("overloaded")
    return {"offer": {"price": 100}, "risks": []}
"""


def test_a_second_run_that_fails_is_an_error_of_its_pair(tmp_path: Path) -> None:
    """It is counted, told and kept: a gate holds its errors against that rate."""
    Project(tmp_path).with_deals(deal("1"), deal("2")).with_reasoner(FAILING).write()
    said = dealsnap(tmp_path, "calibrate")
    assert said.code == 0, said.out
    assert re.search(r"^its output +acquisition +2 +1 *$", said.out, re.MULTILINE), said.out
    kept = json.loads((tmp_path / "snapshots" / "noise.json").read_text(encoding="utf-8"))["types"]["acquisition"]
    assert (kept["pairs"], kept["errors"], kept["metrics"]["price"]["pairs"]) == (2, 1, 1)


def test_a_baseline_that_does_not_name_its_code_is_captured_once_more(tmp_path: Path) -> None:
    """Else the floors would be stale with the first edit of the code."""
    words = "capture once more, so that the baseline names the code of these floors"
    project = Project(tmp_path).with_deals(*(deal(n) for n in range(1, 5))).with_reasoner(DRIFTING).captured()
    assert words in dealsnap(tmp_path, "calibrate").out
    assert project.capture().code == 0
    assert words not in dealsnap(tmp_path, "calibrate").out
