"""What calls of the reasoner may cost: the budget, and what is held back for each of them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.config import Config
from pytest_dealsnap.errors import ConfigError, SnapshotError
from pytest_dealsnap.reasoning.replay import cost_setting
from pytest_dealsnap.reasoning.spending import Budget, amount_of
from pytest_dealsnap.reasoning.stored import StoreSettings

__all__ = ["settings_of_store"]

SEEN_FOR_MEAN = 200


def settings_of_store(config: Config, folder: Path, snapshots: DealSnapshots) -> StoreSettings:
    """Return the store in *folder*, with the budget and what is held back for each call.

    Raises :class:`ConfigError` for a budget whose calls have no known cost.
    """
    calls = config.calls
    cost = cost_setting(calls.cost, config.place("calls.cost"))
    budget = _budget(config, cost, snapshots)
    return StoreSettings(folder, budget, calls.currency, calls.cost, calls.retries, calls.retry_on)


def _budget(config: Config, cost: Any, snapshots: DealSnapshots) -> Budget:
    calls = config.calls
    limit = None if calls.budget is None else Decimal(str(calls.budget))
    reserve = None if calls.reserve is None else Decimal(str(calls.reserve))
    if limit is None or reserve is not None:
        return Budget(limit, reserve)
    if isinstance(cost, Decimal):
        return Budget(limit, cost)
    place = config.place("calls.budget")
    if cost is None and not config.replay.cost:
        raise ConfigError(
            f"{place} = {limit}: what a call costs is not known. Say it in [tool.dealsnap.calls]: "
            'cost = "usage.usd", a path into the output, or a number'
        )
    mean = _mean_cost(snapshots, cost) if cost is not None else None
    if mean is None:
        raise ConfigError(
            f"{place} = {limit}: no recorded output says what a call costs. Say what to hold back for each call: "
            "reserve = 25 in [tool.dealsnap.calls]"
        )
    return Budget(limit, None, start=mean * Decimal("1.5"))


def _mean_cost(snapshots: DealSnapshots, cost: Callable[[Any], Any]) -> Decimal | None:
    """Return the mean cost of the first recorded outputs; ``None`` where none says it."""
    amounts = []
    for deal_id in snapshots.each_id():
        try:
            data = snapshots.recall(deal_id)
            output = None if data is None else snapshots.decode(deal_id, data).output
        except SnapshotError:
            continue  # the deal's own test says so
        amount = None if output is None else amount_of(cost(output))
        if amount is not None:
            amounts.append(amount)
        if len(amounts) >= SEEN_FOR_MEAN:
            break
    return sum(amounts, Decimal(0)) / len(amounts) if amounts else None
