"""From a call of the reasoner to a snapshot, and into the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_dealsnap.baseline.codec import Snapshot, encode, encoded_size, is_encoded
from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.deal import Deal, DealRef
from pytest_dealsnap.errors import OutputError, SnapshotError
from pytest_dealsnap.judging.likeness import Likeness
from pytest_dealsnap.judging.metrics import Metric, compile_metrics, measure
from pytest_dealsnap.judging.paths import parse_path
from pytest_dealsnap.judging.policy import REST
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import DealResult, Failure
from pytest_dealsnap.reasoning.calls import Reasoning, failure_of
from pytest_dealsnap.reasoning.canonical import dumps

__all__ = ["KEPT", "Capture", "Recorder", "duplicated", "result_of"]


# Why a failed deal of a capture was not recorded.
KEPT = "it failed, so its snapshot was left as it is"


class Recorder:
    """Makes snapshots the way a configuration asks for: metrics taken, volatile paths dropped."""

    def __init__(self, config: Config) -> None:
        self._output = config.output
        self.metrics: Sequence[Metric] = compile_metrics(config.metrics)
        place = config.place("output.drop")
        self._drop = [parse_path(path, place=place) for path in config.output.drop]

    @property
    def paths(self) -> dict[str, str]:
        """The path of each metric, by the metric's name."""
        return {metric.name: metric.spec.path for metric in self.metrics}

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


def duplicated(ref: DealRef, *, gate: bool) -> Failure:
    """Return the failure of an id that several rows share; which of them is the deal, nobody knows."""
    what = "judged" if gate else "recorded"
    return Failure("DuplicateDealId", f"{ref.copies} rows have the id {ref.id!r}, so none of them can be {what}")
