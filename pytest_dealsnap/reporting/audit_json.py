"""The audit for machines: one JSON document, with every row that the backfill would change."""

from __future__ import annotations

from typing import Any

from pytest_dealsnap import __version__
from pytest_dealsnap.deals.log_counts import LogComparison
from pytest_dealsnap.deals.type_audit import KINDS, BackfillRow, StoredType
from pytest_dealsnap.reporting.audit_facts import AuditReport
from pytest_dealsnap.reporting.checklist import CheckItem

__all__ = ["AUDIT_FORMAT", "audit_document"]

AUDIT_FORMAT = 1


def audit_document(report: AuditReport) -> dict[str, Any]:
    """Return the audit as plain values that strict JSON can hold."""
    audit = report.audit
    return {
        "format": AUDIT_FORMAT,
        "tool": {"name": "pytest-dealsnap", "version": __version__},
        "source": {"database": report.source, "table": report.table, "where": report.where},
        "types": list(report.types),
        "default_type": report.default_type,
        "summary": {
            "rows": audit.rows,
            "deals": audit.deals,
            **{kind: audit.of_kind(kind) for kind in KINDS},
            "backfill": len(audit.backfill),
            "duplicate_ids": len(audit.duplicates),
            "without_id": audit.nameless,
        },
        "distribution": [_fields(value, StoredType) for value in audit.stored],
        "deals_by_type": {name: audit.deals_by_type()[name] for name in report.types},
        "backfill": [_fields(row, BackfillRow) for row in audit.backfill],
        "duplicate_ids": dict(audit.duplicates),
        "logs": None if report.logs is None else _logs(report.logs),
        "checklist": None if report.checklist is None else [_fields(item, CheckItem) for item in report.checklist],
        "problems": list(report.problems),
        "needs_person": bool(report.problems),
    }


def _logs(logs: LogComparison) -> dict[str, Any]:
    counts = logs.counts
    return {
        "files": list(counts.files),
        "lines": counts.lines,
        "cost_calculations": counts.calculations,
        "without_type": counts.silent,
        "counts": {word.word: word.lines for word in logs.words if word.lines},
        "words": [{"word": w.word, "counts_as": w.deal_type, "lines": w.lines, "deals": w.deals} for w in logs.words],
        "other_words": counts.other_words,
        "unseen_types": list(logs.unseen),
        "long_lines": counts.long_lines,
        "cut_short": list(counts.cut_short),
    }


def _fields(value: Any, kind: type) -> dict[str, Any]:
    return {name: getattr(value, name) for name in kind.__slots__}  # type: ignore[attr-defined]  # a dataclass with slots
