"""The run store in a pytest run: opened by the process that plans, shared by its workers."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_dealsnap.baseline.cassettes import Cassettes
from pytest_dealsnap.config import Config
from pytest_dealsnap.pipeline.prices import settings_of_store
from pytest_dealsnap.reasoning.run_store import RunStore, key_of, run_parts, runs_folder
from pytest_dealsnap.reasoning.stored import StoredCalls, StoreSettings
from pytest_dealsnap.reporting.spending_words import with_words

if TYPE_CHECKING:
    from pytest_dealsnap.plugin.run import Run

__all__ = ["open_store", "spending_of", "store_settings", "stored_calls"]


def store_settings(config: Config, run: Run) -> StoreSettings:
    """Return the store of a run, by what its outputs depend on.

    Raises :class:`ConfigError` for a budget whose calls have no known cost.
    """
    plan = run.plan
    parts = run_parts(config, mode=run.mode, database=plan.description, facts=plan.facts, environ=os.environ)
    settings = settings_of_store(config, runs_folder(config) / key_of(parts), run.snapshots)
    return replace(settings, made_of=parts, asks_anew=bool(config.replay.calls) and run.replay is None)


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
        "made_of": dict(settings.made_of),
    }
    store.open(tests=[entry.ref.id for entry in run.plan.entries], facts=facts, fresh=fresh)
    return store


def stored_calls(settings: StoreSettings, run: Run) -> StoredCalls:
    """Return the calls through the store. A capture that records calls reuses no output without its recording."""
    if run.is_old:  # it replays, and records nothing
        return StoredCalls(settings)
    if run.mode != "capture" or run.replay is None:
        return StoredCalls(settings)
    cassettes = Cassettes(run.config.snapshots)
    return StoredCalls(settings, may_reuse=lambda deal_id: cassettes.path(deal_id).exists())


def spending_of(store: RunStore, reused: int) -> dict[str, Any]:
    """Return what was spent, with its sentence, for reports."""
    spend = store.spend
    account, budget = spend.account(), spend.budget
    limit = None if budget.limit is None else str(budget.limit)
    return with_words(
        {
            "spent": str(account.spent(budget)),
            "currency": spend.currency,
            "budget": limit,
            "calls": account.begun + account.beside_calls,
            "lost": account.lost,
            "unknown": account.unknown,
            "under_way": len(account.under_way),
            "reused": reused,
            "old_calls": account.beside_calls,
        }
    )
