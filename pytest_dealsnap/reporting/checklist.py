"""The rollout plan's audit, 30 days after its last phase: each check passed, failed or left as a question.

What a program cannot know is a question with the command or the place that answers it, never a pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_dealsnap.baseline.codec import Snapshot
from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.config import Config, MetricSpec
from pytest_dealsnap.deals.type_audit import Kind, TypeAudit, TypeConstraints
from pytest_dealsnap.errors import SnapshotError
from pytest_dealsnap.judging.metrics import compile_metrics
from pytest_dealsnap.judging.rules import parse_rule
from pytest_dealsnap.judging.values import is_number
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.results import DealResult, Finding
from pytest_dealsnap.reporting.wording import VERDICT_WORDS
from pytest_dealsnap.text import cut, plural, printable, some

__all__ = ["CheckItem", "post_migration_checklist"]

Status = Literal["passed", "failed", "question"]

CARVEOUT = "carveout"
COST = "cost_total"
COST_PATH = "cost_estimate.total_cost"
RATIO = "1.5..3.0"
TSA_PATH = "cost_estimate.tsa_costs"
SHOWN = 5

GATE = "pytest --dealsnap --dealsnap-report json:dealsnap.json"
CAPTURE = "pytest --dealsnap-update --dealsnap-snapshots after-rollout"
AGAIN = "dealsnap audit --post-migration"
MATRIX = f"the report is of a matrix, which compares types and not releases; a gate's answers it: {GATE}"


@dataclass(frozen=True, slots=True)
class CheckItem:
    """One line of the list: the check, what became of it, and the evidence, or what would answer it."""

    check: str
    status: Status
    evidence: str


def post_migration_checklist(
    config: Config,
    audit: TypeAudit,
    constraints: TypeConstraints | None,
    *,
    gate: FinishedRun | None,
    baseline: DealSnapshots | None,
) -> tuple[CheckItem, ...]:
    """Return the plan's list in its order.

    *gate* is the report of a gate with the new code against the old answers; *baseline* was captured with
    the new code. Without them the checks that they would answer are questions.
    """
    flag = f"the flag {config.rehearsal.flag}" if config.rehearsal.flag else "the feature flag"
    return (
        _types_valid(config, audit),
        _none_null(audit),
        _constrained(config, constraints),
        _carveout_costs(config, audit, gate),
        _tsa_for_carveouts_only(config, baseline),
        CheckItem(
            "fewer than 5 support tickets a week about deal types", "question", "ask the help desk for the last 30 days"
        ),
        CheckItem(
            "no rollback, and the flag no longer toggled, for 30 days",
            "question",
            f"ask whoever deploys, and the monitoring, how often {flag} changed",
        ),
        _gate_green(gate),
        CheckItem(
            "the user guide says how a deal's type is chosen",
            "question",
            "read it beside the page that asks for the type",
        ),
    )


def _types_valid(config: Config, audit: TypeAudit) -> CheckItem:
    check = f"every deal has a valid type ({', '.join(config.deals.types)})"
    kinds: tuple[tuple[Kind, str], ...] = (
        ("blank", "a blank one"),
        ("invalid", "an unknown one"),
        ("alias", "an alias"),
    )
    found = [f"{plural(audit.of_kind(kind), 'row')} with {what}" for kind, what in kinds if audit.of_kind(kind)]
    if found:
        return CheckItem(check, "failed", "; ".join(found))
    if not audit.rows:
        return CheckItem(check, "question", "there are no deals: is it the right database?")
    return CheckItem(
        check, "passed", f"{plural(audit.of_kind('valid'), 'row')} of {audit.rows:,}; NULL is the next check"
    )


def _none_null(audit: TypeAudit) -> CheckItem:
    check, count = "no type is NULL", audit.of_kind("null")
    if count:
        return CheckItem(check, "failed", f"{plural(count, 'row')} of {audit.rows:,}")
    if not audit.rows:
        return CheckItem(check, "question", "there are no deals: is it the right database?")
    return CheckItem(check, "passed", f"none of {plural(audit.rows, 'row')}")


def _constrained(config: Config, constraints: TypeConstraints | None) -> CheckItem:
    check = "the database refuses NULL and invalid types"
    if constraints is None:
        return CheckItem(check, "question", "its schema does not tell: try to store an invalid type on a copy of it")
    wrong = []
    if constraints.nullable:
        wrong.append(f"{config.deals.type} may be NULL")
    if constraints.accepted:
        wrong.append(f"no CHECK refuses {_quoted(constraints.accepted)}")
    if constraints.refused:
        wrong.append(f"a CHECK refuses the valid {_quoted(constraints.refused)}")
    if wrong:
        return CheckItem(check, "failed", "; ".join(wrong))
    return CheckItem(check, "passed", "NOT NULL, " + cut("; ".join(map(printable, constraints.checks)), 120))


def _carveout_costs(config: Config, audit: TypeAudit, gate: FinishedRun | None) -> CheckItem:
    check = "carve-outs cost 1.5 to 3 times the comparable acquisition"

    def question(why: str) -> CheckItem:
        return CheckItem(check, "question", why)

    if CARVEOUT not in config.deals.types:
        return question(f"deals.types knows no {CARVEOUT}")
    metric = next((m.name for m in config.metrics if m.name == COST or m.path == COST_PATH), None)
    if metric is None:
        return question(f"no metric is called {COST} or takes {COST_PATH}")
    if gate is None:
        return question(
            f"answered by a gate against the answers of before: {GATE}, then {AGAIN} --report dealsnap.json"
        )
    if gate.facts.mode == "matrix":
        return question(MATRIX)
    results = [result for result in gate.results if result.deal_type == CARVEOUT and result.status != "new"]
    if not results:
        return question(f"the report judges no carve-out; the database has {audit.deals_by_type()[CARVEOUT]:,}")
    costs = [(result, _finding(result, metric)) for result in results]
    if all(finding is None for _, finding in costs):
        return question("no carve-out's cost differs from the report's baseline: was that captured with the flag off?")
    outside = [(result, finding) for result, finding in costs if not _in_range(finding)]
    failing = [pair for pair in outside if pair[0].status != "accepted"]
    if failing:
        return CheckItem(check, "failed", f"{len(failing):,} of {len(results):,} are outside: {_shown(failing)}")
    if gate.facts.partial:
        return question(
            f"the report is of a part of the deals only; its {plural(len(results), 'carve-out')} are inside"
        )
    accepted = f"; {len(outside):,} outside, accepted in the ledger: {_shown(outside)}" if outside else ""
    return CheckItem(
        check, "passed", f"{len(results) - len(outside):,} of {len(results):,} carve-outs inside{accepted}"
    )


def _finding(result: DealResult, metric: str) -> Finding | None:
    return next((finding for finding in result.findings if finding.metric == metric), None)


_RATIO_RULE = parse_rule(f"ratio {RATIO}", place="the checklist", root=Path())


def _in_range(finding: Finding | None) -> bool:
    """Whether both costs are known and stand in the plan's ratio; a cost without a finding is unchanged."""
    if finding is None or not (is_number(finding.baseline) and is_number(finding.current)):
        return False
    return _RATIO_RULE.holds(finding.baseline, finding.current) is True


