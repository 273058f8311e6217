"""One deal against its baseline, by the rules; both sides of the comparison are kept for whoever looks further."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pytest_dealsnap.baseline.codec import Snapshot
from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.baseline.noise_file import noise_facts
from pytest_dealsnap.baseline.recording import Recorder, result_of
from pytest_dealsnap.baseline.snapshot_consistency import Consistency
from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.deal import Deal, DealRef
from pytest_dealsnap.deals.types import DealTypes
from pytest_dealsnap.errors import MissingSnapshotError, OutputError, SnapshotError
from pytest_dealsnap.judging.judge import judge
from pytest_dealsnap.judging.money_moved import numbers_of
from pytest_dealsnap.judging.policy import REST, Policy, compile_policy
from pytest_dealsnap.judging.similarity import seconds_left
from pytest_dealsnap.judging.values import Number
from pytest_dealsnap.model.noise import NoiseFacts
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import DealResult, Finding, Kind
from pytest_dealsnap.reasoning.calls import Reasoning, failure_of
from pytest_dealsnap.reasoning.canonical import canonical

__all__ = ["Gate", "Judged", "canonical_finding", "lost_result"]


@dataclass(frozen=True, slots=True)
class Judged:
    """A deal's result, and what it came of.

    Attributes:
        result: What the deal came to.
        before: The recorded side, decoded and measured, where it was needed.
        after: The current side, with the whole output, where there is one.
        used_entries: The entries of the ledger that matched.
        reasoning: How the current side was reasoned, where it was.
    """

    result: DealResult
    before: Snapshot | None = None
    after: Snapshot | None = None
    used_entries: tuple[int, ...] = ()
    reasoning: Reasoning | None = None


class Gate:
    """Judges deals against a baseline.

    Args:
        config: The rules, types and limits.
        recorder: What makes snapshots of outputs.
        snapshots: The baseline; ``None`` where both sides of each comparison are given.
    """

    def __init__(self, config: Config, recorder: Recorder, snapshots: DealSnapshots | None) -> None:
        self._recorder = recorder
        self._baseline = snapshots
        self._types = DealTypes.of(config.deals)
        self._missing_gates = config.deals.missing == "fail"
        self._timeout = config.timeout
        self._drops = bool(config.output.drop)
        self.noise = noise_facts(config)
        self.policy: Policy = compile_policy(
            config.rules,
            types=config.deals.types,
            metrics=recorder.metrics,
            root=config.root,
            places=config.places,
            noise=self.noise,
        )

    def __call__(self, ref: DealRef, deal: Deal | None, reasoning: Reasoning) -> Judged:
        """Judge one deal that the baseline has.

        A snapshot that is the same byte for byte is matched without being parsed, unless a rule of
        its type could refuse an unchanged value. The whole output is judged, whatever is recorded of it. A bad
        snapshot makes the deal ``errored``, not compared.
        """
        draft = self._recorder.draft(ref, deal.name if deal else None, reasoning, whole=True)
        seconds = reasoning.seconds
        try:
            data = self._snapshots.recall(ref.id)
            if data is None:
                return Judged(result_of(draft, "new", reason="it has no snapshot in the baseline", compared=False))
            if (
                self.policy[ref.deal_type].holds_when_unchanged
                and draft.error is None
                and self._recorder.is_written(draft, data)
            ):
                matched = result_of(draft, "matched", seconds=seconds)
                return Judged(replace(matched, unchanged=numbers_of(draft.metrics or {})), after=draft)
            narrow = self._recorder.narrow(draft)
            checked = self._recorder.recordable(narrow)
            current = draft if checked is narrow else checked
            replayed = reasoning.calls is not None and reasoning.calls.evidence == "replayed"
            recorded = self._snapshots.decode(ref.id, data)
            judged = self.compare(recorded, current, deal, seconds=seconds, noise=not replayed)
        except SnapshotError as error:
            failure = failure_of(error)
            return Judged(result_of(draft, "errored", seconds=seconds, error=failure, compared=False))
        return replace(judged, after=draft)

    def compare(
        self,
        recorded: Snapshot,
        current: Snapshot,
        deal: Deal | None,
        *,
        seconds: float = 0.0,
        noise: bool = True,
    ) -> Judged:
        """Judge a *current* snapshot against one of the baseline's; *noise* says that it may differ by itself.

        Raises :class:`SnapshotError` where the *recorded* one contradicts itself.
        """
        recorded = self._consistency.checked(recorded, current)
        return Judged(self.judge(recorded, current, deal, seconds=seconds, noise=noise), recorded, current)

    def judge(
        self,
        recorded: Snapshot,
        current: Snapshot,
        deal: Deal | None,
        *,
        seconds: float = 0.0,
        noise: bool = True,
    ) -> DealResult:
        """Judge a *current* snapshot against the *recorded* one, by the rules of the recorded type."""
        policy = self.policy[recorded.deal_type]
        with seconds_left(None if self._timeout is None else self._timeout - seconds):
            judgement = judge(
                recorded.reasoned(),
                current.reasoned(),
                policy=policy if noise else policy.without_noise,
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
        findings = tuple(map(canonical_finding, judgement.findings))
        absent = result.absent_metrics
        if recorded.metrics is not None and recorded.output is None and REST not in absent:
            absent = (*absent, REST)
        return replace(
            result,
            deal_type=recorded.deal_type,
            findings=findings,
            corrupt=judgement.corrupt,
            absent_metrics=absent,
            unchanged={} if recorded.metrics is None else self._unchanged(recorded.deal_type, current, findings),
        )

    def _unchanged(self, deal_type: str, current: Snapshot, findings: Sequence[Finding]) -> dict[str, Number]:
        """Return the numbers that no finding is about; what a rule ignores may have changed all the same."""
        changed = {finding.metric for finding in findings}
        rules = self.policy[deal_type]
        numbers = numbers_of(current.metrics or {})
        return {name: value for name, value in numbers.items() if name not in changed and rules[name].shown}

    @property
    def noise_used(self) -> NoiseFacts | None:
        """What of ``noise.json`` the gate judges by; ``None`` where it judges by none of it."""
        return None if self.noise == NoiseFacts() else self.noise

    @property
    def _snapshots(self) -> DealSnapshots:
        assert self._baseline is not None, "this gate is given both sides"
        return self._baseline

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
        unread = Snapshot(ref.id, None, ref.deal_type, ref.stored_type)
        try:
            data = self._snapshots.recall(ref.id)  # gone from the folder, too: its id is all that is known of it
            return self.gone(unread if data is None else self._snapshots.decode(ref.id, data))
        except SnapshotError as error:
            result = result_of(unread, "errored", error=failure_of(error), compared=False)
            return replace(result, corrupt=self._corrupt_when_gone)

    def gone(self, recorded: Snapshot) -> DealResult:
        """Return the result of a recorded deal that is not there any more."""
        finding = Finding(
            "deal",
            "missing_from_database",
            baseline=recorded.deal_name,
            allowed="every deal of the baseline",
            gates=self._missing_gates,
            kind=Kind.GONE,
        )
        result = result_of(recorded, "missing")
        return replace(result, findings=(finding,), corrupt=self._corrupt_when_gone, absent_metrics=())

    @property
    def _corrupt_when_gone(self) -> str | None:
        return "it is in the baseline and not in the database" if self._missing_gates else None


def canonical_finding(finding: Finding) -> Finding:
    """Return *finding* with canonical values: one of a rule of the user's own may hold anything."""
    try:
        return replace(finding, baseline=canonical(finding.baseline), current=canonical(finding.current))
    except OutputError:
        return replace(finding, baseline=str(finding.baseline), current=str(finding.current))


def lost_result(ref: DealRef, path: str) -> DealResult:
    """Return the result of a deal whose snapshot, which should be at *path*, is gone; nothing was compared."""
    error = MissingSnapshotError(f"the snapshot {path} is missing: the manifest lists the deal. Restore it from git")
    unread = Snapshot(ref.id, None, ref.deal_type, ref.stored_type)
    return result_of(unread, "errored", error=failure_of(error), compared=False)
