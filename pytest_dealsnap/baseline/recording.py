"""From a call of the reasoner to a snapshot, and into the baseline or against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_dealsnap.baseline.codec import Snapshot, encode
from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.deal import Deal, DealRef
from pytest_dealsnap.deals.types import DealTypes
from pytest_dealsnap.errors import OutputError, SnapshotError
from pytest_dealsnap.judging.findings import DealResult, Failure, Finding
from pytest_dealsnap.judging.judge import judge
from pytest_dealsnap.judging.metrics import Metric, compile_metrics
from pytest_dealsnap.judging.paths import parse_path
from pytest_dealsnap.judging.policy import Policy, compile_policy
from pytest_dealsnap.reasoning.calls import Reasoning, failure_of

__all__ = ["Capture", "Gate", "Recorder"]


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
        return {metric.name: metric(output) for metric in self.metrics}

    def snapshot(self, ref: DealRef, name: str | None, reasoning: Reasoning) -> tuple[Snapshot, bytes]:
        """Return the snapshot of one reasoned deal and the bytes of its file.

        One that would be larger than ``output.max_bytes`` becomes an error in place of the output.
        """
        if reasoning.output is not None:
            full = self._output.record == "full"
            snapshot = Snapshot(
                ref.id,
                name,
                ref.deal_type,
                ref.stored_type,
                metrics=self.measure(reasoning.output),
                output=self.recorded_output(reasoning.output) if full else None,
            )
            data = encode(snapshot).encode()
            if len(data) <= self._output.max_bytes:
                return snapshot, data
            failure = failure_of(self._too_large(len(data)))
        else:
            failure = reasoning.failure or Failure("Error", "")
        snapshot = Snapshot(ref.id, name, ref.deal_type, ref.stored_type, error=failure)
        return snapshot, encode(snapshot).encode()

    def _too_large(self, size: int) -> OutputError:
        return OutputError(
            f"the snapshot would have {size:,} bytes, more than the {self._output.max_bytes:,} of output.max_bytes: "
            'leave out bulky paths with output.drop, keep only metrics with output.record = "metrics", or raise it'
        )


class Capture:
    """Records deals into the baseline."""

    def __init__(self, recorder: Recorder, snapshots: DealSnapshots) -> None:
        self._recorder = recorder
        self._snapshots = snapshots

    def __call__(self, ref: DealRef, deal: Deal | None, reasoning: Reasoning) -> DealResult:
        """Record one deal. The status says what that did to the baseline.

        ``new``: it had no snapshot; ``matched``: the snapshot is the same and was left alone;
        ``changed``: it was written anew; ``errored``: an error was recorded.
        """
        snapshot, data = self._recorder.snapshot(ref, deal.name if deal else None, reasoning)
        before = self._snapshots.recall(ref.id)
        if before != data:
            self._snapshots.record(ref.id, data)
        status = "new" if before is None else "matched" if before == data else "changed"
        return DealResult(
            ref.id,
            snapshot.deal_name,
            ref.deal_type,
            ref.stored_type,
            "errored" if snapshot.error else status,
            reasoning.seconds,
            error=snapshot.error,
            absent_metrics=absent(snapshot),
        )


class Gate:
    """Judges deals against the baseline."""

    def __init__(self, config: Config, recorder: Recorder, snapshots: DealSnapshots) -> None:
        self._recorder = recorder
        self._snapshots = snapshots
        self._types = DealTypes.of(config.deals)
        self._missing_gates = config.deals.missing == "fail"
        self.policy: Policy = compile_policy(
            config.rules, types=config.deals.types, metrics=recorder.metrics, root=config.root
        )

    def __call__(self, ref: DealRef, deal: Deal | None, reasoning: Reasoning) -> DealResult:
        """Judge one deal that the baseline has.

        A snapshot that is the same byte for byte is matched without being parsed, unless a rule of
        its type could refuse an unchanged value. A bad snapshot makes the deal ``errored``, not compared.
        """
        snapshot, data = self._recorder.snapshot(ref, deal.name if deal else None, reasoning)
        missing = absent(snapshot)

        def result(status: str, deal_type: str = ref.deal_type, **more: Any) -> DealResult:
            return DealResult(
                ref.id, snapshot.deal_name, deal_type, ref.stored_type, status, reasoning.seconds,
                absent_metrics=missing, **more,
            )  # fmt: skip

        try:
            before = self._snapshots.recall(ref.id)
            if before is None:
                return result("new", reason="it has no snapshot in the baseline")
            if before == data and snapshot.error is None and self.policy[ref.deal_type].reflexive:
                return result("matched")
            recorded = self._snapshots.decode(ref.id, before)
        except SnapshotError as error:
            return result("errored", error=failure_of(error), compared=False)
        judgement = judge(
            recorded.reasoned(),
            snapshot.reasoned(),
            policy=self.policy[recorded.deal_type],
            metrics=self._recorder.metrics,
            is_valid_type=self._types.recognizes,
            deal=deal,
        )
        return result(
            judgement.status,
            recorded.deal_type,
            findings=judgement.findings,
            error=snapshot.error,
            corrupt=judgement.corrupt,
        )

    def missing(self, ref: DealRef) -> DealResult:
        """Return the result of a deal that the baseline has and the database has not."""
        try:
            data = self._snapshots.recall(ref.id)
            name = self._snapshots.decode(ref.id, data).deal_name if data is not None else None
        except SnapshotError as error:
            return DealResult(
                ref.id, None, ref.deal_type, None, "errored", error=failure_of(error), compared=False,
                corrupt=self._gone(),
            )  # fmt: skip
        finding = Finding(
            "deal",
            "missing_from_database",
            baseline=name,
            allowed="every deal of the baseline",
            gates=self._missing_gates,
        )
        return DealResult(
            ref.id, name, ref.deal_type, ref.stored_type, "missing", findings=(finding,), corrupt=self._gone()
        )

    def _gone(self) -> str | None:
        return "it is in the baseline and not in the database" if self._missing_gates else None


def absent(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the metrics that have no value in *snapshot*."""
    return tuple(name for name, value in (snapshot.metrics or {}).items() if value is None)


def duplicated(ref: DealRef, *, gate: bool) -> Failure:
    """Return the failure of an id that several rows share; which of them is the deal, nobody knows."""
    what = "judged" if gate else "recorded"
    return Failure("DuplicateDealId", f"{ref.copies} rows have the id {ref.id!r}, so none of them can be {what}")
