"""What a sample of the deals says of all of them: the verdict by bounds, not by the share of the part that was run."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_dealsnap.config import VerdictConfig
from pytest_dealsnap.judging.bounds import CONFIDENCE, Stratum, lower_bound, upper_bound
from pytest_dealsnap.model.verdicts import Verdict

__all__ = ["decide_sample"]

SURE = f"with {CONFIDENCE:.0%} confidence".replace("%", " %")


def decide_sample(strata: Sequence[Stratum], thresholds: VerdictConfig) -> Verdict:
    """Return the verdict of a sample whose deals were all compared.

    It never proceeds: deals that were not drawn may be affected. It says what is to be done where the bounds lie on
    one side of a threshold, and is inconclusive elsewhere.
    """
    deals, drawn = sum(one.deals for one in strata), sum(one.drawn for one in strata)
    affected, most = sum(one.affected for one in strata), upper_bound(strata)
    at_most = f"at most {most:,} of {deals:,} ({_percent(most, deals):.1f} %)"
    if not affected:
        return Verdict("inconclusive", f"none of {drawn:,} affected; {at_most} {SURE}")
    least = lower_bound(strata)
    reason = f"{affected:,} of {drawn:,} affected; at least {least:,} and {at_most}, each {SURE}"
    if _percent(least, deals) > thresholds.roll_back_above:
        return Verdict("roll_back", f"{reason}: over {thresholds.roll_back_above:g} %")
    if _percent(most, deals) < thresholds.fix_forward_below:
        return Verdict("fix_forward", f"{reason}: under {thresholds.fix_forward_below:g} %")
    if _percent(least, deals) >= thresholds.fix_forward_below:
        if _percent(most, deals) <= thresholds.roll_back_above:
            between = f"{thresholds.fix_forward_below:g} % to {thresholds.roll_back_above:g} %"
            return Verdict("disable_flag", f"{reason}: {between}")
        return Verdict("disable_flag", f"{reason}: {thresholds.fix_forward_below:g} % or more")
    return Verdict("inconclusive", reason)


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0
