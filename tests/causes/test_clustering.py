"""Causes: which findings of many deals look like one change."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, localcontext
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.causes.clustering import find_causes
from pytest_dealsnap.judging.values import percent_change
from pytest_dealsnap.model.cause import Cause
from pytest_dealsnap.model.results import DealResult, Finding, Kind, changed_issue
from pytest_dealsnap.reporting.json_reading import kind_by_name


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
    finding = Finding(metric, issue, before, after, count=count, kind=kind_by_name(metric, issue))
    return DealResult(str(deal_id), None, kind, kind, "errored", findings=(finding,))


def lost(deal_id: object, *, kind: str) -> DealResult:
    """Return a deal that has no cost any more."""
    finding = Finding("cost_total", "cost_lost", 5, None, kind=Kind.LOST)
    return DealResult(str(deal_id), None, kind, kind, "regressed", findings=(finding,))


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
        ("cost_total +2520.0% to +2778.3% · acquisition", 4),
        ("reasoning failed: KeyError: 'x' · carveout", 5),
        ("reasoning failed: ValueError: no · carveout", 3),
        ("stored type NULL → 'acquisition' · carveout", 3),
        ("missing from the database · carveout", 2),
        ("stored type 'carveout' → 'divestiture' · carveout", 1),
        ("errors gone: reasoned again · carveout", 2),
        ("output changed outside the metrics · carveout", 1),
    ]


def test_directions_and_metrics_are_kept_apart() -> None:
    """Up is not down, one metric not another, and what fails deals stands before what only reports."""
    results = [
        *[found(i, 100, 110) for i in range(3)],
        *[found(i, 100, 90) for i in range(3, 6)],
        *[found(i, 100, 150, gates=False) for i in range(6, 16)],
        *[found(i, 100, 110, metric="margin") for i in range(16, 19)],
    ]
    causes = find_causes(results)
    assert shapes(causes) == [
        ("cost_total +10.0% · carveout", 3),
        ("cost_total -10.0% · carveout", 3),
        ("margin +10.0% · carveout", 3),
        ("cost_total +50.0% · carveout", 10),
    ]
    assert [cause.gates for cause in causes] == [True, True, True, False]
    assert len({cause.id for cause in causes}) == 4


def test_one_change_is_one_cause_whether_it_fails_a_deal_or_not() -> None:
    """Where one type may move and another may not, the same change is told once, with how many deals it fails."""
    results = [found(i, 1000 * i, 1120 * i, gates=i % 2 == 0, kind=KINDS[i % 2]) for i in range(1, 21)]
    [cause] = find_causes(results)
    assert (cause.title, len(cause.deals), cause.failing) == ("cost_total +12.0% · acquisition, carveout", 20, 10)


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
        ("a", "b", 'cost_total "a" → "b"'),
        ("a" * 50, "b", "cost_total changed"),
        ({"a": 1}, {"a": 2}, "cost_total changed"),
        (True, False, "cost_total true → false"),
        (0, 500, "cost_total +500"),
        (None, 5, "cost_total appeared"),
        (-math.inf, math.inf, 'cost_total "-Infinity" → "Infinity"'),
        (Decimal("-Infinity"), 5, "cost_total changed"),
        (float("nan"), 5, "cost_total appeared"),
        (["a", "b"], ["b"], 'cost_total lost "a"'),
        (["a"], ["b", "a"], 'cost_total gained "b"'),
        (["a", 1], [1, "b"], 'cost_total lost "a" and gained "b"'),
        (["a", "b"], ["b", "a"], "cost_total: same items, another order"),
        (["a"], list("bcdefgh"), "cost_total has other items"),
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


KINDS = ("acquisition", "carveout", "divestiture")


@dataclass(frozen=True)
class Mixture:
    """Deals to which known changes were made, and which of them each deal has."""

    results: list[DealResult]
    truth: dict[str, set[str]]


def mixture(seed: int, count: int, finish: Callable[[float], Any], *, largest: int = 5_000_000) -> Mixture:
    """Return *count* deals: +12 % on carve-outs, +50,000 in one region of three, then *finish* on every new cost."""
    drawn = random.Random(seed)
    results, truth = [], {"ratio": set[str](), "amount": set[str](), "finish": set[str]()}
    for number in range(count):
        deal, kind, before = str(number), KINDS[number % 3], drawn.randint(largest // 50, largest)
        after: float = before
        if kind == "carveout":
            after *= 1.12
            truth["ratio"].add(deal)
        if drawn.randrange(4) == 0:
            after += 50_000
            truth["amount"].add(deal)
        ended = finish(after)
        if abs(ended - after) > 1:
            truth["finish"].add(deal)
        if ended != before:
            results.append(found(number, before, ended, kind=kind))
    return Mixture(results, truth)


def up_to(unit: int) -> Callable[[float], int]:
    """Return what rounds up to whole *unit*s."""
    return lambda value: -(-round(value) // unit) * unit


def parts(made: Mixture) -> dict[str, set[str]]:
    """Return the deals of each cause of a mixture, by what the title says beside metric and types."""
    causes = find_causes(made.results)
    return {cause.title.split(" · ")[0].removeprefix("cost_total "): set(cause.deals) for cause in causes}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("count", [120, 400])
@pytest.mark.parametrize(
    "finish", [round, float, lambda value: round(value, 2)], ids=["whole numbers", "floats", "cents"]
)
def test_a_ratio_and_an_amount_on_top_of_each_other(seed: int, count: int, finish: Callable[[float], Any]) -> None:
    """Deals that show both changes are a cause of their own, which names both."""
    made = mixture(seed, count, finish)
    ratio, amount = made.truth["ratio"], made.truth["amount"]
    expected = {"+12.0%": ratio - amount, "+50,000": amount - ratio, "+12.0% and +50,000": ratio & amount}
    assert parts(made) == expected


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("unit", [100, 500, 1000])
def test_a_rounding_everywhere_hides_no_other_change(seed: int, unit: int) -> None:
    """Rounded on top of a ratio and an amount, each deal still belongs to the change that it has."""
    made = mixture(seed, 300, up_to(unit))
    ratio, amount = made.truth["ratio"], made.truth["amount"]
    assert parts(made) == {
        "+12.0%": ratio - amount,
        "about +50,000": amount - ratio,
        "+12.0% and +50,000": ratio & amount,
        f"rounded to {unit:,}": {result.id for result in made.results} - ratio - amount,
    }


def test_rounding_to_the_nearest_goes_both_ways() -> None:
    """Up and down are one change where both come of rounding."""
    drawn = random.Random(7)
    costs = [drawn.randint(100_001, 900_000) for _ in range(40)]
    moved = [(cost, round(cost / 100) * 100) for cost in costs if cost % 100]
    causes = find_causes([found(i, before, after) for i, (before, after) in enumerate(moved)])
    assert shapes(causes) == [("cost_total rounded to 100 · carveout", len(moved))]


def test_sums_of_rounded_parts_are_still_one_ratio() -> None:
    """A ratio that holds for every line, each rounded, holds nearly for their sum."""
    drawn = random.Random(3)
    costs = [drawn.randint(800_000, 5_000_000) for _ in range(30)]
    causes = find_causes([found(i, cost, round(cost * 1.3) + drawn.randint(-150, 150)) for i, cost in enumerate(costs)])
    assert shapes(causes) == [("cost_total +30.0% · carveout", 30)]


def test_counts_that_fell_by_one_are_one_cause() -> None:
    """From 3 to 2 and from 9 to 8 is one lost item, not two ratios; counts that moved otherwise are a spread."""
    causes = find_causes([found(i, 3 + i % 7, 2 + i % 7, metric="synergy_count") for i in range(21)])
    assert shapes(causes) == [("synergy_count -1 · carveout", 21)]
    doubled = find_causes([found(i, 3 + i % 7, 6 + i % 7 * 2, metric="synergy_count") for i in range(21)])
    assert shapes(doubled) == [("synergy_count +3 … +9 · carveout", 21)]


def test_two_ratios_on_top_of_each_other_are_one_ratio() -> None:
    """Deals that moved by 10 % and by 5 % moved by 15.5 %."""
    drawn = random.Random(11)
    results = []
    for number in range(300):
        before = drawn.randint(100_000, 900_000)
        factor = (1.1 if number % 5 < 2 else 1) * (1.05 if number % 3 == 0 else 1)
        if factor != 1:
            results.append(found(number, before, round(before * factor, 2)))
    assert shapes(find_causes(results)) == [
        ("cost_total +10.0% · carveout", len([n for n in range(300) if n % 5 < 2 and n % 3])),
        ("cost_total +5.0% · carveout", len([n for n in range(300) if n % 5 > 1 and n % 3 == 0])),
        ("cost_total +15.5% · carveout", len([n for n in range(300) if n % 5 < 2 and n % 3 == 0])),
    ]


def test_types_are_kept_apart() -> None:
    """Each type that moved by no one size is a change of its own."""
    drawn = random.Random(5)

    def moved(number: int, kind: str, low: float, high: float) -> DealResult:
        before = drawn.randint(100_000, 900_000)
        return found(number, before, round(before * drawn.uniform(low, high)), kind=kind)

    results = [moved(i, "carveout", 1.5, 3.0) for i in range(30)]
    results += [moved(i, "acquisition", 1.01, 1.06) for i in range(30, 60)]
    results += [moved(i, "divestiture", 1.01, 1.06) for i in range(60, 90)]
    told = [(cause.deal_types, len(cause.deals)) for cause in find_causes(results)]
    assert sorted(told) == [(("acquisition",), 30), (("carveout",), 30), (("divestiture",), 30)]


def test_errors_are_grouped_by_what_their_messages_have_in_common() -> None:
    """Numbers, ids, quoted parts and the deal's own name make no difference; another message does."""
    results = [
        *[other(f"k{i}", "reasoning_failed", after=f"ValueError: no price for {i * 100} of 'k{i}'") for i in range(5)],
        *[other(f"m{i}", "reasoning_failed", after=f"ValueError: deal m{i} is closed") for i in range(4)],
    ]
    assert shapes(find_causes(results)) == [
        ("reasoning failed: ValueError: no price for # of '<deal>' · carveout", 5),
        ("reasoning failed: ValueError: deal <deal> is closed · carveout", 4),
    ]


