"""Entries for the ledger: what is written for a cause takes that cause, and nothing beside it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.baseline.ledger import Ledger, parse_ledger
from pytest_dealsnap.baseline.ledger_writing import entry_text
from pytest_dealsnap.causes.clustering import find_causes
from pytest_dealsnap.causes.features import FeatureCounter, feature_text
from pytest_dealsnap.cli.ledger_entries import NotAcceptableError, Terms, standing_cause, standing_type
from pytest_dealsnap.cli.pinning import pin_cause, pin_deals
from pytest_dealsnap.model.cause import Cause, Features
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import DealResult, Finding, Kind
from pytest_dealsnap.reporting.json_reading import kind_by_name

TERMS = Terms("known", "Ana", "DD-1", date(2999, 1, 31))
TODAY = date(2027, 1, 31)


def moved(
    deal: object, before: Any, after: Any, *, metric: str = "fee", issue: str = "", kind: str = "sale", **facts: Any
) -> DealResult:
    """Return a deal that one changed metric fails."""
    issue = issue or f"{metric}_changed"
    finding = Finding(metric, issue, before, after, kind=kind_by_name(metric, issue), **facts)
    return DealResult(str(deal), None, kind, kind, "regressed", findings=(finding,))


def output(deal: object, *paths: str) -> DealResult:
    """Return a deal whose output changed at *paths*."""
    return moved(deal, None, None, metric="output", issue="output_changed", count=len(paths), paths=paths)


def cause_entry(cause: Cause, results: Sequence[DealResult], terms: Terms) -> dict[str, Any]:
    """Return the standing range of a cause, in its deals."""
    return standing_cause(cause, results, terms, by_type=False)


def book_of(*entries: dict[str, Any], files: dict[str, bytes] | None = None) -> Ledger:
    """Return the ledger that *entries* make, written and read."""
    return parse_ledger("\n".join(map(entry_text, entries)), Path("accepted.toml"), today=TODAY, pending=files)


def accepted(book: Ledger, results: Sequence[DealResult], traits: Features | None = None) -> set[str]:
    """Return the deals that *book* accepts."""
    known = traits or Features()
    return {r.id for r in results if book.apply(r, known.of(r.id).get)[0].status == "accepted"}


def only_cause(results: Sequence[DealResult], traits: Features | None = None) -> Cause:
    """Return the one cause of *results*."""
    [cause] = find_causes(results, traits)
    return cause


@pytest.mark.parametrize(
    ("results", "condition"),
    [
        ([moved(i, 1000 * i, 1120 * i) for i in range(1, 9)], {"change_percent": [Decimal("11.9"), Decimal("12.1")]}),
        ([moved(i, 2000 * i, 3000 * i) for i in range(1, 9)], {"change_percent": [Decimal("49.9"), Decimal("50.1")]}),
        ([moved(i, 1000 * i, 1000 * i + 777) for i in range(1, 9)], {"change_amount": [777, 777]}),
        ([moved(i, 0, 500) for i in range(3)], {"change_amount": [500, 500]}),
        ([moved(i, 0, 5.25) for i in range(3)], {"change_amount": [Decimal("5.25"), Decimal("5.25")]}),
        ([moved(i, 5, None, issue="fee_lost") for i in range(3)], {"lost": True}),
        ([moved(i, ["a", str(i)], [str(i)]) for i in range(3)], {"lost_items": ["a"]}),
        ([moved(i, ["a"], ["b", 1]) for i in range(3)], {"lost_items": ["a"], "gained_items": ["b", 1]}),
        ([moved(i, "low", "high") for i in range(3)], {"value": "high"}),
        ([moved(i, i % 2 == 0, "yes") for i in range(3)], {"value": "yes"}),
        ([moved(i, None, 5) for i in range(3)], {"value": 5}),
        (
            [moved(i, "sale", "carveout", metric="deal_type", issue="deal_type_changed") for i in range(3)],
            {"value": "carveout"},
        ),
        (
            [output(i, f"a[{i}].b") for i in range(3)],
            {"paths": ["a[].b"]},
        ),
    ],
)  # fmt: skip
def test_an_entry_for_each_kind_of_cause(results: list[DealResult], condition: dict[str, Any]) -> None:
    """The narrowest condition that takes all deals of the cause, as it can be written and read."""
    cause = only_cause(results)
    entry = cause_entry(cause, results, TERMS)
    assert {key: value for key, value in entry.items() if key in condition} == condition
    assert entry["cause"] == cause.id
    assert accepted(book_of(entry), results) == set(cause.deals)


def test_a_rounding_is_accepted_within_its_unit() -> None:
    """The next deal's rounding is another amount, but less than the unit."""
    drawn = random.Random(5)
    costs = [drawn.randint(100_001, 900_000) for _ in range(30)]
    results = [moved(i, cost, -(-cost // 1000) * 1000) for i, cost in enumerate(costs)]
    entry = cause_entry(only_cause(results), results, TERMS)
    assert entry["change_amount"] == [0, 1000]
    assert accepted(book_of(entry), results) == {str(i) for i in range(30)}


@pytest.mark.parametrize("by_type", [False, True])
def test_what_deals_happen_to_have_in_common_is_never_written(by_type: bool) -> None:
    """No entry has a `where` of its own accord: of a few deals, a region may well be a coincidence."""
    results = [moved(i, 1000 * i, 1000 * i + 777) for i in range(1, 9)]
    counter = FeatureCounter()
    for i in range(1, 30):
        region = feature_text("EU" if i < 9 else "US")
        counter.add(str(i), "sale", {"region": region}, affected=i < 9)
    cause = only_cause(results, counter.traits())
    assert [common.field for common in cause.common] == ["region"]
    deals = [str(i) for i in range(1, 9)]
    standing = standing_cause(cause, results, TERMS, by_type=by_type)
    assert "where" not in standing
    assert standing["seen" if by_type else "deals"] == deals
    assert standing.get("type") == ("sale" if by_type else None)
    pinned, files = pin_cause(cause, results, TERMS)
    assert "where" not in pinned
    assert pinned["values"] == {str(i): 1000 * i + 777 for i in range(1, 9)}
    assert files == {}
    others = [*results, moved(50, 1000, 1777)]
    assert accepted(book_of(standing), others) == {*deals, *(["50"] if by_type else [])}
    assert accepted(book_of(pinned), others) == set(deals)


def test_a_spread_without_anything_in_common_names_its_deals() -> None:
    """A range of change says little by itself."""
    results = [moved(i, 1000, 1000 + 7 * i * i) for i in (3, 11, 14, 20)]
    entry = cause_entry(only_cause(results), results, TERMS)
    assert entry["deals"] == ["3", "11", "14", "20"]
    assert accepted(book_of(entry), [*results, moved(99, 1000, 1700)]) == {"3", "11", "14", "20"}


@given(
    seed=st.integers(0, 1000),
    count=st.integers(2, 60),
    factor=st.sampled_from([1.12, 0.9, 1.003, 2.5]),
    digits=st.sampled_from([None, 0, 2]),
)
def test_the_entry_of_any_ratio_takes_all_its_deals(seed: int, count: int, factor: float, digits: int | None) -> None:
    """However its digits fall, no deal of the cause is left out by a rounded bound."""
    drawn = random.Random(seed)
    costs = [drawn.randint(100_000, 9_000_000) for _ in range(count)]
    ended = [cost * factor if digits is None else round(cost * factor, digits) for cost in costs]
    results = [moved(i, *pair) for i, pair in enumerate(zip(costs, ended, strict=True))]
    for cause in find_causes(results):
        entry = cause_entry(cause, results, TERMS)
        assert set(cause.deals) <= accepted(book_of(entry), results)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (moved(1, None, "KeyError: x", metric="output", issue="reasoning_failed"), "fix the error"),
        (moved(1, "Acme", None, metric="deal", issue="missing_from_database"), "dealsnap prune"),
    ],
)
def test_what_is_no_value_is_never_accepted(result: DealResult, words: str) -> None:
    """By cause, by deal and by type."""
    for attempt in (
        lambda: cause_entry(only_cause([result]), [result], TERMS),
        lambda: pin_deals([result], TERMS),
        lambda: pin_cause(only_cause([result]), [result], TERMS),
        lambda: standing_type("sale", [result], TERMS, by_type=True),
    ):
        with pytest.raises(NotAcceptableError, match=words):
            attempt()


def test_values_with_nothing_in_common_are_not_accepted_at_once() -> None:
    """Forty other texts are no one change that an entry could name."""
    results = [moved(i, "a" * 60, f"{'b' * 60}{i}") for i in range(4)]
    with pytest.raises(NotAcceptableError, match="the new values have nothing in common"):
        cause_entry(only_cause(results), results, TERMS)
    with pytest.raises(NotAcceptableError, match="the new values of fee have nothing in common"):
        standing_type("sale", results, TERMS, by_type=True)
    gone = [moved(i, ["a"], ["a", None]) for i in range(3)]
    with pytest.raises(NotAcceptableError):
        cause_entry(only_cause(gone), gone, TERMS)


@pytest.mark.parametrize(
    ("result", "condition"),
    [
        (moved(1, 5, 7.5), {"values": {"1": 7.5}}),
        (moved(1, 5, Decimal("7.50")), {"values": {"1": Decimal("7.50")}}),
        (moved(1, 5, None, issue="fee_lost"), {"deals": ["1"], "lost": True}),
        (moved(1, {"a": 1}, {"a": [1, "x"]}), {"values": {"1": {"a": [1, "x"]}}}),
        (moved(1, [1], [1, None, 2]), {}),
        (moved(1, 1, {"a": None}), {}),
        (moved(1, "a", "b" * 500), {}),
        (moved(1, None, None, metric="output", issue="output_changed", count=1, paths=("a",), digest="ab12"),
         {"values": {"1": "ab12"}}),
    ],
)  # fmt: skip
def test_a_deal_is_pinned_at_its_values(result: DealResult, condition: dict[str, Any]) -> None:
    """Inline, or in a file for what TOML cannot hold or a person cannot read; of this deal only, and this value."""
    [entry], files = pin_deals([result], TERMS)
    assert {key: entry[key] for key in condition} == condition
    assert bool(files) == (not condition)
    book = book_of(entry, files=files)
    assert accepted(book, [result]) == {"1"}
    assert accepted(book, [replace(result, id="2")]) == set()
    finding = replace(result.findings[0], current="another", issue="fee_changed", digest="cd34", kind=Kind.METRIC)
    assert accepted(book, [replace(result, findings=(finding,))]) == set()


def test_an_output_without_a_digest_is_not_pinned() -> None:
    """A report of an earlier version holds no digest: nothing says what was accepted."""
    with pytest.raises(NotAcceptableError, match="Run the gate again"):
        pin_deals([output(1, "a")], TERMS)


def test_many_deals_are_pinned_in_a_file() -> None:
    """Thirty values stand beside the ledger, which names the file; each deal is held to its own."""
    results = [moved(i, 1000, 1060 + i) for i in range(30)]
    cause = only_cause(results)
    entry, files = pin_cause(cause, results, TERMS)
    [(name, data)] = files.items()
    assert entry["values"] == name
    assert name.startswith("accepted/")
    assert data.decode().count("\n") > 30, "one line a deal, so that a pull request shows what changed"
    book = book_of(entry, files=files)
    assert accepted(book, results) == {str(i) for i in range(30)}
    swapped = [moved(i, 1000, 1060 + 29 - i) for i in range(30)]
    assert accepted(book, swapped) == set(), "inside the range of all, and the value of none"


def test_only_what_fails_is_pinned() -> None:
    """Of a cause that fails some of its deals and reports others, only the failing ones are exceptions."""
    reported = [moved(i, 1000, 1010 + i, gates=False) for i in range(20)]
    failing = [moved(i, 1000, 1030 + i) for i in range(20, 24)]
    cause = only_cause([*reported, *failing])
    entry, _ = pin_cause(cause, [*reported, *failing], TERMS)
    assert set(entry["values"]) == {"20", "21", "22", "23"}


def test_corruption_is_never_accepted() -> None:
    """A type that was lost is no deviation."""
    result = DealResult(
        "1", None, "sale", None, "regressed", findings=moved(1, 1, 2).findings, corrupt="its type is gone"
    )
    with pytest.raises(NotAcceptableError, match="data corruption cannot be accepted"):
        pin_deals([result], TERMS)


@pytest.mark.parametrize(
    "results",
    [
        [moved(i, 100 * i, 100 * i + i * i) for i in range(1, 9)],
        [moved(i, 0, 5 + i) for i in range(1, 9)],
        [moved(i, 5, None, issue="fee_lost") for i in range(1, 9)],
        [moved(i, ["a", "b"], ["b"]) for i in range(1, 9)],
        [moved(i, "a", "b") for i in range(1, 9)],
        [output(i, f"{'ab'[i % 2]}[{i}]") for i in range(1, 9)],
    ],
)
def test_entries_for_a_type(results: list[DealResult]) -> None:
    """One for each metric, wide enough for all its failed deals, and for no other type."""
    entries = standing_type("sale", results, TERMS, by_type=True)
    assert [entry["type"] for entry in entries] == ["sale"]
    assert accepted(book_of(*entries), results) == {str(i) for i in range(1, 9)}
    others = [DealResult(r.id, None, "carveout", "carveout", "regressed", findings=r.findings) for r in results]
    assert accepted(book_of(*entries), others) == set()
