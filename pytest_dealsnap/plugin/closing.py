"""How a run ends: results are gathered, a verdict is reached, reports and manifest are written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_dealsnap import __version__
from pytest_dealsnap.baseline.manifest import git_state, read_manifest, write_manifest
from pytest_dealsnap.config import Config
from pytest_dealsnap.errors import ConfigError, did_you_mean, printable
from pytest_dealsnap.judging.causes import find_causes
from pytest_dealsnap.judging.findings import DealResult
from pytest_dealsnap.judging.verdict import decide, summarize
from pytest_dealsnap.plugin.items import FAILED_IN_FULL
from pytest_dealsnap.plugin.notes import next_steps, notes
from pytest_dealsnap.reporting.json_report import write_json
from pytest_dealsnap.reporting.run_facts import FinishedRun
from pytest_dealsnap.reporting.summary_text import progress_text, summary_lines

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

    from pytest_dealsnap.plugin.options import Mode
    from pytest_dealsnap.plugin.plan import Plan
    from pytest_dealsnap.plugin.run import Run

__all__ = ["Closing", "ReportTarget"]

WRITERS = {"json": write_json}


@dataclass(frozen=True, slots=True)
class ReportTarget:
    """One ``--dealsnap-report``: a format and where it goes."""

    format: str
    path: Path

    @classmethod
    def parse(cls, text: str, cwd: Path) -> ReportTarget:
        """Read ``FORMAT:PATH``; raises :class:`ConfigError` that says which formats there are."""
        name, colon, path = text.partition(":")
        if not colon or not path:
            raise ConfigError(f"--dealsnap-report {text}: must be FORMAT:PATH, such as json:dealsnap.json")
        if name not in WRITERS:
            raise ConfigError(
                f"--dealsnap-report {text}: unknown format.{did_you_mean(name, WRITERS)} Valid: {', '.join(WRITERS)}"
            )
        return cls(name, cwd / path)


class Closing:
    """Gathers the results of a run, in whichever process reports it, and concludes it."""

    def __init__(self, config: pytest.Config, settings: Config, mode: Mode) -> None:
        self._config = config
        self._settings = settings
        self._mode = mode
        cwd = config.invocation_params.dir
        self._targets = [ReportTarget.parse(text, cwd) for text in config.getoption("dealsnap_report")]
        self._manifest = read_manifest(settings.snapshots) if mode == "gate" else None
        self._results: dict[str, DealResult] = {}
        self._used: set[int] = set()
        self._failed = self._errored = 0
        self._expected: int | None = None
        self._started = self._shown = time.monotonic()
        self.finished: FinishedRun | None = None

    def expect(self, deals: int) -> None:
        """Take note of how many deals are left to run after ``-k``, ``-m`` and the like."""
        self._expected = deals

    def take(self, result: DealResult, used: tuple[int, ...]) -> None:
        """Take one deal's result in, and show how far the run is when it is time."""
        self._results[result.id] = result
        self._used.update(used)
        self._failed += result.status in ("regressed", "missing")
        self._errored += result.status == "errored"
        now = time.monotonic()
        if self._settings.progress and now - self._shown >= self._settings.progress:
            self._shown = now
            self._show_progress(now - self._started)

    def _show_progress(self, seconds: float) -> None:
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if reporter is None:
            return
        line = progress_text(
            done=len(self._results),
            total=self._expected or len(self._results),
            failed=self._failed,
            errored=self._errored,
            seconds=seconds,
        )
        reporter.ensure_newline()
        reporter.write_line(line)

    @staticmethod
    def properties(result: DealResult) -> list[tuple[str, object]]:
        """Return the facts of a deal as JUnit properties."""
        facts: list[tuple[str, object]] = [
            ("deal_id", result.id),
            ("deal_name", result.name or ""),
            ("deal_type", result.deal_type),
            ("status", result.status),
        ]
        facts += [(finding.issue, finding.change_percent) for finding in result.findings if finding.change_percent]
        return facts

    def conclude(self, run: Run, plan: Plan, exitstatus: int) -> int:
        """Reach the verdict, write manifest and reports, and return the exit status.

        A gate that does not end with ``proceed`` is never green, whatever the tests came to.
        """
        results = tuple(self._results[e.ref.id] for e in plan.entries if e.ref.id in self._results)
        deals = self._settings.deals
        selected = len(plan.entries) if self._expected is None else max(self._expected, len(results))
        summary = summarize(
            results, selected=selected, missing_gates=deals.missing == "fail", new_gates=deals.new == "fail"
        )
        gate = self._mode == "gate"
        verdict = decide(summary, self._settings.verdict) if gate else None
        git = git_state(self._settings.root)
        if not gate and results:
            self._write_manifest(run, plan, git)
        partial = plan.partial or selected < len(plan.entries)
        self.finished = FinishedRun(
            mode=self._mode,
            started_at=run.started_at,
            seconds=time.monotonic() - self._started,
            database=plan.description,
            reasoner=self._settings.reasoner or "the deal_reasoner fixture",
            git_commit=git["commit"],
            partial=partial,
            results=results,
            summary=summary,
            verdict=verdict,
            causes=find_causes(results) if gate else (),
            baseline=self._manifest,
            notes=notes(run, plan, results, manifest=self._manifest, used=self._used, partial=partial),
            next_steps=next_steps(self._mode, summary, verdict),
            types=deals.types,
        )
        for target in self._targets:
            WRITERS[target.format](self.finished, target.path)
        return self._exit_status(exitstatus)

    def _exit_status(self, exitstatus: int) -> int:
        run = self.finished
        assert run is not None
        if run.mode == "capture":
            all_errored = bool(run.results) and run.summary.counts["errored"] == len(run.results)
            if all_errored and exitstatus == pytest.ExitCode.OK:
                return int(pytest.ExitCode.TESTS_FAILED)
            nothing_left = self._config.getoption("dealsnap_only") and self._expected == 0
            return int(pytest.ExitCode.OK) if nothing_left and exitstatus == 5 else exitstatus
        green = run.verdict is not None and run.verdict.action == "proceed"
        return exitstatus if green or exitstatus != pytest.ExitCode.OK else int(pytest.ExitCode.TESTS_FAILED)

    def _write_manifest(self, run: Run, plan: Plan, git: dict[str, Any]) -> None:
        settings = self._settings
        manifest: dict[str, Any] = {
            "plugin_version": __version__,
            "captured_at": run.started_at.isoformat(timespec="seconds"),
            "git": git,
            "database": plan.description,
            "dialect": plan.facts["dialect"],
            "alembic_revision": plan.facts["alembic_revision"],
            "reasoner": settings.reasoner or "the deal_reasoner fixture",
            "deals": dict(plan.population or {}),
            "metrics": {metric.name: metric.spec.path for metric in run.recorder.metrics},
            "record": settings.output.record,
            "rules": run.gate.policy.in_force(),
        }
        before = read_manifest(settings.snapshots)
        if before is not None and (plan.partial or self._expected != len(plan.entries)):
            # The baseline as a whole is still the earlier capture's; this one touched a part of it.
            update = {key: manifest[key] for key in ("captured_at", "git", "plugin_version")}
            manifest = {**before, "last_partial_update": {**update, "deals": len(self._results)}}
        write_manifest(settings.snapshots, manifest)

    @contextmanager
    def bounded_failures(self, reporter: TerminalReporter) -> Iterator[None]:
        """Let pytest show the first failed deals only; its own summary is quadratic in failures."""
        failed = reporter.stats.get("failed", [])
        deals = [report for report in failed if hasattr(report, "dealsnap")]
        hidden = {id(report) for report in deals[FAILED_IN_FULL:]}
        if hidden:
            reporter.stats["failed"] = [report for report in failed if id(report) not in hidden]
        try:
            yield
        finally:
            if hidden:
                reporter.stats["failed"] = failed

    def write_summary(self, reporter: TerminalReporter) -> None:
        """Write the closing summary."""
        run = self.finished
        if run is None:
            return
        colors = {"proceed": "green", "inconclusive": "yellow"}
        action = run.verdict.action if run.verdict else "proceed"
        reporter.write_sep("=", f"dealsnap {run.mode}", **{colors.get(action, "red"): True})
        hidden = len([r for r in reporter.stats.get("failed", []) if hasattr(r, "dealsnap")]) - FAILED_IN_FULL
        if hidden > 0:
            where = "in the report" if self._targets else "with --dealsnap-report json:PATH"
            reporter.write_line(f"{hidden:,} more failed deals are not shown above; all of them are {where}")
        for line in summary_lines(run, width=max(reporter._tw.fullwidth, 80)):
            reporter.write_line(line)
        for target in self._targets:
            reporter.write_line(printable(f"report: {target.path}"))
