"""How often a noisy gate proceeds on unchanged code, and finds a change: ``python -m tests.statistics.noise_power``.

20 pairs give the floor; 28 of 300 deals are judged within 5 % or noise; 4 + 4 fresh runs confirm a suspect. A change is
found where a deal is confirmed, or, of a shift, where more deals moved in one direction than tosses of a coin do.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from pathlib import Path

from pytest_dealsnap.judging.confirmation import separated
from pytest_dealsnap.judging.noise_floors import Pair, tally
from pytest_dealsnap.judging.noise_rules import with_floor
from pytest_dealsnap.judging.portfolio import shift_evidence
from pytest_dealsnap.judging.rules import Beyond, parse_rule
from pytest_dealsnap.model.results import Finding
from tests.statistics.simulated_reasoners import Reasoner

__all__ = ["CHANGES", "KINDS", "NOISE", "TABLE", "gate", "shares"]

TABLE = Path(__file__).with_name("noise_power.json")
KINDS, NOISE, GATES = ("normal", "lognormal", "heavy"), (0.02, 0.05, 0.1, 0.2), 400
DEALS, DRAWN, PAIRS, FRESH = 300, 28, 20, 4
RULE = parse_rule("within 5% or noise", place="the power table", root=Path())
Effect = Callable[[int], float]

# What the new code does to a deal, by a seed that chooses the deals.
CHANGES: dict[str, Callable[[int], Effect]] = {
    "unchanged": lambda seed: lambda deal: 1.0,
    "all deals +12 %": lambda seed: lambda deal: 1.12,
    "10 % of the deals +50 %": lambda seed: lambda deal: 1.5 if deal in _tenth(seed) else 1.0,
}


def _tenth(seed: int) -> frozenset[int]:
    return frozenset(random.Random(f"tenth:{seed}").sample(range(DEALS), DEALS // 10))


def gate(kind: str, noise: float, change: str, seed: int) -> tuple[int, bool]:
    """Return how many deals one gate confirms as changed, and whether it finds a shift."""
    old = Reasoner(kind, noise, seed)
    new = Reasoner(kind, noise, seed + 1_000_000)
    effect = CHANGES[change](seed)
    dice = random.Random(f"sample:{seed}")
    measured = [Pair({"cost": old(deal, 1)}, {"cost": old(deal, 2)}) for deal in dice.sample(range(DEALS), PAIRS)]
    rule = with_floor(RULE, tally(measured, ["cost"]).metrics["cost"])
    found, ups, downs = 0, 0, 0
    for deal in dice.sample(range(DEALS), DRAWN):
        scale = effect(deal) * _cost(seed, deal) / _cost(seed + 1_000_000, deal)
        before, *olds = (old(deal, run) or 0.0 for run in range(3, 4 + FRESH))
        after, *news = ((new(deal, run) or 0.0) * scale for run in range(3, 4 + FRESH))
        ups, downs = ups + (after > before), downs + (after < before)
        verdict = rule.holds(before, after)
        if isinstance(verdict, Beyond) and verdict.kind == "beyond":
            suspect = Finding("cost", "cost_changed", before, after, allowed=rule.text, noise="beyond")
            found += separated(suspect, olds, news, rule, None)
    return found, shift_evidence(ups, downs) >= math.log(20)


def _cost(seed: int, deal: int) -> float:
    return Reasoner("exact", 0, seed)(deal, 0) or 0.0


def shares(kind: str, noise: float, change: str, gates: int) -> dict[str, float]:
    """Return in which part of *gates* a change is confirmed, and found by that or by a shift."""
    found = [gate(kind, noise, change, seed) for seed in range(gates)]
    confirmed = sum(count > 0 for count, _ in found)
    either = sum(count > 0 or shifted for count, shifted in found)
    return {"confirmed": confirmed / gates, "or shifted": either / gates}


if __name__ == "__main__":
    cells = {
        kind: {change: {f"{noise:g}": shares(kind, noise, change, GATES) for noise in NOISE} for change in CHANGES}
        for kind in KINDS
    }
    TABLE.write_text(json.dumps({"gates": GATES, "shares": cells}, indent=2) + "\n", encoding="utf-8")
