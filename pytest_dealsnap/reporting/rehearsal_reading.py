"""Reading the saved JSON report of a rehearsal back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from pytest_dealsnap.model.documents import SavedRehearsal
from pytest_dealsnap.model.record import RecordError, from_plain
from pytest_dealsnap.model.rehearsals import Rehearsal
from pytest_dealsnap.reporting.json_reading import ReportError, read_run

__all__ = ["read_rehearsal"]


def read_rehearsal(document: Mapping[str, Any], path: Path) -> Rehearsal:
    """Return the rehearsal that *document* tells of.

    Raises :class:`ReportError`, naming *path*, for a damaged one, and for one whose verdict contradicts its findings.
    """
    try:
        rehearsal = _rehearsal(document, path)
    except RecordError as error:
        raise ReportError(f"{path} is no complete report: {error}") from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise ReportError(f"{path} is no complete report: {type(error).__name__}: {error}") from None
    if problem := _contradiction(rehearsal):
        raise ReportError(f"{path} contradicts itself: {problem}. Take the report that the rehearsal wrote")
    return rehearsal


def _contradiction(rehearsal: Rehearsal) -> str:
    """Return how a verdict can be none of its findings and of its gate; empty where it can."""
    action, gate = rehearsal.verdict.action, rehearsal.gate
    weights = {problem.weight for problem in rehearsal.problems}
    if "corrupts" in weights and action != "roll_back":
        return f"the verdict says {action} beside data corruption"
    if action != "proceed":
        return ""
    if heavy := weights & {"corrupts", "unfinished", "fails"}:
        return f"the verdict says proceed beside a finding of the weight {min(heavy)}"
    reached = gate.verdict.action if gate is not None and gate.verdict is not None else "nothing"
    return "" if reached == "proceed" else f"the verdict says proceed, and its gate {reached}"


def _rehearsal(document: Mapping[str, Any], path: Path) -> Rehearsal:
    saved = from_plain(SavedRehearsal, document)
    run = saved.run
    for exposure in saved.exposure:
        Decimal(exposure.largest), Decimal(exposure.total)
    _check_numbers({key: value for key, value in document.items() if key != "gate"})
    return Rehearsal(
        started_at=run.started_at,
        seconds=run.seconds,
        database=run.database,
        scratch=run.scratch,
        means=run.copied_by,
        kept=run.kept,
        flag=run.flag,
        git_commit=run.git_commit,
        phases=saved.phases,
        problems=saved.findings,
        attributed=saved.attribution.deals,
        share=saved.affected,
        exposures=saved.exposure,
        locks=saved.locks,
        load=saved.load,
        gate=None if saved.gate is None else read_run(saved.gate, path),
        verdict=saved.verdict,
        next_steps=saved.next_steps,
    )


_LARGEST = 2**63  # of a count; Python would take more digits than it can show


def _check_numbers(plain: Any) -> None:
    """Raise ``ValueError`` for a number that no report could show."""
    if isinstance(plain, (dict, list)):
        for value in plain.values() if isinstance(plain, dict) else plain:
            _check_numbers(value)
    elif isinstance(plain, (int, float, Decimal)) and not (math.isfinite(plain) and -_LARGEST < plain < _LARGEST):
        raise ValueError("a number is too large, or none")