def _shown(outside: Sequence[tuple[DealResult, Finding | None]]) -> str:
    texts = []
    for result, finding in outside[:SHOWN]:
        change = None if finding is None else finding.change_percent
        if result.status in ("errored", "missing"):
            how = result.status
        elif finding is None:
            how = "the same as before"
        else:
            how = "no ratio" if change is None else f"{1 + change / 100:.6g} times"
        texts.append(f"{printable(result.id)} ({how})")
    more = len(outside) - SHOWN
    return ", ".join(texts) + (f" and {more:,} more" if more > 0 else "")


def _tsa_for_carveouts_only(config: Config, baseline: DealSnapshots | None) -> CheckItem:
    check = "TSA costs for carve-outs only"
    if CARVEOUT not in config.deals.types:
        return CheckItem(check, "question", f"deals.types knows no {CARVEOUT}")
    if baseline is None:
        how = f"answered by a capture with the new code: {CAPTURE}, then {AGAIN} --baseline after-rollout"
        return CheckItem(check, "question", how)
    seen = _TSASeen.of(baseline)
    if seen.wrong:
        which = some([*map(printable, seen.wrong)], SHOWN)
        return CheckItem(check, "failed", f"{plural(len(seen.wrong), 'other deal')} with TSA costs: {which}")
    if seen.unknown:
        which = some([*map(printable, seen.unknown)], SHOWN)
        what = f"{plural(len(seen.unknown), 'snapshot')} without an output that can be read: {which}"
        return CheckItem(check, "question", f'{what}; capture them again with output.record = "full"')
    if not seen.carveouts:
        why = f"no carve-out in {baseline.folder} has {TSA_PATH}: was it captured with the new code, the flag on?"
        return CheckItem(check, "question", printable(why))
    how = f"{plural(seen.carveouts, 'carve-out')} with TSA costs, none of {plural(seen.others, 'other deal')}"
    return CheckItem(check, "passed", how)


