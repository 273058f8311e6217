"""The files of decisions and of a baseline's manifest, as they stand on disk."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pytest_dealsnap.model.record import Record, RecordError, always, described, fields, from_plain, one_of

__all__ = [
    "DECISIONS",
    "INTO",
    "TARGETS",
    "Decision",
    "DecisionsFile",
    "GitState",
    "ManifestFile",
    "ReportOrigin",
    "check_manifest",
]


class ReportOrigin(Record, frozen=True):
    """What tells one report from another."""

    started_at: str
    database: str


DECISIONS = ("accept", "reject")
INTO = ("baseline", "ledger")
TARGETS = ("cause", "deal", "type")


class Decision(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a reviewer decided on a cause or on a deal. Exactly one of the two is named."""

    cause: str | None = None
    deal: str | None = None
    type: Annotated[str | None, described("Of no file: all deals of this type.")] = None
    decision: Annotated[str, one_of(DECISIONS)]
    into: Annotated[str, one_of(INTO), described("Where what is accepted goes.")] | None = None
    note: str = ""
    reason: str = ""
    who: str = ""
    ticket: str | None = None
    expires: Annotated[date, described("The last day on which it counts, such as 2027-01-31.")] | None = None

    @property
    def target(self) -> tuple[str, str]:
        """What was decided on, such as ``("cause", id)``: one of ``TARGETS`` and its name."""
        named = zip(TARGETS, (self.cause, self.deal, self.type), strict=True)
        return next((kind, name) for kind, name in named if name is not None)


class DecisionsFile(Record, frozen=True, kw_only=True):
    """What a reviewer decided on one report."""

    format: Literal[1] = always(1)
    report: ReportOrigin
    decisions: tuple[Decision, ...]


class GitState(Record, frozen=True):
    """The commit that a baseline was captured at, and whether there were other changes; null outside of git."""

    commit: str | None = always(None)
    dirty: bool | None = always(None)


class ManifestFile(Record, frozen=True, kw_only=True):
    """``manifest.json``: where a baseline came from, and which deals it has."""

    format: Literal[1] = always(1)
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
    calls_version: Annotated[str, described("The version of the code, where noise is judged (calls.version).")] = ""
    ids: Annotated[tuple[str, ...], described("The deals that have a snapshot.")]
    complete: bool
    partial: Annotated[bool, described("Whether only a part of the deals was to be captured.")] = False
    resume: Annotated[str, one_of(("all", "missing"))] | None = None


_PARTS = {field.encode_name: field.type for field in fields(ManifestFile)}


def check_manifest(plain: dict[str, Any]) -> None:
    """Check the parts of a manifest that are there: an earlier version may have written fewer, a later one more.

    Raises:
        RecordError: A value is of another kind than :class:`ManifestFile` says. The message begins with its key.
    """
    for key, value in plain.items():
        if key in _PARTS:
            try:
                from_plain(_PARTS[key], value)
            except RecordError as error:
                raise RecordError(f"{key}: {error}") from None
