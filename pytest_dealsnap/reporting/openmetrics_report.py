"""The OpenMetrics report: for a dashboard or an alert, as a file that node_exporter's textfile collector reads.

Every family is a gauge, the verdict too: the collector reads Prometheus' older text format as well,
which knows neither state sets nor info metrics.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from pytest_dealsnap import __version__
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.results import STATUSES
from pytest_dealsnap.model.verdicts import ACTIONS
from pytest_dealsnap.reporting.evidence_words import evidence_counts
from pytest_dealsnap.reporting.highlights import WEIGHTS, weighed_causes
from pytest_dealsnap.text import cut, printable

if TYPE_CHECKING:
    from pytest_dealsnap.model.rehearsals import Rehearsal

__all__ = ["WRITER", "render_openmetrics"]

# Each cause is a series of its own: few, so that a gate gone wrong cannot flood a monitoring system.
CAUSES_SHOWN = 20
TYPES_SHOWN = 50
LONGEST_LABEL = 200

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Family:
    """A metric family: its name below ``dealsnap_``, what it says, its samples; a unit ends the name."""

    name: str
    help: str
    samples: Iterable[tuple[Labels, float]]
    unit: str = ""

    def lines(self) -> Iterator[str]:
        """Yield the family's lines."""
        name = f"dealsnap_{self.name}"
        yield f"# HELP {name} {self.help}"
        yield f"# TYPE {name} gauge"
        if self.unit:
            yield f"# UNIT {name} {self.unit}"
        for labels, value in self.samples:
            shown = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
            yield f"{name}{{{shown}}} {value!r}" if shown else f"{name} {value!r}"


def render_openmetrics(run: FinishedRun) -> str:
    """Return the facts of *run* as an OpenMetrics exposition."""
    lines = [line for family in _families(run) for line in family.lines()]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _families(run: FinishedRun) -> Iterator[Family]:
    facts, summary = run.facts, run.summary
    labels = {"mode": facts.mode, "database": facts.database, "reasoner": facts.reasoner, "version": __version__}
    yield Family("run_info", "What the run was.", [({**labels, "git_commit": facts.git_commit or ""}, 1)])
    started = facts.started_at.replace(microsecond=0).timestamp()
    yield Family("run_timestamp_seconds", "When the run began, in Unix time.", [({}, started)], "seconds")
    yield Family("run_seconds", "How long the run took.", [({}, round(facts.seconds, 3))], "seconds")
    yield Family("partial", "1 where the run was about a part of the deals.", [({}, int(facts.partial))])
    if run.verdict is not None:
        states = [({"verdict": action}, int(action == run.verdict.action)) for action in ACTIONS]
        yield Family("verdict", "The verdict: 1 for the one that was reached.", states)
    by_type = [
        ({"type": name, "status": status}, counts[status])
        for name, counts in islice(run.by_type().items(), TYPES_SHOWN)
        for status in STATUSES
    ]
    yield Family("deals", "Deals by type and status.", by_type)
    yield Family("selected_deals", "Deals that were to be judged.", [({}, summary.selected)])
    yield Family("compared_deals", "Deals that were compared with the baseline.", [({}, summary.compared)])
    yield Family("affected_deals", "Compared deals that regressed, errored or are missing.", [({}, summary.affected)])
    ratio = round(summary.affected_percent / 100, 6)
    yield Family("affected_ratio", "Affected deals as a part of the compared ones.", [({}, ratio)], "ratio")
    if facts.spending is not None:
        spent, currency = float(str(facts.spending["spent"])), str(facts.spending["currency"])
        yield Family("spent", "What the run, and what it resumed, spent.", [({"currency": currency}, spent)])
        yield Family("paid_calls", "Calls that were begun, and paid.", [({}, int(facts.spending["calls"]))])
    if evidence := evidence_counts(run.results):
        samples = [({"evidence": name}, count) for name, count in evidence.items()]
        yield Family("evidence_deals", "Deals by how their output came about.", samples)
    yield from _cause_families(run)


def _cause_families(run: FinishedRun) -> Iterator[Family]:
    weighed = weighed_causes(run)
    counts = dict.fromkeys(WEIGHTS, 0)
    for weight, _ in weighed:
        counts[weight] += 1
    by_weight = [({"weight": weight}, count) for weight, count in counts.items()]
    yield Family("causes", "Causes by weight: they fail, are accepted, or are only reported.", by_weight)
    shown = [
        ({"cause": cause.id, "title": cause.title, "metric": cause.metric, "weight": weight}, cause)
        for weight, cause in weighed[:CAUSES_SHOWN]
    ]
    every = [(labels, len(cause.deals)) for labels, cause in shown]
    yield Family("cause_deals", "Deals of each of the heaviest causes.", every)
    failing = [(labels, cause.failing) for labels, cause in shown]
    yield Family("cause_failing_deals", "Deals that break a rule by each of the heaviest causes.", failing)


def _escaped(text: str) -> str:
    """Return *text* for a label: controls shown, then the format's own escapes."""
    return cut(printable(text), LONGEST_LABEL).replace("\\", r"\\").replace('"', r"\"")


class OpenMetricsWriter:
    """The writer of the format ``openmetrics``."""

    name = "openmetrics"

    def render(self, run: FinishedRun) -> str:
        return render_openmetrics(run)

    def render_rehearsal(self, rehearsal: Rehearsal) -> str:
        from pytest_dealsnap.reporting.rehearsal_openmetrics import (
            render_rehearsal_openmetrics,  # a gate renders no rehearsal
        )

        return render_rehearsal_openmetrics(rehearsal)


WRITER = OpenMetricsWriter()
