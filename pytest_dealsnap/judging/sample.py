"""What a sample of the deals says of all of them: the verdict by bounds, not by the share of the part that was run."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_dealsnap.config import VerdictConfig
from pytest_dealsnap.judging.bounds import Stratum, lower_bound, sure, upper_bound
from pytest_dealsnap.model.verdicts import Verdict

__all__ = ["decide_bounds", "decide_sample"]


def decide_sample(strata: Sequence[Stratum], thresholds: VerdictConfig) -> Verdict:
    """Return the verdict of a sample whose deals were all compared.

    Deals that were not drawn may be affected. So a sample proceeds only where none that was drawn is affected, and
    the upper bound is below ``proceed_below``. It says what is to be done where the bounds lie on one side of a
    threshold, and is inconclusive elsewhere.
    """
    drawn, affected = sum(one.drawn for one in strata), sum(one.affected for one in strata)
    most = upper_bound(strata, confidence=thresholds.confidence)
    least = lower_bound(strata, confidence=thresholds.confidence) if affected else 0
    deals = sum(one.deals for one in strata)
    return decide_bounds(deals, drawn, affected, (least, most), thresholds, each=", each")


def decide_bounds(
    deals: int,
    drawn: int,
    affected: int,
    bounds: tuple[int, int],
    thresholds: VerdictConfig,
    *,
    each: str = "",
    told: str = "",
) -> Verdict:
    """Return the verdict by the *bounds* of the number of affected deals.

    Args:
        deals: All deals there are.
        drawn: How many of them were judged.
        affected: How many of those are affected.
        bounds: How many of all deals are affected, at the least and at the most.
        thresholds: The thresholds and the confidence.
        each: Said before the confidence where the two bounds hold separately.
        told: Said after the confidence.
    """
    least, most = bounds
    low, high = (100 * bound / deals if deals else 0.0 for bound in bounds)
    at_most, confident = f"at most {most:,} of {deals:,} ({high:.1f} %)", f"{sure(thresholds.confidence)}{told}"
    if not affected:
        reason = f"none of {drawn:,} affected; {at_most} {confident}"
        if high < thresholds.proceed_below:
            return Verdict("proceed", f"{reason}: under {thresholds.proceed_below:g} %")
        return Verdict("inconclusive", reason)
    reason = f"{affected:,} of {drawn:,} affected; at least {least:,} and {at_most}{each} {confident}"
    if low > thresholds.roll_back_above:
        return Verdict("roll_back", f"{reason}: over {thresholds.roll_back_above:g} %")
    if high < thresholds.fix_forward_below:
        return Verdict("fix_forward", f"{reason}: under {thresholds.fix_forward_below:g} %")
    if low >= thresholds.fix_forward_below:
        if high <= thresholds.roll_back_above:
            between = f"{thresholds.fix_forward_below:g} % to {thresholds.roll_back_above:g} %"
            return Verdict("disable_flag", f"{reason}: {between}")
        return Verdict("disable_flag", f"{reason}: {thresholds.fix_forward_below:g} % or more")
    return Verdict("inconclusive", reason)
