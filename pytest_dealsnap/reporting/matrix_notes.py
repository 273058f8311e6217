"""What is said of a matrix run beside its findings: doubts, notes, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_dealsnap.judging.matrix import METRICS, alike_everywhere
from pytest_dealsnap.model.finished_run import RunFacts
from pytest_dealsnap.model.results import DealResult, Kind
from pytest_dealsnap.text import plural, printable, shell_quoted

__all__ = ["matrix_doubt", "matrix_notes", "matrix_steps"]


def matrix_doubt(facts: RunFacts, results: Sequence[DealResult]) -> str:
    """Return why a matrix run in which no deal is affected must not end in ``proceed``; ``""`` if it may."""
    idle = list(facts.absent_metrics or {})
    if idle:
        return f"{plural(len(idle), 'matrix rule')} found nothing to judge in any deal: {', '.join(idle[:3])}"
    never = alike_everywhere(results)
    if never:
        alike = ", ".join(never)
        return f"in this part of the deals {alike} makes no difference; only the whole run shows whether in all deals"
    return ""


def matrix_notes(facts: RunFacts, results: Sequence[DealResult]) -> list[str]:
    """Return what a person should look at: a rule without anything to judge, a type that changes too little."""
    notes = [
        f'the matrix rule "{name}" = "{rule}" found nothing to judge in any deal: is its path right?'
        for name, rule in (facts.absent_metrics or {}).items()
    ]
    never = alike_everywhere(results)
    if never:
        notes.append(
            f"no deal's output differs between {', '.join(never)}: the deal type does not reach the reasoner"
            f"{_where(results)}. If the types are meant to be alike, say so: "
            f'"output: {never[0]}" = "equal" in [tool.dealsnap.matrix.rules]'
        )
    unmoved = alike_everywhere(results, of=METRICS)
    if unmoved:
        notes.append(
            f"no deal's metrics differ between {', '.join(unmoved)}, only the rest of the output does: if that is "
            "volatile values, such as times, name them in output.drop"
        )
    return notes


def matrix_steps(results: Sequence[DealResult]) -> list[str]:
    """Return what to run next."""
    failed = next((result for result in results if result.status in ("regressed", "errored")), None)
    if failed is None:
        return []
    steps = ["pytest --dealsnap --dealsnap-matrix --lf   # after a fix, only the deals that failed"]
    if printable(failed.id) == failed.id:  # else no terminal shows what would have to be typed
        shown = shell_quoted(failed.id)
        steps.append(f"pytest --dealsnap --dealsnap-matrix --dealsnap-id {shown}   # one deal under every type")
    return steps


def _where(results: Sequence[DealResult]) -> str:
    """Return what else may be the cause: on scratch copies, that the reasoner reads another database."""
    notes = (finding.note for result in results for finding in result.findings if finding.kind is Kind.NO_EFFECT)
    note = next(filter(None, notes), "")
    return f" ({note})" if note else ""
