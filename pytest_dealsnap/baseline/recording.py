"""From a call of the reasoner to a snapshot, and into the baseline or against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from pytest_dealsnap.baseline.codec import Snapshot, encode, encoded_size, is_encoded
from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.baseline.snapshot_consistency import Consistency
from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.deal import Deal, DealRef
from pytest_dealsnap.deals.types import DealTypes
from pytest_dealsnap.errors import MissingSnapshotError, OutputError, SnapshotError
from pytest_dealsnap.judging.findings import DealResult, Failure, Finding
from pytest_dealsnap.judging.judge import judge
from pytest_dealsnap.judging.likeness import Likeness
from pytest_dealsnap.judging.metrics import Metric, compile_metrics, measure
from pytest_dealsnap.judging.money_moved import numbers_of
from pytest_dealsnap.judging.paths import parse_path
from pytest_dealsnap.judging.policy import REST, Policy, compile_policy
from pytest_dealsnap.judging.similarity import seconds_left
from pytest_dealsnap.judging.values import Number
from pytest_dealsnap.reasoning.calls import Reasoning, failure_of
from pytest_dealsnap.reasoning.canonical import canonical, dumps

__all__ = ["KEPT", "Capture", "Gate", "Recorder", "canonical_finding", "duplicated", "lost_result", "result_of"]


# Why a failed deal of a capture was not recorded.
KEPT = "it failed, so its snapshot was left as it is"


class Recorder:
    """Makes snapshots the way a configuration asks for: metrics taken, volatile paths dropped."""

    def __init__(self, config: Config) -> None:
        self._output = config.output
        self.metrics: Sequence[Metric] = compile_metrics(config.metrics)
        place = config.place("output.drop")
        self._drop = [parse_path(path, place=place) for path in config.output.drop]

    def recorded_output(self, output: Mapping[str, Any]) -> dict[str, Any]:
        """Return *output* without the paths of ``output.drop``."""
        for pattern in self._drop:
            output = pattern.remove_from(output)
        return dict(output)

    def project(self, output: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a snapshot holds of *output*: all that is not dropped, or the metrics only."""
        return self.recorded_output(output) if self._output.record == "full" else self.measure(output)

    def measure(self, output: Mapping[str, Any]) -> dict[str, Any]:
        """Return the metrics of a whole *output*, also those of paths that are dropped afterwards."""
        return measure(self.metrics, output)

    def draft(self, ref: DealRef, name: str | None, reasoning: Reasoning, *, whole: bool = False) -> Snapshot:
        """Return the snapshot of one reasoned deal, of whatever size; with the *whole* output, whatever is recorded."""
        facts = (ref.id, name, ref.deal_type, ref.stored_type)
        if reasoning.output is None:
            return Snapshot(*facts, error=reasoning.failure or Failure("Error", ""))
        output = self.recorded_output(reasoning.output) if whole or self._output.record == "full" else None
        return Snapshot(*facts, metrics=self.measure(reasoning.output), output=output)

    def narrow(self, draft: Snapshot) -> Snapshot:
        """Return what would be recorded of a whole *draft*."""
        return draft if self._output.record == "full" or draft.output is None else replace(draft, output=None)

    def is_written(self, draft: Snapshot, data: bytes) -> bool:
        """Whether *data* is what would be written for *draft*, told without writing it."""
        return is_encoded(draft, data) and len(data) <= self._output.max_bytes

    def write(self, draft: Snapshot) -> tuple[Snapshot, bytes]:
        """Return *draft* and the bytes of its file.

        One that would be larger than ``output.max_bytes``, or that cannot be written, becomes an error
        in place of the output.
        """
        try:
            data = encode(draft)
            if len(data) <= self._output.max_bytes:
                return draft, data
            error = failure_of(self._too_large(len(data)))
        except OutputError as unwritable:
            error = failure_of(unwritable)
        failed = Snapshot(draft.deal_id, draft.deal_name, draft.deal_type, draft.stored_type, error=error)
        return failed, encode(failed)

    def recordable(self, draft: Snapshot) -> Snapshot:
        """Return what :meth:`write` would record, told without writing where a quick look is enough."""
        size = encoded_size(draft)
        return draft if size is not None and 2 * size <= self._output.max_bytes else self.write(draft)[0]

    def _too_large(self, size: int) -> OutputError:
        return OutputError(
            f"the snapshot would have {size:,} bytes, more than the {self._output.max_bytes:,} of output.max_bytes: "
            'leave out bulky paths with output.drop, keep only metrics with output.record = "metrics", or raise it'
        )


