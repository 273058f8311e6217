"""Whether fresh runs of both sides confirm that a deal changed by more than noise.

All runs of one side must lie beyond all of the other, in the suspected direction, and the medians must break the rule.
If both sides are one distribution, all orders of the 2c runs are equally likely: one of C(2c, c) splits is this one.
The run that made the deal suspect is not among them: it was chosen because it lies far off.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pytest_dealsnap.judging.noise_floors import difference
from pytest_dealsnap.judging.rules import Rule
from pytest_dealsnap.judging.values import exact, is_number, is_present
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import Finding

__all__ = ["chance_of_separation", "confirmed_finding", "is_suspect", "separated"]


def chance_of_separation(runs: int) -> Fraction:
    """Return the chance that *runs* runs lie beyond *runs* others of the same distribution.

    >>> float(round(chance_of_separation(4), 4))
    0.0143
    """
    return Fraction(1, math.comb(2 * runs, runs))


def is_suspect(findings: Sequence[Finding]) -> bool:
    """Whether a deal fails by nothing but values that lie beyond their floors of noise."""
    gating = [finding for finding in findings if finding.gates]
    return bool(gating) and all(finding.noise == "beyond" for finding in gating)


def confirmed_finding(
    finding: Finding, old: Sequence[Any], new: Sequence[Any], rule: Rule, deal: Any, *, old_side: str
) -> Finding:
    """Return *finding* as fresh runs leave it: it gates where they confirm it, or cannot tell.

    Args:
        finding: A value beyond rule and floor.
        old: The metric in fresh runs of the old side.
        new: The same of the new side, as many.
        rule: The rule, with its floor.
        deal: Handed to the rule.
        old_side: What the old side is: a flag that is off shows no change that it does not switch.
    """
    lost = sum(not is_present(value) for value in (*old, *new))
    runs = f"{len(new)} + {len(old)} fresh runs"
    if lost:
        return replace(finding, note=f"not confirmed: {lost} of {runs} have no value")
    chance = f"{100 * float(chance_of_separation(len(new))):.1f} %"
    if separated(finding, old, new, rule, deal):
        note = f"confirmed by {runs}: all of one side lie beyond the other's (by chance {chance})"
        return replace(finding, noise="confirmed", note=note)
    return replace(
        finding, gates=False, noise="not confirmed", note=f"{runs} do not confirm it beside {old_side}: it is noise"
    )


def separated(finding: Finding, old: Sequence[Any], new: Sequence[Any], rule: Rule, deal: Any) -> bool:
    """Whether all of *new* lie beyond all of *old*, away from the baseline, and the medians break the rule."""
    before = rule.before or rule
    values = [*old, *new, finding.baseline, finding.current]
    if all(is_number(value) and exact(value).is_finite() for value in values):
        up = exact(finding.current) > exact(finding.baseline)
        mine, others = ([exact(value) for value in side] for side in (new, old))
        beyond = min(mine) > max(others) if up else max(mine) < min(others)
        return beyond and before.holds(statistics.median(others), statistics.median(mine), deal) is False
    far = {id(value): _distance(finding.baseline, value, before, deal) for value in (*old, *new)}
    nearest = min(far[id(value)] for value in new)
    if nearest <= max(far[id(value)] for value in old):
        return False
    theirs, ours = (sorted(side, key=lambda value: far[id(value)])[(len(side) - 1) // 2] for side in (old, new))
    return before.holds(theirs, ours, deal) is False


def _distance(baseline: Any, value: Any, before: Rule, deal: Any) -> Decimal:
    """Return how far a value lies from the recorded one: texts by 1 - similarity, others by 0 or 1."""
    kind, apart = difference(baseline, value)
    if kind == "text" and apart is not None:
        return apart
    return Decimal(before.holds(baseline, value, deal) is False)
