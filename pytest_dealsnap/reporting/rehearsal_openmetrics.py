"""The OpenMetrics report of a rehearsal, beside the gate's families."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pytest_dealsnap import __version__
from pytest_dealsnap.model.rehearsals import Rehearsal
from pytest_dealsnap.model.verdicts import ACTIONS
from pytest_dealsnap.reporting.openmetrics_report import Family
from pytest_dealsnap.reporting.rehearsal_wording import WEIGHT_WORDS

__all__ = ["render_rehearsal_openmetrics"]

LOCKS_SHOWN = 50


def render_rehearsal_openmetrics(rehearsal: Rehearsal) -> str:
    """Return the rehearsal as an OpenMetrics exposition."""
    lines = [line for family in _families(rehearsal) for line in family.lines()]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _families(rehearsal: Rehearsal) -> Iterator[Family]:
    labels = {"database": rehearsal.database, "flag": rehearsal.flag or "", "version": __version__}
    yield Family("rehearsal_info", "What was rehearsed.", [({**labels, "git_commit": rehearsal.git_commit or ""}, 1)])
    started = rehearsal.started_at.replace(microsecond=0).timestamp()
    yield Family("rehearsal_timestamp_seconds", "When it began, in Unix time.", [({}, started)], "seconds")
    states = [({"verdict": action}, int(action == rehearsal.verdict.action)) for action in ACTIONS]
    yield Family("rehearsal_verdict", "The verdict: 1 for the one that was reached.", states)
    phases = [({"phase": phase.name}, round(phase.seconds, 3)) for phase in rehearsal.phases]
    yield Family("rehearsal_phase_seconds", "How long each phase took on the copy.", phases, "seconds")
    weights = Counter(problem.weight for problem in rehearsal.problems)
    counts = [({"weight": weight}, weights[weight]) for weight in ("corrupts", "unfinished", "fails", "note")]
    assert len(counts) == len(WEIGHT_WORDS)
    yield Family("rehearsal_findings", "Findings by weight.", counts)
    origins = [({"origin": origin}, count) for origin, count in rehearsal.origins().items()]
    yield Family("rehearsal_changed_deals", "Changed deals by what the change is put down to.", origins)
    if rehearsal.share is not None:
        ratio = round(rehearsal.share.percent / 100, 6)
        yield Family(
            "rehearsal_affected_ratio", "Affected deals as a part of the compared ones.", [({}, ratio)], "ratio"
        )
    locks = [({"relation": f.relation, "mode": f.mode}, round(f.seconds, 3)) for f in rehearsal.locks[:LOCKS_SHOWN]]
    if locks:
        yield Family("rehearsal_lock_seconds", "The longest that a lock was seen held.", locks, "seconds")
    if (load := rehearsal.load) is not None:
        done = [("read", "ok", load.reads), ("read", "failed", load.failed_reads)]
        done += [("write", "ok", load.writes), ("write", "failed", load.failed_writes)]
        samples = [({"kind": kind, "outcome": outcome}, count) for kind, outcome, count in done]
        yield Family("rehearsal_requests", "Requests beside the upgrade.", samples)
        waits = [({"kind": "read"}, round(load.longest_read, 3)), ({"kind": "write"}, round(load.longest_write, 3))]
        yield Family("rehearsal_longest_wait_seconds", "The longest that a request took.", waits, "seconds")