class Capture:
    """Records deals into the baseline."""

    def __init__(self, recorder: Recorder, snapshots: DealSnapshots, *, allow_errors: bool = False) -> None:
        self._recorder = recorder
        self._snapshots = snapshots
        self._likeness = Likeness(lambda value: dumps(value).encode())
        self._allow_errors = allow_errors

    def __call__(self, ref: DealRef, deal: Deal | None, reasoning: Reasoning) -> DealResult:
        """Record one deal. The status says what that did to the baseline.

        ``new``: it had no snapshot; ``matched``: the snapshot is the same and was left alone;
        ``changed``: it was written anew; ``errored``: an error was recorded. An error never takes the place of
        anything but an error, unless errors are allowed: the result is not ``compared`` then.
        """
        draft = self._recorder.draft(ref, deal.name if deal else None, reasoning)
        before = self._snapshots.recall(ref.id)
        if before is not None and self._recorder.is_written(draft, before):
            snapshot, status = draft, "matched"
        else:
            snapshot, data = self._recorder.write(draft)
            if snapshot.error is not None and before is not None and not self._may_replace(ref.id, before):
                return result_of(
                    snapshot, "errored", seconds=reasoning.seconds, error=snapshot.error, compared=False, reason=KEPT
                )
            status = "new" if before is None else "matched" if before == data else "changed"
            if before != data:
                self._snapshots.record(ref.id, data)
        status = "errored" if snapshot.error else status
        result = result_of(snapshot, status, seconds=reasoning.seconds, error=snapshot.error)
        if snapshot.metrics is None:
            return result
        names = (ref.id, snapshot.deal_name, snapshot.deal_type, snapshot.stored_type)
        output = snapshot.metrics if snapshot.output is None else snapshot.output
        return replace(result, likeness=self._likeness(names, snapshot.metrics, output))

    def _may_replace(self, deal_id: str, before: bytes) -> bool:
        """Whether an error may take the place of the snapshot *before*; a bad one may have been an output."""
        if self._allow_errors:
            return True
        try:
            return self._snapshots.decode(deal_id, before).error is not None
        except SnapshotError:
            return False


