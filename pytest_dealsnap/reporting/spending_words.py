"""What a run spent, in words, and the spending of several shards together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pytest_dealsnap.model.finished_run import RunAbout
from pytest_dealsnap.text import plural

__all__ = ["merged_spending", "spending_line", "with_words"]

_SUMMED = ("calls", "lost", "unknown", "under_way", "reused", "old_calls")


def with_words(spending: Mapping[str, Any]) -> dict[str, Any]:
    """Return *spending*, whose amounts are texts, with its sentence."""
    of = f" of a budget of {spending['budget']}" if spending["budget"] is not None else ""
    parts = [f"spent: {spending['spent']} {spending['currency']}{of} in {plural(spending['calls'], 'call')}"]
    if spending["old_calls"]:
        parts.append(f"{spending['old_calls']:,} of them by the old code")
    if spending["reused"]:
        kept = plural(spending["reused"], "output")
        parts.append(f"{kept} reused from the run store (--dealsnap-fresh computes anew)")
    if spending["lost"]:
        parts.append(f"{plural(spending['lost'], 'call')} lost with the process, each counted as the reserve")
    if spending["unknown"]:
        parts.append(f"{plural(spending['unknown'], 'call')} of unknown cost, each counted as the reserve")
    return {**spending, "words": "; ".join(parts)}


def spending_line(facts: RunAbout) -> str:
    """Return what the run spent, in words; empty where nothing is paid."""
    return "" if facts.spending is None else str(facts.spending["words"])


def merged_spending(parts: Sequence[Mapping[str, Any] | None]) -> dict[str, Any] | None:
    """Return what the shards spent together; ``None`` where none did, or where they were paid in two currencies."""
    told = [part for part in parts if part is not None]
    if not told or len({part["currency"] for part in told}) > 1:
        return None
    budgets = [part["budget"] for part in told]
    whole = {
        "spent": str(sum((Decimal(part["spent"]) for part in told), Decimal(0))),
        "currency": told[0]["currency"],
        "budget": None if None in budgets else str(sum(map(Decimal, budgets), Decimal(0))),
        **{name: sum(part.get(name, 0) for part in told) for name in _SUMMED},
    }
    return with_words(whole)
