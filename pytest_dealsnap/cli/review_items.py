"""What a review goes through: causes that fail deals, then the failed deals that no decided cause settles."""

from __future__ import annotations

from pytest_dealsnap.cli.decisions import Decisions
from pytest_dealsnap.cli.proposals import left_to_deals
from pytest_dealsnap.config import Config
from pytest_dealsnap.model.cause import Cause
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.results import AFFECTED, DealResult

__all__ = ["Item", "open_items", "target"]

Item = Cause | DealResult


def open_items(config: Config, finished: FinishedRun, decisions: Decisions) -> list[Item]:
    """Return what is not decided yet: causes that fail deals, then failed deals that no decided cause settles."""
    failed = {result.id: result for result in finished.results if result.status in AFFECTED}
    undecided = {deal_id for deal_id in failed if decisions.of("deal", deal_id) is None}
    causes = [cause for cause in finished.causes if cause.gates and undecided.intersection(cause.deals)]
    told = {deal_id for cause in causes for deal_id in cause.deals}
    taken = [cause for cause in causes if _into(decisions, cause) == "ledger"]
    left = {result.id for result in left_to_deals(config, finished, taken)} if taken else set()
    settled = told - left | {deal_id for cause in causes if _is_rejected(decisions, cause) for deal_id in cause.deals}
    open_causes = [cause for cause in causes if decisions.of("cause", cause.id) is None]
    waiting = {deal_id for cause in open_causes for deal_id in cause.deals}
    settled |= waiting
    alone = [failed[i] for i in failed if i in undecided and (i not in told or i not in settled)]
    return [*open_causes, *alone]


def _is_rejected(decisions: Decisions, cause: Cause) -> bool:
    decision = decisions.of("cause", cause.id)
    return decision is not None and decision.decision == "reject"


def _into(decisions: Decisions, cause: Cause) -> str | None:
    decision = decisions.of("cause", cause.id)
    return decision.into if decision is not None and decision.decision == "accept" else None


def target(item: Item) -> tuple[str, str]:
    """Return whether *item* is a cause or a deal, and its id."""
    return ("cause", item.id) if isinstance(item, Cause) else ("deal", item.id)
