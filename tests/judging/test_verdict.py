"""What the rollout should do, by the plan's decision tree."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.config import VerdictConfig
from pytest_dealsnap.judging.verdict import decide, summarize
from pytest_dealsnap.model.results import STATUSES, DealResult
from pytest_dealsnap.model.verdicts import ACTIONS, Verdict

PLAN = VerdictConfig(fix_forward_below=10.0, roll_back_above=50.0, min_compared=100.0)


def results(**counts: int) -> list[DealResult]:
    """Return that many results of each status."""
    kinds = [status for status, count in counts.items() for _ in range(count)]
    return [DealResult(str(i), None, "carveout", None, status) for i, status in enumerate(kinds)]


def verdict(deals: Sequence[DealResult], *, selected: int | None = None, thresholds: VerdictConfig = PLAN) -> Verdict:
    """Return the verdict over *deals*."""
    return decide(summarize(deals, selected=len(deals) if selected is None else selected), thresholds)


@pytest.mark.parametrize(
    ("counts", "action", "reason"),
    [
        ({"matched": 10}, "proceed", "none of 10 compared deals is affected"),
        ({"changed": 10}, "proceed", "none of 10 compared deals is affected"),
        ({"accepted": 5, "matched": 5}, "proceed", "none of 10 compared deals is affected"),
        (
            {"matched": 10, "new": 90},
            "inconclusive",
            "10 of 100 selected deals were compared, 10.0 % of the 100 % asked for; 90 are not in the baseline",
        ),
        ({"matched": 99, "regressed": 1}, "fix_forward", "1 of 100 compared deals is affected (1.0 %): under 10 %"),
        (
            {"matched": 901, "regressed": 99},
            "fix_forward",
            "99 of 1000 compared deals are affected (9.9 %): under 10 %",
        ),
        (
            {"matched": 90, "regressed": 10},
            "disable_flag",
            "10 of 100 compared deals are affected (10.0 %): 10 % to 50 %",
        ),
        (
            {"matched": 50, "regressed": 50},
            "disable_flag",
            "50 of 100 compared deals are affected (50.0 %): 10 % to 50 %",
        ),
        (
            {"matched": 499, "regressed": 501},
            "roll_back",
            "501 of 1000 compared deals are affected (50.1 %): over 50 %",
        ),
        (
            {"matched": 90, "errored": 10},
            "disable_flag",
            "10 of 100 compared deals are affected (10.0 %): 10 % to 50 %",
        ),
        (
            {"matched": 98, "regressed": 1, "errored": 1},
            "fix_forward",
            "2 of 100 compared deals are affected (2.0 %): under 10 %",
        ),
        ({"regressed": 3}, "roll_back", "3 of 3 compared deals are affected (100.0 %): over 50 %"),
        ({}, "inconclusive", "no deal was compared"),
        ({"new": 7}, "inconclusive", "no deal was compared"),
    ],
)
def test_the_decision_tree(counts: dict[str, int], action: str, reason: str) -> None:
    """Both thresholds are included in the middle; nothing compared says nothing."""
    assert verdict(results(**counts)) == Verdict(action, reason)


def corrupt(count: int) -> list[DealResult]:
    """Return corrupt deals."""
    return [DealResult(f"c{i}", None, "carveout", None, "regressed", corrupt="its type was lost") for i in range(count)]


def test_corruption_rolls_back_at_any_rate() -> None:
    """One corrupt deal of a thousand asks for a rollback, and is named."""
    assert verdict([*results(matched=999), *corrupt(1)]) == Verdict(
        "roll_back", "data corruption: deal c0: its type was lost"
    )
    assert verdict(corrupt(5)).reason == "data corruption: deals c0, c1, c2 and 2 more: its type was lost"


def test_kinds_of_corruption_are_told_apart() -> None:
    """Alike ones together, and not more of them than can be read."""
    gone = [DealResult(f"g{i}", None, "carveout", None, "missing", corrupt=f"gone {i // 2}") for i in range(8)]
    assert verdict([*corrupt(1), *gone]).reason == (
        "data corruption: deal c0: its type was lost; deals g0, g1: gone 0; deals g2, g3: gone 1 and 4 more"
    )


def test_corruption_counts_also_where_too_little_was_compared() -> None:
    """A rollback does not wait for the rest of the deals; nor does it need a comparison."""
    assert verdict(corrupt(1), selected=1000).action == "roll_back"
    uncompared = DealResult("1", None, "carveout", None, "errored", corrupt="it is gone", compared=False)
    assert verdict([uncompared]).action == "roll_back"


@pytest.mark.parametrize(
    ("compared", "selected", "least", "action"),
    [
        (99, 100, 100.0, "inconclusive"),
        (100, 100, 100.0, "proceed"),
        (95, 100, 95.0, "proceed"),
        (94, 100, 95.0, "inconclusive"),
        (1, 3, 33.4, "inconclusive"),
        (1, 1000, 0.0, "proceed"),
        (0, 1000, 0.0, "inconclusive"),
    ],
)
def test_too_little_compared_is_inconclusive(compared: int, selected: int, least: float, action: str) -> None:
    """The share of the selected deals that was compared has a least value, which itself suffices."""
    thresholds = VerdictConfig(10.0, 50.0, least)
    assert verdict(results(matched=compared), selected=selected, thresholds=thresholds).action == action


def test_the_reason_tells_how_much_was_compared() -> None:
    """An inconclusive verdict says what was asked for."""
    assert verdict(results(matched=1), selected=8).reason == (
        "1 of 8 selected deals were compared, 12.5 % of the 100 % asked for"
    )


def test_a_deal_that_could_not_be_compared_is_not_counted_as_compared() -> None:
    """A bad snapshot makes the run inconclusive, never green."""
    deals = [*results(matched=9), DealResult("x", None, "carveout", None, "errored", compared=False)]
    summary = summarize(deals, selected=10)
    assert (summary.compared, summary.affected) == (9, 0)
    assert decide(summary, PLAN).action == "inconclusive"


@pytest.mark.parametrize(
    ("gates", "compared", "affected", "action"), [(True, 10, 1, "disable_flag"), (False, 9, 0, "proceed")]
)
def test_a_missing_deal(gates: bool, compared: int, affected: int, action: str) -> None:
    """A missing deal is compared and affected, unless ``deals.missing`` only reports it."""
    summary = summarize(results(matched=9, missing=1), selected=10, missing_gates=gates)
    assert (summary.compared, summary.affected) == (compared, affected)
    assert decide(summary, PLAN).action == action


@pytest.mark.parametrize(("least", "action"), [(100.0, "inconclusive"), (90.0, "proceed"), (91.0, "inconclusive")])
def test_a_new_deal_is_selected_and_not_compared(least: float, action: str) -> None:
    """``min_compared`` counts all selected deals, new ones included."""
    summary = summarize(results(matched=9, new=1), selected=10)
    thresholds = VerdictConfig(fix_forward_below=10.0, roll_back_above=50.0, min_compared=least)
    assert decide(summary, thresholds).action == action
    assert action == "proceed" or decide(summary, thresholds).reason.endswith("; 1 is not in the baseline")


def test_other_thresholds() -> None:
    """The thresholds are the configuration's."""
    thresholds = VerdictConfig(fix_forward_below=0.0, roll_back_above=1.0, min_compared=100.0)
    assert verdict(results(matched=99, regressed=1), thresholds=thresholds).action == "disable_flag"
    assert verdict(results(matched=98, regressed=2), thresholds=thresholds).action == "roll_back"
    assert verdict(results(matched=98), thresholds=thresholds).action == "proceed"


@given(counts=st.fixed_dictionaries({status: st.integers(0, 30) for status in STATUSES}))
def test_a_verdict_is_never_green_over_affected_deals(counts: dict[str, int]) -> None:
    """Whatever came out, ``proceed`` means that something was compared and nothing is affected."""
    deals = results(**counts)
    summary = summarize(deals, selected=len(deals))
    assert summary.deals == len(deals)
    assert summary.affected == counts["regressed"] + counts["errored"] + counts["missing"]
    assert summary.compared == len(deals) - counts["new"]
    found = decide(summary, PLAN)
    assert found.action in ACTIONS
    assert (found.action == "proceed") is (summary.compared > 0 and summary.affected == 0 and counts["new"] == 0)
    if summary.compared:
        percent = 100 * summary.affected / summary.compared
        assert summary.affected_percent == pytest.approx(percent, abs=1e-4)
        assert (found.action == "roll_back") is (percent > 50)
        assert (found.action == "fix_forward") is (0 < percent < 10)
