"""How outputs came about, in words: replayed, reused or computed; a replay proves nothing of the service itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from pytest_dealsnap.model.results import DealResult
from pytest_dealsnap.text import plural

__all__ = ["EVIDENCE", "evidence_counts", "evidence_words", "miss_notes", "process_notes"]

EVIDENCE = ("replayed", "reused", "computed")
MISSES_SHOWN = 2


def evidence_counts(results: Iterable[DealResult]) -> dict[str, int]:
    """Return how many deals there are of each kind of evidence; empty where no deal has any."""
    counts = Counter(result.evidence for result in results if result.evidence)
    return {name: counts[name] for name in EVIDENCE} if counts else {}


def evidence_words(results: Sequence[DealResult]) -> str:
    """Return ``291 of 321 replayed; 30 asked anew``; empty where nothing was replayed or reused."""
    counts = evidence_counts(results)
    if not counts:
        return ""
    asked = sum(result.asked > 0 for result in results)
    plain = counts["computed"] - sum(result.asked > 0 for result in results if result.evidence == "computed")
    total = sum(counts.values())
    parts = [f"{counts[name]:,} of {total:,} {name}" for name in ("replayed", "reused") if counts[name]]
    if asked:
        parts.append(f"{asked:,} asked anew")
    if plain:
        parts.append(f"{plain:,} made no recorded call")
    return "; ".join(parts)


def miss_notes(results: Iterable[DealResult]) -> list[str]:
    """Return, for the first deals whose requests changed, the first request that differs."""
    missed = [result for result in results if result.miss]
    notes = []
    for result in missed[:MISSES_SHOWN]:
        notes.append(f"deal {result.id}, first request that differs: {' | '.join(result.miss.splitlines())}")
    more = len(missed) - len(notes)
    return [*notes, f"{plural(more, 'more deal')} made requests that were not recorded"] if more else notes


def process_notes(results: Iterable[DealResult]) -> list[str]:
    """Return what to say of processes that the reasoner started: nobody knows what they ask."""
    started = [result for result in results if result.unfollowed]
    if not started:
        return []
    first = f"{started[0].unfollowed}, first for deal {started[0].id}"
    return [
        f"the reasoner started processes of its own for {plural(len(started), 'deal')} ({first}): calls that are made "
        "in them are neither recorded nor replayed. Make them in the reasoner's own process"
    ]
