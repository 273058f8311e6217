"""How a run ends: results are gathered, a verdict is reached, reports and manifest are written."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pytest_dealsnap._compat import encoding_of, width_of
from pytest_dealsnap.baseline.deal_features import collect_features
from pytest_dealsnap.baseline.manifest import git_state, old_manifest, read_manifest, without_ids
from pytest_dealsnap.baseline.watching import state_of
from pytest_dealsnap.causes.features import worth_explaining
from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.deal import id_order
from pytest_dealsnap.judging.portfolio import broken_rules, shifts
from pytest_dealsnap.model.cause import Features
from pytest_dealsnap.model.earlier_run import EarlierRun
from pytest_dealsnap.model.finished_run import FinishedRun, JudgingFacts, RunFacts
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import DealResult
from pytest_dealsnap.plugin.deciding import looked_at, second_look
from pytest_dealsnap.plugin.item_reports import describe_suite
from pytest_dealsnap.plugin.items import FAILED_IN_FULL, NODE_PREFIX, node_name
from pytest_dealsnap.plugin.plan import part_of
from pytest_dealsnap.reporting.conclusion import conclude
from pytest_dealsnap.reporting.earlier import read_earlier
from pytest_dealsnap.reporting.idle import idle_rules
from pytest_dealsnap.reporting.ledger_facts import absent_everywhere, ledger_facts
from pytest_dealsnap.reporting.summary_text import progress_text, summary_lines
from pytest_dealsnap.reporting.targets import ReportTarget, write_each
from pytest_dealsnap.text import agree, for_encoding, plural, printable

if TYPE_CHECKING:
    from pytest_dealsnap.plugin.options import Mode
    from pytest_dealsnap.plugin.run import Run
    from pytest_dealsnap.plugin.unjudged import Unjudged
    from pytest_dealsnap.reasoning.stored import StoredCalls

__all__ = ["SessionFinish", "without_syrupys_word_on_workers"]


_FAILURES = ("failed", "error")


def _traits(run: Run, results: list[DealResult]) -> Features | None:
    """Read what the deals have in common, where a cause is to be explained by it."""
    if run.plan.shard is None and not worth_explaining(results):
        return None
    refs = {entry.ref.id: entry.ref for entry in run.plan.entries if entry.kind == "present" and entry.ref.copies == 1}
    return collect_features(
        results,
        run.snapshots,
        lambda ids: run.source.fields_of([refs[deal_id] for deal_id in ids if deal_id in refs]),
        always=run.plan.shard is not None,
    )


def _of_deals(reports: Iterable[Any]) -> list[Any]:
    return [report for report in reports if str(getattr(report, "nodeid", "")).startswith(NODE_PREFIX)]


@contextmanager
def without_syrupys_word_on_workers() -> Iterator[None]:
    """Keep syrupy from warning that a worker was lost: its deals are named, and a warning may be an error."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="syrupy: received .* worker snapshot reports")
        yield