def failures(*messages: str) -> list[DealResult]:
    """Return deals that failed with these messages."""
    return [other(f"k{i}", "reasoning_failed", after=message) for i, message in enumerate(messages)]


def test_errors_that_quote_the_same_are_one_cause() -> None:
    """Which key is missing matters most: two keys are two causes, and each keeps its id without the other."""
    users, sites = ["KeyError: 'users'"] * 5, ["KeyError: 'sites'"] * 3
    both = find_causes(failures(*users, *sites))
    assert shapes(both) == [
        ("reasoning failed: KeyError: 'users' · carveout", 5),
        ("reasoning failed: KeyError: 'sites' · carveout", 3),
    ]
    assert [find_causes(failures(*one))[0].id for one in (users, sites)] == [cause.id for cause in both]


def test_errors_that_quote_something_else_each_are_one_cause() -> None:
    """What is quoted may be a deal's own data: of many kinds, or each of a few deals, it tells no changes apart."""
    single = failures(*(f"KeyError: 'asset {chr(97 + i)}'" for i in range(20)))
    assert shapes(find_causes(single)) == [("reasoning failed: KeyError: '…' · carveout", 20)]
    many = failures(*(f"KeyError: 'asset {chr(97 + i % 7)}'" for i in range(28)))
    assert shapes(find_causes(many)) == [("reasoning failed: KeyError: '…' · carveout", 28)]
    numbered = failures(*(f"KeyError: 'row {i % 3}'" for i in range(12)))
    assert shapes(find_causes(numbered)) == [("reasoning failed: KeyError: 'row #' · carveout", 12)]


