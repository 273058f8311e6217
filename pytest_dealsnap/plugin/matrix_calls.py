"""The reasoner's calls of a matrix run: one for each deal and type, each made once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import islice
from typing import Any

from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.deal import Deal, LazyFields
from pytest_dealsnap.deals.selection import Entry
from pytest_dealsnap.deals.window import ReadAhead
from pytest_dealsnap.errors import SourceError
from pytest_dealsnap.plugin.call_queue import CallQueue, variant_key
from pytest_dealsnap.reasoning.calls import Reasoning, excused, excused_by
from pytest_dealsnap.reasoning.copies import NamedReasoner, copy_engine
from pytest_dealsnap.reasoning.prefetch import CallEngine, Prefetch
from pytest_dealsnap.reasoning.reasoner import bind_reasoner
from pytest_dealsnap.rehearsal.guard import guard_original
from pytest_dealsnap.rehearsal.type_copies import guard_variables

__all__ = ["MatrixCalls"]

# Deals whose calls on the copies are begun before their turn, so that no copy's process waits for this one.
COPIES_AHEAD = 3


class MatrixCalls(CallQueue):
    """Calls under every type.

    The deal's own type is computed as in any run, and shared with whoever else asks for it. The others are
    made-up variants of the deal, or, where ``copies`` has the URL of one for each type, calls in their processes.
    ``words`` are the types as the database spells them.
    """

    def __init__(self, config: Config, rows: ReadAhead, *, words: Mapping[str, str], copies: Mapping[str, str]) -> None:
        super().__init__(config, "matrix", rows)
        self._words = words
        self.copies = copies
        self._fetched: dict[str, Deal] = {}

    def reason(self, entry: Entry, function: Callable[..., Any]) -> tuple[Deal, dict[str, Reasoning]]:
        """Return the deal, and its reasoning under each type; raises ``SourceError`` for a row that cannot be read."""
        if self.copies:
            self._begin_on_copies(entry)
        deal = self.begin(entry, function)
        own = self.finish(deal, function)
        return deal, {
            name: own if name == deal.deal_type else excused(deal, self._other(deal, name, function))
            for name in self._words
        }

    def begin(self, entry: Entry, function: Callable[..., Any]) -> Deal:
        """Read *entry*'s row, begin its calls and those of the deals that will run next."""
        ahead = self._ahead
        if self.copies or ahead is None or function is not self.shared:
            return super().begin(entry, function)
        for following in self.order(entry):
            ref = following.ref
            if ref.id in self._fetched or ref.copies > 1:
                continue
            if ahead.full:
                break
            try:
                deal = self._fetched[ref.id] = self._rows.fetch(ref)
            except SourceError:
                continue  # asked again, and reported, when the deal's own turn comes
            if not self.outputs.has(ref.id):
                ahead.begin(function, self._bind(function), deal)
            for name in self._others(deal.deal_type):
                key = variant_key(ref.id, name)
                if not self.outputs.has(key):
                    ahead.begin(function, self._bind(function), self._as(deal, name), key=key)
        return self._fetched.pop(entry.ref.id, None) or self._rows.fetch(entry.ref)

    def _others(self, own: str) -> list[str]:
        return [name for name in self._words if name != own]

    def _as(self, deal: Deal, name: str) -> Deal:
        """Return *deal* as one of the type *name*, in its column too."""
        column, word = self._config.deals.type, self._words[name]

        def fields() -> Mapping[str, Any]:
            stored = deal.fields.stored() if isinstance(deal.fields, LazyFields) else deal.fields
            return {**stored, column: word} if column else stored

        return replace(deal, deal_type=name, stored_type=word, fields=LazyFields(fields, base=deal.fields))

    def _other(self, deal: Deal, name: str, function: Callable[..., Any]) -> Reasoning:
        key = variant_key(deal.key, name)
        return self.outputs.get(key, function, lambda: self._under(deal, name, function, key))

    def _under(self, deal: Deal, name: str, function: Callable[..., Any], key: str) -> Reasoning:
        if self.copies:
            return self._processes[name].finish(key)
        ahead, variant = self._ahead, self._as(deal, name)
        if ahead is not None and key not in ahead and self._config.executor is not None:
            try:
                ahead.begin(function, self._bind(function), variant, key=key)
            except SourceError as error:
                return excused_by(error)
        if ahead is not None and key in ahead:
            return ahead.finish(key)
        return self._caller(self._bind(function), variant)

    @cached_property
    def _processes(self) -> dict[str, Prefetch]:
        variable = self._config.rehearsal.database_env
        return {
            name: Prefetch(
                self._copy_engine({variable: url, **guard_variables(self._config, url)}), window=COPIES_AHEAD
            )
            for name, url in self.copies.items()
        }

    def _copy_engine(self, variables: Mapping[str, str]) -> CallEngine:
        return copy_engine(variables, timeout=self._config.timeout, environment=self._environment, first=guard_original)

    def _begin_on_copies(self, entry: Entry) -> None:
        function = NamedReasoner(str(self._config.reasoner), self._config.root)
        for following in islice(self.order(entry), COPIES_AHEAD):
            ref = following.ref
            for name in self._others(ref.deal_type) if ref.copies == 1 else ():
                ahead, key = self._processes[name], variant_key(ref.id, name)
                if key not in ahead:
                    deal = Deal(ref.key, None, name, self._words[name])
                    ahead.begin(function, bind_reasoner(function), deal, key=key)

    @property
    def under_way(self) -> int:
        """How many calls are running right now."""
        processes: dict[str, Prefetch] = self.__dict__.get("_processes", {})
        return super().under_way + sum(ahead.engine.under_way() for ahead in processes.values())

    def close(self) -> None:
        """Let go of the processes too."""
        for ahead in self.__dict__.get("_processes", {}).values():
            ahead.engine.close()
        super().close()
