"""Which deals a report holds in full: the same ones whoever ran them, in whatever order."""

from __future__ import annotations

import random
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_dealsnap.deals.deal import id_order
from pytest_dealsnap.model.details import Details
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import DealResult
from pytest_dealsnap.pipeline.details_kept import DetailBudget, kind_of_change, without_surplus
from tests.reporting.runs import finding, result


def changed(number: int, kind: int, *, spread: float = 0.0) -> DealResult:
    """Return a deal that changed in the *kind*-th way, some more than others."""
    percent = (2.0, -2.0, 30.0)[kind % 3] * (1 + number % 7 * spread)
    return result(str(number), "regressed", finding(f"metric {kind // 3}", 100, 100 + percent, percent))


def kept(results: Iterable[DealResult], *, deals: int = 3, kinds: int = 4) -> dict[str, DealResult]:
    """Return what one process keeps of the results that it ran, in its order, with its details."""
    room = DetailBudget(deals=deals, kinds=kinds)
    return {r.id: replace(r, details=Details() if room.admits(r) else None) for r in results}


def final(results: Iterable[DealResult], *, deals: int = 3, kinds: int = 4) -> list[str]:
    """Return the ids that a report of all *results* holds in full."""
    room = DetailBudget(deals=deals, kinds=kinds)
    whole = sorted(results, key=lambda r: id_order(r.id))
    for one in whole:
        if one.details is not None:
            room.admits(one)
    return [one.id for one in whole if one.details is not None and room.holds(one)]


@settings(max_examples=80)
@given(st.lists(st.integers(0, 8), max_size=60), st.integers(1, 5), st.randoms(use_true_random=False))
def test_workers_and_shards_keep_together_what_one_process_keeps(
    kinds: list[int], processes: int, chance: random.Random
) -> None:
    """Any split over any number of processes, each in any order, gives the same details."""
    results = [changed(number, kind, spread=0.1) for number, kind in enumerate(kinds)]
    alone = final(kept(results).values())
    shuffled = list(results)
    chance.shuffle(shuffled)
    parts = [shuffled[part::processes] for part in range(processes)]
    together = [one for part in parts for one in kept(part).values()]
    assert final(together) == alone


def test_the_first_deals_of_each_kind() -> None:
    """In deal order: 2 comes before 10."""
    results = [changed(number, kind) for number in (10, 9, 8, 2, 1) for kind in (0,)]
    assert final(kept(results).values()) == ["1", "2", "8"]


def test_what_changed_most_is_kept() -> None:
    """A list of deals begins with the largest changes, and a reader with the first of the list."""
    results = [changed(number, 0, spread=0.1) for number in (1, 2, 4, 6, 8, 13)]
    assert final(kept(results).values()) == ["4", "6", "13"]


def test_kinds_that_gate_and_simple_ones_come_first() -> None:
    """Where there are too many kinds, what only reports gives way, and then what changed in many ways."""
    reported = result("1", "changed", finding("a", 1, 2, 100.0, gates=False))
    twice = result("2", "regressed", finding("a", 1, 2, 100.0), finding("b", 1, 2, 100.0))
    once = result("3", "regressed", finding("c", 1, 2, 100.0))
    assert sorted([reported, twice, once], key=kind_of_change) == [once, twice, reported]
    assert final(kept([reported, twice, once], kinds=1).values(), kinds=1) == ["3"]


def test_direction_size_type_and_error_tell_kinds_apart() -> None:
    """One more or one less, a little or a lot, of another type, with another error."""
    base = finding("a", 100, 102, 2.0)
    failed = [finding("output", None, text, issue="reasoning_failed") for text in ("KeyError: 1", "ValueError: 1")]
    kinds = [
        kind_of_change(result("1", "regressed", base)),
        kind_of_change(result("1", "regressed", finding("a", 100, 98, -2.0))),
        kind_of_change(result("1", "regressed", finding("a", 100, 140, 40.0))),
        kind_of_change(result("1", "regressed", base, deal_type="carveout")),
        *(kind_of_change(result("1", "errored", one)) for one in failed),
    ]
    assert len(set(kinds)) == len(kinds)
    assert kind_of_change(result("9", "regressed", finding("a", 100, 103, 3.0))) == kinds[0]


def test_ten_thousand_alike_keep_forty() -> None:
    """The bound holds also in the worst order, and what was displaced is let go."""
    room = DetailBudget()
    descending = [changed(number, 0) for number in range(10_000, 0, -1)]
    assert all(room.admits(one) for one in descending)
    assert [one.id for one in reversed(descending) if room.holds(one)] == [str(n) for n in range(1, 41)]
    ascending = DetailBudget()
    assert sum(ascending.admits(one) for one in reversed(descending)) == 40


def test_surplus_is_dropped_when_a_run_is_concluded() -> None:
    """Two workers kept forty each; the report has forty."""
    results = [replace(changed(number, 0), details=Details()) for number in range(80)]
    assert [r.id for r in without_surplus(results) if r.details] == [str(n) for n in range(40)]
    assert [r.id for r in without_surplus(results)] == [r.id for r in results]
