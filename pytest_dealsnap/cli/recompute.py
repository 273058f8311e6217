"""New outputs for the baseline: computed anew, held against the report, and written whole or not at all.

A report does not hold whole outputs, so what goes into the baseline is what the reasoner says now; and
only where that differs from the baseline just as the report says. Who accepts has seen the report.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType

from pytest_dealsnap.baseline.codec import Snapshot
from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.baseline.journal import Changes, commit, writing
from pytest_dealsnap.baseline.listing import relist
from pytest_dealsnap.baseline.recording import Recorder
from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.deals.open_source import open_source
from pytest_dealsnap.errors import ConfigError, DealsnapError, SnapshotError, SourceError
from pytest_dealsnap.judging.values import in_words, same
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.results import DealResult, Finding
from pytest_dealsnap.pipeline.gate import Gate
from pytest_dealsnap.reasoning.calls import Reasoning
from pytest_dealsnap.reasoning.engine import Engine
from pytest_dealsnap.reasoning.reasoner import bind_reasoner, import_reasoner
from pytest_dealsnap.reasoning.run_store import RunStore, run_key, runs_folder
from pytest_dealsnap.reasoning.spending import Budget

__all__ = ["Recomputed", "Recomputer", "Refused", "put_back", "stage_all", "write_all"]


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A deal's new snapshot, and the one that it replaces; ``result`` is what judging one by the other came to."""

    result: DealResult
    before: bytes | None
    after: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """A deal whose output is not taken, and why."""

    deal_id: str
    why: str


class Recomputer:
    """Computes deals anew, as the run of a report did; a context manager, which lets go of the database."""

    def __init__(self, config: Config, run: FinishedRun) -> None:
        _check_origin(run)
        self._config = config
        self._reasoner = import_reasoner(config)
        bind_reasoner(self._reasoner)  # refused before any database is opened
        self._source = open_source(config)
        self._engine = Engine(timeout=config.timeout)
        self.snapshots = DealSnapshots(config.snapshots)
        self._recorder = Recorder(config)
        if self._source.description != run.facts.database:
            described = self._source.description
            self.__exit__(None, None, None)
            raise ConfigError(
                f"the report is of {run.facts.database}, this project's deals are in {described}. Give the database "
                "that the gate judged: DEALSNAP_DATABASE=URL dealsnap accept …"
            )

    def __enter__(self) -> Recomputer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.close()
        self._source.close()

    @cached_property
    def _store(self) -> RunStore | None:
        """The run store of the gate, where it kept what it judged."""
        if not runs_folder(self._config).is_dir():
            return None
        facts = self._source.facts
        database = self._source.description
        key = run_key(self._config, mode="gate", database=database, facts=facts, environ=os.environ)
        return RunStore(runs_folder(self._config) / key, Budget(), self._config.calls.currency)

    @cached_property
    def _gate(self) -> Gate:
        return Gate(self._config, self._recorder, self.snapshots)

    def recompute(self, reported: DealResult) -> Recomputed | Refused:
        """Compute one deal anew; refused where it cannot be, or differs otherwise than *reported*."""
        if reported.status == "missing":
            return Refused(reported.id, "it is gone from the database; to drop its snapshot: dealsnap prune")
        if reported.status == "errored":
            return Refused(reported.id, f"it has no output to take: {reported.error}")
        try:
            return self._recompute(reported)
        except (SourceError, SnapshotError) as error:
            return Refused(reported.id, str(error))

    def _recompute(self, reported: DealResult) -> Recomputed | Refused:
        refs = self._source.refs([reported.id])
        if len(refs) != 1 or refs[0].copies > 1:
            return Refused(reported.id, "it is gone from the database" if not refs else "its id is not unique")
        deal = self._source.fetch(refs[0])
        kept = None if self._store is None else self._store.find(deal)
        # The judged output itself, where a run has kept it: a noisy reasoner would give another one.
        reasoning = self._engine(self._reasoner, deal) if kept is None else Reasoning(output=kept.output)
        snapshot, data = self._recorder.write(self._recorder.draft(refs[0], deal.name, reasoning))
        if snapshot.error is not None:
            return Refused(reported.id, f"its reasoner fails now: {snapshot.error}")
        before = self.snapshots.recall(reported.id)
        if before == data:
            return Recomputed(reported, before, data)  # it has been taken since the report
        result = self._judged(reported, before, snapshot, deal)
        if result is None or not _same_findings(result, reported):
            return Refused(reported.id, "it has changed since the report; run the gate again, and decide on that")
        return Recomputed(result, before, data)

    def _judged(self, reported: DealResult, before: bytes | None, new: Snapshot, deal: Deal) -> DealResult | None:
        if before is None:
            return reported if reported.status == "new" and not reported.findings else None
        if reported.status == "new" and not reported.findings:  # else it is an error of the baseline's that went away
            return None
        return self._gate.compare(self.snapshots.decode(reported.id, before), new, deal).result


def _check_origin(run: FinishedRun) -> None:
    if run.facts.mode != "gate":
        raise ConfigError(
            f"only what a gate found can be taken into the baseline; this is the report of a {run.facts.mode}. "
            "Take it into the ledger (--into ledger)"
        )
    if run.facts.against is not None:
        raise ConfigError(
            f"the baseline of this report is the code of {run.facts.against.words}, not a stored one: no output can be "
            "taken into it. Take it into the ledger (--into ledger)"
        )


def _same_findings(one: DealResult, other: DealResult) -> bool:
    return len(one.findings) == len(other.findings) and all(map(_same_finding, one.findings, other.findings))


def _same_finding(one: Finding, other: Finding) -> bool:
    """Whether two findings are the same, one of which may have been read from a report."""
    if (one.metric, one.issue, one.gates, one.count, one.paths) != (
        other.metric, other.issue, other.gates, other.count, other.paths
    ):  # fmt: skip
        return False
    if one.digest and other.digest and one.digest != other.digest:
        return False
    return same(in_words(one.baseline), in_words(other.baseline)) and same(
        in_words(one.current), in_words(other.current)
    )


def stage_all(changes: Changes, snapshots: DealSnapshots, taken: Sequence[Recomputed]) -> None:
    """Have the new snapshots among *changes*, and new deals in the manifest's list.

    Raises :class:`DealsnapError` where a snapshot is another one than what was judged.
    """
    for one in taken:
        path = Path(snapshots.path(one.result.id))
        if changes.read(path) != one.before:
            raise DealsnapError(f"the snapshot of deal {one.result.id} was changed again since: nothing was written")
        changes.write(path, one.after)
    relist(changes, snapshots.folder.parent, added=[one.result.id for one in taken if one.before is None])


def write_all(snapshots: DealSnapshots, taken: Sequence[Recomputed]) -> None:
    """Write all new snapshots, or none, also where the process is killed."""
    folder = snapshots.folder.parent
    with writing(folder):
        changes = Changes()
        stage_all(changes, snapshots, taken)
        commit(folder, changes.all())


def put_back(snapshots: DealSnapshots, taken: Sequence[Recomputed]) -> None:
    """Put back the former snapshots, byte for byte.

    Raises :class:`DealsnapError`, and puts nothing back, where one was changed again in the meantime.
    """
    folder = snapshots.folder.parent
    with writing(folder):
        changes = Changes()
        for one in taken:
            path = Path(snapshots.path(one.result.id))
            if changes.read(path) != one.after:
                raise DealsnapError(
                    f"the snapshot of deal {one.result.id} was changed again since: nothing was put back"
                )
            changes.write(path, one.before)
        relist(changes, folder, removed=[one.result.id for one in taken if one.before is None])
        commit(folder, changes.all())