def test_many_single_messages_of_one_error_are_one_cause() -> None:
    """A message that no two deals share tells no changes apart."""
    letters = [f"{chr(97 + i)}{chr(98 + i)}" for i in range(20)]
    results = [other(i, "reasoning_failed", after=f"ValueError: {word}") for i, word in enumerate(letters)]
    assert shapes(find_causes(results)) == [("reasoning failed: ValueError: ab and 19 other messages · carveout", 20)]


def changed_output(deal_id: object, *paths: str, gates: bool = True) -> DealResult:
    """Return a deal whose output changed at *paths*."""
    finding = Finding("output", "output_changed", gates=gates, count=len(paths), paths=paths, kind=Kind.OUTPUT)
    return DealResult(str(deal_id), None, "carveout", "carveout", "regressed", findings=(finding,))


def test_changed_outputs_are_grouped_by_their_paths_without_indices() -> None:
    """Paths that change in the same deals are one change; a deal can show two."""
    results = [changed_output(i, f"lines[{i}].net", f"lines[{i}].gross", "total") for i in range(20)]
    results += [changed_output(i, "owner.name") for i in range(20, 30)]
    results += [changed_output(i, "lines[0].net", "lines[0].gross", "owner.name", "total") for i in range(30, 40)]
    causes = find_causes(results)
    assert [(cause.paths, len(cause.deals)) for cause in causes] == [
        (("lines[].gross", "lines[].net", "total"), 30),
        (("owner.name",), 20),
    ]
    assert causes[0].title == "output lines[].gross and 2 more paths · carveout"