@dataclass(frozen=True, slots=True)
class _TSASeen:
    """Which snapshots carry TSA costs: how many carve-outs, which others; which cannot be told."""

    carveouts: int
    others: int
    wrong: tuple[str, ...]
    unknown: tuple[str, ...]

    @classmethod
    def of(cls, baseline: DealSnapshots) -> _TSASeen:
        (tsa,) = compile_metrics([MetricSpec("tsa", TSA_PATH)])
        carveouts = others = 0
        wrong, unknown = [], []
        for deal_id, snapshot in _snapshots(baseline):
            if snapshot is None or snapshot.output is None:
                unknown.append(deal_id)
            elif snapshot.deal_type == CARVEOUT:
                carveouts += bool(tsa(snapshot.output))
            else:
                others += 1
                if tsa(snapshot.output):
                    wrong.append(deal_id)
        return cls(carveouts, others, tuple(wrong), tuple(unknown))


def _snapshots(baseline: DealSnapshots) -> Iterable[tuple[str, Snapshot | None]]:
    """Yield each snapshot; ``None`` for a bad file, which hides no other."""
    for deal_id in baseline.each_id():
        try:
            yield deal_id, baseline.decode(deal_id, baseline.recall(deal_id) or b"")
        except SnapshotError:
            yield deal_id, None


def _gate_green(gate: FinishedRun | None) -> CheckItem:
    check = "the regression suite passes: the gate is green"
    if gate is None:
        how = f"answered by the gate's report: {GATE}, then {AGAIN} --report dealsnap.json"
        return CheckItem(check, "question", how)
    if gate.part_outcome is not None:
        said = f"the report is of a part of the deals only: {printable(gate.part_outcome.words)}"
        return CheckItem(check, "question" if gate.part_outcome.passed else "failed", said)
    if gate.verdict is None:
        return CheckItem(check, "question", f"the report is of a {printable(gate.facts.mode)}, which judges nothing")
    if gate.facts.mode == "matrix":
        return CheckItem(check, "question", MATRIX)
    when = gate.facts.started_at.date().isoformat()
    where = cut(printable(gate.facts.database), 60)
    said = f"{VERDICT_WORDS[gate.verdict.action]} on {when}, of {where}: {printable(gate.verdict.reason)}"
    if gate.verdict.action == "inconclusive":
        return CheckItem(check, "question", said)
    if gate.verdict.action != "proceed":
        return CheckItem(check, "failed", said)
    if gate.facts.partial:
        return CheckItem(check, "question", f"{said}; but the report is of a part of the deals only")
    return CheckItem(check, "passed", said)


def _quoted(values: Sequence[str]) -> str:
    return ", ".join(f'"{printable(value)}"' for value in values[:SHOWN])
