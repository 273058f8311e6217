"""The files of decisions and of a baseline's manifest, as they stand on disk."""

from __future__ import annotations

from typing import Annotated, Literal

from pytest_dealsnap.model.record import Record, always, described, one_of

__all__ = ["DecisionEntry", "DecisionsFile", "GitState", "ManifestFile", "ReportOrigin"]


class ReportOrigin(Record, frozen=True):
    """What tells one report from another."""

    started_at: str
    database: str


class DecisionEntry(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a reviewer decided on a cause or on a deal. Exactly one of the two is named."""

    cause: str | None = None
    deal: str | None = None
    decision: Annotated[str, one_of(("accept", "reject"))]
    into: Annotated[
        Literal["baseline", "ledger", ""] | None, described("Where what is accepted goes: baseline or ledger.")
    ] = None
    note: str | None = None
    reason: str | None = None
    who: str | None = None
    ticket: str | None = None
    expires: Annotated[str | None, described("The last day on which it counts, such as 2027-01-31.")] = None


class DecisionsFile(Record, frozen=True, kw_only=True):
    """What a reviewer decided on one report."""

    format: Literal[1]
    report: ReportOrigin
    decisions: tuple[DecisionEntry, ...]


class GitState(Record, frozen=True):
    """The commit that a baseline was captured at, and whether there were other changes; null outside of git."""

    commit: str | None = always(None)
    dirty: bool | None = always(None)


class ManifestFile(Record, frozen=True, kw_only=True):
    """``manifest.json``: where a baseline came from, and which deals it has."""

    format: Literal[1]
    plugin_version: str
    captured_at: Annotated[str, described("When the capture began, in ISO 8601, with its offset from UTC.")]
    git: GitState
    database: Annotated[str, described("Where the deals came from, without secrets.")]
    dialect: str | None
    alembic_revision: str | None
    reasoner: str
    deals: Annotated[dict[str, int], described("How many deals there were, by type.")]
    metrics: Annotated[dict[str, str], described("The path of each metric.")]
    record: Annotated[str, one_of(("full", "metrics"))]
    rules: Annotated[dict[str, dict[str, str]], described("The rules, by deal type and metric.")]
    ids: Annotated[tuple[str, ...], described("The deals that have a snapshot.")]
    complete: bool
    partial: Annotated[bool, described("Whether only a part of the deals was to be captured.")] = False
    resume: Annotated[str, one_of(("all", "missing"))] = "missing"