def test_keys_that_are_names_of_the_users_own_are_no_paths_of_their_own() -> None:
    """An object with very many keys is a table: one change in it, not hundreds."""
    results = [changed_output(i, f"by_party.{'abcdefghij'[i % 10]}{'klmnopqrst'[i // 10]}.net") for i in range(100)]
    [cause] = find_causes(results)
    assert (cause.paths, len(cause.deals)) == (("by_party.*.net",), 100)


def test_what_only_accompanies_a_cause_is_told_beside_it() -> None:
    """A lost item that is counted, listed and gone from the output is one change, not three."""
    results = []
    for number in range(30):
        lost = ("it", "law")[number % 2]
        findings = (
            Finding("risk_count", "risk_count_changed", 3, 2, -33.3, "equal"),
            Finding("risks", "risks_changed", ["fx", lost], ["fx"], None, "report", gates=False),
            Finding("output", "output_changed", gates=False, count=1, paths=("risks[1]",), kind=Kind.OUTPUT),
        )
        results.append(DealResult(str(number), None, "carveout", "carveout", "regressed", findings=findings))
    [cause] = find_causes(results)
    assert cause.title == "risk_count -1 · carveout"
    assert sorted(cause.also) == ["output risks[]", 'risks lost "it"', 'risks lost "law"']


def test_what_fails_deals_is_never_told_beside_something_else() -> None:
    """Two metrics that both fail the same deals are two causes: each has to be decided."""
    results = []
    for number in range(1, 11):
        findings = (
            Finding("fee", "fee_changed", 100 * number, 112 * number, 12.0, "within 5%"),
            Finding("tax", "tax_changed", 200 * number, 210 * number, 5.0, "equal"),
        )
        results.append(DealResult(str(number), None, "carveout", "carveout", "regressed", findings=findings))
    assert len(find_causes(results)) == 2


@pytest.mark.parametrize(
    ("one", "other_run"),
    [
        ([found(i, 1000 * i, 1120 * i) for i in range(1, 9)], [found(i, 1000 * i, 1120.2 * i) for i in range(1, 9)]),
        (
            [found(i, 1000 * i, 1120 * i) for i in range(1, 9)],
            [found(i, 1000 * i, 1120 * i, kind=KINDS[i % 2]) for i in range(1, 99)],
        ),
        (
            [found(i, 1000 * i, 1000 * i + 50_000) for i in range(1, 9)],
            [found(i, 1000 * i, 1000 * i + 50_010) for i in range(1, 20)],
        ),
        ([found(1, 100, 130), found(2, 100, 190)], [found(1, 100, 130), found(2, 100, 190), found(3, 100, 160)]),
        (
            [other(i, "reasoning_failed", after=f"KeyError: {i}") for i in range(3)],
            [other(i, "reasoning_failed", after=f"KeyError: {i}") for i in range(40, 80)],
        ),
        (
            [changed_output(i, f"a[{i}].b") for i in range(4)],
            [changed_output(i, f"a[{i}].b") for i in range(9)],
        ),
    ],
    ids=["size", "deals and types", "amount", "spread", "error", "paths"],
)
def test_the_id_of_a_change_stays_between_runs(one: list[DealResult], other_run: list[DealResult]) -> None:
    """With more deals, another type, or a size that moved a little, a change keeps the id that a ledger names."""
    assert [cause.id for cause in find_causes(one)] == [cause.id for cause in find_causes(other_run)]


