"""Decisions of a reviewer, as a file: what the HTML page exports, and what review keeps beside a report.

::

    {"format": 1, "report": {"started_at": "…", "database": "…"},
     "decisions": [{"cause": "f6deda3633d5", "decision": "accept", "into": "ledger", "note": "…",
                    "reason": "…", "ticket": null, "expires": "2027-01-31"}]}
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from pathlib import Path
from typing import Any

from pytest_dealsnap.baseline.journal import Changes
from pytest_dealsnap.errors import ConfigError, DealsnapError, did_you_mean
from pytest_dealsnap.model.finished_run import FinishedRun, RunFacts
from pytest_dealsnap.reasoning.canonical import loads

__all__ = ["INTO", "TARGETS", "Decision", "DecisionError", "Decisions", "decisions_beside", "read_decisions"]

FORMAT = 1
INTO = ("baseline", "ledger")
TARGETS = ("cause", "deal", "type")
_TEXTS = ("note", "reason", "who", "ticket", "expires", "into")


class DecisionError(DealsnapError):
    """A file of decisions cannot be used."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision on a cause, a deal or a type (which no file holds); ``into`` says where an accepted one goes."""

    decision: str
    cause: str | None = None
    deal: str | None = None
    type: str | None = None
    into: str | None = None
    note: str = ""
    reason: str = ""
    who: str = ""
    ticket: str | None = None
    expires: date | None = None

    @property
    def target(self) -> tuple[str, str]:
        """What was decided on, such as ``("cause", id)``: one of ``TARGETS`` and its name."""
        named = zip(TARGETS, (self.cause, self.deal, self.type), strict=True)
        return next((kind, name) for kind, name in named if name is not None)

    def plain(self) -> dict[str, Any]:
        """Return the decision as it stands in a file."""
        kind, name = self.target
        values: dict[str, Any] = {kind: name, "decision": self.decision, "into": self.into, "note": self.note}
        expires = None if self.expires is None else self.expires.isoformat()
        return {**values, "reason": self.reason, "who": self.who, "ticket": self.ticket, "expires": expires}


def _origin(facts: RunFacts) -> dict[str, str]:
    """Return what tells one report from another."""
    started = facts.started_at.astimezone(UTC).isoformat(timespec="seconds")
    return {"started_at": started, "database": facts.database}


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
            f"{path} was made from another report: of {origin.get('database')}, begun {origin.get('started_at')}; "
            f"this one is of {run.facts.database}, begun {_origin(run.facts)['started_at']}. Decide on this one anew"
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


def _read(path: Path) -> tuple[dict[str, Any], list[Decision]]:
    try:
        document = loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DecisionError(f"no such file of decisions: {path}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise DecisionError(f"{path} is no file of decisions: {error}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        given = document.get("format") if isinstance(document, dict) else None
        raise DecisionError(f"{path} has format {given!r}; this version of pytest-dealsnap knows format {FORMAT}")
    origin, entries = document.get("report"), document.get("decisions")
    if not isinstance(origin, dict) or not isinstance(entries, list):
        raise DecisionError(f"{path}: report must be a table and decisions a list")
    return origin, [_decision(entry, f"{path}, decision {n}") for n, entry in enumerate(entries, start=1)]


def _decision(entry: Any, place: str) -> Decision:
    if not isinstance(entry, dict) or ("cause" in entry) == ("deal" in entry):
        raise DecisionError(f"{place}: must name a cause or a deal")
    kind = "cause" if "cause" in entry else "deal"
    known = (kind, "decision", *_TEXTS)
    unknown = next((key for key in entry if key not in known), None)
    if unknown is not None:  # a slip in expires would make an exception for ever
        raise DecisionError(f"{place}: unknown key {unknown[:40]!r}.{did_you_mean(unknown[:40], known)}")
    wrong = [key for key in (kind, *_TEXTS) if not isinstance(entry.get(key, ""), (str, type(None)))]
    if wrong or entry[kind] is None:
        raise DecisionError(f"{place}: {(wrong or [kind])[0]} must be a text")
    if entry.get("decision") not in ("accept", "reject"):
        raise DecisionError(f"{place}: decision is {entry.get('decision')!r}; valid are accept and reject")
    into = entry.get("into") or None
    if into is not None and into not in INTO:
        raise DecisionError(f"{place}: into is {into!r}.{did_you_mean(into, INTO)} Valid: {', '.join(INTO)}")
    texts = {key: entry.get(key) or "" for key in ("note", "reason", "who")}
    expires = parse_day(entry.get("expires") or None, f"{place}: expires")
    return Decision(
        entry["decision"],
        **{kind: entry[kind]},
        into=into,
        **texts,
        ticket=entry.get("ticket") or None,
        expires=expires,
    )


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
        document = {
            "format": FORMAT,
            "report": _origin(self._run.facts),
            "decisions": [self._made[target].plain() for target in sorted(self._made)],
        }
        text = json.dumps(document, indent=2, ensure_ascii=True)
        changes.write(self.path.absolute(), (text + "\n").encode())
