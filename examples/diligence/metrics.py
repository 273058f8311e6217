"""What the rollout watches, in OpenMetrics: creations that fail, calculations that fail, regressions, the flag.

Counters live in the process, or in `PROMETHEUS_MULTIPROC_DIR` if several workers share them. The rest is looked
up at each scrape: the flag itself, `DILIGENCE_FLAG_CLEANUP_DUE` (the day from which the flag should be gone, such as
2025-03-17), and `DILIGENCE_GATE_REPORT` (the JSON report of the last gate).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from . import flags
from .deal_types import VALID_DEAL_TYPES

CONTENT_TYPE = CONTENT_TYPE_LATEST
GATE_REPORT = "DILIGENCE_GATE_REPORT"
CLEANUP_DUE = "DILIGENCE_FLAG_CLEANUP_DUE"
OUTCOMES = ("created", "invalid_deal_type", "invalid", "error")
BAD_STATUSES = ("regressed", "errored", "missing")

_COUNTERS = CollectorRegistry()
_CREATIONS = Counter("diligence_deal_creations", "Deals asked for, by outcome.", ["outcome"], registry=_COUNTERS)
_COST_ERRORS = Counter(
    "diligence_cost_calculation_errors", "Reports that ended in an exception.", ["deal_type"], registry=_COUNTERS
)
_FLAG_READS = Counter(
    "diligence_flag_evaluations", "Reports that asked the deal type flag.", ["enabled"], registry=_COUNTERS
)


def deal_creation(outcome: str) -> None:
    """Count an attempt to create a deal; the outcome is one of `OUTCOMES`."""
    _CREATIONS.labels(outcome).inc()


def cost_calculation_error(deal_type: str) -> None:
    """Count a report of that type of deal that could not be computed."""
    _COST_ERRORS.labels(deal_type).inc()


def flag_evaluation(enabled: bool) -> None:
    """Count a report that was steered by the flag."""
    _FLAG_READS.labels(_word(enabled)).inc()


def cleanup_due() -> datetime | None:
    """When the flag should be gone, if anyone said so; `ValueError` for what is no day."""
    text = os.environ.get(CLEANUP_DUE)
    if not text:
        return None
    try:
        due = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{CLEANUP_DUE}={text!r} is no day such as 2025-03-17") from None
    return due if due.tzinfo else due.replace(tzinfo=UTC)


def exposition() -> str:
    """All metrics in the OpenMetrics text format."""
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(_COUNTERS)
    registry.register(LookedUp())
    text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]  # the client annotates neither
    return text.decode()


class LookedUp(Collector):
    """The gauges that no request moves."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Look each of them up; what is not configured is left out."""
        yield _gauge("deal_type_awareness", "Whether analysis follows the deal type; -1: unreadable.", _flag())
        if due := cleanup_due():
            yield _gauge("flag_cleanup_due_timestamp_seconds", "When the flag should be gone.", due.timestamp())
        if path := os.environ.get(GATE_REPORT):
            failures = _regression_failures(Path(path))
            yield _gauge("regression_report_readable", "Whether the gate left a usable report.", failures is not None)
            if failures is not None:
                yield _gauge("regression_failures", "Deals the last gate found regressed, errored, missing.", failures)


def _flag() -> float:
    try:
        return flags.deal_type_awareness()
    except flags.FlagError:
        return -1


def _regression_failures(report: Path) -> int | None:
    try:
        summary = json.loads(report.read_text(encoding="utf-8"))["summary"]
        return sum(int(summary[status]) for status in BAD_STATUSES) if summary["compared"] else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"diligence_{name}", documentation, value=value)


def _word(enabled: bool) -> str:
    return "true" if enabled else "false"


# Every series starts at nought, so that the first failure counts as an increase.
for _outcome in OUTCOMES:
    _CREATIONS.labels(_outcome)
for _deal_type in VALID_DEAL_TYPES:
    _COST_ERRORS.labels(_deal_type)
for _enabled in (True, False):
    _FLAG_READS.labels(_word(_enabled))
