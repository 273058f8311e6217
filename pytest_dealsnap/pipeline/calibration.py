"""Pairs of runs of the same code: what differs by itself, and how far; first by recorded calls, then by fresh ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_dealsnap.baseline.cassettes import Cassettes
from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.baseline.recording import Recorder
from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.open_source import open_source
from pytest_dealsnap.deals.selection import Entry, stratified_sample
from pytest_dealsnap.deals.source import DealSource
from pytest_dealsnap.errors import SourceError
from pytest_dealsnap.judging.noise_floors import Pair, tally
from pytest_dealsnap.judging.policy import REST, Policy
from pytest_dealsnap.judging.rules import OR_NOISE, Rule
from pytest_dealsnap.judging.two_runs import Instability, unstable
from pytest_dealsnap.judging.values import is_present
from pytest_dealsnap.model.noise import NOISE_FORMAT, Noise
from pytest_dealsnap.pipeline.calls_asked import engine_of
from pytest_dealsnap.pipeline.paid_runs import Numbered, NumberedRuns
from pytest_dealsnap.pipeline.prices import settings_of_store
from pytest_dealsnap.reasoning.calls import Reasoning
from pytest_dealsnap.reasoning.environment import Environment
from pytest_dealsnap.reasoning.reasoner import bind_reasoner, import_reasoner
from pytest_dealsnap.reasoning.replay import Replay, ReplaySettings
from pytest_dealsnap.reasoning.run_store import RunStore, calls_version, run_key, runs_folder

__all__ = ["Calibration", "Calibrator"]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request of unchanged code that was not recorded: its difference, and the paths that differ."""

    deal_id: str
    difference: str
    paths: tuple[str, ...]


@dataclass
class Calibration:
    """What pairs of runs came to.

    ``deals`` counts the deals that differ at a path, ``examples`` holds the first of each. ``failed`` are deals whose
    first run had no output. ``prompts`` are requests that differ from the recorded ones, of ``replayed`` deals.
    ``stopped`` says why not all pairs were made; ``spent`` what the calls cost, and ``reused`` how many were paid
    before.
    """

    pairs: int = 0
    unstable_pairs: int = 0
    deals: dict[str, int] = field(default_factory=dict)
    examples: dict[str, Instability] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    by_type: dict[str, list[Pair]] = field(default_factory=dict)
    prompts: list[Prompt] = field(default_factory=list)
    replayed: int = 0
    stopped: str = ""
    spent: str = ""
    reused: int = 0

    def take(self, found: Sequence[Instability]) -> None:
        """Take in where the two runs of one deal differ."""
        for one in found:
            self.examples.setdefault(one.path, one)
            self.deals[one.path] = self.deals.get(one.path, 0) + 1

    @property
    def to_drop(self) -> list[str]:
        """The paths that no metric reads."""
        return sorted(path for path, one in self.examples.items() if one.metric is None)

    def noise(self, version: str, metrics: Sequence[str]) -> Noise:
        """Return what the pairs say of each type and metric."""
        types = {name: tally(pairs, metrics) for name, pairs in sorted(self.by_type.items())}
        return Noise(NOISE_FORMAT, version, types, tuple(sorted(self.examples)))

    def suggested_rules(self, policy: Policy) -> dict[str, dict[str, str]]:
        """Return, by type and metric, the rules of *policy* that unchanged code breaks, with ``or noise``."""
        found: dict[str, dict[str, str]] = {}
        for deal_type, pairs in sorted(self.by_type.items()):
            for name, rule in policy[deal_type].rules.items():
                if name != REST and rule.may_add_noise and any(_breaks(rule, name, pair) for pair in pairs):
                    found.setdefault(deal_type, {})[name] = f"{rule.as_written}{OR_NOISE}"
        return found


def _breaks(rule: Rule, metric: str, pair: Pair) -> bool:
    before, after = (pair.first or {}).get(metric), (pair.second or {}).get(metric)
    return is_present(before) and is_present(after) and not rule.holds(before, after)


