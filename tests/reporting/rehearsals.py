"""A rehearsal that found something of every kind, with hostile names in it."""

from __future__ import annotations

from datetime import UTC, datetime

from pytest_dealsnap.model.rehearsals import (
    Attributed,
    Exposure,
    LoadFact,
    LockFact,
    Phase,
    Problem,
    Rehearsal,
    share_of,
)
from pytest_dealsnap.model.verdicts import Verdict
from tests.reporting.runs import small_run

__all__ = ["HOSTILE", "REHEARSAL"]

HOSTILE = "<script>alert(1)</script> ::error::x | `y` \x1b[31m %0A"

REHEARSAL = Rehearsal(
    started_at=datetime(2026, 11, 23, 17, 0, tzinfo=UTC),
    seconds=42.5,
    database="postgresql://ana:***@db/deals",
    scratch="postgresql://ana:***@db/dealsnap_scratch_1",
    means="pg_dump and psql",
    kept=False,
    flag="AWARE",
    git_commit="0123456789abcdef",
    phases=(
        Phase("copy", "copy the database", "passed", 1.0, HOSTILE, (HOSTILE,)),
        Phase("verify", "what the upgrade left", "failed", 2.0, "2 rows lost"),
        Phase("tests_before", "your own tests, before", "skipped", 0.0, "none"),
    ),
    problems=(
        Problem("requests_failed", "load", "3 requests failed", "note"),
        Problem("rows_lost", "verify", HOSTILE, "corrupts", ("lost: 7",), "find the DELETE", ("7",)),
    ),
    attributed=(Attributed("7", HOSTILE, "carveout", "both", True, ("offer.price",)),),
    share=share_of(3, 50, bounds=(2.1, 16.2)),
    exposures=(Exposure("price", "1250000.5", "7", HOSTILE, "2000000", 3),),
    locks=(LockFact("deals", "AccessExclusiveLock", 0.25), LockFact("notes", "RowExclusiveLock", 0.1)),
    load=LoadFact(1.5, 100, 1, 90, 2, 0.3, 0.5, {"LockNotAvailable": 2}),
    gate=small_run(),
    verdict=Verdict("roll_back", f"data corruption: {HOSTILE}"),
    next_steps=("restore from the backup", "dealsnap rehearse"),
)