class Gate:
    """Judges deals against the baseline."""

    def __init__(self, config: Config, recorder: Recorder, snapshots: DealSnapshots) -> None:
        self._recorder = recorder
        self._snapshots = snapshots
        self._types = DealTypes.of(config.deals)
        self._missing_gates = config.deals.missing == "fail"
        self._timeout = config.timeout
        self._drops = bool(config.output.drop)
        self.policy: Policy = compile_policy(
            config.rules,
            types=config.deals.types,
            metrics=recorder.metrics,
            root=config.root,
            places=config.places,
        )

    def __call__(self, ref: DealRef, deal: Deal | None, reasoning: Reasoning) -> DealResult:
        """Judge one deal that the baseline has.

        A snapshot that is the same byte for byte is matched without being parsed, unless a rule of
        its type could refuse an unchanged value. The whole output is judged, whatever is recorded of it. A bad
        snapshot makes the deal ``errored``, not compared.
        """
        draft = self._recorder.draft(ref, deal.name if deal else None, reasoning, whole=True)
        try:
            before = self._snapshots.recall(ref.id)
            if before is None:
                return result_of(draft, "new", reason="it has no snapshot in the baseline", compared=False)
            if (
                self.policy[ref.deal_type].holds_when_unchanged
                and draft.error is None
                and self._recorder.is_written(draft, before)
            ):
                matched = result_of(draft, "matched", seconds=reasoning.seconds)
                return replace(matched, unchanged=numbers_of(draft.metrics or {}))
            recorded = self._snapshots.decode(ref.id, before)
            narrow = self._recorder.narrow(draft)
            checked = self._recorder.recordable(narrow)
            current = draft if checked is narrow else checked
            return self.judge(recorded, current, deal, seconds=reasoning.seconds)
        except SnapshotError as error:
            failure = failure_of(error)
            return result_of(draft, "errored", seconds=reasoning.seconds, error=failure, compared=False)

    def judge(self, recorded: Snapshot, current: Snapshot, deal: Deal | None, *, seconds: float = 0.0) -> DealResult:
        """Judge a *current* snapshot against the *recorded* one, by the rules of the recorded type.

        Raises :class:`SnapshotError` where the recorded one contradicts itself.
        """
        recorded = self._consistency.checked(recorded, current)
        with seconds_left(None if self._timeout is None else self._timeout - seconds):
            judgement = judge(
                recorded.reasoned(),
                current.reasoned(),
                policy=self.policy[recorded.deal_type],
                metrics=self._recorder.metrics,
                is_valid_type=self._types.recognizes,
                deal=deal,
            )
        recovered = judgement.status == "new"
        reason = f"it failed in the baseline ({recorded.error}) and works now: its output is not approved yet"
        result = result_of(
            current,
            judgement.status,
            seconds=seconds,
            error=current.error,
            compared=not recovered,
            reason=reason if recovered else "",
        )
        if recorded.metrics is not None and recorded.output is None and REST not in result.absent_metrics:
            result = replace(result, absent_metrics=(*result.absent_metrics, REST))
        findings = tuple(map(canonical_finding, judgement.findings))
        return replace(
            result,
            deal_type=recorded.deal_type,
            findings=findings,
            corrupt=judgement.corrupt,
            unchanged={} if recorded.metrics is None else self._unchanged(recorded.deal_type, current, findings),
        )

    def _unchanged(self, deal_type: str, current: Snapshot, findings: Sequence[Finding]) -> dict[str, Number]:
        """Return the numbers that no finding is about; what a rule ignores may have changed all the same."""
        changed = {finding.metric for finding in findings}
        rules = self.policy[deal_type]
        numbers = numbers_of(current.metrics or {})
        return {name: value for name, value in numbers.items() if name not in changed and rules[name].shown}

    @cached_property
    def _consistency(self) -> Consistency:
        return self.consistency_of(self._snapshots)

    def consistency_of(self, snapshots: DealSnapshots) -> Consistency:
        """Return the check of the snapshots of one baseline, by the metrics of this gate."""
        return Consistency(snapshots, self._recorder.metrics, drops=self._drops)

    def lost(self, ref: DealRef) -> DealResult:
        """Return the result of a deal whose snapshot is gone from the baseline: it cannot be judged."""
        return lost_result(ref, self._snapshots.path(ref.id))

    def missing(self, ref: DealRef) -> DealResult:
        """Return the result of a deal that the baseline has and the database has not."""
        try:
            data = self._snapshots.recall(ref.id)
            if data is None:  # gone from the folder, too: its id is all that is known of it
                return self.gone(Snapshot(ref.id, None, ref.deal_type, ref.stored_type))
            recorded = self._snapshots.decode(ref.id, data)
        except SnapshotError as error:
            unread = Snapshot(ref.id, None, ref.deal_type, ref.stored_type)
            result = result_of(unread, "errored", error=failure_of(error), compared=False)
            return replace(result, corrupt=self._gone())
        return self.gone(recorded)

    def gone(self, recorded: Snapshot) -> DealResult:
        """Return the result of a recorded deal that is not there any more."""
        finding = Finding(
            "deal",
            "missing_from_database",
            baseline=recorded.deal_name,
            allowed="every deal of the baseline",
            gates=self._missing_gates,
        )
        return replace(result_of(recorded, "missing"), findings=(finding,), corrupt=self._gone(), absent_metrics=())

    def _gone(self) -> str | None:
        return "it is in the baseline and not in the database" if self._missing_gates else None


def canonical_finding(finding: Finding) -> Finding:
    """Return *finding* with canonical values: one of a rule of the user's own may hold anything."""
    try:
        return replace(finding, baseline=canonical(finding.baseline), current=canonical(finding.current))
    except OutputError:
        return replace(finding, baseline=str(finding.baseline), current=str(finding.current))


def result_of(
    snapshot: Snapshot,
    status: str,
    *,
    seconds: float = 0.0,
    error: Failure | None = None,
    compared: bool = True,
    reason: str = "",
) -> DealResult:
    """Return the result of the deal that *snapshot* is of, with the metrics that it has no value for."""
    return DealResult(
        snapshot.deal_id,
        snapshot.deal_name,
        snapshot.deal_type,
        snapshot.stored_type,
        status,
        seconds,
        error=error,
        compared=compared,
        absent_metrics=_absent(snapshot),
        reason=reason,
    )


def _absent(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the metrics that *snapshot* has no value for; ``"*"``, the rest, where only metrics are recorded."""
    if snapshot.metrics is None:
        return ()
    absent = tuple(name for name, value in snapshot.metrics.items() if value is None)
    return (*absent, REST) if snapshot.output is None else absent


def lost_result(ref: DealRef, path: str) -> DealResult:
    """Return the result of a deal whose snapshot, which should be at *path*, is gone; nothing was compared."""
    error = MissingSnapshotError(f"the snapshot {path} is missing: the manifest lists the deal. Restore it from git")
    unread = Snapshot(ref.id, None, ref.deal_type, ref.stored_type)
    return result_of(unread, "errored", error=failure_of(error), compared=False)


def duplicated(ref: DealRef, *, gate: bool) -> Failure:
    """Return the failure of an id that several rows share; which of them is the deal, nobody knows."""
    what = "judged" if gate else "recorded"
    return Failure("DuplicateDealId", f"{ref.copies} rows have the id {ref.id!r}, so none of them can be {what}")
