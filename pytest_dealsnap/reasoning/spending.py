"""What calls cost: an append-only file of begun, ended and lost calls, and the rule that none begins beyond a budget.

Several processes may write one file: each decision is taken under its lock, on all that the file holds.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

from pytest_dealsnap.baseline.shared_lines import SharedLines
from pytest_dealsnap.errors import BudgetStopError, StoreError

__all__ = ["BUDGET_ENDED", "Account", "Budget", "SpendFile", "amount_of"]

# What the reason of a deal begins with that the budget stopped.
BUDGET_ENDED = "the budget of "


def amount_of(value: Any) -> Decimal | None:
    """Return *value* as what a call cost; ``None`` for what is no number, negative, NaN or infinite."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    amount = Decimal(str(value))
    return amount if amount.is_finite() and amount >= 0 else None


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent at most (``None``: anything), and what is held back for a call whose cost is not known yet.

    ``start`` is held back before any cost was seen, where no ``reserve`` is configured.
    """

    limit: Decimal | None = None
    reserve: Decimal | None = None
    start: Decimal = Decimal(0)


@dataclass(slots=True)
class Account:
    """The calls of a run so far. A call of unknown cost, a lost one and one under way count as the reserve.

    ``beside`` is what another account of the same run spent, in ``beside_calls``.
    """

    under_way: dict[str, str] = field(default_factory=dict)
    known: Decimal = Decimal(0)
    beside: Decimal = Decimal(0)
    beside_calls: int = 0
    dearest: Decimal | None = None
    begun: int = 0
    ended: int = 0
    unknown: int = 0
    lost: int = 0
    seconds: float = 0.0

    def take(self, line: Mapping[str, Any]) -> None:
        """Take in one line of the file."""
        if line["what"] == "beside":
            self.beside, self.beside_calls = Decimal(line["amount"]), int(line["calls"])
            return
        what, call = line["what"], line["call"]
        if what == "begun":
            self.begun += 1
            self.under_way[call] = line["deal"]
            return
        if self.under_way.pop(call, None) is None:
            return
        if what == "lost":
            self.lost += 1
            return
        self.ended += 1
        self.seconds += line["seconds"]
        if line["amount"] is None:
            self.unknown += 1
            return
        amount = Decimal(line["amount"])
        self.known += amount
        self.dearest = amount if self.dearest is None else max(self.dearest, amount)

    def reserve(self, budget: Budget) -> Decimal:
        """Return what one call of unknown cost counts as: the setting, the dearest seen, or the start."""
        if budget.reserve is not None:
            return budget.reserve
        return budget.start if self.dearest is None else self.dearest

    def spent(self, budget: Budget) -> Decimal:
        """Return what was spent, without the calls under way."""
        return self.known + self.beside + self.reserve(budget) * (self.unknown + self.lost)

    def allows(self, budget: Budget) -> bool:
        """Whether one more call may begin."""
        if budget.limit is None:
            return True
        reserve = self.reserve(budget)
        return self.spent(budget) + reserve * (len(self.under_way) + 1) <= budget.limit


class SpendFile:
    """``spend.jsonl`` of a run: appended to and synced, never rewritten."""

    def __init__(self, path: Path, budget: Budget, currency: str) -> None:
        self.path = path
        self.budget = budget
        self.currency = currency
        self._account = Account()
        self._lines = SharedLines(path, self._take, synced=True)

    def account(self) -> Account:
        """Return the calls so far, of all processes."""
        with self._lines.reading():
            return self._account

    def begin(self, deal_id: str, index: int = 0) -> str:
        """Begin one call and return its name.

        Raises :class:`BudgetStopError` where it might go beyond the budget; nothing is begun then.
        """
        with self._lines.changing() as append:
            account = self._account
            if not account.allows(self.budget):
                raise BudgetStopError(self._stop(account))
            call = uuid4().hex[:16]
            append({"what": "begun", "call": call, "deal": deal_id, "index": index, **_writer()})
            return call

    def end(self, call: str, deal_id: str, *, seconds: float, amount: Decimal | None, index: int = 0) -> None:
        """Take note of a call that ended, with or without an output."""
        told = None if amount is None else str(amount)
        line = {"what": "ended", "call": call, "deal": deal_id, "index": index, "seconds": round(seconds, 3)}
        with self._lines.changing() as append:
            append({**line, "amount": told, **_writer()})

    def charge(self, amount: Decimal, calls: int) -> None:
        """Take note of what another account of the same run, such as the old code's, has spent so far."""
        with self._lines.changing() as append:
            if (amount, calls) != (self._account.beside, self._account.beside_calls):
                append({"what": "beside", "amount": str(amount), "calls": calls, **_writer()})

    def lose(self, calls: Iterable[str] | None = None) -> int:
        """Take note that *calls* (by default all under way) were lost with their process; return how many."""
        with self._lines.changing() as append:
            chosen = None if calls is None else set(calls)
            under_way = self._account.under_way.items()
            lost = {call: deal for call, deal in under_way if chosen is None or call in chosen}
            for call, deal_id in lost.items():
                append({"what": "lost", "call": call, "deal": deal_id, "index": 0, **_writer()})
            return len(lost)

    def _stop(self, account: Account) -> str:
        # One sentence for all deals that the budget stopped: no amount that moves while calls end.
        return (
            f"{BUDGET_ENDED}{self.budget.limit} {self.currency} allows no further call, with "
            f"{account.reserve(self.budget)} held back for each call under way. "
            "Raise --dealsnap-budget to go on from here"
        )

    def _take(self, line: bytes) -> None:
        try:
            self._account.take(json.loads(line))
        except (ValueError, KeyError, TypeError, ArithmeticError):
            raise StoreError(
                f"{self.path} was edited or damaged: what was spent is not known. Look at the line "
                f"{line[:80].decode(errors='replace')!r}, or start anew with --dealsnap-fresh"
            ) from None


def _writer() -> dict[str, Any]:
    return {"at": round(time.time(), 3), "pid": os.getpid()}
