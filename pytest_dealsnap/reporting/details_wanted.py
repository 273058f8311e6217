"""Details are made while the deal is at hand, and only where the report has room for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pytest_dealsnap.baseline.codec import Snapshot
from pytest_dealsnap.baseline.recording import Gate, Recorder
from pytest_dealsnap.errors import SnapshotError
from pytest_dealsnap.judging.detail_making import detail
from pytest_dealsnap.judging.findings import DealResult
from pytest_dealsnap.reporting.details_kept import DetailBudget

__all__ = ["Detailing"]

_DIFFERENT = ("changed", "regressed", "errored", "accepted")


class Detailing:
    """Gives results their details, by the rules and metrics of a gate."""

    def __init__(self, gate: Gate, recorder: Recorder) -> None:
        self._gate = gate
        self._recorder = recorder
        self._room = DetailBudget()

    def __call__(self, result: DealResult, sides: Callable[[], tuple[Snapshot, Snapshot]]) -> DealResult:
        """Return *result* with details if it is among the first of its kind of change.

        *sides* gives the recorded and the current snapshot, and is asked for only then.
        """
        if not (result.compared and result.findings and result.status in _DIFFERENT) or not self._room.admits(result):
            return result
        try:
            recorded, current = sides()
        except SnapshotError:  # gone since it was judged
            return result
        policy, metrics = self._gate.policy[recorded.deal_type], self._recorder.metrics
        details = detail(result, recorded.reasoned(), current.reasoned(), policy=policy, metrics=metrics)
        return replace(result, details=details)