@pytest.mark.parametrize(
    "changes",
    [
        [
            [found(i, 1000, 1000 + i * 11) for i in (1, 3, 8)],
            [found(i, 1000, 1000 + i * 370) for i in (2, 4, 8)],
            [found(i, 1000, 1120) for i in range(1, 9)],
        ],
        [[found(i, 1000, 1115) for i in range(1, 9)], [found(i, 1000, 1123) for i in range(1, 9)]],
        [[changed_output(i, "a", "b") for i in range(4)], [changed_output(i, "a", "zz") for i in range(4)]],
        [
            [found(i, "a" * 60, f"{'b' * 60}{i}") for i in range(4)],
            [found(i, "a" * 60, "c" * 60 + str(i)) for i in range(4)],
        ],
        [[lost(i, kind="carveout") for i in range(4)], [lost(i, kind="acquisition") for i in range(4)]],
    ],
    ids=["spreads", "ratios", "paths", "texts", "lost"],
)
def test_another_change_of_the_same_metric_has_another_id(changes: list[list[DealResult]]) -> None:
    """An id contains what the change is: one decided on in a report is not taken for another change in the next."""
    ids = [cause.id for results in changes for cause in find_causes(results)]
    assert len(set(ids)) == len(ids) >= len(changes)


def test_ids_tell_changes_apart() -> None:
    """Other sizes, and directions, have other ids."""
    pairs = [(100, 112), (100, 113), (100, 88), (100, 150)]
    ids = {cause.id for low, high in pairs for cause in find_causes([found(i, low * i, high * i) for i in range(1, 5)])}
    assert len(ids) == 4


def test_a_report_that_was_saved_has_the_same_causes() -> None:
    """NaN and infinities, which stand as words in a report, are the same change there."""
    saved = [found(1, "NaN", 5), found(2, "-Infinity", "Infinity"), found(3, ["NaN"], [])]
    live = [found(1, float("nan"), 5), found(2, -math.inf, math.inf), found(3, [float("nan")], [])]
    assert find_causes(saved) == find_causes(live)


