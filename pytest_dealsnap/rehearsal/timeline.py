"""The timeline of a rehearsal while it is written: phases, problems, and a line of progress for each."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pytest_dealsnap.model.rehearsals import DIGITS, Phase, PhaseStatus, Problem, Weight
from pytest_dealsnap.rehearsal.steps import OriginalReachedError, Say
from pytest_dealsnap.secrets import redact

__all__ = ["Entry", "Timeline"]

_MARKS: dict[PhaseStatus, str] = {"passed": "ok", "failed": "FAILED", "noted": "note", "skipped": "skipped"}


@dataclass(slots=True)
class Entry:
    """A phase under way: what it shows so far."""

    name: str
    title: str
    headline: str = ""
    lines: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def find(
        self,
        code: str,
        title: str,
        *,
        weight: Weight = "fails",
        evidence: Sequence[str] = (),
        advice: str = "",
        deals: Sequence[str] = (),
    ) -> None:
        """Note a problem; secrets in its texts are masked."""
        shown = tuple(map(redact, evidence))
        self.problems.append(Problem(code, self.name, redact(title), weight, shown, redact(advice), tuple(deals)))


class Timeline:
    """Collects phases and problems in their order."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self.phases: list[Phase] = []
        self.problems: list[Problem] = []

    @contextmanager
    def phase(self, name: str, title: str) -> Iterator[Entry]:
        """Time a phase, and say how it began and ended."""
        self._say(f"{len(self.phases) + 1:>2}. {title} …")
        entry, started = Entry(name, title), time.monotonic()
        try:
            yield entry
        except OriginalReachedError as error:
            entry.headline = ""
            entry.find(
                "original_asked_for", error.title, weight="unfinished", evidence=error.evidence, advice=error.advice
            )
            self._end(entry, started)
            raise
        self._end(entry, started)

    def _end(self, entry: Entry, started: float) -> None:
        seconds = round(time.monotonic() - started, DIGITS)
        weights = {problem.weight for problem in entry.problems}
        status: PhaseStatus = "failed" if weights - {"note"} else "noted" if weights else "passed"
        headline = redact(entry.headline) or "; ".join(problem.title for problem in entry.problems)
        self._close(Phase(entry.name, entry.title, status, seconds, headline, tuple(map(redact, entry.lines))))
        for problem in entry.problems:
            self._say(f"      {'note' if problem.weight == 'note' else '!'} {problem.title}")
        self.problems += entry.problems

    def skip(self, name: str, title: str, why: str) -> None:
        """Note a phase that is not gone through, and why."""
        self._say(f"{len(self.phases) + 1:>2}. {title} …")
        self._close(Phase(name, title, "skipped", 0.0, redact(why)))

    def _close(self, phase: Phase) -> None:
        self.phases.append(phase)
        self._say(f"    {_MARKS[phase.status]} in {phase.seconds:,.1f} s: {phase.headline}")

    def has(self, *codes: str) -> bool:
        """Whether one of *codes* was found."""
        return any(problem.code in codes for problem in self.problems)
