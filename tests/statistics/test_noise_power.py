"""Noisy gates against simulated reasoners: the committed table holds, and unchanged code is seldom red."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_dealsnap.judging.noise_floors import Pair, chance_beyond, tally
from pytest_dealsnap.judging.noise_rules import with_floor
from tests.statistics.noise_power import CHANGES, KINDS, RULE, TABLE, shares
from tests.statistics.simulated_reasoners import NOISES, Reasoner, true_cost

COMMITTED: Any = json.loads(TABLE.read_text(encoding="utf-8"))
GATES = 60


@pytest.mark.slow  # thousands of simulated runs
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change", CHANGES)
def test_a_cell_of_the_table_is_met(kind: str, change: str) -> None:
    """At a noise of 5 %: within three standard errors of both samples."""
    committed = COMMITTED["shares"][kind][change]["0.05"]
    for name, share in shares(kind, 0.05, change, GATES).items():
        wide = max(committed[name] * (1 - committed[name]), 0.01)
        assert abs(share - committed[name]) <= 3 * (wide / GATES + wide / COMMITTED["gates"]) ** 0.5, name


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("noise", ["0.02", "0.05", "0.1", "0.2"])
def test_unchanged_code_proceeds(kind: str, noise: str) -> None:
    """In 95 of 100 gates and more, whatever the noise; a shift alone is false in no more than 5 of 100."""
    cell = COMMITTED["shares"][kind]["unchanged"][noise]
    assert cell["confirmed"] <= 0.05
    assert cell["or shifted"] <= 0.1


def test_large_changes_are_found() -> None:
    """Where noise is below the rule nearly always, and less often the more noise there is."""
    for change in ("all deals +12 %", "10 % of the deals +50 %"):
        row = [cell["or shifted"] for cell in COMMITTED["shares"]["normal"][change].values()]
        assert row[0] >= 0.93
        assert row[1] > row[2] > row[3]


@pytest.mark.parametrize("kind", NOISES)
def test_a_floor_is_exceeded_no_more_often_than_it_says(kind: str) -> None:
    """Costs over two decades, and 3 % of the runs fail: a pair without both values says nothing."""
    pairs, gates, beyond, judged = 9, 700, 0, 0
    for seed in range(gates):
        reasoner = Reasoner(kind, 0.1, seed, errors=0.03)
        costs = [({"cost": reasoner(deal, 1)}, {"cost": reasoner(deal, 2)}) for deal in range(pairs + 1)]
        *known, (before, after) = costs
        measured = tally([Pair(*one) for one in known], ["cost"]).metrics["cost"]
        if None in (before["cost"], after["cost"]) or measured.pairs < pairs:
            continue
        judged += 1
        beyond += not with_floor(RULE, measured).holds(before["cost"], after["cost"])
    chance = float(chance_beyond(pairs))
    assert judged > gates / 3
    assert beyond / judged <= chance + 3 * (chance * (1 - chance) / judged) ** 0.5


def test_drift_is_no_noise() -> None:
    """A reasoner that drifts leaves the floor of its first runs behind: 3 % a run are beyond 20 pairs soon."""
    reasoner = Reasoner("normal", 0.02, 1, drift=0.03)
    measured = tally([Pair({"cost": reasoner(n, 0)}, {"cost": reasoner(n, 1)}) for n in range(20)], ["cost"])
    rule = with_floor(RULE, measured.metrics["cost"])
    late = [not rule.holds(reasoner(n, 0), reasoner(n, 8)) for n in range(20, 40)]
    assert sum(late) >= 18


def test_draws_are_seeded_and_costs_span_two_decades() -> None:
    """The same run is the same draw."""
    one, two = Reasoner("normal", 0.1, 7), Reasoner("normal", 0.1, 7)
    assert [one(3, run) for run in range(3)] == [two(3, run) for run in range(3)]
    assert one(3, 0) != one(3, 1)
    costs = [true_cost(7, deal) for deal in range(300)]
    assert 9_999 < min(costs) < 12_000
    assert 800_000 < max(costs) < 1_000_001
