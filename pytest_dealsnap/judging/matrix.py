"""One deal under every type in turn: what the matrix rules say, and whether its type has any effect.

No baseline takes part: the deal's outputs are judged beside each other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import localcontext
from itertools import combinations
from typing import Any

from pytest_dealsnap.judging.differences import changed_leaves
from pytest_dealsnap.judging.evidence import with_evidence
from pytest_dealsnap.judging.matrix_rules import WHOLE_OUTPUT, BetweenRule, MatrixRules, OnlyRule
from pytest_dealsnap.judging.paths import show_path
from pytest_dealsnap.judging.similarity import Undecided
from pytest_dealsnap.judging.values import exact, is_number, is_present, percent_change, same, working_context
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import COMPARED, DealResult, Failure, Finding, Kind
from pytest_dealsnap.secrets import redact

__all__ = [
    "METRICS",
    "NO_EFFECT",
    "REPORTED",
    "RULE_BROKEN",
    "MatrixJudgement",
    "Side",
    "alike_everywhere",
    "judge_matrix",
    "settle",
]

RULE_BROKEN = "matrix_rule_broken"
REPORTED = "matrix_rule_reported"
NO_EFFECT = "type_has_no_effect"
METRICS = "metrics"
SHOWN_PATHS = 10


@dataclass(frozen=True, slots=True)
class Side:
    """A deal under one type: its output or its failure.

    ``output`` is the whole one, ``recorded`` the same without volatile paths; ``words`` are the type's
    own name and its other spellings.
    """

    output: Mapping[str, Any] | None = None
    recorded: Mapping[str, Any] | None = None
    error: Failure | None = None
    words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class MatrixJudgement:
    """A status with the findings that made it; ``idle`` names the rules that found nothing to judge."""

    status: str
    findings: tuple[Finding, ...] = ()
    idle: tuple[str, ...] = ()


def judge_matrix(
    sides: Mapping[str, Side], rules: MatrixRules, *, metrics: Sequence[Callable[[Any], Any]], deal: Any = None
) -> MatrixJudgement:
    """Judge one deal's outputs under all types, *sides*, by *rules*.

    *metrics* are those of the configuration: where none of them differs between two types, that is
    reported. *deal* is handed to rules of the user's own.
    """
    failed = {name: side.error for name, side in sides.items() if side.error is not None}
    findings = [
        Finding(
            WHOLE_OUTPUT,
            "reasoning_failed",
            None,
            str(error),
            allowed="no errors under any type",
            note=f"as {name}",
            kind=Kind.FAILED,
        )
        for name, error in failed.items()
    ]
    measured = _Measured(sides)
    idle = []
    for rule in rules.between:
        found, judged = _between(rule, measured, deal)
        findings += found
        idle += [] if judged or rule.current in failed or rule.baseline in failed else [rule.name]
    for only in rules.only:
        found, judged = _only(only, measured)
        findings += found
        idle += [] if judged or failed else [only.metric]
    findings += _without_effect(sides, rules, metrics)
    if failed:
        return MatrixJudgement("errored", tuple(findings), tuple(idle))
    gates = any(finding.gates for finding in findings)
    return MatrixJudgement("regressed" if gates else "changed" if findings else "matched", tuple(findings), tuple(idle))


class _Measured:
    """What rules ask of the outputs."""

    def __init__(self, sides: Mapping[str, Side]) -> None:
        self.outputs = {name: side.output for name, side in sides.items() if side.output is not None}
        self._sides = sides

    def __call__(self, rule: BetweenRule | OnlyRule, deal_type: str) -> Any:
        if rule.metric == WHOLE_OUTPUT:
            return self._sides[deal_type].recorded
        return rule.measure(self.outputs[deal_type])


def _between(rule: BetweenRule, measured: _Measured, deal: Any) -> tuple[list[Finding], bool]:
    """Return what *rule* finds, and whether there was anything to judge."""
    if not {rule.current, rule.baseline} <= measured.outputs.keys():
        return [], False
    old, new = measured(rule, rule.baseline), measured(rule, rule.current)
    if not (is_present(old) or is_present(new)):
        return [], False
    if not rule.rule.shown:
        return [], True
    finding = _beside(rule, old, new)
    if rule.rule.gates and is_present(old) != is_present(new):
        lacking = rule.baseline if is_present(new) else rule.current
        return [replace(finding, gates=True, note=f"no value under {lacking}")], True
    if not rule.rule.gates:
        return ([] if same(old, new) else [replace(finding, issue=REPORTED, kind=Kind.METRIC)]), True
    verdict = _verdict(rule, old, new, deal, finding)
    if verdict.gates and verdict.count is not None:
        verdict = with_evidence(verdict, list(changed_leaves(old, new)))
    return ([verdict] if verdict.gates or verdict is not finding else []), True


def _beside(rule: BetweenRule, old: Any, new: Any) -> Finding:
    """Return the finding, gating nothing yet; of whole outputs it has the paths that differ, not the outputs."""
    if rule.metric == WHOLE_OUTPUT:
        paths = [show_path(path) for path, _, _ in changed_leaves(old, new)]
        shown = tuple(paths[:SHOWN_PATHS])
        return Finding(
            rule.name,
            RULE_BROKEN,
            allowed=rule.rule.text,
            gates=False,
            count=len(paths),
            paths=shown,
            kind=Kind.BETWEEN_TYPES,
        )
    change, note = percent_change(old, new), _times(old, new)
    return Finding(
        rule.name, RULE_BROKEN, old, new, change, rule.rule.text, gates=False, note=note, kind=Kind.BETWEEN_TYPES
    )


def _verdict(rule: BetweenRule, old: Any, new: Any, deal: Any, finding: Finding) -> Finding:
    """Return *finding* as it is where the rule holds, gating where not; a user's rule that raises, gates."""
    try:
        holds = rule.rule.holds(old, new, deal)
    except Exception as error:
        if not rule.rule.custom:
            raise
        return replace(finding, gates=True, note=f"the rule raised {type(error).__name__}: {redact(str(error))}")
    if isinstance(holds, Finding):
        return replace(holds, kind=finding.kind)
    if isinstance(holds, Undecided):
        return replace(finding, gates=True, note=holds.note)
    return finding if holds else replace(finding, gates=True)


