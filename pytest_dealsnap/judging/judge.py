"""One deal's verdict: what was recorded, what came out now, and what the rules say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from pytest_dealsnap.config import RESERVED_METRICS
from pytest_dealsnap.judging.differences import ABSENT, changed_leaves
from pytest_dealsnap.judging.evidence import with_evidence, with_forms
from pytest_dealsnap.judging.metrics import Metric, measure
from pytest_dealsnap.judging.paths import show_path
from pytest_dealsnap.judging.policy import TypePolicy
from pytest_dealsnap.judging.reordering import Path, inside, only_reordered, reordered_places, value_at
from pytest_dealsnap.judging.rules import Beyond, Rule
from pytest_dealsnap.judging.similarity import Undecided
from pytest_dealsnap.judging.values import is_present, percent_change, same
from pytest_dealsnap.model.noise import TypeNoise
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import Failure, Finding, Kind, changed_issue, lost_issue
from pytest_dealsnap.secrets import redact

__all__ = ["Judgement", "Reasoned", "judge"]

SHOWN_PATHS = 10


@dataclass(frozen=True, slots=True)
class Reasoned:
    """One side of a comparison: a deal's facts with what reasoning made of it.

    Exactly one of ``error`` and ``metrics`` is set. ``output`` is ``None`` where only metrics are
    recorded. Values are canonical (``judging.values``).
    """

    deal_type: str
    stored_type: str | None
    metrics: Mapping[str, Any] | None = None
    output: Mapping[str, Any] | None = None
    error: Failure | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A status with the findings that made it; ``corrupt`` names data corruption."""

    status: str
    findings: tuple[Finding, ...] = ()
    corrupt: str | None = None


def judge(
    baseline: Reasoned,
    current: Reasoned,
    *,
    policy: TypePolicy,
    metrics: Sequence[Metric],
    is_valid_type: Callable[[str | None], bool],
    deal: Any = None,
) -> Judgement:
    """Judge *current* against *baseline*.

    *is_valid_type* says whether a stored type is a valid one or an alias; *deal* is handed to rules
    of the user's own. *policy* is that of the baseline's effective type.
    """
    findings, corrupt = _type_findings(baseline, current, is_valid_type)
    if current.error is not None:
        return _failed(baseline, current.error, findings, corrupt, policy.noise)
    if baseline.error is not None:
        return _recovered(baseline.error, findings, corrupt)
    before = _metric_values(baseline, metrics)
    after = current.metrics or {}
    findings += _metric_findings(before, after, policy, metrics, deal)
    findings += _rest_findings(baseline, current, before, after, policy, metrics, deal)
    if any(finding.gates for finding in findings):
        return Judgement("regressed", tuple(findings), corrupt)
    return Judgement("changed" if findings else "matched", tuple(findings), corrupt)


def _failed(
    baseline: Reasoned, error: Failure, findings: list[Finding], corrupt: str | None, noise: TypeNoise | None
) -> Judgement:
    """Judge a deal that fails; where unchanged code fails, too, one failure is none, and their rate is judged."""
    known = baseline.error is not None and baseline.error.type == error.type
    if not known and baseline.error is None and noise is not None and noise.errors:
        note = f"so do {noise.errors} of {noise.pairs} pairs of unchanged code"
        allowed = "no more errors than unchanged code has"
        findings.append(
            Finding(
                "output",
                "reasoning_failed",
                None,
                str(error),
                allowed=allowed,
                gates=False,
                note=note,
                noise="rate",
                kind=Kind.FAILED,
            )
        )
        gates = any(finding.gates for finding in findings)
        return Judgement("regressed" if gates else "changed", tuple(findings), corrupt)
    before = str(baseline.error) if baseline.error else None
    rule = "the same error as in the baseline" if known else "no new errors"
    findings.append(
        Finding("output", "reasoning_failed", before, str(error), allowed=rule, gates=not known, kind=Kind.FAILED)
    )
    if not known:
        return Judgement("errored", tuple(findings), corrupt)
    gates = any(finding.gates for finding in findings)
    return Judgement("regressed" if gates else "changed", tuple(findings), corrupt)


