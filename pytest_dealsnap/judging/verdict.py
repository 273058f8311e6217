"""What the rollout should do: the decision tree of the rollout plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_dealsnap.config import VerdictConfig
from pytest_dealsnap.model.results import AFFECTED, COMPARED, STATUSES, DealResult
from pytest_dealsnap.model.verdicts import Summary, Verdict
from pytest_dealsnap.text import agree

__all__ = ["decide", "summarize"]

IDS_SHOWN = KINDS_SHOWN = 3


def summarize(results: Iterable[DealResult], *, selected: int, missing_gates: bool = True) -> Summary:
    """Count *results*.

    *selected* is how many deals were to be judged, new ones included. A missing deal that only
    reports (``deals.missing = "report"``) is neither compared nor affected; a new one is selected, and not
    compared: nobody has approved its output.
    """
    counts = dict.fromkeys(STATUSES, 0)
    compared = affected = 0
    corrupt: list[tuple[str, str]] = []
    for result in results:
        counts[result.status] += 1
        if result.status == "missing" and not missing_gates:
            continue
        if result.compared and result.status in COMPARED:
            compared += 1
            affected += result.status in AFFECTED
        if result.corrupt:
            corrupt.append((result.id, result.corrupt))
    if not missing_gates:
        selected -= counts["missing"]
    return Summary(counts, compared, affected, max(selected, 0), tuple(corrupt))


def decide(summary: Summary, thresholds: VerdictConfig) -> Verdict:
    """Return the verdict: corruption first, then whether enough was compared, then the share affected.

    A new deal keeps a run from ``proceed`` alone: that it was not compared hides no deal that is affected.
    """
    if summary.corrupt:
        return Verdict("roll_back", _corruption(summary.corrupt))
    if not summary.compared:
        return Verdict("inconclusive", "no deal was compared")
    new = summary.counts["new"]
    wanted = summary.selected - new if summary.affected else summary.selected
    share = 100 * summary.compared / wanted if wanted > 0 else 100.0
    if share < thresholds.min_compared:
        return Verdict(
            "inconclusive",
            f"{summary.compared} of {wanted} selected deals were compared, "
            f"{share:.1f} % of the {thresholds.min_compared:g} % asked for{'' if summary.affected else _new(new)}",
        )
    if not summary.affected:
        return Verdict("proceed", f"none of {summary.compared} compared deals is affected")
    percent = 100 * summary.affected / summary.compared
    are = agree(summary.affected, "is", "are")
    reason = f"{summary.affected} of {summary.compared} compared deals {are} affected ({percent:.1f} %)"
    if percent < thresholds.fix_forward_below:
        return Verdict("fix_forward", f"{reason}: under {thresholds.fix_forward_below:g} %")
    if percent <= thresholds.roll_back_above:
        between = f"{thresholds.fix_forward_below:g} % to {thresholds.roll_back_above:g} %"
        return Verdict("disable_flag", f"{reason}: {between}")
    return Verdict("roll_back", f"{reason}: over {thresholds.roll_back_above:g} %")


def _new(count: int) -> str:
    return "" if not count else f"; {count} {agree(count, 'is', 'are')} not in the baseline"


def _corruption(facts: Sequence[tuple[str, str]]) -> str:
    """Return what is wrong, and with which deals; alike ones are told together."""
    deals: dict[str, list[str]] = {}
    for deal_id, what in facts:
        deals.setdefault(what, []).append(deal_id)
    told = [f"{_named(ids)}: {what}" for what, ids in list(deals.items())[:KINDS_SHOWN]]
    rest = sum(len(ids) for ids in list(deals.values())[KINDS_SHOWN:])
    return f"data corruption: {'; '.join(told)}{f' and {rest} more' if rest else ''}"


def _named(ids: Sequence[str]) -> str:
    if len(ids) == 1:
        return f"deal {ids[0]}"
    more = f" and {len(ids) - IDS_SHOWN} more" if len(ids) > IDS_SHOWN else ""
    return f"deals {', '.join(ids[:IDS_SHOWN])}{more}"
