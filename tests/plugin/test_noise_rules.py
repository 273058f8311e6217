"""Rules `… or noise` in whole gates: both numbers are told, and a floor that is lacking or stale is never a pass."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.console import dealsnap
from tests.plugin.project import CONFIG, Project, deals

RULES = """
[tool.dealsnap.rules.acquisition]
price = "within 5% or noise"
risk_count = "equal or noise"
"""
NOISY = CONFIG.split("[tool.dealsnap.rules")[0] + RULES


def noise_file(**metrics: Any) -> str:
    """Return a file of floors of acquisitions, of a version that every test names."""
    pairs, errors = metrics.pop("pairs", 20), metrics.pop("errors", 0)
    whole = {
        name: {"kind": "number", "pairs": pairs, "ties": 0, "floor": 0.081, "errors": 0, "reordered": 0, **one}
        for name, one in metrics.items()
    }
    types = {"acquisition": {"pairs": pairs, "errors": errors, "metrics": whole}}
    return json.dumps({"format": 1, "calls_version": "v1", "types": types, "volatile": []})


@pytest.fixture
def noisy(project: Project) -> Project:
    """Four captured deals of version v1, with floors."""
    config = NOISY + '[tool.dealsnap.calls]\nversion = "v1"\n'
    noise = noise_file(price={}, risk_count={"ties": 20, "floor": 0})
    return project.with_deals(*deals(4)).with_config(config).with_file("snapshots/noise.json", noise).captured()


def findings(outcome: Any, deal_id: str = "d1") -> list[Any]:
    """Return the findings of one deal."""
    return list(outcome.deal(deal_id)["findings"])


def test_a_change_within_the_floor_is_allowed_and_both_numbers_told(noisy: Project) -> None:
    """8 % are beyond the rule, and within what unchanged code does by itself; 9 % are not."""
    inside = noisy.with_deals(*deals(4, amount=108)).gate()
    assert inside.action == "proceed", inside.text
    finding = findings(inside)[0]
    assert (finding["allowed"], finding["noise"]) == ("within 5% or noise (8.1 %, 20 pairs)", "floor")
    beyond = noisy.with_deals(*deals(4, amount=109)).gate()
    assert beyond.statuses == dict.fromkeys(("d1", "d2", "d3", "d4"), "regressed")
    assert "within 5% or noise (8.1 %, 20 pairs)" in beyond.text
    assert findings(beyond)[0]["noise"] == "beyond"


def test_a_rule_without_a_floor_is_inconclusive(noisy: Project) -> None:
    """Told with the command that measures one; where the rule itself holds no floor is needed."""
    (noisy.folder / "snapshots" / "noise.json").unlink()
    bare = Project(noisy.folder, noisy.rows, config=noisy.config)
    assert bare.gate().action == "proceed"
    beyond = bare.with_deals(*deals(4, amount=108)).gate()
    assert beyond.verdict.startswith("INCONCLUSIVE - 4 deals lie beyond a rule, and there is no floor of noise")
    assert "dealsnap calibrate" in beyond.verdict
    assert findings(beyond)[0]["allowed"] == "within 5% or noise (no floor)"


def test_a_floor_of_other_code_is_stale(noisy: Project) -> None:
    """It counts for the version that the baseline was captured with and for this one, and for no third."""
    edited = noisy.with_config(noisy.config.replace('"v1"', '"v2"'))
    assert edited.with_deals(*deals(4, amount=108)).gate().action == "proceed"
    edited.with_deals(*deals(4)).capture()
    stale = edited.with_config(noisy.config.replace('"v1"', '"v3"')).with_deals(*deals(4, amount=108)).gate()
    assert stale.action == "inconclusive"
    words = "noise.json is of another version of the code (calls.version) than the baseline and this run"
    assert words in stale.verdict
    assert words in stale.report["notes"]


FAILING = """
def value(transaction):
    if transaction.id in {bad}:
        raise RuntimeError("overloaded")
    return {{"offer": {{"price": transaction["amount"]}}, "risks": [], "memo": "as signed"}}
