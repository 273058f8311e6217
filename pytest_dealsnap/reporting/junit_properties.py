"""The facts of a deal as JUnit properties, for a CI that reads JUnit alone."""

from __future__ import annotations

from pytest_dealsnap.model.results import DealResult
from pytest_dealsnap.reporting.wording import finding_cells

__all__ = ["junit_properties"]

VALUE_WIDTH = 100


def junit_properties(result: DealResult) -> list[tuple[str, object]]:
    """Return id, name, type and status, and each finding by its issue: the percentage, or what became what."""
    facts: list[tuple[str, object]] = [
        ("deal_id", result.id),
        ("deal_name", result.name or ""),
        ("deal_type", result.deal_type),
        ("status", result.status),
    ]
    if result.stored_type != result.deal_type:
        facts.append(("stored_type", "NULL" if result.stored_type is None else result.stored_type))
    if result.evidence:
        facts += [("evidence", result.evidence), ("asked", result.asked)]
    for finding in result.findings:
        if finding.change_percent is not None:
            facts.append((finding.issue, finding.change_percent))
            continue
        cells = finding_cells(finding, VALUE_WIDTH)
        moved = f"{cells.baseline} → {cells.current}" if cells.baseline else cells.current
        facts.append((finding.issue, f"{moved} ({cells.change})" if cells.change else moved))
    return facts
