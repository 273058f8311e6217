"""The run store in a pytest run: opened by the process that plans, shared by its workers."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pytest_dealsnap.baseline.cassettes import Cassettes
from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.config import Config
from pytest_dealsnap.errors import ConfigError, SnapshotError
from pytest_dealsnap.reasoning.replay import cost_setting
from pytest_dealsnap.reasoning.run_store import RunStore, run_key, runs_folder
from pytest_dealsnap.reasoning.spending import Budget, amount_of
from pytest_dealsnap.reasoning.stored import StoredCalls, StoreSettings
from pytest_dealsnap.text import plural

if TYPE_CHECKING:
    from pytest_dealsnap.plugin.run import Run

__all__ = ["Spending", "open_store", "spending_of", "store_settings", "stored_calls"]

SEEN_FOR_MEAN = 200


@dataclass(frozen=True, slots=True)
class Spending:
    """What a run, and what it resumed, spent. Amounts are texts, so that no digit is lost on the way."""

    spent: str
    currency: str
    budget: str | None
    calls: int
    lost: int
    unknown: int
    under_way: int
    reused: int

    @property
    def words(self) -> str:
        """The spending as a sentence."""
        of = f" of a budget of {self.budget}" if self.budget is not None else ""
        parts = [f"spent: {self.spent} {self.currency}{of} in {plural(self.calls, 'call')}"]
        if self.reused:
            parts.append(f"{plural(self.reused, 'output')} reused from the run store (--dealsnap-fresh computes anew)")
        if self.lost:
            parts.append(f"{plural(self.lost, 'call')} lost with the process, each counted as the reserve")
        if self.unknown:
            parts.append(f"{plural(self.unknown, 'call')} of unknown cost, each counted as the reserve")
        return "; ".join(parts)


def store_settings(config: Config, run: Run) -> StoreSettings:
    """Return the store of a run, by what its outputs depend on.

    Raises :class:`ConfigError` for a budget whose calls have no known cost.
    """
    calls = config.calls
    cost = cost_setting(calls.cost, config.place("calls.cost"))
    budget = _budget(config, cost, run)
    plan = run.plan
    key = run_key(config, mode=run.mode, database=plan.description, facts=plan.facts, environ=os.environ)
    folder = runs_folder(config) / key
    return StoreSettings(folder, budget, calls.currency, calls.cost, calls.retries, calls.retry_on)


def _budget(config: Config, cost: Any, run: Run) -> Budget:
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
    mean = _mean_cost(run.snapshots, cost) if cost is not None else None
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


def open_store(settings: StoreSettings, run: Run, *, fresh: bool) -> RunStore:
    """Take the store for this run; see :meth:`RunStore.open` for what is raised."""
    store = RunStore(settings.folder, settings.budget, settings.currency)
    budget = settings.budget.limit
    facts = {
        "mode": run.mode,
        "database": run.plan.description,
        "reasoner": run.config.reasoner,
        "currency": settings.currency,
        "budget": None if budget is None else str(budget),
    }
    store.open(tests=[entry.ref.id for entry in run.plan.entries], facts=facts, fresh=fresh)
    return store


def stored_calls(settings: StoreSettings, run: Run) -> StoredCalls:
    """Return the calls through the store. A capture that records calls reuses no output without its recording."""
    if run.mode != "capture" or run.replay is None:
        return StoredCalls(settings)
    cassettes = Cassettes(run.config.snapshots)
    return StoredCalls(settings, may_reuse=lambda deal_id: cassettes.path(deal_id).exists())


def spending_of(store: RunStore, reused: int) -> dict[str, Any]:
    """Return what was spent, with its sentence, for reports."""
    spend = store.spend
    account, budget = spend.account(), spend.budget
    limit = None if budget.limit is None else str(budget.limit)
    spending = Spending(
        str(account.spent(budget)),
        spend.currency,
        limit,
        account.begun,
        account.lost,
        account.unknown,
        len(account.under_way),
        reused,
    )
    return {**asdict(spending), "words": spending.words}
