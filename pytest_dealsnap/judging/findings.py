"""What a comparison found: findings, statuses, and one deal's result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any

from pytest_dealsnap.judging.deal_details import Details
from pytest_dealsnap.judging.values import Number

__all__ = [
    "AFFECTED",
    "COMPARED",
    "STATUSES",
    "DealResult",
    "Failure",
    "Finding",
    "Kind",
    "changed_issue",
    "lost_issue",
]

STATUSES = ("matched", "changed", "regressed", "errored", "missing", "new", "accepted")
AFFECTED = ("regressed", "errored", "missing")
COMPARED = ("matched", "changed", "regressed", "errored", "missing", "accepted")


class Kind(Enum):
    """What a finding is about."""

    METRIC = auto()
    LOST = auto()
    OUTPUT = auto()
    DEAL_TYPE = auto()
    GONE = auto()
    FAILED = auto()
    NO_EFFECT = auto()
    BETWEEN_TYPES = auto()


_BUILT_IN = {
    ("output", "output_changed"): Kind.OUTPUT,
    ("output", "reasoning_failed"): Kind.FAILED,
    ("deal_type", "deal_type_changed"): Kind.DEAL_TYPE,
    ("deal", "missing_from_database"): Kind.GONE,
    ("output", "type_has_no_effect"): Kind.NO_EFFECT,
    ("metrics", "type_has_no_effect"): Kind.NO_EFFECT,
}


@dataclass(frozen=True, slots=True)
class Failure:
    """An error in place of an output: the exception's type and its message, without secrets."""

    type: str
    message: str

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type


@dataclass(frozen=True, slots=True)
class Finding:
    """One metric's difference in one deal.

    ``gates`` says whether it can fail the deal; ``allowed`` is the rule that decided. For
    ``output_changed``, ``count`` is the number of changed paths outside every metric, and ``paths`` are
    the first of them. Where it gates, ``forms`` are all paths that gate, without the places in lists;
    ``None`` says that there are too many. ``digest`` stands for these paths with their values.
    A rule of the user's own may return a Finding in place of a bool.
    """

    metric: str
    issue: str
    baseline: Any = None
    current: Any = None
    change_percent: float | None = None
    allowed: str = ""
    gates: bool = True
    count: int | None = None
    paths: tuple[str, ...] = ()
    note: str = ""
    forms: tuple[str, ...] | None = None
    digest: str = ""

    @property
    def kind(self) -> Kind:
        """What the finding is about: of a metric by any name, or one of the built-in kinds."""
        built_in = _BUILT_IN.get((self.metric, self.issue))
        if built_in is not None:
            return built_in
        if self.issue == "matrix_rule_broken":
            return Kind.BETWEEN_TYPES
        return Kind.LOST if self.issue == lost_issue(self.metric) else Kind.METRIC


def changed_issue(metric: str) -> str:
    """Return ``<metric>_changed``; for ``cost_total`` the plan's ``cost_changed``."""
    return "cost_changed" if metric == "cost_total" else f"{metric}_changed"


def lost_issue(metric: str) -> str:
    """Return ``<metric>_lost``; for ``cost_total`` the plan's ``cost_lost``."""
    return "cost_lost" if metric == "cost_total" else f"{metric}_lost"


@dataclass(frozen=True, slots=True)
class DealResult:
    """What one deal came to.

    ``deal_type`` is the effective type that it was judged by (the baseline's where there is one),
    ``seconds`` the time of the reasoner's call. ``corrupt`` names data corruption, which asks for a
    rollback at any rate; ``compared`` is false where no comparison could be made. ``details`` are kept
    for few deals only. ``likeness`` marks a captured output (``judging.likeness``). ``unchanged`` are the numbers of
    a compared deal that are what they were, by metric. ``evidence`` says how the output came about (``replayed``,
    ``reused``, ``computed``; empty where calls are not recorded), ``asked`` how many recorded calls were made anew,
    ``miss`` the first request that differs from the recorded ones.
    """

    id: str
    name: str | None
    deal_type: str
    stored_type: str | None
    status: str
    seconds: float = 0.0
    findings: tuple[Finding, ...] = ()
    error: Failure | None = None
    corrupt: str | None = None
    compared: bool = True
    absent_metrics: tuple[str, ...] = ()
    reason: str = ""
    details: Details | None = None
    likeness: tuple[str, ...] = ()
    unchanged: Mapping[str, Number] = field(default_factory=dict)
    evidence: str = ""
    asked: int = 0
    miss: str = ""

    def with_status(self, status: str, *, reason: str = "") -> DealResult:
        """Return the result under another status, such as ``accepted``."""
        return replace(self, status=status, reason=reason or self.reason)

    @property
    def gating(self) -> tuple[Finding, ...]:
        """The findings that can fail the deal."""
        return tuple(finding for finding in self.findings if finding.gates)


def result_to_plain(result: DealResult) -> dict[str, Any]:
    """Return *result*, but for its details, as plain values, to travel between processes.

    See :func:`result_from_plain`.
    """
    plain = {name: getattr(result, name) for name in DealResult.__slots__}
    plain["findings"] = [{name: getattr(f, name) for name in Finding.__slots__} for f in result.findings]
    plain["error"] = [result.error.type, result.error.message] if result.error else None
    del plain["details"]
    return plain


def result_from_plain(plain: Mapping[str, Any]) -> DealResult:
    """Return the result that :func:`result_to_plain` took apart."""
    values = dict(plain)
    values["findings"] = tuple(_finding_from_plain(finding) for finding in plain["findings"])
    values["error"] = Failure(*plain["error"]) if plain["error"] else None
    values["absent_metrics"] = tuple(plain["absent_metrics"])
    values["likeness"] = tuple(plain["likeness"])
    return DealResult(**values)


def _finding_from_plain(plain: Mapping[str, Any]) -> Finding:
    forms = plain["forms"]
    return Finding(**{**plain, "paths": tuple(plain["paths"]), "forms": None if forms is None else tuple(forms)})
