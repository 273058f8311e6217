"""The answers in each corner (old or new schema, flag off or on), and what follows from how they differ."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.deals.database import public_url
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.rehearsals import Attributed, Weight
from pytest_dealsnap.model.results import AFFECTED
from pytest_dealsnap.rehearsal.capture_differences import attribute, common_lines, differences, example_lines
from pytest_dealsnap.rehearsal.capture_gate import judge_captures
from pytest_dealsnap.rehearsal.captures import capture
from pytest_dealsnap.rehearsal.old_code import OldCode
from pytest_dealsnap.rehearsal.states import State, connected
from pytest_dealsnap.rehearsal.step_environment import FlagState, StepEnvironment
from pytest_dealsnap.rehearsal.timeline import Entry, Timeline
from pytest_dealsnap.rehearsal.type_reach import Reach, choose_deals, give_types, next_type, reach_of
from pytest_dealsnap.reporting.wording import VERDICT_WORDS
from pytest_dealsnap.secrets import redact
from pytest_dealsnap.text import agree, plural, printable

__all__ = ["FlagChecks"]

NOISE = (
    "rows are what they were, so these lines vary by themselves: leave them out with output.drop, or seed the reasoner"
)
SCHEMA_WORDS = {"before": "before the upgrade", "after": "after the upgrade", "restored": "after the downgrade"}


class FlagChecks:
    """The captures of a rehearsal, by schema and flag.

    With *old* code at hand, it answers where the flag is off and the schema the old one.
    """

    def __init__(
        self,
        step_environment: StepEnvironment,
        timeline: Timeline,
        selection: Sequence[str],
        old: OldCode | None = None,
    ) -> None:
        self._environment = step_environment
        self._journal = timeline
        self._selection = selection
        self._config = step_environment.config
        self._flag = step_environment.config.rehearsal.flag
        self._old = old
        self._began = datetime.now(UTC)
        self.captures: dict[tuple[str, str], DealSnapshots] = {}
        self.gate: FinishedRun | None = None
        self.attributed: tuple[Attributed, ...] = ()

    def start(self) -> bool:
        """Capture the old schema with the flag off, as the old release answers; whether that could be done."""
        found = self._capture("before", "off", old=self._old)
        if found is None:
            return False
        self._against_approved(found)
        return True

    def flag_on_before(self) -> None:
        """Capture the old schema with the flag on: what the code alone changes. It may well need the new schema."""
        if self._flag is None:
            return
        with self._journal.phase("before_on", "answers before the upgrade, flag on") as entry:
            found = capture(self._environment, entry, "before-on", "on", self._selection)
            if found is not None:
                self.captures["before", "on"] = found
            elif all(problem.code == "capture_failed" for problem in entry.problems):
                entry.problems.clear()
                entry.headline = "none: with the flag on, the code needs the new schema"
            else:
                # The rollout does not go by this corner: without it, less can be told of what is due to the code.
                entry.problems[:] = [
                    replace(problem, weight="note") if problem.code == "capture_timed_out" else problem
                    for problem in entry.problems
                ]

    def flag_off_after(self) -> None:
        """Capture the new schema with the flag off: it must give every deal its old answer."""
        self._capture("after", "off", must_equal=self._flag is not None)

    def flag_on_after(self, start: State, after: State) -> None:
        """Capture the new schema with the flag on, and judge that by the rules."""
        if self._flag is not None and self._capture("after", "on") is None:
            return
        end = self.captures.get(("after", self._last))
        if end is None:
            return
        with self._journal.phase("judge", "the gate, by the rules") as entry:
            there = (start.keys.keys(), after.keys.keys()) if self._selection else None
            self.gate = gate = judge_captures(
                self._config, self.captures["before", "off"], end, started_at=self._began,
                database=public_url(make_url(self._environment.scratch)), total=len(start.keys), there=there,
                rows=self._environment.scratch,
            )  # fmt: skip
            counts = ", ".join(f"{count:,} {status}" for status, count in gate.summary.counts.items() if count)
            assert gate.verdict is not None
            entry.headline = f"{counts or 'nothing was compared'}: {VERDICT_WORDS[gate.verdict.action]}"
            if gate.verdict.action == "inconclusive" and not gate.summary.affected:
                self._unproven(entry, gate.verdict.reason)
            elif gate.verdict.action != "proceed":
                self._regressed(entry, gate)

    @staticmethod
    def _unproven(entry: Entry, reason: str) -> None:
        advice = "rehearse with every deal: without --sample, and with a capture of the whole baseline"
        entry.find("gate_inconclusive", reason, weight="unfinished", advice=advice)

    @staticmethod
    def _regressed(entry: Entry, gate: FinishedRun) -> None:
        assert gate.verdict is not None
        weight: Weight = "unfinished" if gate.verdict.action == "inconclusive" else "fails"
        causes = [cause for cause in gate.causes if cause.gates]
        entry.find(
            "deals_regressed",
            gate.verdict.reason.removeprefix("data corruption: "),
            weight="corrupts" if gate.summary.corrupt else weight,
            evidence=[printable(f"{cause.title}: {plural(len(cause.deals), 'deal')}") for cause in causes[:6]],
            deals=[result.id for result in gate.results if result.status in AFFECTED],
            advice="look at the deals in the report; fix the code, or take the change into snapshots/accepted.toml",
        )

    @property
    def _last(self) -> FlagState:
        return "on" if self._flag is not None else "off"

    def flag_effect_before(self) -> None:
        """Say whether the flag changes anything on the old schema, where the upgrade left no new one."""
        if self._flag is not None and {("before", "off"), ("before", "on")} <= self.captures.keys():
            with self._journal.phase("flag", "what the flag changes") as entry:
                self._check_flag(entry)

    def flag_effect(self) -> None:
        """Does the flag change anything at all? And what is each changed deal put down to?"""
        if ("after", self._last) not in self.captures:
            return
        if self._flag is not None:
            with self._journal.phase("flag", "what the flag changes") as entry:
                self._check_flag(entry)
        with self._journal.phase("attribution", "data or code") as entry:
            regressed = [r.id for r in self.gate.results if r.status in ("regressed", "errored")] if self.gate else []
            corners = self.captures if self._flag else {**self.captures, ("after", "on"): self.captures["after", "off"]}
            self.attributed = attribute(corners, regressed)
            counts = [f"{sum(d.origin == o for d in self.attributed):,} by {o}" for o in ("data", "code", "both")]
            entry.headline = f"{plural(len(self.attributed), 'changed deal')}: {', '.join(counts)}"

    def _check_flag(self, entry: Entry) -> None:
        moved = {
            schema: sum(1 for _ in differences(self.captures[schema, "off"], self.captures[schema, "on"]))
            for schema in ("before", "after")
            if {(schema, "off"), (schema, "on")} <= self.captures.keys()
        }
        shown = " and ".join(f"{plural(count, 'deal')} {SCHEMA_WORDS[schema]}" for schema, count in moved.items())
        entry.headline = f"turning it on changes {shown}"
        if moved and not any(moved.values()):
            rehearsal = self._config.rehearsal
            entry.find(
                "flag_unread",
                f"the flag {self._flag} changes nothing: no deal's answer differs between "
                f"{rehearsal.flag_off} and {rehearsal.flag_on}",
                advice="nothing seems to read it: look for its name in the code, and at what it is compared with "
                "(rehearsal.flag_off, rehearsal.flag_on); or no deal is of a type that it is about",
            )

    def type_reach(self, after: State) -> None:
        """Give a few deals another type on the scratch copy: does the reasoner notice?"""
        deals, end = self._config.deals, self.captures.get(("after", self._last))
        if end is None or deals.source is not None or not deals.type or len(deals.types) < 2:
            return
        chosen = choose_deals(end, after.keys)
        if not chosen:
            return
        url = self._environment.scratch
        with self._journal.phase("type_reach", "does the deal type reach the reasoner") as entry:
            try:
                with connected(url) as connection:
                    give_types(connection, deals, {i: next_type(t, deals) for i, (t, _) in chosen.items()}, after.keys)
                    connection.commit()
            except SQLAlchemyError as error:
                cause = getattr(error, "orig", None) or error
                entry.headline = (
                    f"not tried: the database refuses another type: {redact(str(cause).partition(chr(10))[0])}"
                )
                return
            try:
                ids = [part for deal_id in chosen for part in ("--dealsnap-id", deal_id)]
                found = capture(self._environment, entry, "other-types", self._last, ids)
            finally:
                with connected(url) as connection:
                    give_types(connection, deals, {i: stored for i, (_, stored) in chosen.items()}, after.keys)
                    connection.commit()
            if found is not None:
                self._judge_reach(entry, reach_of(end, found, deals), [*chosen])

    def _judge_reach(self, entry: Entry, reach: Reach, chosen: Sequence[str]) -> None:
        by_metric = ", ".join(f"{printable(name)} in {count:,}" for name, count in reach.metrics.items())
        entry.headline = (
            f"{len(reach.noticed):,} of {plural(reach.tried, 'deal')} give a different answer under another type"
            f"{f': {by_metric}' if by_metric else ''}"
        )
        if reach.noticed or not reach.tried:
            return
        same = f"{plural(reach.tried, 'deal')} of another type gave the same "
        entry.find(
            "type_unread",
            f"no metric depends on the deal type: {same}metrics"
            if reach.lines
            else f"the deal type never reaches the reasoner: {same}answers",
            weight="fails" if self._flag is not None else "note",
            evidence=[*common_lines(reach.lines), *example_lines(reach.lines, 2)],
            deals=chosen,
            advice="follow deal_type from the row to the code that computes: which call leaves it out?",
        )

    def restored(self) -> None:
        """After the downgrade, with the flag off, every answer is what it was."""
        start = self.captures["before", "off"]
        with self._journal.phase("restored_off", "answers after the downgrade, flag off") as entry:
            found = capture(self._environment, entry, "restored-off", "off", self._selection, old=self._old)
            if found is None:
                return
            changed = list(differences(start, found))
            entry.headline = f"{plural(len(found.ids()), 'deal')}, {len(changed):,} of them changed"
            gone = start.ids() - found.ids() if not self._selection else set()
            if not changed and not gone:
                return
            noisy = not self._journal.has("downgrade_loses_data")
            count = len(changed) + len(gone)
            give = agree(count, "gives", "give")
            title = f"{plural(count, 'deal')} no longer {give} the old answer after the downgrade"
            lost = [f"gone: {', '.join(printable(deal_id) for deal_id in sorted(gone)[:10])}"] if gone else []
            entry.find(
                "outputs_not_restored", title, evidence=[*lost, *common_lines(changed), *example_lines(changed)],
                deals=[*gone, *(d.id for d in changed)],
                advice=NOISE if noisy else "what the downgrade does not restore changes the answers",
            )  # fmt: skip

    def _capture(
        self, schema: str, flag: FlagState, *, must_equal: bool = False, old: OldCode | None = None
    ) -> DealSnapshots | None:
        words = f", flag {flag}" if self._flag is not None else ""
        if old is not None:
            words = f", by the old code ({old.checkout.words})"
        with self._journal.phase(f"{schema}_{flag}", f"answers {SCHEMA_WORDS[schema]}{words}") as entry:
            found = capture(self._environment, entry, f"{schema}-{flag}", flag, self._selection, old=old)
            if found is None:
                return None
            self.captures[schema, flag] = found
            if must_equal:
                self._check_off(entry, found)
            return found

    def _check_off(self, entry: Entry, found: DealSnapshots) -> None:
        changed = list(differences(self.captures["before", "off"], found))
        entry.headline += f", {len(changed):,} with another answer than before"
        if changed:
            entry.find(
                "flag_off_differs",
                f"with the flag off, {plural(len(changed), 'deal')} no longer "
                f"{agree(len(changed), 'gives', 'give')} the old answer",
                evidence=[*common_lines(changed), *example_lines(changed)],
                deals=[difference.id for difference in changed],
                advice="turning the flag off must bring the old answers back: keep the code's off branch from reading "
                "what the upgrade changes",
            )

    def _against_approved(self, found: DealSnapshots) -> None:
        """Hold the answers with the flag off against the approved baseline: the old release's."""
        approved = DealSnapshots(self._config.snapshots)
        common = approved.ids() & found.ids()
        if not common:
            self._journal.skip("approved", "the approved baseline", "there is none of these deals")
            return
        with self._journal.phase("approved", "flag off against the approved baseline") as entry:
            changed = list(differences(approved, found))
            entry.headline = f"{plural(len(common), 'deal')}, {len(changed):,} of them with another answer"
            if changed:
                entry.find(
                    "old_answers_differ",
                    f"before anything is migrated, {plural(len(changed), 'deal')} "
                    f"{agree(len(changed), 'does', 'do')} not give the answer of the approved baseline",
                    evidence=[*common_lines(changed), *example_lines(changed)],
                    deals=[difference.id for difference in changed],
                    advice='the flag\'s "off" is not what the old release did; or the baseline is out of date: '
                    "pytest --dealsnap-update",
                )
