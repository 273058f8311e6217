"""Rules ``… or noise``: what lies beyond the rule is allowed as far as unchanged code differs by itself."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

from pytest_dealsnap.judging.rules import Beyond, Rule
from pytest_dealsnap.judging.similarity import Undecided, at_least_similar
from pytest_dealsnap.judging.values import exact, is_number, working_context
from pytest_dealsnap.model.noise import MetricNoise
from pytest_dealsnap.model.record import replace

__all__ = ["broken_pairs", "with_floor", "without_noise"]

_KIND_OF = {"within": "number", "similar": "text"}


def with_floor(rule: Rule, noise: MetricNoise | None, *, stale: str = "") -> Rule:
    """Return *rule* with the floor of one metric and deal type, which its text says.

    Args:
        rule: A rule ``… or noise``; any other is returned as it is.
        noise: What was measured; ``None`` where nothing was.
        stale: Why what was measured says nothing of this run, where it does not.
    """
    if not rule.or_noise:
        return rule
    lacks = stale or _lacks(rule, noise)
    if lacks or noise is None:
        return replace(rule, check=_undecided(rule, lacks), text=f"{rule.as_written} (no floor)")
    if rule.or_noise == "broken":
        broken = broken_pairs(rule.as_written, noise)
        text = f"{rule.as_written} ({broken} of {noise.pairs} pairs differ)"
        return replace(rule, check=_by_rate(rule, broken, noise.pairs), text=text)
    assert noise.floor is not None, "a rule without a floor is undecided"
    floor = exact(noise.floor)
    shown = f"{100 * floor:.1f} %" if noise.kind == "number" else f"{1 - floor:.3f}"
    return replace(rule, check=_by_floor(rule, floor), text=f"{rule.as_written} ({shown}, {noise.pairs} pairs)")


def without_noise(rule: Rule) -> Rule:
    """Return *rule* for a value that has no noise."""
    if rule.before is None:
        return rule
    return replace(rule.before, text=f"{rule.as_written} (replayed: no noise)", written=rule.as_written)


def broken_pairs(rule: str, noise: MetricNoise) -> int:
    """Return how many pairs of unchanged code break ``equal`` or ``same items``."""
    return noise.pairs - noise.ties - (noise.reordered if rule.startswith("same items") else 0)


def _lacks(rule: Rule, noise: MetricNoise | None) -> str:
    """Return why *rule* has no floor; ``""`` where it has one."""
    if noise is None or not noise.pairs:
        return "no pair of runs was measured"
    if rule.or_noise == "broken":
        return ""
    if noise.floor is None:
        return "a pair of runs of unchanged code went from 0 to another number, or from one kind of value to another"
    wanted = _KIND_OF[rule.as_written.split(" ")[0]]
    return "" if noise.kind == wanted else f"the measured values are no {wanted}s"


def _undecided(rule: Rule, lacks: str) -> Any:
    def check(baseline: Any, current: Any, deal: Any) -> Any:
        verdict = rule.holds(baseline, current, deal)
        if verdict is not False:
            return verdict
        return Beyond("no floor", False, f"there is no floor of noise: {lacks}. Measure one: dealsnap calibrate")

    return check


def _by_rate(rule: Rule, broken: int, pairs: int) -> Any:
    """Allow a broken value where pairs are broken, too: how many may be is judged over all deals."""

    def check(baseline: Any, current: Any, deal: Any) -> Any:
        verdict = rule.holds(baseline, current, deal)
        if verdict is not False:
            return verdict
        if not broken:
            return Beyond("beyond", False)
        return Beyond("rate", True, f"so do {broken} of {pairs} pairs of unchanged code")

    return check


def _by_floor(rule: Rule, floor: Decimal) -> Any:
    def check(baseline: Any, current: Any, deal: Any) -> Any:
        verdict = rule.holds(baseline, current, deal)
        if verdict is not False:
            return verdict
        inside = _inside(baseline, current, floor)
        if isinstance(inside, Undecided):
            return inside
        return Beyond("floor", True) if inside else Beyond("beyond", False)

    return check


def _inside(baseline: Any, current: Any, floor: Decimal) -> bool | Undecided:
    """Whether two values lie no farther apart than *floor*."""
    if isinstance(baseline, str) and isinstance(current, str):
        return at_least_similar(baseline, current, 1 - floor)
    if not (is_number(baseline) and is_number(current)):
        return False
    before, after = exact(baseline), exact(current)
    if not (before.is_finite() and after.is_finite()):
        return False
    with localcontext(working_context(before, after, floor)):
        return abs(after - before) <= abs(before) * floor