def _recovered(error: Failure, findings: list[Finding], corrupt: str | None) -> Judgement:
    """Judge a deal that failed in the baseline and works now: its output is new, for nobody has approved one."""
    findings.append(
        Finding(
            "output", "output_changed", str(error), None, allowed="an approved output", gates=False, kind=Kind.OUTPUT
        )
    )
    gates = any(finding.gates for finding in findings)
    return Judgement("regressed" if gates else "new", tuple(findings), corrupt)


def _type_findings(
    baseline: Reasoned, current: Reasoned, is_valid_type: Callable[[str | None], bool]
) -> tuple[list[Finding], str | None]:
    """Judge a stored type that changed: the backfill is allowed, other inputs are not."""
    if baseline.stored_type == current.stored_type and baseline.deal_type == current.deal_type:
        return [], None
    spoilt = is_valid_type(baseline.stored_type) and not is_valid_type(current.stored_type)
    corrupt = f"its type was {baseline.stored_type!r} and is now {current.stored_type!r}" if spoilt else None
    gates = spoilt or baseline.deal_type != current.deal_type
    note = f"counts as {current.deal_type}, did as {baseline.deal_type}" if gates and not spoilt else ""
    finding = Finding(
        "deal_type",
        "deal_type_changed",
        baseline.stored_type,
        current.stored_type,
        allowed="the backfill only",
        gates=gates,
        note=note,
        kind=Kind.DEAL_TYPE,
    )
    return [finding], corrupt


def _metric_values(baseline: Reasoned, metrics: Sequence[Metric]) -> Mapping[str, Any]:
    """Return what was recorded; a metric added since is taken out of the recorded output."""
    recorded = baseline.metrics or {}
    added = [metric for metric in metrics if metric.name not in recorded]
    if not added or baseline.output is None:
        return recorded
    return {**recorded, **measure(added, baseline.output)}


def _metric_findings(
    before: Mapping[str, Any], after: Mapping[str, Any], policy: TypePolicy, metrics: Sequence[Metric], deal: Any
) -> list[Finding]:
    findings = []
    for metric in metrics:
        rule, old, new = policy[metric.name], before.get(metric.name), after.get(metric.name)
        unchanged = same(old, new)
        if not rule.shown or (unchanged and rule.holds_when_unchanged):
            continue
        if is_present(old) and not is_present(new):
            findings.append(_lost(metric.name, old, new, rule, policy.noise))
            continue
        finding = Finding(
            metric.name, changed_issue(metric.name), old, new, percent_change(old, new), rule.text, gates=False
        )
        verdict = _verdict(rule, old, new, deal, finding)
        if not unchanged or verdict.gates:
            findings.append(verdict)
    return findings


def _lost(name: str, old: Any, new: Any, rule: Rule, noise: TypeNoise | None) -> Finding:
    """Return the finding of a lost value; where unchanged code loses it, too, their rate is judged."""
    finding = Finding(name, lost_issue(name), old, new, allowed=rule.text, kind=Kind.LOST)
    measured = None if noise is None else noise.metrics.get(name)
    if noise is None or measured is None or not measured.errors:
        return finding
    note = f"{measured.errors} of {noise.pairs} pairs of unchanged code lose it, too"
    return replace(finding, gates=False, noise="rate", note=note)


