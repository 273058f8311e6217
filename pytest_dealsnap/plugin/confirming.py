"""The two sides of a gate that can be run again: this code, and the flag off or the code of another commit."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.errors import BudgetStopError
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import DealResult
from pytest_dealsnap.pipeline.both_sides import Confirmation, Fresh, FreshRuns, ImportedRuns
from pytest_dealsnap.reasoning.reasoner import import_reasoner
from pytest_dealsnap.reasoning.run_store import RunStore
from pytest_dealsnap.reasoning.stored import StoreSettings
from pytest_dealsnap.rehearsal.old_code import OldCode

if TYPE_CHECKING:
    from pytest_dealsnap.plugin.run import Run

__all__ = ["CheckedOutRuns", "confirm"]


def confirm(run: Run, result: DealResult, deal: Deal, function: Callable[..., Any]) -> DealResult:
    """Return *result*, of a suspected deal, as fresh runs of both sides leave it; with why where there can be none."""
    if run.confirmation is None:
        run.confirmation = _confirmation(run, function)
    if isinstance(run.confirmation, Confirmation):
        return run.confirmation.settle(result, deal, run.gate.policy[result.deal_type])
    why = run.confirmation
    note = f"not confirmed: {why}"
    findings = tuple(replace(one, note=note) if one.gates else one for one in result.findings)
    return replace(result, findings=findings)


def _confirmation(run: Run, function: Callable[..., Any]) -> Confirmation | str:
    """Return what reasons both sides anew, or why that cannot be done."""
    config = run.config
    if not config.noise.confirm:
        return "noise.confirm = 0"
    if run.replay is not None and run.replay.settings.free_only:
        return "no request is made that was not recorded (--dealsnap-replay only, or replay.on_miss = stop)"
    if config.reasoner is None or function is not import_reasoner(config):
        return "a reasoner from a fixture cannot be called in a process of its own"
    settings = None if run.stored is None else run.stored.settings
    old = _old_side(run, config, settings)
    if isinstance(old, str):
        return old
    return Confirmation(ImportedRuns(config, run.recorder, settings, {}), old, config.noise.confirm)


def _old_side(run: Run, config: Config, settings: StoreSettings | None) -> FreshRuns | str:
    if run.old_answers is not None:
        return CheckedOutRuns(run.old_answers, settings, run.source.shared_state)
    flag, off = config.rehearsal.flag, config.rehearsal.flag_off
    if not flag:
        return "there is no old side: name the flag (rehearsal.flag), or gate with --dealsnap-against REF"
    if os.environ.get(flag) == off:
        return f"{flag}={off} already, so that it makes no old side: gate with --dealsnap-against REF"
    return ImportedRuns(config, run.recorder, settings, {flag: off})


class CheckedOutRuns:
    """The code of another commit, each run in a pytest process of its own; its metrics are kept in the run store."""

    def __init__(self, old: OldCode, settings: StoreSettings | None, state: str | None) -> None:
        self.words = f"the code of {old.checkout.words}"
        self._old = old
        self._store = None if settings is None else RunStore(settings.folder, settings.budget, settings.currency)
        self._state = state

    def runs(self, deal: Deal, indexes: Sequence[int]) -> list[Fresh]:
        """Return fresh runs of *deal*; after one that was not made, none is."""
        found: list[Fresh] = []
        for index in indexes:
            if found and found[-1].stopped:
                break
            found.append(self._one(deal, index))
        return found

    def _one(self, deal: Deal, index: int) -> Fresh:
        store = self._store
        if store is None:
            return self._asked(deal, None)[0]
        kept = store.find(deal, index)
        if kept is not None:
            return Fresh(kept.output["metrics"])
        try:
            call = store.spend.begin(deal.key, index)
        except BudgetStopError as error:
            return Fresh(None, str(error))
        budget = store.spend.budget
        left = None if budget.limit is None else budget.limit - store.spend.account().spent(budget)
        fresh, amount, seconds = self._asked(deal, left)
        if fresh.metrics is not None:
            store.keep(deal, {"metrics": dict(fresh.metrics)}, seconds, index)
        store.spend.end(call, deal.key, seconds=seconds, amount=amount, index=index)
        return fresh

    def _asked(self, deal: Deal, budget: Decimal | None) -> tuple[Fresh, Decimal | None, float]:
        """Return one answer of the old code, what it cost, and how long it took."""
        begun = time.perf_counter()
        again = self._old.again([deal.key], 1, budget=budget, state=self._state)
        seconds = time.perf_counter() - begun
        answers = again.answers[deal.key]
        amount = again.spent if again.calls else None
        if not answers:
            return Fresh(None, f"{self.words} gave no answer"), amount, seconds
        return Fresh(answers[0].metrics), amount, seconds

    def close(self) -> None:
        """Nothing is held open."""