class SessionFinish:
    """Gathers the results of a run, in whichever process reports it, and concludes it."""

    def __init__(self, config: pytest.Config, settings: Config, mode: Mode) -> None:
        self._config = config
        self._settings = settings
        self._mode = mode
        cwd = config.invocation_params.dir
        self._targets = [ReportTarget.parse(text, cwd) for text in config.getoption("dealsnap_report")]
        self._earlier: tuple[EarlierRun, ...] = ()
        if not hasattr(config, "workerinput"):
            for target in self._targets:
                target.check()
            self._earlier = read_earlier(cwd / name for name in config.getoption("dealsnap_compare_with"))
        self._unwritten: dict[ReportTarget, str] = {}
        self._printed: list[str] = []
        stored = mode == "gate" and config.getoption("dealsnap_against") is None
        self._manifest = without_ids(read_manifest(settings.snapshots)) if stored else None
        watches = stored and not hasattr(config, "workerinput")
        self._state = self._baseline_state() if watches else None
        self._results: dict[str, DealResult] = {}
        self._unjudged: dict[str, Unjudged] = {}
        self._used: dict[int, set[str]] = {}
        self._flaky: set[str] = set()
        self._selected: set[str] | None = None
        self._nothing_runs = False
        self._started = self._shown = time.monotonic()
        self.finished: FinishedRun | None = None
        self.stored: StoredCalls | None = None

    def expect(self, nodeids: Iterable[str]) -> None:
        """Take note of the deals that are left to run after ``-k``, ``-m`` and the like."""
        left = list(nodeids)
        self._nothing_runs = not left
        self._selected = {nodeid for nodeid in left if nodeid.startswith(NODE_PREFIX)}

    def selected(self, run: Run) -> list[str]:
        """Return the ids of the run's deals that are left."""
        return [
            entry.ref.id
            for entry in run.plan.entries
            if self._selected is None or NODE_PREFIX + node_name(entry, self._mode) in self._selected
        ]

    def take(self, result: DealResult, used: tuple[int, ...], *, under_way: int, again: bool = False) -> None:
        """Take one deal's result in, and show how far the run is when it is time.

        Of a test that runs more than once the last result counts; *again* says that it passed, but not at first.
        """
        if self._results.pop(result.id, None) is not None:  # an earlier attempt, whose entries do not count
            left = {number: deals - {result.id} for number, deals in self._used.items()}
            self._used = {number: deals for number, deals in left.items() if deals}
        self._results[result.id] = result
        if self.stored is not None:
            self.stored.store.note_status(result.id, result.status)
        self._unjudged.pop(result.id, None)
        for number in used:
            self._used.setdefault(number, set()).add(result.id)
        if again:
            self._flaky.add(result.id)
        now = time.monotonic()
        if self._settings.progress and now - self._shown >= self._settings.progress:
            self._shown = now
            self._show_progress(now - self._started, under_way)

    def excuse(self, deal_id: str, unjudged: Unjudged) -> None:
        """Take note of a deal that could not be judged, and why."""
        self._unjudged[deal_id] = unjudged
        self._results.pop(deal_id, None)

    def _show_progress(self, seconds: float, under_way: int) -> None:
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if reporter is None:
            return
        done = len(self._results)
        statuses = Counter(result.status for result in self._results.values())
        line = progress_text(
            done=done,
            total=done if self._selected is None else len(self._selected),
            failed=statuses["regressed"] + statuses["missing"],
            errored=statuses["errored"],
            seconds=seconds,
            under_way=under_way,
        )
        reporter.ensure_newline()
        reporter.write_line(line, flush=True)  # in a log, too, it is to be seen now

    def describe(self, run: Run) -> None:
        """Say in the JUnit report, which pytest writes before the conclusion, what part of the deals the run is of."""
        selected = len(self.selected(run))
        describe_suite(self._config, part_of(run.plan, selected), selected, run.plan.total, self._spending())

    def conclude(self, run: Run, exitstatus: int) -> int:
        """Reach the verdict, write the reports, and return the exit status.

        A gate that does not end with ``proceed`` is never green, whatever the tests came to; a report that was asked
        for and cannot be written is a usage error.
        """
        results = [self._results[deal_id] for deal_id in sorted(self._results, key=id_order)]
        self.finished = conclude(self._facts(run, results), results)
        printed, self._unwritten = write_each(self.finished, self._targets)
        if self._saved() != self.finished.facts.report:  # it could not be written, so no step may name it
            self.finished = conclude(replace(self.finished.facts, report=self._saved()), results)
        self._printed += [line for text in printed for line in text.splitlines()]
        if self.stored is not None and self._mode == "gate" and self.finished.facts.part == "sample":
            summary = self.finished.summary
            self.stored.store.note_look(self._seed, summary.affected, summary.compared)
        status = self._exit_status(self.finished, exitstatus)
        judged = status in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        return int(pytest.ExitCode.USAGE_ERROR) if self._unwritten and judged else status

    def _facts(self, run: Run, results: list[DealResult]) -> RunFacts:
        settings, plan = self._settings, run.plan
        asked = self.selected(run)
        part = part_of(plan, len(asked))
        selected = self._begun(run, asked) if part != "chosen" else asked
        if len(selected) < len(asked):
            part = "sample"
        folder = settings.snapshots
        return RunFacts(
            mode=self._mode,
            started_at=run.started_at,
            seconds=time.monotonic() - self._started,
            database=plan.description,
            reasoner=settings.reasoner or "the deal_reasoner fixture",
            git_commit=git_state(settings.root)["commit"],
            partial=plan.partial or len(selected) < len(plan.entries),
            looked=None if run.order is None or part == "chosen" else looked_at(run.order),
            shard=plan.shard,
            total=plan.total,
            selected=len(selected),
            not_judged=tuple(deal_id for deal_id in selected if deal_id not in self._results),
            why_not_judged={deal_id: unjudged.why for deal_id, unjudged in self._unjudged.items()},
            outage=self._outage,
            baseline=self._manifest if run.against is None else old_manifest(run.snapshots.folder.parent),
            against=None if run.against is None else run.against.side,
            snapshots=f"the code of {run.against.side.words}"
            if run.against is not None
            else str(folder.relative_to(settings.root) if folder.is_relative_to(settings.root) else folder),
            judging=JudgingFacts.of(settings, run.gate.policy),
            ledger=ledger_facts(run.ledger, self._used, results),
            flaky=tuple(sorted(self._flaky, key=id_order)),
            absent_metrics=absent_everywhere(results, run.judged_paths),
            idle_rules=() if self._mode == "matrix" else idle_rules(results, run.gate.policy, run.judged_paths),
            strangers=plan.strangers,
            traits=_traits(run, results) if self._mode == "gate" else None,
            allow_constant=bool(self._config.getoption("dealsnap_allow_constant")),
            part=part,
            drawn=plan.drawn,
            allow_errors=run.allow_errors,
            doubts=self._doubts(),
            spending=self._spending(),
            earlier_look=self._earlier_look(part),
            portfolio=self._portfolio(run, results, part),
            noise=run.gate.noise_used if self._mode == "gate" else None,
            report=self._saved(),
            earlier=self._earlier,
        )

    def _begun(self, run: Run, asked: list[str]) -> list[str]:
        """Return those of the deals *asked* for that were begun: a run that stops by its verdict draws no more."""
        order = run.order
        if order is None or not run.plan.until_decided:
            return asked
        known = self._results.keys() | self._unjudged.keys()
        return [deal_id for deal_id in asked if deal_id in known or order.has_begun(deal_id)]

    def _portfolio(self, run: Run, results: list[DealResult], part: str | None) -> tuple[str, ...]:
        """Return what the portfolio's rules found; of a part of the deals they say nothing."""
        if not run.portfolio or self._mode != "gate" or part is not None:
            return ()
        return (*broken_rules(run.portfolio, results), *shifts(run.portfolio, results))

    @property
    def _seed(self) -> int:
        return int(self._config.getoption("dealsnap_seed"))

    def _earlier_look(self, part: str | None) -> str:
        """Return that a sample is not the first one, where another seed's was red."""
        if self.stored is None or part != "sample" or self._mode != "gate":
            return ""
        return second_look(self.stored.store.red_look(self._seed), self._settings.verdict.confidence)

    def _spending(self) -> Mapping[str, Any] | None:
        if self.stored is None:
            return None
        from pytest_dealsnap.plugin.storing import spending_of

        return spending_of(self.stored.store, sum(result.evidence == "reused" for result in self._results.values()))

    @property
    def _outage(self) -> str:
        return next((unjudged.why for unjudged in self._unjudged.values() if unjudged.source_away), "")

    def _baseline_state(self) -> int:
        return state_of(self._settings.snapshots, self._config.getoption("dealsnap_id"))

    def _doubts(self) -> tuple[str, ...]:
        """Return why a gate may have judged something else than the baseline."""
        if self._state is None or self._state == self._baseline_state():
            return ()
        return ("the baseline changed while this gate read it: gate again",)

    def _exit_status(self, run: FinishedRun, exitstatus: int) -> int:
        if any(unjudged.unwritable for unjudged in self._unjudged.values()):
            return int(pytest.ExitCode.USAGE_ERROR)
        if self._outage and exitstatus == pytest.ExitCode.INTERRUPTED:  # it was we who ended xdist's run
            return int(pytest.ExitCode.TESTS_FAILED)
        if self._nothing_runs and self._mode == "gate" and exitstatus == pytest.ExitCode.OK:
            return int(pytest.ExitCode.NO_TESTS_COLLECTED)  # whatever plugin left out all deals, and calls it success
        if run.part_outcome is not None:
            failed = exitstatus == pytest.ExitCode.OK and not run.part_outcome.passed
            return int(pytest.ExitCode.TESTS_FAILED) if failed else exitstatus
        if run.verdict is None:
            idle = bool(run.facts.idle_rules) and not run.facts.partial
            if (run.suspicious or idle) and exitstatus == pytest.ExitCode.OK:
                return int(pytest.ExitCode.TESTS_FAILED)
            nothing_left = self._config.getoption("dealsnap_only") and not run.facts.selected
            none_collected = exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED
            return int(pytest.ExitCode.OK) if nothing_left and none_collected else exitstatus
        if run.verdict.action == "proceed" or exitstatus != pytest.ExitCode.OK:
            return exitstatus
        return int(pytest.ExitCode.TESTS_FAILED)

    @contextmanager
    def bounded_failures(self, reporter: pytest.TerminalReporter) -> Iterator[None]:
        """Let pytest show the first failed deals only; its own summary is quadratic in failures."""
        whole = {category: reporter.stats[category] for category in _FAILURES if category in reporter.stats}
        for category, reports in whole.items():
            hidden = {id(report) for report in _of_deals(reports)[FAILED_IN_FULL:]}
            reporter.stats[category] = [report for report in reports if id(report) not in hidden]
        try:
            yield
        finally:
            reporter.stats.update(whole)

    def write_summary(self, reporter: pytest.TerminalReporter) -> None:
        """Write the closing summary."""
        run = self.finished
        if run is None:
            return
        unsure = run.verdict is not None and run.verdict.action == "inconclusive"
        color = "green" if run.green or not run.judged else "yellow" if unsure else "red"
        reporter.write_sep("=", f"dealsnap {run.facts.mode}", **{color: True})
        hidden = sum(max(len(_of_deals(reporter.stats.get(name, []))) - FAILED_IN_FULL, 0) for name in _FAILURES)
        if hidden:
            where = "in the report" if self._targets else "with --dealsnap-report json:PATH"
            are = agree(hidden, "is", "are")
            more = plural(hidden, "more failed deal")
            reporter.write_line(f"{more} {are} not shown above; all of them are {where}")
        encoding = encoding_of(reporter)
        for line in summary_lines(run, width=max(width_of(reporter), 40)):
            reporter.write_line(for_encoding(line, encoding))
        self._write_reports(reporter)

    def _write_reports(self, reporter: pytest.TerminalReporter) -> None:
        """Write where the reports are."""
        for target in self._targets:
            problem = self._unwritten.get(target)
            if problem or target.path:
                reporter.write_line(printable(problem or f"report: {target.path}"), red=problem is not None)
        for line in self._printed:  # as it is: its writer has made it safe for whoever reads it
            reporter.write_line(line)

    def _saved(self) -> str:
        """Return where the JSON report is, as it can be typed here; empty where none was written."""
        cwd = self._config.invocation_params.dir
        written = (one.path for one in self._targets if one.format == "json" and one not in self._unwritten)
        path = next((path for path in written if path is not None), None)
        return "" if path is None else str(path.relative_to(cwd) if path.is_relative_to(cwd) else path)
