"""Reading the saved JSON report of a rehearsal back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pytest_dealsnap.judging.verdict import ACTIONS, Verdict
from pytest_dealsnap.reporting.json_reading import ReportError, read_run
from pytest_dealsnap.reporting.rehearsal_facts import (
    Attributed,
    Exposure,
    LoadFact,
    LockFact,
    Phase,
    Problem,
    Rehearsal,
    Share,
)
from pytest_dealsnap.reporting.rehearsal_wording import PHASE_WORDS, WEIGHT_WORDS

__all__ = ["read_rehearsal"]


def read_rehearsal(document: Mapping[str, Any], path: Path) -> Rehearsal:
    """Return the rehearsal that *document* tells of.

    Raises :class:`ReportError`, naming *path*, for a damaged one, and for one whose verdict contradicts its findings.
    """
    try:
        rehearsal = _rehearsal(document, path)
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
    run, load, share, gate = document["run"], document["load"], document["affected"], document["gate"]
    phases = tuple(Phase(**_plain(phase)) for phase in document["phases"])
    problems = tuple(Problem(**_plain(problem)) for problem in document["findings"])
    verdict = Verdict(document["verdict"]["action"], document["verdict"]["reason"])
    _known(verdict.action, ACTIONS)
    for phase in phases:
        _known(phase.status, PHASE_WORDS)
    for problem in problems:
        _known(problem.weight, WEIGHT_WORDS)
    rehearsal = Rehearsal(
        started_at=datetime.fromisoformat(run["started_at"]),
        seconds=float(run["seconds"]),
        database=run["database"],
        scratch=run["scratch"],
        means=run["copied_by"],
        kept=run["kept"],
        flag=run["flag"],
        git_commit=run["git_commit"],
        phases=phases,
        problems=problems,
        attributed=tuple(Attributed(**_plain(deal)) for deal in document["attribution"]["deals"]),
        share=None if share is None else Share(**_plain(share)),
        exposures=tuple(Exposure(**_plain(exposure)) for exposure in document["exposure"]),
        locks=tuple(LockFact(**_plain(lock)) for lock in document["locks"]),
        load=None if load is None else LoadFact(**_plain(load)),
        gate=None if gate is None else read_run(gate, path),
        verdict=verdict,
        next_steps=tuple(document["next_steps"]),
    )
    _check_kinds(rehearsal)
    for exposure in rehearsal.exposures:
        Decimal(exposure.largest), Decimal(exposure.total)
    return rehearsal


_LARGEST = 2**63  # of a count; Python would take more digits than it can show


def _check_kinds(made: Any) -> None:
    """Raise :class:`TypeError` for a field of another kind than it is declared: who renders it need not ask."""
    for name, hint in get_type_hints(type(made)).items():
        value = getattr(made, name)
        if not _is_kind(value, hint):
            raise TypeError(f"{name} is {value!r}")


def _is_kind(value: Any, hint: Any) -> bool:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return value in inner
    if origin in (Union, UnionType):
        return any(_is_kind(value, one) for one in inner)
    if origin is tuple:
        return isinstance(value, tuple) and all(_is_kind(one, inner[0]) for one in value)
    if origin is Mapping:
        items = value.items() if isinstance(value, Mapping) else [(None, None)]
        return all(_is_kind(key, inner[0]) and _is_kind(one, inner[1]) for key, one in items)
    if hint in (int, float):
        number = isinstance(value, (int, hint)) and not isinstance(value, bool)
        return number and math.isfinite(value) and (hint is float or abs(value) < _LARGEST)
    if not isinstance(value, hint):
        return False
    if hint in (Phase, Problem, Attributed, Exposure, LoadFact, LockFact, Share):
        _check_kinds(value)
    return True


def _known(word: str, words: Any) -> None:
    if word not in words:
        raise ValueError(f"unknown: {word!r}")


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _value(value) for key, value in values.items()}


def _value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return tuple(value) if isinstance(value, list) else value
