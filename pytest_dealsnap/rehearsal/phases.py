"""Which phase follows which between copy and verdict, and which are left out when one fails."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.deals.open_source import open_source
from pytest_dealsnap.deals.type_audit import audit_types
from pytest_dealsnap.deals.types import DealTypes
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.rehearsals import Attributed, LoadFact, LockFact
from pytest_dealsnap.rehearsal.both_codes import BothCodes
from pytest_dealsnap.rehearsal.flag_checks import FlagChecks
from pytest_dealsnap.rehearsal.migration import Migration
from pytest_dealsnap.rehearsal.old_code import OldCode
from pytest_dealsnap.rehearsal.preflight import check_reach
from pytest_dealsnap.rehearsal.rehearsal_verdict import NO_WAY_DOWN
from pytest_dealsnap.rehearsal.rollout import Rollout
from pytest_dealsnap.rehearsal.scratch import scratch_copy
from pytest_dealsnap.rehearsal.states import State
from pytest_dealsnap.rehearsal.step_environment import StepEnvironment
from pytest_dealsnap.rehearsal.timeline import Timeline
from pytest_dealsnap.rehearsal.user_tests import UserTests
from pytest_dealsnap.reporting.audit_facts import show_stored
from pytest_dealsnap.text import plural, printable

__all__ = ["Phases"]


class Phases:
    """A rehearsal under way."""

    def __init__(
        self,
        step_environment: StepEnvironment,
        rollout: Rollout,
        timeline: Timeline,
        selection: Sequence[str] = (),
        old: OldCode | None = None,
    ) -> None:
        self.timeline = timeline
        self.revision = "base"
        self.start: State | None = None
        self._environment = step_environment
        self._rollout = rollout
        self._answers = FlagChecks(step_environment, timeline, selection, old)
        self._both = None if old is None else BothCodes(step_environment, timeline, selection, self._answers, old)
        self._migration = Migration(step_environment, rollout, timeline)
        self._tests = UserTests(step_environment, timeline)

    @property
    def gate(self) -> FinishedRun | None:
        """The run that was judged by the rules."""
        return self._answers.gate

    @property
    def attributed(self) -> tuple[Attributed, ...]:
        """What each changed deal is put down to."""
        return self._answers.attributed

    @property
    def locks(self) -> tuple[LockFact, ...]:
        """The locks that the upgrade took."""
        return self._migration.locks

    @property
    def load(self) -> LoadFact | None:
        """What became of the requests beside the upgrade."""
        return self._migration.load

    def go(self, *, load: bool, copies: bool, each: bool = False) -> None:
        """Go through all phases, as far as each allows the next.

        *load* asks for the upgrade under load, *copies* says that dealsnap can copy the original once more,
        *each* has Alembic's revisions taken one by one.
        """
        self.start = start = self._audit()
        self.revision = start.schema.revisions[0] if start.schema.revisions else "base"
        if not check_reach(self._environment, self._rollout, self.timeline, start):
            return
        self._tests.before()
        if not self._answers.start():
            return
        new_before = None if self._both is None else self._both.new_on_old()
        self._answers.flag_on_before()
        if self._rollout.migrates:
            self._with_upgrade(start, each=each)
            if load and self._migration.upgraded:
                self._under_load(copies=copies)
        else:
            self._without_upgrade(start, new_before)

    def _with_upgrade(self, start: State, *, each: bool) -> None:
        self._migration.chain(start)
        finished = self._migration.upgrade_each(start) if each else self._migration.upgrade()
        after = self._migration.verify(start, finished=finished)
        if not finished or self._migration.idle:
            self._answers.flag_effect_before()
            return
        if self._both is not None:
            self._both.old_on_new()
        self._answers.flag_off_after()
        self._answers.flag_on_after(start, after)
        self._answers.flag_effect()
        self._answers.type_reach(after)
        self._tests.after("on")
        if self._migration.downgrade(start):
            self._answers.restored()

    def _under_load(self, *, copies: bool) -> None:
        """Upgrade beside reads and writes: the copy as the downgrade left it, or else a new one."""
        name, title = "load", "upgrade under load"
        if self._environment.config.deals.source is not None:
            self.timeline.skip(name, title, "the deals come from code, not from a table")
        elif self.timeline.has(*NO_WAY_DOWN) or not self._rollout.can_return:
            if not copies:
                self.timeline.skip(name, title, "the copy is upgraded already, and cannot be taken back")
                return
            with scratch_copy(self._environment.original, say=self._environment.say) as copy:
                self._migration.under_load(copy.url)
        else:
            self._migration.under_load(self._environment.scratch)

    def _without_upgrade(self, start: State, new_before: DealSnapshots | None) -> None:
        """Rehearse a flag alone: the schema stays as it is. *new_before* is what the new code answered on it."""
        self.timeline.skip("upgrade", "upgrade", "none is configured: the flag alone is rehearsed")
        captures = self._answers.captures
        captures.update({("after", flag): found for (_, flag), found in list(captures.items())})
        if self._both is not None:
            captures.pop(("after", "off"))
            captures.update({("after", "off"): new_before} if new_before is not None else {})
        self._answers.flag_on_after(start, start)
        self._answers.flag_effect()
        self._answers.type_reach(start)
        self._tests.after("on")

    def _audit(self) -> State:
        deals = self._environment.config.deals
        if deals.source is not None:
            self.timeline.skip(
                "audit", "audit of the deal types", f"the deals come from {deals.source}: dealsnap audit"
            )
            return self._migration.state("start")
        with self.timeline.phase("audit", "audit of the deal types") as entry:
            config = replace(self._environment.config, database=self._environment.scratch)
            source = open_source(config)
            try:
                audit = audit_types(source.stored_rows(), DealTypes.of(deals), ids_unique=source.ids_unique)
            finally:
                source.close()
            backfill = f"; the backfill has {plural(len(audit.backfill), 'row')} to change" if deals.type else ""
            entry.headline = f"{plural(audit.deals, 'deal')} of {plural(audit.rows, 'row')}{backfill}"
            entry.lines += [
                f"{show_stored(value.stored_type)}: {plural(value.rows, 'row')}" for value in audit.stored[:12]
            ]
            if audit.duplicates or audit.nameless:
                entry.find(
                    "ids_unusable", f"{len(audit.duplicates) + audit.nameless:,} deal ids are shared or NULL",
                    evidence=[f"{printable(i)}: {count:,} rows" for i, count in list(audit.duplicates.items())[:5]],
                    advice="give every deal an id of its own: dealsnap audit lists them",
                )  # fmt: skip
            return self._migration.state("start")
