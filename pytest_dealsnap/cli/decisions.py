"""Decisions of a reviewer, as a file: what the HTML page exports, and what review keeps beside a report.

::

    {"format": 1, "report": {"started_at": "…", "database": "…"},
     "decisions": [{"cause": "f6deda3633d5", "decision": "accept", "into": "ledger", "note": "…",
                    "reason": "…", "ticket": null, "expires": "2027-01-31"}]}
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date
from pathlib import Path
from typing import Any

from pytest_dealsnap.baseline.journal import Changes
from pytest_dealsnap.errors import ConfigError, DealsnapError, did_you_mean
from pytest_dealsnap.model.finished_run import FinishedRun, RunFacts
from pytest_dealsnap.model.kept_files import DECISIONS, INTO, TARGETS, Decision, DecisionsFile, ReportOrigin
from pytest_dealsnap.model.record import RecordError, fields, from_plain, key_of, to_plain
from pytest_dealsnap.reasoning.canonical import loads
from pytest_dealsnap.text import listed

__all__ = ["DecisionError", "Decisions", "decisions_beside", "parse_day", "read_decisions"]

FORMAT = 1


class DecisionError(DealsnapError):
    """A file of decisions cannot be used."""


def _origin(facts: RunFacts) -> ReportOrigin:
    """Return what tells one report from another."""
    return ReportOrigin(facts.started_at.astimezone(UTC).isoformat(timespec="seconds"), facts.database)


def decisions_beside(report: Path) -> Path:
    """Return where the decisions on *report* are kept: ``dealsnap.decisions.json`` beside ``dealsnap.json``."""
    return report.with_name(f"{report.name.removesuffix('.json')}.decisions.json")


def read_decisions(path: Path, run: FinishedRun) -> list[Decision]:
    """Return the decisions in *path*, which must be of the report that *run* is.

    Raises :class:`DecisionError` for a file that is none, or of another report, and for a decision without a reason.
    """
    origin, decisions = _read(path)
    if origin != _origin(run.facts):
        raise DecisionError(
            f"{path} was made from another report: of {origin.database}, begun {origin.started_at}; "
            f"this one is of {run.facts.database}, begun {_origin(run.facts).started_at}. Decide on this one anew"
        )
    known = {("cause", cause.id) for cause in run.causes} | {("deal", result.id) for result in run.results}
    for decision in decisions:
        if decision.target not in known:
            raise DecisionError(f"{path}: the report has no {' '.join(decision.target)}")
        if not (decision.reason or decision.note).strip():
            raise DecisionError(
                f"{path}: the decision on {' '.join(decision.target)} has no reason. Write one in the page, and export "
                "the decisions again"
            )
    return decisions


def _read(path: Path) -> tuple[ReportOrigin, list[Decision]]:
    try:
        document = loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DecisionError(f"no such file of decisions: {path}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise DecisionError(f"{path} is no file of decisions: {error}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        given = document.get("format") if isinstance(document, dict) else None
        raise DecisionError(f"{path} has format {given!r}; this version of pytest-dealsnap knows format {FORMAT}")
    try:
        origin = from_plain(ReportOrigin, document.get("report"))
    except RecordError as error:
        raise DecisionError(f"{path}: report must say which report this is of: {error}") from None
    entries = document.get("decisions")
    if not isinstance(entries, list):
        raise DecisionError(f"{path}: decisions must be a list")
    return origin, [_decision(entry, f"{path}, decision {n}") for n, entry in enumerate(entries, start=1)]


def _decision(entry: Any, place: str) -> Decision:
    if not isinstance(entry, dict) or ("cause" in entry) == ("deal" in entry):
        raise DecisionError(f"{place}: must name a cause or a deal")
    kind = "cause" if "cause" in entry else "deal"
    known = [field.name for field in fields(Decision) if field.name == kind or field.name not in TARGETS]
    unknown = next((key for key in entry if key not in known), None)
    if unknown is not None:  # a slip in expires would make an exception for ever
        raise DecisionError(f"{place}: unknown key {unknown[:40]!r}.{did_you_mean(unknown[:40], known)}")
    said = {key: value for key, value in entry.items() if value not in (None, "") or key == kind}
    try:
        return from_plain(Decision, {**said, kind: 0 if entry[kind] is None else entry[kind]})
    except RecordError as error:
        raise DecisionError(f"{place}: {_what_is_wrong(said, key_of(error))}") from None


def _what_is_wrong(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    words = {"decision": DECISIONS, "into": INTO}.get(key or "decision")  # what is lacking is the decision
    if words:
        near = did_you_mean(value, words) if isinstance(value, str) else ""
        return f"{key or 'decision'} is {value!r}.{near} Valid are {listed(words)}"
    return f"expires {value!r}: must be a day such as 2027-01-31" if key == "expires" else f"{key} must be a text"


def parse_day(text: str | None, place: str) -> date | None:
    """Return the day that *text* is; raises :class:`ConfigError` for anything else."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{place} {text!r}: must be a day such as 2027-01-31") from None


class Decisions:
    """The decisions on one report, kept in a file beside it; those on an earlier report are remembered as such."""

    def __init__(self, report: Path, run: FinishedRun) -> None:
        self.path = decisions_beside(report)
        self._run = run
        self._made: dict[tuple[str, str], Decision] = {}
        self.earlier: Mapping[tuple[str, str], Decision] = {}
        self.reload()

    def reload(self) -> None:
        """Have the decisions that stand in the file."""
        self._made = {}
        if not self.path.exists():
            return
        origin, decisions = _read(self.path)
        by_target = {decision.target: decision for decision in decisions}
        if origin == _origin(self._run.facts):
            self._made = by_target
        else:  # the report was made anew; what was rejected then is worth knowing still
            self.earlier = {target: one for target, one in by_target.items() if one.decision == "reject"}

    def of(self, kind: str, name: str) -> Decision | None:
        """Return the decision on a cause or a deal, where one was made."""
        return self._made.get((kind, name))

    def into_baseline(self) -> list[str]:
        """Return the causes that were accepted into the baseline."""
        made = self._made.values()
        return [
            one.cause for one in made if one.decision == "accept" and one.into == "baseline" and one.cause is not None
        ]

    def all(self) -> Sequence[Decision]:
        """Return all decisions on this report."""
        return list(self._made.values())

    def stage(self, changes: Changes, decisions: Sequence[Decision]) -> None:
        """Have *decisions* in the file with the other *changes*, beside those that somebody made in the meantime."""
        self.reload()
        self._made |= {decision.target: decision for decision in decisions}
        made = tuple(self._made[target] for target in sorted(self._made))
        document = to_plain(DecisionsFile(report=_origin(self._run.facts), decisions=made))
        text = json.dumps(document, indent=2, ensure_ascii=True)
        changes.write(self.path.absolute(), (text + "\n").encode())
