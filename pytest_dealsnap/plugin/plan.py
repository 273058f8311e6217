"""The plan of a run: which deals, read once and frozen, so that every worker has the same list."""

from __future__ import annotations

import pickle
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.baseline.manifest import listed_ids, read_manifest
from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.deal import DealRef
from pytest_dealsnap.deals.selection import Entry, Kind, Population, Selection, drawn_from, order_entries
from pytest_dealsnap.deals.source import DealSource
from pytest_dealsnap.deals.types import DealTypes
from pytest_dealsnap.errors import ConfigError, SnapshotError, SourceError, did_you_mean
from pytest_dealsnap.model.finished_run import Drawn
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.pipeline.seeded_order import calls_reasoner, in_seeded_order

if TYPE_CHECKING:
    from pytest_dealsnap.model.finished_run import Part
    from pytest_dealsnap.plugin.options import Mode

__all__ = ["Plan", "make_plan", "part_of"]

MOST_COMPARED = 2_000  # ids that a misspelt one is held against


@dataclass(frozen=True, slots=True)
class Plan:
    """The entries of a run in test order, and the facts of their source.

    Attributes:
        entries: The deals of the run.
        total: How many deals there are.
        offered: How many ``--dealsnap-only`` left, before the selection.
        description: The source in words.
        facts: The dialect and the schema revision.
        population: The database's deals by type; ``None`` where only some were asked for.
        strangers: Files of the baseline's folder that are no snapshots.
        shard: The shard, as ``I/N``.
        chosen: Whether a type or an id was asked for.
        drawn: What a sample was drawn from.
        unrecorded: Why no deal can be judged, where there is no baseline.
        seed: The seed of a random order of deals; ``None`` where they have another order.
        ordered: The deals of the random order, by type.
        until_decided: Whether the run stops by its verdict.
        copies: URLs of scratch copies, by deal type.
    """

    entries: tuple[Entry, ...]
    total: int
    offered: int
    description: str
    facts: Mapping[str, str | None]
    population: Mapping[str, int] | None
    strangers: tuple[str, ...] = ()
    shard: str | None = None
    chosen: bool = False
    drawn: tuple[Drawn, ...] = ()
    unrecorded: str = ""
    seed: int | None = None
    ordered: Mapping[str, int] = field(default_factory=dict)
    until_decided: bool = False
    copies: Mapping[str, str] = field(default_factory=dict, repr=False)  # URLs, which may hold a password

    @property
    def partial(self) -> bool:
        """Whether deals were left out."""
        return self.population is None or len(self.entries) < self.total

    @property
    def narrowed(self) -> bool:
        """Whether deals were left out by type, id, sample or shard."""
        return self.population is None or len(self.entries) < self.offered

    def dump(self) -> bytes:
        """Return the plan for another process of this run; see :meth:`load`."""
        return pickle.dumps(self)

    @staticmethod
    def load(data: bytes) -> Plan:
        """Return the plan that :meth:`dump` packed, in the process that the run itself started."""
        plan: Plan = pickle.loads(data)  # noqa: S301  # handed over by our own controller
        return plan


def part_of(plan: Plan, selected: int) -> Part | None:
    """Return what kind of part a run of *plan* is about, of which *selected* deals are left; ``None`` for the whole."""
    if not plan.partial and selected == len(plan.entries):
        return None
    if plan.chosen or selected < len(plan.entries):
        return "chosen"
    return "shard" if plan.shard else "sample"


def make_plan(
    config: Config,
    source: DealSource,
    snapshots: DealSnapshots,
    *,
    mode: Mode,
    only: str | None,
    selection: Selection,
    old_code: bool = False,
) -> Plan:
    """Read the deals and the baseline's folder, and return the plan.

    A gate without a baseline has a plan, too: tests of the user's own may need none. With *old_code*, whose answers are
    the baseline of a gate, each deal of the source has one.

    Raises :class:`SourceError` for a source that cannot be read or has no deals,
    :class:`ConfigError` for a selection that names none.
    """
    types = DealTypes.of(config.deals)
    selection = _checked(selection, types)
    stored = mode == "gate" and not old_code  # whether a stored baseline is judged against
    listed = listed_ids(read_manifest(config.snapshots)) if stored else set()
    refs = source.refs(selection.ids or None)
    selection = replace(selection, ids=tuple(_spelt(deal_id, {ref.id for ref in refs}) for deal_id in selection.ids))
    recorded = set() if mode == "matrix" or old_code else _recorded(snapshots, selection)
    there = recorded.union((ref.id for ref in refs), listed)
    unknown = [deal_id for deal_id in selection.ids if deal_id not in there]
    if unknown:
        hint = did_you_mean(unknown[0], islice(snapshots.each_id(), MOST_COMPARED))
        raise ConfigError(f"--dealsnap-id {unknown[0]}: neither the database nor the baseline has this deal.{hint}")
    known = {ref.id for ref in refs} if mode == "matrix" or old_code else recorded
    entries = [Entry(r, "present" if r.id in known else "lost" if r.id in listed else "new") for r in refs]
    if stored:
        lost = listed.intersection(selection.ids) if selection.ids else listed
        gone = (recorded | lost).difference(ref.id for ref in refs)
        entries += [_missing(snapshots, deal_id, types) for deal_id in gone]
    elif not refs:
        where = f" where {config.deals.where}" if config.deals.where else ""
        what = "capture" if mode == "capture" else "compare"
        raise SourceError(f"{source.description} has no deals{where}: there is nothing to {what}")
    ordered = order_entries(entries, types.valid)
    offered = _only(ordered, only, snapshots)
    pool = replace(selection, sample=None).choose(offered)
    seeded = mode == "gate" and _in_random_order(config, selection)
    if seeded:
        chosen = in_seeded_order(pool, selection.seed, most=selection.sample)
    else:
        chosen = pool if selection.sample is None else selection.choose(offered)
    whole = replace(selection, sample=None, types=()).choose(offered)
    return Plan(
        entries=tuple(chosen),
        total=max(len(ordered), _recorded_total(config, stored=stored)) if selection.ids else len(ordered),
        offered=len(offered),
        description=source.description,
        facts=dict(source.facts),
        population=None if selection.ids else Population.of(refs).by_type,
        strangers=() if selection.ids or mode == "matrix" or old_code else tuple(snapshots.strangers()),
        shard=str(selection.shard) if selection.shard else None,
        chosen=bool(selection.ids) or len(pool) < len(whole),
        unrecorded=_unrecorded(config, snapshots, listed) if stored else "",
        drawn=drawn_from(pool, shard=selection.shard, kinds=_speaking(config))
        if selection.until_decided or len(chosen) < len(pool)
        else (),
        seed=selection.seed if seeded else None,
        ordered=Population.of(entry.ref for entry in pool if calls_reasoner(entry)).by_type if seeded else {},
        until_decided=selection.until_decided,
    )


