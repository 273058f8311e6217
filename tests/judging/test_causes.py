"""Causes: which findings of many deals look like one change."""

from __future__ import annotations

import math
import random
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.judging.causes import Cause, find_causes
from pytest_dealsnap.judging.findings import DealResult, Finding, changed_issue
from pytest_dealsnap.judging.values import percent_change


def found(
    deal_id: object, before: Any, after: Any, *, metric: str = "cost_total", gates: bool = True, kind: str = "carveout"
) -> DealResult:
    """Return a deal with one changed metric."""
    change = percent_change(before, after)
    finding = Finding(metric, changed_issue(metric), before, after, change, "within 5%", gates=gates)
    return DealResult(str(deal_id), None, kind, kind, "regressed" if gates else "changed", findings=(finding,))


def other(deal_id: object, issue: str, *, before: Any = None, after: Any = None, kind: str = "carveout") -> DealResult:
    """Return a deal with a finding of another kind."""
    metric = {"deal_type_changed": "deal_type", "missing_from_database": "deal"}.get(issue, "output")
    count = 1 if issue == "output_changed" and before is None else None
    finding = Finding(metric, issue, before, after, count=count)
    return DealResult(str(deal_id), None, kind, kind, "errored", findings=(finding,))


def shapes(causes: tuple[Cause, ...]) -> list[tuple[str, int]]:
    """Return title and size of each cause."""
    return [(cause.title, len(cause.deals)) for cause in causes]


def test_deals_that_moved_by_the_same_ratio_are_one_cause() -> None:
    """One factor over many costs is one change."""
    results = [found(i, 1000 * i, 1120 * i) for i in range(1, 21)]
    assert shapes(find_causes(results)) == [("cost_total +12.0% · carveout", 20)]


def test_deals_that_moved_by_the_same_amount_are_one_cause() -> None:
    """One fee on top of many costs is one change, however the numbers are written."""
    results = [found(i, 1000 * i, 1000 * i + 50_000) for i in range(1, 11)]
    results += [found(i, 1000.0 * i, 1000.0 * i + 50_000) for i in range(11, 21)]
    results += [found(i, Decimal(1000 * i), Decimal(1000 * i) + Decimal("50000.00")) for i in range(21, 31)]
    assert shapes(find_causes(results)) == [("cost_total +50,000 · carveout", 30)]


def test_a_mixture_of_known_changes_is_taken_apart() -> None:
    """A factor, a fee, stray changes, an error and a loss come out as what they are."""
    stray = [found(i, 1000, 1000 + 7 * i * i, kind="acquisition") for i in range(60, 64)]
    results = [
        *[found(i, 1000 * i, 1300 * i) for i in range(1, 21)],
        *[found(i, 1000 * i, 1000 * i + 777) for i in range(30, 45)],
        *stray,
        *[other(i, "reasoning_failed", after="KeyError: 'x'") for i in range(70, 75)],
        *[other(i, "reasoning_failed", after="ValueError: no") for i in range(75, 78)],
        *[other(i, "missing_from_database") for i in range(80, 82)],
        *[other(i, "deal_type_changed", after="acquisition") for i in range(90, 93)],
        other(99, "deal_type_changed", before="carveout", after="divestiture"),
        other(98, "output_changed"),
        *[other(i, "output_changed", before="KeyError: 'x'") for i in range(100, 102)],
    ]
    assert shapes(find_causes(results)) == [
        ("cost_total +30.0% · carveout", 20),
        ("cost_total +777 · carveout", 15),
        ("reasoning failed: KeyError · carveout", 5),
        ("cost_total +2520.0% to +2778.3% · acquisition", 4),
        ("reasoning failed: ValueError · carveout", 3),
        ("stored type NULL → 'acquisition' · carveout", 3),
        ("errors gone: reasoned again · carveout", 2),
        ("missing from the database · carveout", 2),
        ("output changed outside the metrics · carveout", 1),
        ("stored type 'carveout' → 'divestiture' · carveout", 1),
    ]