class Calibrator:
    """Reasons a sample of the deals twice; a context manager, which lets go of the database.

    Raises :class:`SourceError` where there are no deals.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._function = import_reasoner(config)
        bind_reasoner(self._function)  # refused before any database is opened
        self.recorder = Recorder(config)
        self._cassettes = Cassettes(config.snapshots)
        self._source: DealSource = open_source(config)

    def __enter__(self) -> Calibrator:
        return self

    def __exit__(self, *error: object) -> None:
        self._source.close()

    def sample(self, pairs: int) -> list[Entry]:
        """Return the deals that are reasoned twice: of each type in proportion, always the same ones."""
        refs = [ref for ref in self._source.refs() if ref.copies == 1]
        if not refs:
            raise SourceError(f"{self._source.description} has no deals: there is nothing to calibrate")
        return stratified_sample([Entry(ref, "present") for ref in refs], pairs, seed=0)

    def replay(self, entries: Sequence[Entry], found: Calibration) -> None:
        """Reason those of *entries* whose calls are recorded, by replay alone: a request that misses is volatile."""
        recorded = [entry for entry in entries if self._cassettes.path(entry.ref.id).exists()]
        if not self._config.replay.calls or not recorded:
            return

        def take(entry: Entry, first: Reasoning, second: Reasoning) -> None:
            found.replayed += 1
            if first.calls is not None and first.calls.miss:
                found.prompts.append(Prompt(entry.ref.id, first.calls.miss, first.calls.miss_paths))
            if first.output is not None and second.output is not None:
                found.take(self._unstable(first.output, second.output))

        settings = ReplaySettings.of(self._config, capture=False, only=True)
        self._twice(recorded, take, replay=Replay(settings, self._cassettes.read))

    def measure(self, entries: Sequence[Entry], found: Calibration, *, fresh: bool) -> None:
        """Reason *entries* twice with fresh calls, through the run store where that is on; *fresh* reuses nothing."""

        def take(entry: Entry, first: Reasoning, second: Reasoning) -> None:
            stopped = next((one for one in (first, second) if one.excused), None)
            if stopped is not None:
                found.stopped = found.stopped or str(stopped.failure and stopped.failure.message)
                return
            if first.output is None:
                found.failed.append(f"deal {entry.ref.id}: {first.failure}")
                return
            found.pairs += 1
            pairs = found.by_type.setdefault(entry.ref.deal_type, [])
            one = self.recorder.measure(first.output)
            if second.output is None:
                pairs.append(Pair(one, None))
                return
            pairs.append(Pair(one, self.recorder.measure(second.output)))
            places = self._unstable(first.output, second.output)
            found.unstable_pairs += bool(places)
            found.take(places)

        replay = None
        if self._config.replay.calls:  # recorded for what they cost, and not kept
            replay = Replay(ReplaySettings.of(self._config, capture=True, only=False), lambda deal_id: None)
        settings = None
        if self._config.calls.given or self._config.calls.budget is not None:
            key = run_key(
                self._config,
                mode="calibrate",
                database=self._source.description,
                facts=self._source.facts,
                environ=os.environ,
            )
            snapshots = DealSnapshots(self._config.snapshots)
            settings = settings_of_store(self._config, runs_folder(self._config) / key, snapshots)
        if settings is None:
            self._twice(entries, take, replay=replay)
            return
        store = RunStore(settings.folder, settings.budget, settings.currency)
        about = {"mode": "calibrate", "database": self._source.description, "reasoner": self._config.reasoner}
        limit = settings.budget.limit
        about |= {"currency": settings.currency, "budget": None if limit is None else str(limit)}
        store.open(tests=[entry.ref.id for entry in entries], facts=about, fresh=fresh)
        try:
            runs = self._twice(entries, take, replay=replay, settings=settings)
            account = store.spend.account()
            found.reused = runs.reused
            if settings.cost or self._config.replay.cost:
                found.spent = f"{account.spent(settings.budget)} {settings.currency} in {account.begun:,} calls"
        finally:
            store.close()

    def version(self) -> str:
        """Return what names the measured code and model."""
        return calls_version(self._config)

    def _twice(
        self,
        entries: Sequence[Entry],
        take: Callable[[Entry, Reasoning, Reasoning], None],
        **how: Any,
    ) -> NumberedRuns:
        """Reason each deal twice, a few deals at once, and hand over each pair.

        The runs of one deal do not overlap: recorded calls are told apart by their deal.
        """
        engine = engine_of(self._config, Environment(self._config.environment_errors))
        replay = how.get("replay")
        runs = NumberedRuns(engine, self._function, **how)
        if replay is not None:
            replay.begin()
        try:
            for start in range(0, len(entries), self._config.workers):
                some = entries[start : start + self._config.workers]
                pairs = [[Numbered(self._source.fetch(entry.ref), index) for entry in some] for index in (0, 1)]
                first, second = ([reasoning for _, reasoning in runs.each(wanted)] for wanted in pairs)
                for entry, one, two in zip(some, first, second, strict=True):
                    take(entry, one, two)
        finally:
            engine.close()
            if replay is not None:
                replay.end()
        return runs

    def _unstable(self, first: Any, second: Any) -> list[Instability]:
        one, two = self.recorder.recorded_output(first), self.recorder.recorded_output(second)
        return unstable(one, two, self.recorder.metrics)
