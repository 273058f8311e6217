"""The random order in which a run begins its deals, and what came of them: shared by all processes of the run.

Deals are numbered as they begin. Which deal begins next depends on the seed and on what is known by then, never on its
own outcome, so that the first ones are a random sample, however the deals are spread over processes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pytest_dealsnap.baseline.shared_lines import SharedLines
from pytest_dealsnap.config import VerdictConfig
from pytest_dealsnap.deals.selection import Entry
from pytest_dealsnap.judging.sequence import is_decided
from pytest_dealsnap.model.looked import Looked, LookedType

__all__ = ["OrderSettings", "SeededOrder", "calls_reasoner", "in_seeded_order"]


def calls_reasoner(entry: Entry) -> bool:
    """Whether a gate calls the reasoner for *entry*; what the others come to is known without it."""
    return entry.kind == "present" and entry.ref.copies == 1


def in_seeded_order(entries: Sequence[Entry], seed: int, *, most: int | None = None) -> list[Entry]:
    """Return *entries* in the order by *seed*: first those that need no call, then at most *most* others.

    A deal's place follows from its id and the seed, so that a new deal moves no other.
    """

    def place(entry: Entry) -> bytes:
        return hashlib.sha256(f"{seed}\0{entry.ref.id}".encode("utf-8", "surrogatepass")).digest()

    called = sorted(filter(calls_reasoner, entries), key=place)
    return [*(entry for entry in entries if not calls_reasoner(entry)), *called[:most]]


@dataclass(frozen=True, slots=True)
class OrderSettings:
    """A run's order, as it travels to its other processes.

    Attributes:
        file: What all processes append to.
        seed: The seed of the order.
        population: How many deals there are by type.
        certain: How many deals are affected for sure without a call.
        corrupt: Whether one of those is corrupt, which decides the verdict at once.
        stops: Whether no further deal begins once the verdict is decided.
        thresholds: What decides it.
    """

    file: Path
    seed: int
    population: Mapping[str, int]
    certain: int
    corrupt: bool
    stops: bool
    thresholds: VerdictConfig


class SeededOrder:
    """The order of a run, in one process."""

    def __init__(self, settings: OrderSettings, *, worker: str = "") -> None:
        self.settings = settings
        self._worker = worker
        self._lines = SharedLines(settings.file, lambda line: self._take(json.loads(line)), synced=False)
        self._begun: dict[str, tuple[str, str]] = {}  # each deal's type and worker, in the order of their beginnings
        self._outcomes: dict[str, bool | None] = {}
        self._corrupt = settings.corrupt
        self._seen = 0  # how many of the begun ones are in the counts: judged, affected, unknown
        self._counts = {name: [0, 0, 0] for name in settings.population}
        self._known: bool | None = None  # whether the counts decide, once that was asked

    def begin(self, deal_id: str, deal_type: str, *, already: bool = False) -> bool:
        """Begin a deal, and return whether it may; *already*: its call was begun ahead, so that it may."""
        with self._lines.changing() as append:
            if deal_id in self._begun:
                return True
            if not already and self._is_decided():
                return False
            append({"what": "begun", "deal": deal_id, "type": deal_type, "by": self._worker})
            return True

    def end(self, deal_id: str, affected: bool | None, *, corrupt: bool = False) -> None:
        """Take note of what a deal came to; ``None`` where it could not be judged."""
        with self._lines.changing() as append:
            append({"what": "ended", "deal": deal_id, "affected": affected, "corrupt": corrupt})

    def withdraw(self, deal_id: str) -> None:
        """Forget a deal whose call was refused before it was made."""
        with self._lines.changing() as append:
            append({"what": "withdrawn", "deal": deal_id})

    def lose(self, worker: str) -> None:
        """Take note that a process ended: what its deals under way came to is not known."""
        with self._lines.changing() as append:
            for deal_id, (_, by) in list(self._begun.items()):
                if by == worker and deal_id not in self._outcomes:
                    append({"what": "ended", "deal": deal_id, "affected": None, "corrupt": False})

    @property
    def decided(self) -> bool:
        """Whether the verdict is decided, and no further deal begins."""
        with self._lines.reading():
            return self._is_decided()

    def has_begun(self, deal_id: str) -> bool:
        """Whether a deal was begun, in whichever process."""
        with self._lines.reading():
            return deal_id in self._begun

    def looked(self) -> Looked:
        """Return what was seen of the order so far."""
        with self._lines.reading():
            return self._looked()

    def _looked(self) -> Looked:
        for deal_id, (deal_type, _) in islice(self._begun.items(), self._seen, None):
            if deal_id not in self._outcomes:
                break
            outcome, counts = self._outcomes[deal_id], self._counts[deal_type]
            counts[0] += 1
            counts[1] += outcome is True
            counts[2] += outcome is None
            self._seen += 1
        types = self.settings.population.items()
        return Looked(self.settings.seed, tuple(LookedType(name, deals, *self._counts[name]) for name, deals in types))

    def _is_decided(self) -> bool:
        if not self.settings.stops:
            return False
        if self._corrupt:
            return True
        if self._known is None:
            self._known = is_decided(self._looked(), self.settings.thresholds, certain=self.settings.certain)
        return self._known

    def _take(self, line: Mapping[str, Any]) -> None:
        deal_id = line["deal"]
        if line["what"] == "begun":
            self._begun[deal_id] = line["type"], line["by"]
        elif line["what"] == "withdrawn":
            self._begun.pop(deal_id, None)
            self._count_anew()
        else:
            if deal_id in self._outcomes:  # its test ran again
                self._count_anew()
            self._outcomes[deal_id] = line["affected"]
            self._corrupt = self._corrupt or line["corrupt"]
            self._known = None

    def _count_anew(self) -> None:
        self._seen, self._known = 0, None
        for counts in self._counts.values():
            counts[:] = 0, 0, 0