def _times(old: Any, new: Any) -> str:
    if not (is_number(old) and is_number(new)):
        return ""
    before, after = exact(old), exact(new)
    if not (before.is_finite() and after.is_finite()) or before == 0:
        return ""
    with localcontext(working_context(before, after)):
        return f"{after / before:.4g} times"


def _only(rule: OnlyRule, measured: _Measured) -> tuple[list[Finding], bool]:
    """Return where something has a value under a type that it must not; judged is what exists at all."""
    values = {name: measured(rule, name) for name in measured.outputs}
    findings = [
        Finding(f"{rule.metric}: {name}", RULE_BROKEN, None, value, allowed=rule.text, kind=Kind.BETWEEN_TYPES)
        for name, value in values.items()
        if name not in rule.types and not _is_empty(value)
    ]
    return findings, any(value is not None for value in values.values())


def _is_empty(value: Any) -> bool:
    """Whether *value* is nothing: absent, false, zero, or a text, list or object without anything in it."""
    if isinstance(value, dict):
        return all(map(_is_empty, value.values()))
    if isinstance(value, list):
        return all(map(_is_empty, value))
    return value is None or (not value if isinstance(value, (str, bool)) else is_number(value) and value == 0)


def _without_effect(
    sides: Mapping[str, Side], rules: MatrixRules, metrics: Sequence[Callable[[Any], Any]]
) -> Iterator[Finding]:
    """Yield which types make no difference: to the whole output, or to any metric. It reports, until `settle`."""
    exempt = {frozenset((rule.current, rule.baseline)) for rule in rules.between if rule.metric == WHOLE_OUTPUT}
    reasoned = [name for name, side in sides.items() if side.recorded is not None]
    pairs = [pair for pair in combinations(reasoned, 2) if frozenset(pair) not in exempt]
    alike = [pair for pair in pairs if _same_but_for_names(sides[pair[0]], sides[pair[1]])]
    values = {name: [metric(sides[name].output) for metric in metrics] for name in reasoned}
    unmoved = [
        (one, other)
        for one, other in pairs
        if (one, other) not in alike and any(map(is_present, values[one])) and same(values[one], values[other])
    ]
    for what, found in ((WHOLE_OUTPUT, alike), (METRICS, unmoved)):
        if found:
            shown = [f"{other} / {one}" for one, other in found]
            yield Finding(what, NO_EFFECT, None, shown, allowed="the types differ", gates=False, kind=Kind.NO_EFFECT)


def _same_but_for_names(one: Side, other: Side) -> bool:
    """Whether two outputs are the same, but for the type's own name: to repeat it is no effect."""

    def alike(left: Any, right: Any) -> bool:
        if isinstance(left, dict) and isinstance(right, dict):
            return left.keys() == right.keys() and all(alike(value, right[key]) for key, value in left.items())
        if isinstance(left, list) and isinstance(right, list):
            return len(left) == len(right) and all(map(alike, left, right))
        if isinstance(left, str) and isinstance(right, str) and left in one.words and right in other.words:
            return True
        return same(left, right)

    return alike(one.recorded, other.recorded)


def alike_everywhere(results: Iterable[DealResult], *, of: str = WHOLE_OUTPUT) -> tuple[str, ...]:
    """Return the pairs of types that make no difference to any of the reasoned *results*."""
    common: list[str] | None = None
    for result in results:
        if result.error is not None or not result.compared or result.status not in COMPARED:
            continue
        found: Collection[str] = next(
            (list(f.current) for f in result.findings if f.kind is Kind.NO_EFFECT and f.metric == of), ()
        )
        common = [pair for pair in (found if common is None else common) if pair in found]
    return tuple(common or ())


def settle(results: Sequence[DealResult]) -> list[DealResult]:
    """Return *results* in which a type that makes no difference to any deal gates every one of them.

    Of one deal, that says little (its inventory may be empty); of all, that the type never reaches the
    code. Settling again changes nothing.
    """
    never = alike_everywhere(results)
    return [_settled(result, never) for result in results]


def _settled(result: DealResult, never: Collection[str]) -> DealResult:
    if not any(finding.kind is Kind.NO_EFFECT for finding in result.findings):
        return result
    findings = tuple(
        replace(finding, gates=finding.metric == WHOLE_OUTPUT and any(pair in never for pair in finding.current))
        if finding.kind is Kind.NO_EFFECT
        else finding
        for finding in result.findings
    )
    status = result.status
    if status in ("changed", "regressed"):
        status = "regressed" if any(finding.gates for finding in findings) else "changed"
    return replace(result, findings=findings, status=status)