"""


def test_errors_are_held_against_those_of_unchanged_code(noisy: Project) -> None:
    """One failure of four is no more than 1 of 20 pairs; all four are."""
    with_errors = noisy.with_file("snapshots/noise.json", noise_file(price={}, errors=1))
    one = with_errors.with_reasoner(FAILING.format(bad=["d1"])).gate()
    assert one.action == "proceed", one.text
    assert findings(one)[0]["noise"] == "rate"
    assert any("failed in 1 of 4 deals and in 1 of 20 pairs of unchanged code" in note for note in one.report["notes"])
    all_four = with_errors.with_reasoner(FAILING.format(bad=["d1", "d2", "d3", "d4"])).gate("--dealsnap-fresh")
    assert all_four.code == 1
    assert all_four.statuses == dict.fromkeys(("d1", "d2", "d3", "d4"), "errored")
    assert any("more than noise (Fisher's exact test, p = 0.00047)" in note for note in all_four.report["notes"])


def test_an_error_stays_an_error_where_unchanged_code_has_none(noisy: Project) -> None:
    """As ever."""
    assert noisy.with_reasoner(FAILING.format(bad=["d1"])).gate().statuses["d1"] == "errored"


def test_lost_values_and_broken_equalities_are_held_against_their_rate(noisy: Project) -> None:
    """In one deal of four they are noise, in all four they are not."""
    losing = """
def value(transaction):
    few = transaction.id in {bad}
    return {{"offer": {{"price": None if few else transaction["amount"]}}, "risks": [1] * few, "memo": "as signed"}}
"""
    noise = noise_file(price={"errors": 1}, risk_count={"ties": 19, "floor": 1})
    project = noisy.with_file("snapshots/noise.json", noise)
    one = project.with_reasoner(losing.format(bad=["d1"])).gate()
    assert one.action == "proceed", one.text
    assert [(found["metric"], found["noise"]) for found in findings(one)[:2]] == [
        ("price", "rate"),
        ("risk_count", "rate"),
    ]
    assert findings(one)[1]["allowed"] == "equal or noise (1 of 20 pairs differ)"
    four = project.with_reasoner(losing.format(bad=["d1", "d2", "d3", "d4"])).gate("-n", "2", "--dealsnap-fresh")
    assert set(four.statuses.values()) == {"regressed"}
    assert sum("more than noise" in note for note in four.report["notes"]) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "noise.json cannot be read"),
        ('{"format": 2}', "has format 2; this version of pytest-dealsnap knows format 1"),
        ('{"format": 1, "calls_version": 3}', "noise.json was edited or damaged"),
    ],
)
def test_a_damaged_file_is_a_usage_error(noisy: Project, text: str, said: str) -> None:
    """One sentence, with what to do."""
    outcome = noisy.with_file("snapshots/noise.json", text).gate()
    assert outcome.code == 4
    assert said in outcome.text
    assert "dealsnap calibrate" in outcome.text


@pytest.mark.parametrize(
    ("section", "line", "said"),
    [
        ("rules.acquisition", 'price = "ratio 1..2 or noise"', 'this rule cannot be followed by "or noise"'),
        ("portfolio", '"sum(price)" = "within 1% or noise"', "only rules of one metric and deal type have a floor"),
    ],
)
def test_a_rule_that_has_no_floor_is_a_usage_error(project: Project, section: str, line: str, said: str) -> None:
    """It says which rules have one."""
    config = CONFIG.split("[tool.dealsnap.rules")[0] + f"[tool.dealsnap.{section}]\n{line}\n"
    outcome = project.with_deals(*deals(1)).with_config(config).gate()
    assert outcome.code == 4
    assert said in outcome.text


def test_floors_are_part_of_the_baseline_and_no_stranger(noisy: Project) -> None:
    """Neither a gate nor the check of the baseline takes the file for something else."""
    assert not any("noise.json" in note for note in noisy.gate().report["notes"])
    assert "noise.json" not in dealsnap(noisy.folder, "check").out


ASKING = """
FACTOR = 1.0


def ask(deal):
    return {"price": 100}


def value(transaction):
    return {"offer": {"price": FACTOR * ask(transaction.id)["price"]}, "risks": [], "memo": "as signed"}
"""


def test_a_replayed_output_has_no_noise(project: Project) -> None:
    """Its model's answers are the recorded ones: 8 % after the model are the code's, and beyond the rule."""
    config = NOISY + '[tool.dealsnap.calls]\nversion = "v1"\n[tool.dealsnap.replay]\ncalls = ["valuation:ask"]\n'
    noise = noise_file(price={}, risk_count={"ties": 20, "floor": 0})
    asking = project.with_deals(*deals(2)).with_config(config).with_reasoner(ASKING)
    asking = asking.with_file("snapshots/noise.json", noise).captured()
    moved = asking.with_reasoner(ASKING.replace("1.0", "1.08")).gate("--dealsnap-fresh")
    assert set(moved.statuses.values()) == {"regressed"}
    assert findings(moved)[0]["allowed"] == "within 5% or noise (replayed: no noise)"
    anew = asking.with_reasoner(ASKING.replace("1.0", "1.08")).gate("--dealsnap-fresh", "--dealsnap-replay", "off")
    assert set(anew.statuses.values()) == {"changed"}
