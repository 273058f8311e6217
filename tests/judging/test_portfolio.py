"""Portfolio rules over all deals, and shifts: what no deal's own rule sees."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.judging.portfolio import PortfolioRule, broken_rules, compile_portfolio, shift_evidence, shifts
from pytest_dealsnap.model.results import DealResult, Finding

METRICS = ("cost_total", "synergy_count")


def results(
    *pairs: tuple[float, float], deal_type: str = "acquisition", allowed: str = "within 5%"
) -> list[DealResult]:
    """Return one compared deal for each pair of numbers."""
    found = []
    for number, (before, after) in enumerate(pairs):
        facts = (f"{deal_type}{number}", None, deal_type, deal_type)
        if before == after:
            found.append(DealResult(*facts, "matched", unchanged={"cost_total": before}))
        else:
            finding = Finding("cost_total", "cost_changed", before, after, allowed=allowed, gates=False)
            found.append(DealResult(*facts, "changed", findings=(finding,)))
    return found


def compiled(**rules: str) -> tuple[PortfolioRule, ...]:
    """Return the compiled rules."""
    named = {name.replace("_of_", "(", 1) + ")": rule for name, rule in rules.items()}
    return compile_portfolio(named, metrics=METRICS, root=Path.cwd(), place="portfolio")


def test_a_sum_is_judged_over_all_deals() -> None:
    """Exactly, with unchanged deals among them."""
    deals = results((100, 104), (100, 100), (0.1, 0.1))
    assert broken_rules(compiled(sum_of_cost_total="within 2%"), deals) == []
    broken = broken_rules(compiled(sum_of_cost_total="within 1%"), deals)
    assert broken == ["portfolio: sum(cost_total) 200.1 → 204.1, +2.00 %; rule: within 1%"]
    left_out = DealResult("x", None, "acquisition", None, "new", compared=False, unchanged={"cost_total": 1000})
    assert broken_rules(compiled(sum_of_cost_total="within 1%"), [*deals, left_out]) == broken


def test_by_type_each_type_has_its_own_number() -> None:
    """One type's rise is not hidden by another one's fall; a median and a count as well."""
    deals = results((100, 110)) + results((100, 90), deal_type="carveout")
    rules = {
        "sum(cost_total)": "equal",
        "sum(cost_total) by deal_type": "within 5%",
        "median(cost_total) by deal_type": "within 20%",
        "count(cost_total = 100)": "equal",
    }
    broken = broken_rules(compile_portfolio(rules, metrics=METRICS, root=Path.cwd(), place="p"), deals)
    assert broken == [
        "portfolio: sum(cost_total) by deal_type (acquisition) 100 → 110, +10.00 %; rule: within 5%",
        "portfolio: sum(cost_total) by deal_type (carveout) 100 → 90, -10.00 %; rule: within 5%",
        "portfolio: count(cost_total = 100) 2 → 0, -100.00 %; rule: equal",
    ]
    assert broken_rules(compiled(sum_of_synergy_count="equal"), deals) == []


@pytest.mark.parametrize(
    ("text", "rule", "words"),
    [
        ("total(cost_total)", "equal", "is no portfolio rule"),
        ("count(cost_total)", "equal", "is no portfolio rule"),
        ("sum(cost_total = 1)", "equal", "is no portfolio rule"),
        ("sum(cost_totl)", "equal", 'Did you mean "cost_total"'),
        ("sum(cost_total) by region", "equal", "by region is not known"),
        ("sum(cost_total)", "withn 5%", "withn"),
        ("sum(cost_total)", 5, "a rule is a string"),
    ],
)
def test_a_bad_rule_is_refused(text: str, rule: str, words: str) -> None:
    """With what is valid."""
    with pytest.raises(ConfigError, match=words):
        compile_portfolio({text: rule}, metrics=METRICS, root=Path.cwd(), place="portfolio")


def test_a_small_rise_of_every_deal_is_no_noise() -> None:
    """Each deal is within its tolerance, and all of them rose."""
    deals = results(*[(1000 + number, 1.049 * (1000 + number)) for number in range(30)])
    assert shifts(compiled(sum_of_cost_total="within 10%"), deals) == [
        "portfolio: cost_total moved up in 30 of 30 deals of acquisition, by +4.90 % in the median: not noise"
    ]
    expected = results(*[(1000, 2000)] * 30, allowed="ratio 1.5..3.0")
    assert shifts(compiled(sum_of_cost_total="within 10%"), expected) == []
    assert shifts(compiled(sum_of_cost_total="within 10%"), results(*[(1, 2), (2, 1)] * 30)) == []
    down = shifts(compiled(median_of_cost_total="report"), results(*[(2, 1)] * 30))
    assert "moved down in 30 of 30 deals" in down[0]


def test_ups_and_downs_of_noise_are_rarely_a_shift() -> None:
    """Looked at after every deal, in at most 5 % of runs (and three standard errors)."""
    random, alarms, runs = Random(7), 0, 1500
    for _ in range(runs):
        ups = downs = 0
        for _ in range(120):
            ups, downs = (ups + 1, downs) if random.random() < 0.5 else (ups, downs + 1)
            if shift_evidence(ups, downs) >= math.log(20):
                alarms += 1
                break
    assert alarms / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)


@given(st.integers(0, 60))
def test_the_evidence_is_a_martingale(count: int) -> None:
    """Its mean under a fair coin is 1, whenever one looks."""
    mean = sum(
        math.comb(count, ups) * 0.5**count * math.exp(shift_evidence(ups, count - ups)) for ups in range(count + 1)
    )
    assert mean == pytest.approx(1)


def test_the_evidence_is_exact() -> None:
    """B(1/2 + 1, 1/2) / B(1/2, 1/2) * 2 is 1; of three ups 5/16 * 8."""
    assert math.exp(shift_evidence(0, 0)) == pytest.approx(1)
    assert math.exp(shift_evidence(1, 0)) == pytest.approx(1)
    assert math.exp(shift_evidence(3, 0)) == pytest.approx(float(Decimal(5) / 16 * 8))


def test_three_of_four_are_no_shift() -> None:
    """Noise does that; and as many ups as downs are none, however many there are."""
    rules = compiled(sum_of_cost_total="within 10%")
    assert shifts(rules, results(*[(100, 101)] * 3, (100, 99))) == []
    assert shifts(rules, results(*[(100, 101), (100, 99)] * 500)) == []


def test_a_number_that_is_no_number_on_one_side_is_no_pair() -> None:
    """Nor is an infinity: only what is finite on both sides counts."""
    rules = compiled(sum_of_cost_total="within 1%")
    for before, after in ((100, math.inf), (math.inf, 100), (None, 100), ("x", 100), (100, "x")):
        finding = Finding("cost_total", "cost_changed", before, after, allowed="report", gates=False)
        odd = DealResult("odd", None, "acquisition", "acquisition", "changed", findings=(finding,))
        assert broken_rules(rules, [odd, *results((100, 100), (50, 50))]) == []


def test_deals_that_did_not_move_are_no_shift() -> None:
    """They went neither up nor down."""
    assert shifts(compiled(sum_of_cost_total="within 10%"), results(*[(100, 100)] * 60)) == []
    few = results(*[(100, 100)] * 60, (100, 101), (100, 101))
    assert shifts(compiled(sum_of_cost_total="within 10%"), few) == []
