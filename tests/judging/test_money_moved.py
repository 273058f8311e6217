"""How far money moved: totals by type, how many rose, the largest movers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pytest_dealsnap.judging.money_moved import money_moved, numbers_of
from pytest_dealsnap.judging.values import percent_change
from pytest_dealsnap.model.money import Money, Mover, TypeMoney
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import DealResult, Finding, Kind, changed_issue


def changed(deal: str, before: Any, after: Any, *, metric: str = "cost_total", kind: str = "carveout") -> DealResult:
    """Return a deal with one changed metric."""
    finding = Finding(
        metric, changed_issue(metric), before, after, percent_change(before, after), "report", gates=False
    )
    return DealResult(deal, f"Deal {deal}", kind, kind, "changed", findings=(finding,))


def still(deal: str, *, kind: str = "acquisition", **numbers: Any) -> DealResult:
    """Return a deal whose *numbers* are what they were."""
    return DealResult(deal, None, kind, kind, "matched", unchanged=numbers)


def only(*results: DealResult, **options: Any) -> Money:
    """Return what moved of the one metric that is told."""
    (money,) = money_moved(results, **options)
    return money


def test_totals_of_both_sides_by_type() -> None:
    """Unchanged deals count on both sides; each type has its own line, and all together a total."""
    money = only(
        still("1", cost_total=100),
        changed("2", 100, 250),
        changed("3", 0.1, 0.3),
        changed("4", Decimal("10.05"), 5, kind="divestiture"),
    )
    assert money.metric == "cost_total"
    assert money.types == (
        TypeMoney("acquisition", 1, Decimal(100), Decimal(100)),
        TypeMoney("carveout", 2, Decimal("100.1"), Decimal("250.3"), 2, 0, (150.0, 200.0), ("report",)),
        TypeMoney("divestiture", 1, Decimal("10.05"), Decimal(5), 0, 1, (-50.248756, -50.248756), ("report",)),
    )
    assert money.total == TypeMoney("", 4, Decimal("210.15"), Decimal("355.3"), 2, 1, (-50.248756, 200.0), ("report",))


def test_the_largest_movers_by_amount_both_ways() -> None:
    """A fall counts as a rise of its size; three are told, and of equals the first."""
    pairs = {"1": (100, 110), "2": (100, 50), "3": (1, 41), "4": (10, 20), "5": (5, 5)}
    money = only(*(changed(deal, *pair) for deal, pair in pairs.items()))
    assert [mover.id for mover in money.movers] == ["2", "3", "1"]
    assert money.movers[0] == Mover("2", "Deal 2", "carveout", 100, 50, -50.0)
    assert money.movers[0].difference == -50


def test_a_finding_without_a_difference_moved_nothing() -> None:
    """A rule may refuse an unchanged value; the deal is in the totals and did not move."""
    money = only(changed("1", 5, 5))
    assert money.types == (TypeMoney("carveout", 1, Decimal(5), Decimal(5), rules=("report",)),)
    assert money.movers == ()


def test_a_lost_value_is_in_no_total_and_counted() -> None:
    """What became null, NaN or infinite has no number on the one side."""
    lost = [Finding("cost_total", "cost_lost", 5, value, kind=Kind.LOST) for value in (None, math.nan)]
    deals = [DealResult(str(place), None, "x", "x", "regressed", findings=(one,)) for place, one in enumerate(lost)]
    money = only(*deals, changed("3", 5, math.inf, kind="x"), changed("4", None, 7, kind="x"), still("5", cost_total=1))
    assert [(kind.deal_type, kind.deals, kind.lost) for kind in money.types] == [("acquisition", 1, 0), ("x", 0, 3)]
    assert (int(money.total.baseline), money.total.lost) == (1, 3)


def test_what_has_no_percentage_gives_no_range() -> None:
    """From 0 there is no percentage, so that no range holds all."""
    money = only(changed("1", 0, 5), changed("2", 10, 15), changed("3", 10, 20, kind="divestiture"))
    assert [kind.percent for kind in money.types] == [None, (100.0, 100.0)]
    assert money.total.percent is None


def test_which_metrics_are_told() -> None:
    """Those with a rank; without any, the first in order that holds numbers; without an order, by name."""
    deal = still("1", a=1, b=2, c=3)
    assert [money.metric for money in money_moved([deal])] == ["a"]
    assert [money.metric for money in money_moved([deal], order=("text", "c", "b"))] == ["c"]
    assert [money.metric for money in money_moved([deal], order=("c", "b"), leading=("b", "text", "a"))] == ["b", "a"]
    assert [money.metric for money in money_moved([deal], order=("c",), leading=("text",))] == ["c"]
    assert money_moved([]) == ()


def test_only_metrics_of_compared_deals_count() -> None:
    """An output's paths, a stored type and a deal that was not compared have no money."""
    uncompared = replace(still("1", cost_total=1), compared=False)
    others = (
        Finding("output", "output_changed", 1, 2, kind=Kind.OUTPUT),
        Finding("deal_type", "deal_type_changed", 1, 2, kind=Kind.DEAL_TYPE),
    )
    assert money_moved([uncompared, DealResult("2", None, "x", "x", "changed", findings=others)]) == ()


def test_numbers_are_finite_and_no_truths() -> None:
    """Only a finite number can be added up."""
    metrics: Mapping[str, Any] = {
        "a": 1,
        "b": True,
        "c": math.nan,
        "d": "1",
        "e": Decimal("2.5"),
        "f": None,
        "g": Decimal("Infinity"),
    }
    assert numbers_of(metrics) == {"a": 1, "e": Decimal("2.5")}
