"""One wording for all reports of a rehearsal."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from pytest_dealsnap.judging.bounds import sure
from pytest_dealsnap.model.rehearsals import Exposure, LoadFact, LockFact, Problem, Rehearsal, Share
from pytest_dealsnap.reporting.wording import show_value
from pytest_dealsnap.text import plural, printable

__all__ = [
    "PHASE_WORDS",
    "WEIGHT_WORDS",
    "evidence_words",
    "origin_words",
    "told_problems",
]

PHASE_WORDS = {"passed": "ok", "failed": "FAILED", "noted": "note", "skipped": "-"}
WEIGHT_WORDS = {"corrupts": "CORRUPTION", "fails": "FAILED", "unfinished": "UNFINISHED", "note": "note"}
_ORDER = ("corrupts", "unfinished", "fails", "note")
LOCKS_SHOWN = 4


def told_problems(rehearsal: Rehearsal) -> list[Problem]:
    """Return the problems, the heaviest first, else in the order in which they were found."""
    return sorted(rehearsal.problems, key=lambda problem: _ORDER.index(problem.weight))


def evidence_words(rehearsal: Rehearsal) -> list[tuple[str, str]]:
    """Return what the verdict rests on, each with its name: share, origins, money, locks, load."""
    found = []
    if rehearsal.share is not None:
        found.append(("affected", share_words(rehearsal.share)))
    if rehearsal.attributed:
        found.append(("put down to", origin_words(rehearsal)))
    found += [("exposure", exposure_words(exposure)) for exposure in rehearsal.exposures[:3]]
    if rehearsal.locks:
        found.append(("locks", lock_words(rehearsal.locks)))
    if rehearsal.load is not None:
        found.append(("load beside the upgrade", load_words(rehearsal.load)))
    return found


def share_words(share: Share) -> str:
    """Return the affected share in words, with its interval where the run was a sample."""
    text = f"{share.affected:,} of {plural(share.compared, 'compared deal')} ({share.percent:.1f} %)"
    if share.low is None or share.high is None:
        return text
    bounds = f"{share.low:.1f} % to {share.high:.1f} %"
    return f"{text}, a sample: of all deals {bounds}, each {sure(share.confidence)}"


def origin_words(rehearsal: Rehearsal) -> str:
    """Return how many changed deals are put down to data, code and both, and how many of them regressed."""
    counts = rehearsal.origins()
    regressed = sum(deal.regressed for deal in rehearsal.attributed)
    shown = ", ".join(
        f"{count:,} to {'both' if origin == 'both' else f'the {origin}'}" for origin, count in counts.items()
    )
    return f"{shown} (of {plural(len(rehearsal.attributed), 'changed deal')}, {regressed:,} of them regressed)"


def exposure_words(exposure: Exposure) -> str:
    """Return the largest move of a number, and all moves together."""
    name = f" {printable(exposure.deal_name)[:40]}" if exposure.deal_name else ""
    largest, total = (show_value(Decimal(amount)) for amount in (exposure.largest, exposure.total))
    return (
        f"{exposure.metric} moved by up to {largest} (deal {exposure.deal_id}{name}), "
        f"by {total} in {plural(exposure.deals, 'deal')} together"
    )


def lock_words(locks: Sequence[LockFact]) -> str:
    """Return the strongest locks with how long they were seen."""
    shown = [f"{lock.mode} on {lock.relation} for {lock.seconds:,.2f} s" for lock in locks[:LOCKS_SHOWN]]
    more = f" and {len(locks) - LOCKS_SHOWN:,} more" if len(locks) > LOCKS_SHOWN else ""
    return "; ".join(shown) + more


def load_words(load: LoadFact) -> str:
    """Return what became of the requests beside the upgrade."""
    reads, writes = load.reads + load.failed_reads, load.writes + load.failed_writes
    return (
        f"{plural(reads, 'read')}, {load.failed_reads:,} failed, longest {load.longest_read:,.2f} s; "
        f"{plural(writes, 'write')}, {load.failed_writes:,} failed, longest {load.longest_write:,.2f} s"
    )