def _in_random_order(config: Config, selection: Selection) -> bool:
    """Whether deals begin in a random order: what is left by a budget, too, is then a sample of all of them."""
    if selection.until_decided:
        return True
    narrowed = selection.types or selection.ids or selection.sample is not None or selection.shard is not None
    return config.calls.budget is not None and not narrowed


def _speaking(config: Config) -> tuple[Kind, ...]:
    """Return the kinds of entries that take part in the verdict."""
    missing: tuple[Kind, ...] = ("missing",) if config.deals.missing == "fail" else ()
    new: tuple[Kind, ...] = ("new",) if config.deals.new == "fail" else ()
    return ("present", "lost", *missing, *new)


def _recorded_total(config: Config, *, stored: bool) -> int:
    """Return how many deals the manifest counts: by id, only those that were asked for are read."""
    manifest = read_manifest(config.snapshots) if stored else None
    counts = (manifest or {}).get("deals")
    if not isinstance(counts, dict):
        return 0
    return sum(count for count in counts.values() if isinstance(count, int))


def _checked(selection: Selection, types: DealTypes) -> Selection:
    """Return *selection* with aliases resolved; refuse a type that there is not."""
    for name in selection.types:
        if not types.recognizes(name):
            hint = did_you_mean(name, [*types.valid, *types.aliases])
            raise ConfigError(f"--dealsnap-type {name}: no such deal type.{hint} Valid: {', '.join(types.valid)}")
    resolved = tuple(types.effective(name) for name in selection.types)
    return replace(selection, types=resolved)


def _spelt(deal_id: str, there: Collection[str]) -> str:
    """Return *deal_id* as the source has it, where it found it in capitals: a UUID."""
    return deal_id.lower() if deal_id not in there and deal_id.lower() in there else deal_id


def _unrecorded(config: Config, snapshots: DealSnapshots, listed: Collection[str]) -> str:
    """Return why no deal can be judged, or nothing where there is a baseline."""
    if any(True for _ in snapshots.each_id()):
        return ""
    if listed:
        return (
            f"{config.snapshots} has none of the {len(listed):,} snapshots that its manifest lists. "
            f"Restore them from git: git checkout -- {config.snapshots.name}"
        )
    return (
        f"no baseline in {config.snapshots}: there is nothing to judge against. "
        "Capture one first: pytest --dealsnap-update"
    )


def _recorded(snapshots: DealSnapshots, selection: Selection) -> set[str]:
    """Return the ids that have a snapshot; of a selection by id, only those are looked for."""
    if selection.ids:
        return {deal_id for deal_id in selection.ids if snapshots.has(deal_id)}
    return snapshots.ids()


def _only(entries: list[Entry], only: str | None, snapshots: DealSnapshots) -> list[Entry]:
    if only == "missing":
        return [entry for entry in entries if entry.kind == "new"]
    if only == "errors":
        errors = snapshots.errors_among(entry.ref.id for entry in entries if entry.kind == "present")
        return [entry for entry in entries if entry.ref.id in errors]
    return entries


def _missing(snapshots: DealSnapshots, deal_id: str, types: DealTypes) -> Entry:
    """Return the entry of a deal that only the baseline has, under the type that it records."""
    stored, deal_type = None, types.default
    try:
        data: Any = snapshots.recall(deal_id)
        if data is not None:
            recorded = snapshots.decode(deal_id, data)
            stored, deal_type = recorded.stored_type, recorded.deal_type
    except SnapshotError:
        pass  # the deal's own test will say so; here only its type is wanted
    return Entry(DealRef(deal_id, deal_id, stored, deal_type), "missing")
