"""A capture reasons its first deals twice, and says where the same code gave another output; it never fails by that."""

from __future__ import annotations

import pytest

from tests.plugin.project import CONFIG, Project, deals
from tests.scale.running import COUNTED, calls

STAMPED = """

def answer(transaction):
    stamp = len(LOG.read_text().splitlines())
    return {"offer": {"price": transaction["amount"]}, "risks": [], "made": {"at": stamp}, "memo": "as signed"}
"""
SAID = (
    "3 of 3 deals reasoned twice gave another output the second time (made.at): a gate would see that as a change. "
    "dealsnap calibrate says what settles it"
)


@pytest.fixture
def stamped(project: Project) -> Project:
    """Five deals whose output says how many calls were made before."""
    return project.with_deals(*deals(5)).with_reasoner(COUNTED + STAMPED)


@pytest.mark.parametrize("flags", [(), ("-n", "2"), ("--dealsnap-workers", "2"), ("--dealsnap-store",)])
def test_the_first_deals_are_reasoned_twice(stamped: Project, flags: tuple[str, ...]) -> None:
    """Three of five, in whichever process; the first output is recorded, and the capture is green."""
    outcome = stamped.capture(*flags)
    assert outcome.code == 0, outcome.text
    assert SAID in outcome.report["notes"]
    assert "dealsnap calibrate   # what differs by itself" in outcome.text
    assert sorted(calls(stamped)) == ["d1", "d1", "d2", "d2", "d3", "d3", "d4", "d5"]
    assert all("unsteady" not in one for one in outcome.report["deals"])
    if not flags:
        assert [stamped.snapshot(f"d{n}")["output"]["made"]["at"] for n in (1, 2, 3, 4)] == [1, 3, 5, 7]


def test_a_resumed_capture_reasons_no_reused_deal_again(stamped: Project) -> None:
    """What the run store has was computed once, and a second capture calls nothing."""
    stamped.capture("--dealsnap-store")
    assert stamped.capture("--dealsnap-store").code == 0
    assert len(calls(stamped)) == 8


def test_steady_answers_are_not_mentioned(project: Project) -> None:
    """Nothing is said where both runs are equal, but for what is dropped."""
    counted = project.with_deals(*deals(2)).with_reasoner(COUNTED)
    assert not any("reasoned twice" in note for note in counted.capture().report["notes"])
    assert len(calls(counted)) == 4


@pytest.mark.parametrize(
    "config",
    [
        CONFIG + "[tool.dealsnap.capture]\ncheck = 0\n",
        CONFIG + "[tool.dealsnap.calls]\ncost = 2\n",
        CONFIG + "[tool.dealsnap.calls]\nbudget = 100\nreserve = 1\n",
        CONFIG + '[tool.dealsnap.replay]\ncalls = ["valuation:answer"]\n',
    ],
    ids=["none", "priced", "budget", "recorded"],
)
def test_no_call_that_costs_is_made_twice(stamped: Project, config: str) -> None:
    """Nor is any where the setting says none."""
    assert stamped.with_config(config).capture().code == 0
    assert len(calls(stamped)) == 5


def test_a_second_run_that_fails_is_said_and_fails_nothing(project: Project) -> None:
    """The output of the first is recorded."""
    fragile = "\n\ndef answer(transaction):\n    count = len(LOG.read_text().splitlines())\n"
    fragile += (
        "    if count % 2 == 0:\n        raise ValueError('no rate')\n    return {'offer': {'price': 1}, 'risks': []}\n"
    )
    outcome = project.with_deals(*deals(1)).with_reasoner(COUNTED + fragile).capture()
    assert outcome.code == 0, outcome.text
    assert any("(its second run failed: ValueError: no rate)" in note for note in outcome.report["notes"])
    assert outcome.statuses == {"d1": "new"}


def test_a_second_run_in_an_outage_says_nothing(project: Project) -> None:
    """An outage is not the reasoner's."""
    away = "\n\ndef answer(transaction):\n    count = len(LOG.read_text().splitlines())\n"
    away += (
        "    if count == 2:\n        raise ConnectionError('away')\n    return {'offer': {'price': 1}, 'risks': []}\n"
    )
    settings = 'environment = ["ConnectionError"]'
    outcome = project.with_deals(*deals(1)).with_reasoner(COUNTED + away).with_settings(settings, section="errors")
    told = outcome.capture()
    assert told.code == 0, told.text
    assert not any("reasoned twice" in note for note in told.report["notes"])


def test_noise_that_a_rule_allows_is_not_mentioned(stamped: Project) -> None:
    """A metric under a rule `or noise` may differ."""
    config = CONFIG.replace('risk_count = "length(risks)"', 'at = "made.at"').split("[tool.dealsnap.rules")[0]
    config += '[tool.dealsnap.rules.acquisition]\nat = "equal or noise"\n'
    assert not any("reasoned twice" in note for note in stamped.with_config(config).capture().report["notes"])