def calls_of(count: int) -> int:
    """Return how many calls of its functions it takes to group *count* deals of several changes."""
    results = mixture(1, count, up_to(1000)).results
    results += [other(f"e{i}", "reasoning_failed", after=f"ValueError: row {i}") for i in range(count // 10)]
    results += [changed_output(f"o{i}", *(f"k{i % 7}[{j}].x" for j in range(i % 5))) for i in range(count // 2)]
    calls = 0

    def count_call(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call" and "judging" in frame.f_code.co_filename

    sys.setprofile(count_call)
    try:
        find_causes(results)
    finally:
        sys.setprofile(None)
    return calls


def test_the_work_grows_with_the_findings_and_not_faster() -> None:
    """Four times the deals take four times the calls, so a hundred thousand can be grouped."""
    assert calls_of(4_000) < 4.4 * calls_of(1_000)


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
def test_every_finding_is_in_a_cause(results: list[DealResult]) -> None:
    """No finding is lost: each is in a cause of its metric, or in one that names what accompanies it."""
    causes = find_causes(results)
    told = {(cause.metric, deal) for cause in causes for deal in cause.deals}
    beside = {deal for cause in causes if cause.also for deal in cause.deals}
    for result in results:
        for finding in result.findings:
            assert (finding.metric, result.id) in told or result.id in beside
    for cause in causes:
        failing = sum(finding.gates and finding.metric == cause.metric for r in results for finding in r.findings)
        assert cause.failing <= min(failing, len(cause.deals))


def test_a_type_with_one_deal_is_a_change_of_its_own() -> None:
    """One deal of another type does not widen what is said of the others."""
    results = [found(1, 1000, 1100, kind="divestiture")]
    results += [found(2, 1000, 1113), found(3, 2000, 2262), found(4, 3000, 3507)]
    assert shapes(find_causes(results)) == [
        ("cost_total +11.3% to +16.9% · carveout", 3),
        ("cost_total +10.0% · divestiture", 1),
    ]


def test_a_message_of_eighty_letters_is_shown_whole_and_a_longer_one_is_cut() -> None:
    """To eighty with the ellipsis."""
    whole = ("no price is known for this site " * 3)[:79] + "."
    longer = f"{whole[:-1]}ly."
    (cause,) = find_causes(failures(*[f"ValueError: {whole}"] * 3))
    assert cause.title == f"reasoning failed: ValueError: {whole} · carveout"
    (cause,) = find_causes(failures(*[f"ValueError: {longer}"] * 3))
    assert cause.title == f"reasoning failed: ValueError: {whole[:-1]}… · carveout"


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([found(i, 1000 * i, 1120 * i) for i in range(1, 9)], "ab81e9389a62"),
        ([found(i, 1000, 1000 + i * 370) for i in (2, 4, 8)], "1a8d301d079d"),
        ([found(i, "a" * 60, f"{'b' * 60}{i}") for i in range(4)], "8db2a111ec9f"),
        ([changed_output(i, "a", "b") for i in range(4)], "60f6926dd250"),
    ],
    ids=["ratio", "spread", "texts", "paths"],
)
def test_the_id_of_a_change_stays_between_versions(results: list[DealResult], expected: str) -> None:
    """A ledger that was written by an earlier version names it."""
    [cause] = find_causes(results)
    assert cause.id == expected


@pytest.mark.parametrize(
    "issue",
    ["reasoning_failed", "missing_from_database", "deal_type_changed", "type_has_no_effect"],
    ids=["failed", "gone", "type", "no effect"],
)
def test_numbers_stand_before_errors_and_errors_before_texts(issue: str) -> None:
    """However many deals each of them fails; the output stands last."""
    results = [found(i, 100, 150) for i in range(2)]
    results += [other(i, issue, after=("a = b",) if "effect" in issue else "KeyError: x") for i in range(10, 13)]
    results += [found(i, "a", "b", metric="buyer") for i in range(20, 30)]
    results += [changed_output(i, "a", "b") for i in range(40, 60)]
    gating = [cause.metric for cause in find_causes(results) if cause.gates]
    places = [
        gating.index("cost_total"),
        next(i for i, m in enumerate(gating) if m.startswith("deal") or m == "output"),
    ]
    assert [*places, gating.index("buyer")] == [0, 1, 2]


def reordered(deal_id: object, *lists: str, also: tuple[str, ...] = (), gates: bool = True) -> DealResult:
    """Return a deal in which *lists* are in another order, and the paths *also* changed."""
    paths = (*(f"{one}[0].name" for one in lists), *also)
    finding = Finding(
        "output",
        "output_changed",
        count=len(paths),
        paths=paths,
        gates=gates,
        reordered=lists,
        allowed="equal",
        kind=Kind.OUTPUT,
    )
    return DealResult(str(deal_id), None, "carveout", "carveout", "regressed", findings=(finding,))


def test_lists_in_another_order_are_a_kind_of_their_own() -> None:
    """Also where other paths change in the same deals: those are another cause, and no path is told twice."""
    results = [reordered(i, "steps", "owners") for i in range(10)]
    results += [reordered(i, "steps", "owners", also=("fee",)) for i in range(10, 20)]
    causes = find_causes(results)
    assert [(cause.title, len(cause.deals), cause.reordered, cause.paths) for cause in causes] == [
        (
            "output owners and 1 more path: same items, another order · carveout",
            20,
            True,
            ("owners", "steps"),
        ),
        ("output fee · carveout", 10, False, ("fee",)),
    ]
    assert len({cause.id for cause in causes}) == 2
    apart = find_causes([reordered(i, "steps", also=("steps_done[0]",)) for i in range(5)])
    assert {cause.paths for cause in apart} == {("steps_done[]",), ("steps",)}


def test_two_causes_that_are_alike_in_all_that_an_id_is_made_of_have_two_ids() -> None:
    """12 % and 12.003 % are one class of sizes, which keeps an id where a size moves a little."""
    starts = [1000 * i + 7 for i in range(1, 13)]
    results = [found(i, start, Decimal(start) * Decimal("1.12")) for i, start in enumerate(starts)]
    results += [found(20 + i, start, Decimal(start) * Decimal("1.12003")) for i, start in enumerate(starts)]
    causes = find_causes(results)
    assert shapes(causes) == [("cost_total +12.0% · carveout", 12)] * 2
    assert causes[0].id != causes[1].id


def test_sums_of_rounded_parts_are_one_ratio_beside_another_one() -> None:
    """Changes that lie near each other are one ratio of their type, not many that only look exact."""
    drawn = random.Random(8)
    results = []
    for number in range(80):
        before, factor = drawn.randint(50_000, 5_000_000), (1.037, 0.89)[number % 2]
        after = sum(round(before / 7 * factor) for _ in range(7))
        results.append(found(number, before, after, kind=("carveout", "divestiture")[number // 2 % 2]))
    assert sorted(shapes(find_causes(results))) == [
        ("cost_total +3.7% · carveout", 20),
        ("cost_total +3.7% · divestiture", 20),
        ("cost_total -11.0% · carveout", 20),
        ("cost_total -11.0% · divestiture", 20),
    ]


@pytest.mark.parametrize("number", [1, 2])
def test_a_cause_far_down_is_not_asked_for_its_company(number: int) -> None:
    """Forty heavier causes are compared with the rest; what accompanies the last of these is listed under it."""
    heavy = [found(f"{k}-{i}", 10, 10 + 7 * k, metric=f"m{k:02}") for k in range(38 + number) for i in range(60 - k)]
    last = [f"z{i}" for i in range(3)]
    results = heavy + [
        DealResult(
            deal,
            None,
            "carveout",
            "carveout",
            "regressed",
            findings=(
                Finding("y", "y_changed", 10, 20, 100.0),
                Finding("output", "output_changed", count=1, paths=("memo",), gates=False, kind=Kind.OUTPUT),
            ),
        )
        for deal in last
    ]
    causes = find_causes(results)
    assert len(causes) == 38 + number + 1 + (number == 2)
    told = next(cause for cause in causes if cause.metric == "y")
    assert told.also == (("output memo",) if number == 1 else ())


def quiet(deals: range, metric: str) -> list[DealResult]:
    """Return deals in which one text changed, and fails nothing."""
    return [found(i, "a", "b", metric=metric, gates=False) for i in deals]


def together(*parts: list[DealResult]) -> list[DealResult]:
    """Return the deals of *parts* with the findings of all of them."""
    findings: dict[str, list[Finding]] = {}
    for result in (one for part in parts for one in part):
        findings.setdefault(result.id, []).extend(result.findings)
    return [
        DealResult(deal, None, "carveout", "carveout", "regressed", findings=tuple(own))
        for deal, own in findings.items()
    ]


def told(results: list[DealResult]) -> dict[str, tuple[str, ...]]:
    """Return what is told beside each cause, by its metric."""
    return {cause.metric: cause.also for cause in find_causes(results, order=("cost_total", "buyer"))}


def test_what_is_told_beside_a_cause_has_nothing_beside_itself() -> None:
    """It is not shown, so that what lies in its deals alone would be shown nowhere."""
    costs = [found(i, 1000 + i, 2000 + 2 * i) for i in range(100)]
    memos = [changed_output(i, "memo") for i in range(12, 112)]
    results = together(costs, quiet(range(5, 105), "buyer"), memos)
    assert told(results) == {"cost_total": ('buyer "a" → "b"',), "output": ()}


@pytest.mark.parametrize(("number", "beside"), [(9, True), (8, False)])
def test_what_accompanies_nine_tenths_of_a_cause_is_told_beside_it(number: int, beside: bool) -> None:
    """Fewer are a change of their own; so are changes of which more than a tenth lies elsewhere."""
    costs = [found(i, 1000 + i, 2000 + 2 * i) for i in range(10)]
    assert told(together(costs, quiet(range(number), "buyer"))) == (
        {"cost_total": ('buyer "a" → "b"',)} if beside else {"cost_total": (), "buyer": ()}
    )
    wider = together(costs, quiet(range(11 if beside else 12), "buyer"))
    assert ("buyer" in told(wider)) is not beside


def test_five_quoted_words_are_five_errors_and_six_are_one() -> None:
    """More words than that name data of the deals."""
    five = [f"KeyError: '{word}'" for word in ("users", "sites", "apps", "rates", "terms") for _ in range(3)]
    assert [size for _, size in shapes(find_causes(failures(*five)))] == [3] * 5
    six = five + ["KeyError: 'staff'"] * 3
    assert shapes(find_causes(failures(*six))) == [("reasoning failed: KeyError: '…' · carveout", 18)]


def test_three_messages_of_one_shape_are_an_error_beside_two_of_another() -> None:
    """Each quotes something else; the two are told together with what else is rare."""
    messages = [f"ValueError: no rate for '{name}'" for name in ("a1", "b2", "c3")]
    messages += [f"ValueError: '{name}' is late" for name in ("d4", "e5")]
    assert shapes(find_causes(failures(*messages))) == [
        ("reasoning failed: ValueError: no rate for '…' · carveout", 3),
        ("reasoning failed: ValueError: '…' is late · carveout", 2),
    ]


def test_one_message_is_told_as_it_is() -> None:
    """With its number, and on one line."""
    causes = find_causes(failures(*["ValueError: no price\n for 12"] * 4))
    assert shapes(causes) == [("reasoning failed: ValueError: no price for 12 · carveout", 4)]


def test_counts_of_two_types_that_moved_by_one_amount_are_one_cause() -> None:
    """Percentages of counts say nothing; two amounts are two causes."""
    three = [found(i, 3, 2, metric="synergy_count") for i in range(3)]
    five = [found(i, 5, 4, metric="synergy_count", kind="divestiture") for i in range(3, 6)]
    assert shapes(find_causes(three + five)) == [("synergy_count -1 · carveout, divestiture", 6)]
    six = [found(i, 6, 4, metric="synergy_count", kind="divestiture") for i in range(3, 6)]
    assert shapes(find_causes(three + six)) == [
        ("synergy_count -1 · carveout", 3),
        ("synergy_count -2 · divestiture", 3),
    ]


def test_an_amount_from_zero_is_no_percentage() -> None:
    """By 5,000 from 0, and by 5,000 %, are two changes."""
    causes = find_causes([found(1, 0, 5000), found(2, 100, 5100, kind="divestiture")])
    assert sorted(shapes(causes)) == [("cost_total +5,000 · carveout", 1), ("cost_total +5000.0% · divestiture", 1)]


def test_a_type_without_effect_on_one_deal_is_a_cause() -> None:
    """By the types that are alike."""
    (cause,) = find_causes([other(1, "type_has_no_effect", after=("acquisition = carveout",))])
    assert cause.title == "the same output: acquisition = carveout · carveout"


@pytest.mark.parametrize(("number", "title"), [(3, 'buyer "a" → "b"'), (2, "buyer changed")])
def test_three_values_that_became_the_same_are_told(number: int, title: str) -> None:
    """Two are told with the others."""
    results = [found(i, "a", "b", metric="buyer") for i in range(number)]
    results += [found(10 + i, f"x{i}", f"y{i}", metric="buyer") for i in range(3)]
    assert title + " · carveout" in dict(shapes(find_causes(results)))
    assert len(find_causes(results)) == number - 1


def test_a_metric_in_another_order_is_marked_as_such() -> None:
    """So that reports name the rule that allows it."""
    (cause,) = find_causes([found(i, ["a", "b"], ["b", "a"], metric="risks") for i in range(3)])
    assert (cause.title, cause.reordered) == ("risks: same items, another order · carveout", True)


@pytest.mark.parametrize(("length", "told"), [(40, True), (41, False)])
def test_texts_of_forty_characters_are_told(length: int, told: bool) -> None:
    """Longer ones just changed."""
    (cause,) = find_causes([found(i, "a" * length, "b", metric="buyer") for i in range(3)])
    assert cause.title == (f'buyer "{"a" * length}" → "b" · carveout' if told else "buyer changed · carveout")


def test_one_deal_that_breaks_a_rule_between_types_is_a_cause() -> None:
    """Told by the rule."""
    finding = Finding("tsa", "matrix_rule_broken", None, 5, allowed="only carveout", kind=Kind.BETWEEN_TYPES)
    result = DealResult("1", None, "acquisition", "acquisition", "regressed", findings=(finding,))
    assert [cause.title for cause in find_causes([result])] == ["tsa has a value, only carveout · acquisition"]


def test_a_number_that_did_not_move_is_a_cause_apart_from_those_that_rose() -> None:
    """A rule such as a ratio may refuse an unchanged value."""
    results = [found(i, 1000 + i, 1000 + i) for i in range(2)] + [found(9, 1000, 1500)]
    assert len(find_causes(results)) == 2
