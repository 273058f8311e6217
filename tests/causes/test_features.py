"""What the deals of a cause have in common, and the others have not."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.causes.clustering import find_causes
from pytest_dealsnap.causes.features import (
    MOST_FIELDS,
    MOST_VALUES,
    FeatureCounter,
    common_features,
    feature_text,
    merge_features,
    without_deals,
    worth_explaining,
)
from pytest_dealsnap.model.cause import Features
from pytest_dealsnap.model.results import DealResult, Failure, Finding, Kind
from pytest_dealsnap.reporting.cause_text import common_text
from pytest_dealsnap.reporting.traits import make_traits, read_traits

Deal = tuple[str, str, dict[str, Any], bool]


def count(*deals: Deal) -> Features:
    """Return the traits of deals: id, type, fields, whether affected."""
    counter = FeatureCounter()
    for deal_id, kind, fields, affected in deals:
        counter.add(deal_id, kind, {name: feature_text(value) for name, value in fields.items()}, affected=affected)
    return counter.traits()


def texts(ids: list[str], types: list[str], traits: Features) -> list[str]:
    """Return what those deals have in common, in words."""
    return [common_text(common).partition(" (Fisher")[0] for common in common_features(ids, types, traits)]


def test_a_field_that_all_affected_and_no_other_deals_share() -> None:
    """Row fields stand before fields of the output that say the same."""
    deals = [(f"{i}", "sale", {"region": "EMEA", "output.zone": 1, "open": True}, True) for i in range(4)]
    deals += [(f"{i}", "sale", {"region": "APAC", "output.zone": 2, "open": True}, False) for i in range(4, 20)]
    assert texts(["0", "1", "2", "3"], ["sale"], count(*deals)) == [
        'all 4 have region = "EMEA", no other deal has',
        "all 4 have output.zone = 1, no other deal has",
    ]


def test_a_type_that_is_affected_as_a_whole_says_it_all() -> None:
    """That all carve-outs are carve-outs need not be said of each of their fields."""
    deals = [(f"{i}", "carveout", {"tsa": 1}, True) for i in range(4)]
    deals += [(f"{i}", "acquisition", {"tsa": 0}, False) for i in range(4, 9)]
    assert texts(["0", "1", "2", "3"], ["carveout"], count(*deals)) == ["every carveout, no other deal"]


def test_a_field_within_a_type() -> None:
    """Carve-outs in one region, where other types have that region, too."""
    deals = [(f"{i}", "carveout", {"region": "EU" if i < 4 else "US"}, i < 4) for i in range(16)]
    deals += [(f"a{i}", "acquisition", {"region": "EU"}, False) for i in range(9)]
    assert texts(["0", "1", "2", "3"], ["carveout"], count(*deals)) == [
        'all 4 have region = "EU", no other carveout has'
    ]


def test_two_values_of_one_field() -> None:
    """Deals of two regions, and no other deal of these."""
    deals = [(f"{i}", "sale", {"region": ("EU", "UK", "US")[i % 3]}, i % 3 < 2) for i in range(18)]
    ids = [deal[0] for deal in deals if deal[3]]
    assert texts(ids, ["sale"], count(*deals)) == ['all 12 have region = "EU" or "UK", no other deal has']


def test_a_field_that_other_deals_have_explains_nothing() -> None:
    """One other deal of the region that did not change is enough."""
    deals = [(f"{i}", "sale", {"region": "EU" if i < 5 else "US"}, i < 4) for i in range(40)]
    assert texts(["0", "1", "2", "3"], ["sale"], count(*deals)) == []


def test_a_field_that_chance_could_have_chosen_explains_nothing() -> None:
    """Of 1,140 ways to choose 3 of 20 deals, one is a region: too many where 12 fields were looked at."""
    many = {f"field{number}": 1 for number in range(11)}

    def deals(fields: dict[str, Any]) -> list[Deal]:
        return [(f"{i}", "sale", {"region": "EU" if i < 3 else "US", **fields}, i < 3) for i in range(20)]

    chosen = ["0", "1", "2"]
    (common,) = common_features(chosen, ["sale"], count(*deals({})))
    assert common.field == "region"
    assert common.chance == pytest.approx(2 / 1140)
    assert common_text(common) == 'all 3 have region = "EU", no other deal has (Fisher p = 0.002)'
    assert common_features(chosen, ["sale"], count(*deals(many))) == ()


def test_too_few_deals_and_all_deals_have_nothing_in_common() -> None:
    """Two deals share something by chance; that all deals share something tells nothing."""
    deals = [(f"{i}", "sale", {"region": "EU" if i < 2 else "US"}, i < 2) for i in range(8)]
    assert texts(["0", "1"], ["sale"], count(*deals)) == []
    everyone = [(f"{i}", "sale", {"region": "EU"}, True) for i in range(8)]
    assert texts([deal[0] for deal in everyone], ["sale"], count(*everyone)) == []
    assert common_features(["7", "8", "9"], ["sale"], Features()) == ()


def test_fields_that_tell_deals_apart_are_dropped() -> None:
    """More values than fifty, a long text, a number with a fraction: nothing that deals share."""
    deals = [(f"{i}", "sale", {"number": i + 1, "memo": "x" * 61, "rate": 0.5, "ok": None}, True) for i in range(60)]
    traits = count(*deals)
    assert list(traits.values) == ["ok"]
    assert traits.dropped == {"number", "memo", "rate"}


@pytest.mark.parametrize(
    ("nothing", "shown"), [(None, "null"), (0, "0"), (0.0, "0"), (Decimal("0.00"), "0"), ("", '""')]
)
def test_that_a_varied_field_has_no_value_is_told(nothing: Any, shown: str) -> None:
    """Deals without a head count, which has hundreds of values elsewhere, are just those that fail."""
    deals = [(f"{i}", "sale", {"heads": nothing if i % 20 == 7 else 0.5 + i}, i % 20 == 7) for i in range(400)]
    ids = [deal[0] for deal in deals if deal[3]]
    assert texts(ids, ["sale"], count(*deals)) == [f"all 20 have heads = {shown}, no other deal has"]


def test_values_of_other_kinds_are_not_the_same() -> None:
    """True is not 1, and 1 is not the text "1"."""
    deals = [(f"{i}", "sale", {"flag": (True, 1, "1", None)[i % 4]}, i % 4 == 0) for i in range(16)]
    assert texts(["0", "4", "8", "12"], ["sale"], count(*deals)) == ["all 4 have flag = true, no other deal has"]


def test_deals_that_failed_could_not_have_shown_a_change() -> None:
    """A failed deal of the region takes nothing from what the others have in common, but is told."""
    results = [
        DealResult(
            f"{i}", None, "sale", "sale", "regressed", findings=(Finding("fee", "fee_changed", 100 * i, 100 * i + 7),)
        )
        for i in range(1, 6)
    ]
    error = Finding("output", "reasoning_failed", None, "ValueError: no", kind=Kind.FAILED)
    results.append(
        DealResult("9", None, "sale", "sale", "errored", findings=(error,), error=Failure("ValueError", "no"))
    )
    deals = [(f"{i}", "sale", {"region": "EU"}, True) for i in (1, 2, 3, 4, 5, 9)]
    deals += [(f"m{i}", "sale", {"region": "US"}, False) for i in range(5)]
    causes = find_causes(results, count(*deals))
    assert [[common_text(common).partition(" (Fisher")[0] for common in cause.common] for cause in causes] == [
        ['all 5 have region = "EU", no other deal has but 1 that failed'],
        [],
    ]


fields = st.dictionaries(
    st.sampled_from(["region", "output.zone", "open", "number"]),
    st.sampled_from([None, "", 0.0, True, 1, "1", "EU", "US", "x" * 61, 0.5]) | st.integers(0, 200),
    max_size=4,
)
populations = st.lists(
    st.tuples(st.integers(0, 999).map(str), st.sampled_from(["sale", "carveout"]), fields, st.booleans()),
    unique_by=lambda deal: deal[0],
    max_size=120,
)


@given(deals=populations, seed=st.integers(0, 9), shards=st.integers(1, 4))
def test_shards_count_what_one_run_counts(deals: list[Deal], seed: int, shards: int) -> None:
    """In any order, and in parts whose reports are merged, the traits are the same."""
    whole = count(*deals)
    shuffled = list(deals)
    random.Random(seed).shuffle(shuffled)
    assert count(*shuffled) == whole
    parts = [count(*shuffled[number::shards]) for number in range(shards)]
    merged = merge_features([read_traits(make_traits(part)) for part in parts])
    assert dict(merged.values) == dict(whole.values)
    assert dict(merged.compared) == dict(whole.compared)
    assert merged.deals == whole.deals
    assert merged.dropped == whole.dropped
    assert {n: dict(t) for n, t in merged.totals.items()} == {n: dict(t) for n, t in whole.totals.items()}


def test_a_field_is_dropped_by_all_its_shards_together() -> None:
    """Fifty values in one shard and one more in another are too many."""
    one = count(*[(f"a{i}", "sale", {"n": i}, True) for i in range(MOST_VALUES)])
    other = count(("b", "sale", {"n": "more"}, True))
    assert "7" in one.values["n"]
    assert merge_features([one, other]).values == {"n": ("0",)}


def test_a_field_of_more_deals_is_not_told_beside_an_exact_one() -> None:
    """A hint beside it would only say less."""
    deals = [(f"{i}", "carveout", {"region": "EU" if i < 4 else "US", "open": i < 5}, i < 4) for i in range(20)]
    deals += [(f"a{i}", "acquisition", {"region": "EU", "open": False}, False) for i in range(20)]
    assert texts(["0", "1", "2", "3"], ["carveout"], count(*deals)) == [
        'all 4 have region = "EU", no other carveout has'
    ]


def test_fields_beyond_the_limit_are_not_counted() -> None:
    """The first ones are, in every deal."""
    fields = {f"field{number:04}": number for number in range(MOST_FIELDS + 1)}
    counted = count(("1", "sale", fields, True), ("2", "sale", fields, False))
    assert sorted(counted.values) == sorted(fields)[:MOST_FIELDS]


def test_only_failed_deals_that_were_counted_are_left_out_of_the_totals() -> None:
    """A failed deal that has no traits, as one that was never compared, takes nothing away."""
    deals: list[Deal] = [("1", "sale", {"region": "EMEA"}, True), ("2", "sale", {"region": "APAC"}, True)]
    left = without_deals(count(*deals, ("3", "lease", {"region": "EMEA"}, False)), {"1": "sale", "9": "lease"})
    assert left.compared == {"lease": 1, "sale": 1}
    assert left.values == {"region": ('"APAC"', '"EMEA"')}
    assert left.totals == {"region": {"lease": (0, 1), "sale": (1, 0)}}


def test_three_traits_are_told_and_not_a_fourth() -> None:
    """Those with the shortest names."""
    names = ("a", "bb", "ccc", "dddd")
    deals: list[Deal] = [(str(i), "sale", dict.fromkeys(names, i < 6), i < 6) for i in range(40)]
    told = common_features([str(i) for i in range(6)], ["sale"], count(*deals))
    assert [common.field for common in told] == ["a", "bb", "ccc"]


def test_a_value_keeps_its_letters() -> None:
    """As it stands in the row, up to sixty letters; what is longer is no value that deals share."""
    assert feature_text("Zürich") == '"Zürich"'
    assert feature_text("ü" * 60) == f'"{"ü" * 60}"'
    assert feature_text("ü" * 61) is None


@pytest.mark.parametrize(("number", "told"), [(3, [(0, 1, 2)]), (4, [])])
def test_up_to_three_values_are_a_trait(number: int, told: list[tuple[int, ...]]) -> None:
    """Four values that the affected deals have between them are none."""
    deals: list[Deal] = [(str(i), "sale", {"zone": i % number if i < 24 else 9}, i < 24) for i in range(90)]
    common = common_features([str(i) for i in range(24)], ["sale"], count(*deals))
    assert [one.values for one in common] == told


def test_a_trait_within_a_type_is_not_told_beside_one_of_all_deals() -> None:
    """It would only say less."""
    deals: list[Deal] = [(str(i), "sale", {"lead": "Ann", "zone": 1}, True) for i in range(6)]
    deals += [(str(i), "sale", {"lead": "Bo", "zone": 2}, False) for i in range(6, 30)]
    deals += [(str(i), "lease", {"lead": "Bo", "zone": 1}, False) for i in range(30, 60)]
    told = common_features([str(i) for i in range(6)], ["sale"], count(*deals))
    assert [(common.field, common.within) for common in told] == [("lead", ())]


def test_a_deal_without_traits_makes_its_cause_one_without() -> None:
    """What is not known of one deal is not common to all; nor is there a trait where all deals are affected."""
    deals: list[Deal] = [(str(i), "sale", {"zone": i < 6}, i < 6) for i in range(30)]
    assert common_features([str(i) for i in range(6)], ["sale"], count(*deals))
    assert common_features([*(str(i) for i in range(6)), "unknown"], ["sale"], count(*deals)) == ()
    assert common_features([str(i) for i in range(6)], ["sale"], count(*deals[:6])) == ()


def test_three_deals_with_findings_are_worth_explaining() -> None:
    """Two always have something in common."""
    deals = [
        DealResult(
            str(i), None, "sale", "sale", "changed", findings=(Finding("fee", "fee_changed", 1, 2, gates=False),)
        )
        for i in range(3)
    ]
    same = DealResult("9", None, "sale", "sale", "matched")
    assert worth_explaining([*deals, same])
    assert not worth_explaining([*deals[:2], same])


def test_a_value_of_one_deal_is_no_part_of_a_trait() -> None:
    """Each of several values has two deals or more."""
    deals: list[Deal] = [(str(i), "sale", {"zone": 1 if i < 7 else 2 if i == 7 else 3}, i < 8) for i in range(60)]
    assert common_features([str(i) for i in range(8)], ["sale"], count(*deals)) == ()
    pairs: list[Deal] = [(str(i), "sale", {"zone": 1 if i < 6 else 2 if i < 8 else 3}, i < 8) for i in range(60)]
    assert [one.values for one in common_features([str(i) for i in range(8)], ["sale"], count(*pairs))] == [(1, 2)]
