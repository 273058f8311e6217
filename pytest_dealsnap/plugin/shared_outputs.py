"""Outputs that several tests share: each is kept just until the last test that needs it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from pytest_dealsnap.reasoning.calls import Reasoning

__all__ = ["Outputs"]


class Outputs:
    """Reasonings by deal and reasoner, counted down: a hundred thousand are never held at once."""

    def __init__(self) -> None:
        self._wanted: Counter[str] = Counter()
        self._kept: dict[str, tuple[Callable[..., Any], Reasoning]] = {}

    def want(self, deal_id: str) -> None:
        """Announce one test that will ask for *deal_id*'s output."""
        self._wanted[deal_id] += 1

    def has(self, deal_id: str) -> bool:
        """Whether *deal_id*'s output is at hand."""
        return deal_id in self._kept

    def renew(self, deal_id: str) -> None:
        """Have *deal_id*'s output computed anew for one test more than was announced."""
        self._kept.pop(deal_id, None)
        if self._wanted:
            self._wanted[deal_id] += 1

    def get(self, deal_id: str, function: Callable[..., Any], compute: Callable[[], Reasoning]) -> Reasoning:
        """Return the deal's reasoning by *function*, computing it where it is not at hand."""
        if not self._wanted:
            return compute()
        kept = self._kept.get(deal_id)
        reasoning = kept[1] if kept is not None and kept[0] is function else compute()
        self._wanted[deal_id] -= 1
        if self._wanted[deal_id] > 0:
            self._kept[deal_id] = (function, reasoning)
        else:
            self._kept.pop(deal_id, None)
            del self._wanted[deal_id]
        return reasoning