def test_directions_metrics_and_gating_are_kept_apart() -> None:
    """Up is not down, one metric not another, and what only reports stands after what gates."""
    results = [
        *[found(i, 100, 110) for i in range(3)],
        *[found(i, 100, 90) for i in range(3, 6)],
        *[found(i, 100, 110, gates=False) for i in range(6, 16)],
        *[found(i, 100, 110, metric="margin") for i in range(16, 19)],
    ]
    causes = find_causes(results)
    assert shapes(causes) == [
        ("cost_total +10.0% · carveout", 3),
        ("cost_total -10.0% · carveout", 3),
        ("margin +10.0% · carveout", 3),
        ("cost_total +10.0% · carveout", 10),
    ]
    assert [cause.gates for cause in causes] == [True, True, True, False]
    assert len({cause.id for cause in causes}) == 4


def test_a_cause_names_its_types_and_lists_its_deals_in_order() -> None:
    """Deals stand by number, then by text; types by name."""
    results = [found(i, 100, 150, kind=k) for i, k in [("b", "divestiture"), (10, "carveout"), (9, "carveout")]]
    [cause] = find_causes(results)
    assert cause.deals == ("9", "10", "b")
    assert cause.deal_types == ("carveout", "divestiture")
    assert cause.title == "cost_total +50.0% · carveout, divestiture"


@pytest.mark.parametrize(
    ("before", "after", "title"),
    [
        ("a", "b", "cost_total changed"),
        (0, 500, "cost_total changed"),
        (None, 5, "cost_total changed"),
        (math.inf, math.inf, "cost_total changed"),
        (-math.inf, math.inf, "cost_total changed"),
        (Decimal("Infinity"), Decimal("Infinity"), "cost_total changed"),
        (float("nan"), 5, "cost_total changed"),
        (Decimal("-9E+999999"), Decimal("9E+999999"), "cost_total +200.0%"),
        (100, 100, "cost_total +0.0%"),
        (100, 106, "cost_total +6.0%"),
    ],
)
def test_one_finding_is_a_cause_of_its_own(before: Any, after: Any, title: str) -> None:
    """Any pair of values has a title, also where no size can be told."""
    assert shapes(find_causes([found(1, before, after)])) == [(f"{title} · carveout", 1)]


def test_from_zero_the_amount_is_told() -> None:
    """Where no ratio exists, deals that moved by one amount are still one cause."""
    assert shapes(find_causes([found(i, 0, 500) for i in range(3)])) == [("cost_total +500 · carveout", 3)]


def test_a_huge_amount_is_told_briefly() -> None:
    """A title stays a title, whatever the size of the number."""
    [cause] = find_causes([found(i, 0, Decimal("1E+5000")) for i in range(3)])
    assert len(cause.title) < 100


def test_nothing_found_has_no_cause() -> None:
    """Matched deals have no causes."""
    assert find_causes([]) == ()
    assert find_causes([DealResult("1", None, "carveout", None, "matched")]) == ()


def test_the_applications_decimal_context_does_not_matter() -> None:
    """An application that works with three digits does not change the amounts."""
    results = [found(i, Decimal("1000000.00") * i, Decimal("1000000.00") * i + Decimal("1234.56")) for i in (1, 2, 3)]
    with localcontext() as context:
        context.prec = 3
        assert shapes(find_causes(results)) == [("cost_total +1,234.56 · carveout", 3)]


values = st.one_of(
    st.integers(-1000, 1000), st.sampled_from([0, 0.5, None, "x", float("nan"), math.inf, Decimal("7.5")])
)
results_of_any_kind = st.lists(
    st.builds(
        found,
        st.integers(0, 10**6),
        values,
        values,
        metric=st.sampled_from(["cost_total", "margin"]),
        gates=st.booleans(),
        kind=st.sampled_from(["carveout", "acquisition"]),
    ),
    max_size=40,
    unique_by=lambda result: result.id,
)


@given(results=results_of_any_kind, seed=st.integers(0, 10))
def test_causes_are_the_same_in_any_order_of_the_results(results: list[DealResult], seed: int) -> None:
    """Workers may finish in any order; the causes, their ids and their order do not change."""
    shuffled = list(results)
    random.Random(seed).shuffle(shuffled)
    assert find_causes(results) == find_causes(shuffled)


@given(results=results_of_any_kind)
def test_every_finding_is_in_exactly_one_cause(results: list[DealResult]) -> None:
    """No finding is lost, none is counted twice."""
    told = [(cause.metric, cause.gates, deal) for cause in find_causes(results) for deal in cause.deals]
    given = [(finding.metric, finding.gates, result.id) for result in results for finding in result.findings]
    assert sorted(told) == sorted(given)
