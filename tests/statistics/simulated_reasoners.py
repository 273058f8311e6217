"""Reasoners without any model: seeded draws of a deal's cost, which differ in every run as an agent's answers do."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

__all__ = ["NOISES", "Draw", "Reasoner", "true_cost"]

Draw = Callable[[random.Random, float], float]

# What a run multiplies the true cost by, at a noise of so much.
NOISES: dict[str, Draw] = {
    "exact": lambda dice, noise: 1.0,
    "normal": lambda dice, noise: 1 + dice.gauss(0, noise),
    "lognormal": lambda dice, noise: math.exp(dice.gauss(0, noise)),
    "heavy": lambda dice, noise: 1 + noise * dice.gauss(0, 1) / max(math.sqrt(dice.gammavariate(1.5, 2 / 3)), 1e-3),
    "ties": lambda dice, noise: 1.0 if dice.random() < 0.7 else 1 + dice.choice((-noise, noise, 2 * noise)),
    "modes": lambda dice, noise: dice.choice((1.0, 1 + 4 * noise)) + dice.gauss(0, noise / 4),
}


def true_cost(seed: int, deal: int) -> float:
    """Return what a deal costs: over two decades, 10,000 to 1,000,000."""
    return float(10 ** random.Random(f"cost:{seed}:{deal}").uniform(4, 6))


class Reasoner:
    """A reasoner whose answers are noise around a deal's true cost.

    Args:
        kind: One of ``NOISES``.
        noise: How much of it.
        seed: Tells one simulation from another.
        effect: What the code multiplies the true cost of a deal by.
        errors: How often a run fails.
        drift: How much each further run of a deal moves.
    """

    def __init__(
        self,
        kind: str,
        noise: float,
        seed: int,
        *,
        effect: Callable[[int], float] = lambda deal: 1.0,
        errors: float = 0.0,
        drift: float = 0.0,
    ) -> None:
        self._draw = NOISES[kind]
        self._noise = noise
        self._seed = seed
        self._effect = effect
        self._errors = errors
        self._drift = drift

    def __call__(self, deal: int, run: int) -> float | None:
        """Return the cost of one *run* of *deal*; ``None`` where it failed."""
        dice = random.Random(f"{self._seed}:{deal}:{run}")
        if dice.random() < self._errors:
            return None
        factor = self._draw(dice, self._noise) + self._drift * run
        return true_cost(self._seed, deal) * self._effect(deal) * factor
