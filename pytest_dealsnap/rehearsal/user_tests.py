"""The user's own test suite, before and after, each time on a copy of the scratch copy: tests may change it."""

from __future__ import annotations

from pytest_dealsnap.errors import SourceError
from pytest_dealsnap.rehearsal.scratch import scratch_copy
from pytest_dealsnap.rehearsal.step_environment import FlagState, StepEnvironment
from pytest_dealsnap.rehearsal.suites import SuiteChanges, SuiteError, compare_suites, read_junit
from pytest_dealsnap.rehearsal.timeline import Entry, Timeline
from pytest_dealsnap.text import agree, plural, printable

__all__ = ["UserTests"]

SHOWN = 8


class UserTests:
    """Runs the command of ``rehearsal.tests`` twice, and compares test by test."""

    def __init__(self, step_environment: StepEnvironment, timeline: Timeline) -> None:
        self._environment = step_environment
        self._journal = timeline
        self._command = step_environment.config.rehearsal.tests
        self._before: dict[str, str] | None = None

    def before(self) -> None:
        """Run them on the old schema, flag off; what fails is known, and carried."""
        if not self._command:
            self._journal.skip("tests_before", "your own tests, before", "rehearsal.tests names no command")
            return
        with self._journal.phase("tests_before", "your own tests, before") as entry:
            self._before = self._run(entry, "off", "before.xml")
            if self._before is not None:
                failing = sorted(name for name, outcome in self._before.items() if outcome == "failed")
                known = f", {len(failing):,} of them fail already" if failing else ""
                entry.headline = f"{plural(len(self._before), 'test')}{known}"
                entry.lines += [f"fails already: {printable(name)}" for name in failing[:SHOWN]]

    def after(self, flag: FlagState) -> None:
        """Run them on the new schema, flag on, and tell what passed before and does not now."""
        if self._before is None:
            if self._command:
                self._journal.skip("tests_after", "your own tests, after", "there is no run before to compare with")
            return
        with self._journal.phase("tests_after", "your own tests, after") as entry:
            after = self._run(entry, flag, "after.xml")
            if after is not None:
                _tell(entry, compare_suites(self._before, after))

    def _run(self, entry: Entry, flag: FlagState, name: str) -> dict[str, str] | None:
        step_environment = self._environment
        junit = step_environment.folder / name
        try:
            with scratch_copy(step_environment.scratch, say=step_environment.say) as copy:
                done = step_environment.shell(
                    entry.title, self._command, flag, url=copy.url, more={"junit": str(junit)}
                )
        except SourceError as error:
            entry.find("tests_unread", f"your tests did not run, for want of a copy: {error}", weight="unfinished")
            return None
        try:
            return read_junit(junit)
        except SuiteError as error:
            entry.find(
                "tests_unread", f"your test command {done.ending()}; {error}", weight="unfinished",
                evidence=done.tail(), advice="run it by hand; it must write JUnit XML to {junit}",
            )  # fmt: skip
            return None


def _tell(entry: Entry, changes: SuiteChanges) -> None:
    carried = f", {plural(len(changes.known), 'known failure')} carried" if changes.known else ""
    mended = f", {len(changes.mended):,} mended" if changes.mended else ""
    count = len(changes.regressions)
    regressed = f", {count:,} regressed" if count else ""
    entry.headline = f"{plural(changes.after, 'test')}{regressed}{carried}{mended}"
    if count:
        evidence = [
            f"{what}: {printable(name)}"
            for what, names in (("fails", changes.failing), ("is skipped", changes.skipped), ("is gone", changes.gone))
            for name in names
        ]
        more = [f"… and {len(evidence) - SHOWN:,} more"] if len(evidence) > SHOWN else []
        entry.find(
            "tests_regressed",
            f"{plural(count, 'test')} of your own passed before and {agree(count, 'does', 'do')} not now",
            evidence=[*evidence[:SHOWN], *more],
            advice="fix what your own tests found, or change the tests that expect the old schema",
        )