def _verdict(rule: Rule, old: Any, new: Any, deal: Any, finding: Finding) -> Finding:
    """Return *finding* with what the rule says of it; a user's rule that raises, gates."""
    try:
        verdict = rule.holds(old, new, deal)
    except Exception as error:
        if not rule.custom:
            raise
        return replace(finding, gates=True, note=f"the rule raised {type(error).__name__}: {redact(str(error))}")
    if isinstance(verdict, Finding):  # of the metric that the rule judges, whatever it calls itself
        foreign = verdict.metric in RESERVED_METRICS and verdict.metric != finding.metric
        return replace(verdict, kind=finding.kind, metric=finding.metric if foreign else verdict.metric)
    if isinstance(verdict, Beyond):
        return replace(finding, gates=rule.gates and not verdict, noise=verdict.kind, note=verdict.note)
    if isinstance(verdict, Undecided):
        return replace(finding, gates=rule.gates, note=verdict.note)
    return replace(finding, gates=rule.gates and not verdict)


def _rest_findings(
    baseline: Reasoned,
    current: Reasoned,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    policy: TypePolicy,
    metrics: Sequence[Metric],
    deal: Any,
) -> list[Finding]:
    """Judge the paths outside every metric by the rule ``"*"``; one finding counts them all."""
    rule = policy.rest
    if not rule.shown or baseline.output is None or current.output is None:
        return []
    patterns = [
        metric.pattern
        for metric in metrics
        if metric.pattern is not None and not same(before.get(metric.name), after.get(metric.name))
    ]
    leaves = [
        leaf
        for leaf in changed_leaves(baseline.output, current.output)
        if not any(pattern.covers(leaf[0]) for pattern in patterns)
    ]
    if rule.custom:
        finding = _output_finding(leaves, rule)
        verdict = _verdict(rule, baseline.output, current.output, deal, finding)
        if verdict.gates and verdict.count is not None:
            verdict = with_evidence(verdict, leaves)
        return [verdict] if leaves or verdict.gates else []
    if not leaves:
        return []
    places = reordered_places([path for path, _, _ in leaves], baseline.output, current.output)
    allowed = {place for place in places if _leaf_holds(rule, *_both(place, baseline.output, current.output))}
    broken = [
        leaf
        for leaf in leaves
        if rule.gates and inside(leaf[0], allowed) is None and not _leaf_holds(rule, leaf[1], leaf[2])
    ]
    told = broken or leaves
    finding = replace(
        _output_finding(told, rule),
        gates=bool(broken),
        count=len(leaves),
        reordered=only_reordered([path for path, _, _ in told], _touched(places, told)),
    )
    return [with_evidence(finding, broken) if broken else with_forms(finding, leaves)]


def _both(place: Path, before: Any, after: Any) -> tuple[Any, Any]:
    return value_at(before, place), value_at(after, place)


def _touched(places: Set[Path], leaves: Sequence[tuple[Any, Any, Any]]) -> Set[Path]:
    """Return those of *places* that one of *leaves* lies in."""
    return {place for path, _, _ in leaves if (place := inside(path, places)) is not None}


def _leaf_holds(rule: Rule, old: Any, new: Any) -> bool:
    """Whether *rule* allows one changed leaf, or list; a path that came or went never holds."""
    return old is not ABSENT and new is not ABSENT and rule.holds(old, new) is True


def _output_finding(leaves: Sequence[tuple[Any, Any, Any]], rule: Rule) -> Finding:
    shown = tuple(_paths_shown([path for path, _, _ in leaves]))
    return Finding(
        "output", "output_changed", allowed=rule.text, gates=False, count=len(leaves), paths=shown, kind=Kind.OUTPUT
    )


def _paths_shown(paths: Sequence[tuple[str | int, ...]]) -> list[str]:
    """Return the first paths, in their order, with one of each form before the second of any: a list may be long."""
    if len(paths) <= SHOWN_PATHS:
        return [show_path(path) for path in paths]
    first: dict[tuple[object, ...], int] = {}
    for number, path in enumerate(paths):
        first.setdefault(tuple(None if isinstance(step, int) else step for step in path), number)
    chosen = list(first.values())[:SHOWN_PATHS]
    known = set(chosen)
    chosen += [number for number in range(SHOWN_PATHS) if number not in known][: SHOWN_PATHS - len(chosen)]
    return [show_path(paths[number]) for number in sorted(chosen)]
