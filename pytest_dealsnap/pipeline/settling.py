"""From judged deals to their results: what the ledger accepts, and which deals are kept in full."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from pytest_dealsnap.baseline.deal_features import looking_up
from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.baseline.ledger import Ledger, read_ledger
from pytest_dealsnap.baseline.recording import Recorder
from pytest_dealsnap.config import Config
from pytest_dealsnap.judging.detail_making import detail
from pytest_dealsnap.model.details import Details
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import DealResult
from pytest_dealsnap.pipeline.details_kept import DetailBudget
from pytest_dealsnap.pipeline.gate import Gate, Judged

__all__ = ["Judging"]

_DIFFERENT = ("changed", "regressed", "errored", "accepted")


class Judging:
    """What one run judges deals by: the gate, the ledger, and the room for details.

    Args:
        config: The rules, types and metrics.
        snapshots: The baseline.
        ledger: The folder with the ledger of accepted changes.
        today: The day on which entries of the ledger are live or expired.
        details: Whether a report will want deals in full.
        between_types: Whether the ledger's entries for a matrix run are asked, in place of those for a gate.
    """

    def __init__(
        self,
        config: Config,
        snapshots: DealSnapshots,
        *,
        ledger: Path,
        today: date,
        details: bool = False,
        between_types: bool = False,
    ) -> None:
        self.recorder = Recorder(config)
        self.gate = Gate(config, self.recorder, snapshots)
        book = read_ledger(ledger, today=today, types=config.deals.types).judged_by(self.gate.policy)
        self.ledger: Ledger = book.between_types() if between_types else book.against_baseline()
        self._room = DetailBudget() if details else None

    def settle(self, judged: Judged, row: Callable[[], Mapping[str, Any]]) -> Judged:
        """Return *judged* as the ledger leaves it, with details where the report has room for them.

        *row* gives the deal's columns, and is asked only by an entry that names one.
        """
        result, before, after = judged.result, judged.before, judged.after
        used: tuple[int, ...] = ()
        if result.status == "regressed":
            result, used = self.ledger.apply(result, looking_up(lambda: before, row))
        trace = judged.reasoning.trace if judged.reasoning is not None and result.error is not None else ""
        both = before is not None and after is not None
        if (both or trace) and self._wants(result, trace):
            made = Details()
            if before is not None and after is not None:
                policy, metrics = self.gate.policy[before.deal_type], self.recorder.metrics
                made = detail(result, before.reasoned(), after.reasoned(), policy=policy, metrics=metrics)
            result = replace(result, details=replace(made, traceback=trace))
        return replace(judged, result=result, used_entries=used)

    def settle_all(
        self, judged: Iterable[Judged], rows: Callable[[str], Mapping[str, Any]]
    ) -> tuple[list[DealResult], dict[int, set[str]]]:
        """Return the results of all deals, and the deals that each entry of the ledger matched, by its number."""
        results: list[DealResult] = []
        used: dict[int, set[str]] = {}
        for one in judged:
            settled = self.settle(one, lambda deal_id=one.result.id: rows(deal_id))  # type: ignore[misc]
            results.append(settled.result)
            for number in settled.used_entries:
                used.setdefault(number, set()).add(settled.result.id)
        return results, used

    def _wants(self, result: DealResult, trace: str) -> bool:
        told = trace or (result.compared and result.findings)
        different = bool(told) and result.status in _DIFFERENT
        return self._room is not None and different and self._room.admits(result)
