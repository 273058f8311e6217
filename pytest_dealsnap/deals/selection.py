"""Which deals a run is about: the plan that all workers share."""

from __future__ import annotations

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pytest_dealsnap.deals.deal import DealRef, id_order
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.model.finished_run import Drawn

__all__ = ["Entry", "Kind", "Selection", "Shard", "drawn_from", "order_entries", "stratified_sample"]

Kind = Literal["present", "new", "missing", "lost"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One deal of a run: in database and baseline (``present``), or in one of them only.

    A ``lost`` one is in the database and in the baseline's manifest, and its snapshot is gone.
    """

    ref: DealRef
    kind: Kind


@dataclass(frozen=True, slots=True)
class Shard:
    """One of *count* parts of all deals, numbered from 1.

    A deal's part follows from its id alone, so inserting deals moves no other deal to another part.
    """

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``2/8``; raises :class:`ConfigError` for anything else."""
        number, slash, count = text.partition("/")
        if slash and number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count):
            return cls(int(number), int(count))
        raise ConfigError(f"--dealsnap-shard {text}: must be I/N with I from 1 to N, such as 2/8")

    def holds(self, deal_id: str) -> bool:
        """Whether *deal_id* is in this part."""
        digest = hashlib.sha256(deal_id.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


@dataclass(frozen=True, slots=True)
class Selection:
    """What the user narrowed the run to; empty means all deals. ``until_decided`` stops the run by its verdict."""

    types: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    sample: int | None = None
    seed: int = 0
    shard: Shard | None = None
    until_decided: bool = False

    def choose(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return the entries that the selection leaves, in their order; a sample is drawn from the shard."""
        chosen = [
            entry
            for entry in entries
            if (not self.types or entry.ref.deal_type in self.types)
            and (self.shard is None or self.shard.holds(entry.ref.id))
        ]
        return chosen if self.sample is None else stratified_sample(chosen, self.sample, seed=self.seed)


def drawn_from(entries: Iterable[Entry], *, shard: Shard | None, kinds: Collection[Kind]) -> tuple[Drawn, ...]:
    """Return what a sample of *entries* is drawn from, by deal type; only entries of *kinds* say something."""
    counts = Counter(entry.ref.deal_type for entry in entries if entry.kind in kinds)
    return tuple(Drawn(name, count, str(shard) if shard else None) for name, count in sorted(counts.items()))


def order_entries(entries: Iterable[Entry], types: Sequence[str]) -> list[Entry]:
    """Order by deal type, as configured, then by id: the same on every worker and machine."""
    ranks = {deal_type: rank for rank, deal_type in enumerate(types)}
    return sorted(entries, key=lambda entry: (ranks.get(entry.ref.deal_type, len(ranks)), id_order(entry.ref.id)))


def stratified_sample(entries: Sequence[Entry], size: int, *, seed: int) -> list[Entry]:
    """Return *size* of *entries*, each deal type in proportion, the same ones for the same *seed*.

    Shares are rounded by largest remainder; every type gets at least one deal where *size* allows.
    """
    if size >= len(entries):
        return list(entries)
    strata: dict[str, list[int]] = defaultdict(list)
    for index, entry in enumerate(entries):
        strata[entry.ref.deal_type].append(index)
    chosen: set[int] = set()
    for deal_type, share in _shares({name: len(stratum) for name, stratum in strata.items()}, size).items():
        chosen.update(random.Random(f"{seed}:{deal_type}").sample(strata[deal_type], share))  # noqa: S311  # no secret
    return [entry for index, entry in enumerate(entries) if index in chosen]


def _shares(counts: Mapping[str, int], size: int) -> dict[str, int]:
    total = sum(counts.values())
    floor = 1 if size >= len(counts) else 0
    shares = {name: max(floor, size * count // total) for name, count in counts.items()}
    by_remainder = sorted(counts, key=lambda name: (-(size * counts[name] % total), name))
    while sum(shares.values()) > size:
        largest = max(shares, key=lambda name: (shares[name], name))
        shares[largest] -= 1
    while sum(shares.values()) < size:
        for name in by_remainder:
            if sum(shares.values()) < size and shares[name] < counts[name]:
                shares[name] += 1
    return shares


@dataclass(frozen=True, slots=True)
class Population:
    """What the database holds, by deal type: the manifest remembers it."""

    by_type: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, refs: Iterable[DealRef]) -> Population:
        """Count *refs* by effective type."""
        return cls(dict(sorted(Counter(ref.deal_type for ref in refs).items())))
