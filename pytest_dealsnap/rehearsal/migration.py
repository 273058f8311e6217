"""Up and down: the chain of revisions, the upgrade and what it left, the downgrade, and load beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.engine import make_url

from pytest_dealsnap.deals.dialects import dialect_of
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.rehearsals import DIGITS, LoadFact, LockFact
from pytest_dealsnap.rehearsal.checks import (
    check_constraints,
    check_declared,
    check_lost_parts,
    check_restored,
    check_rows,
    check_types,
    expected_backfill,
)
from pytest_dealsnap.rehearsal.constraint_probe import TypeProbes, probe_types
from pytest_dealsnap.rehearsal.database_errors import first_error
from pytest_dealsnap.rehearsal.dropped_objects import dropped_objects
from pytest_dealsnap.rehearsal.load import under_load
from pytest_dealsnap.rehearsal.locks import longest_locks, watch_locks
from pytest_dealsnap.rehearsal.rollout import Rollout
from pytest_dealsnap.rehearsal.row_digests import RowChanges
from pytest_dealsnap.rehearsal.schema import Schema
from pytest_dealsnap.rehearsal.states import State, connected
from pytest_dealsnap.rehearsal.step_environment import StepEnvironment
from pytest_dealsnap.rehearsal.steps import Done
from pytest_dealsnap.rehearsal.timeline import Entry, Timeline
from pytest_dealsnap.rehearsal.type_mentions import speaks_of
from pytest_dealsnap.text import plural, printable

__all__ = ["Migration"]

MORE_TIME = "find what it waits for, or give a step more time: --timeout SECONDS"
BEFORE_IT = (
    "rehearse on a database from before the upgrade: --database URL; to rehearse the flag alone, name no upgrade "
    "(rehearsal.alembic, rehearsal.upgrade)"
)
_TROUBLE = re.compile(r"error|exception|fail|warn|abort", re.IGNORECASE)


class Migration:
    """The user's upgrade and downgrade on the scratch copy, and what they did to it."""

    def __init__(self, step_environment: StepEnvironment, rollout: Rollout, timeline: Timeline) -> None:
        self._environment = step_environment
        self._rollout = rollout
        self._journal = timeline
        self._deals = step_environment.config.deals
        self._commits = dialect_of(make_url(step_environment.scratch).get_backend_name()).ddl_commits
        self._heads: list[str] = []
        self._pending: bool | None = None  # where nobody but the upgrade knows
        self._foreign: frozenset[str] = frozenset()  # revisions of other applications in the same database
        self.idle = False
        self._asked: Sequence[Mapping[str, Any]] = ()
        self._steps: list[tuple[str, str]] = []
        self._done: Done | None = None
        self._first_error: str | None = None
        self._failed_statement = ""
        self.locks: tuple[LockFact, ...] = ()
        self.load: LoadFact | None = None

    @property
    def upgraded(self) -> bool:
        """Whether the upgrade ended well."""
        return self._done is not None and self._done.ok

    def state(self, name: str, *, since: State | None = None) -> State:
        """Read what the scratch copy holds now."""
        path = self._environment.folder / f"{name}.rows"
        return State.take(self._environment.scratch, self._deals, path, since=since)

    def chain(self, start: State) -> None:
        """Every revision hangs on the one before, and there is one head."""
        if not self._rollout.by_alembic:
            return
        with self._journal.phase("chain", "the chain of revisions") as entry:
            done, notes = self._rollout.chain(
                self._environment, start.schema.revisions, shared=start.schema.version_tables > 1
            )
            if "known" in notes:
                self._foreign = frozenset(start.schema.revisions) - set(notes["known"])
            problems, self._heads = list(notes.get("problems", ())), list(notes.get("heads", ()))
            pending = list(notes.get("pending", ()))
            if not done.ok:
                problems.append(f"reading it {done.ending()}")
            if len(self._heads) > 1:
                problems.append(f"it has {len(self._heads)} heads: {', '.join(self._heads)}")
            if len(notes.get("bases", ())) > 1:
                problems.append(f"it has {len(notes['bases'])} beginnings: {', '.join(notes['bases'])}")
            self._pending = bool(pending) or bool(problems)
            self._steps = [(str(revision), str(doc)) for revision, doc in reversed(pending)]
            entry.headline = f"{plural(len(pending), 'revision')} to go, head {', '.join(self._heads) or 'none'}"
            entry.lines += [printable(f"{revision}  {doc}") for revision, doc in reversed(pending)]
            if problems:
                first = problems[0]
                entry.find(
                    "chain_broken",
                    f"the chain of revisions is broken: {printable(first)}",
                    evidence=[*map(printable, problems[1:]), *(() if done.ok else done.tail(4))],
                    advice="alembic history; fix down_revision, or join the heads with alembic merge heads",
                )
            elif not pending:
                entry.find(
                    "nothing_to_upgrade", "the database is at the newest revision already: nothing is rehearsed",
                    weight="unfinished", advice=BEFORE_IT,
                )  # fmt: skip

    def upgrade(self) -> bool:
        """Upgrade the scratch copy, watching the locks; whether it ended well."""
        with self._journal.phase("upgrade", "upgrade") as entry:
            return self._up(entry, "head")

    def upgrade_each(self, start: State) -> bool:
        """Upgrade revision by revision, and say of each what it did; whether all ended well.

        What is wrong stands as a line here, and is found once for all revisions by :meth:`verify`.
        """
        if not self._steps:
            return self.upgrade()
        before = start
        for number, (revision, doc) in enumerate(self._steps, start=1):
            title = printable(f"upgrade {number} of {len(self._steps)}: {revision} {doc}").rstrip()
            with self._journal.phase(f"upgrade_{number}", title) as entry:
                earlier = len(self._asked)
                if not self._up(entry, revision):
                    return False
                after = self.state(f"at-{number}", since=start)
                seen = Entry(entry.name, entry.title)
                check_rows(
                    seen, before.rows.compare(after.rows), self._deals, self._environment.config.rehearsal.may_change
                )
                lost = dropped_objects(before.schema, after.schema, self._asked[earlier:])
                check_lost_parts(seen, lost, known=True)
                entry.lines += [printable(line) for line in before.schema.differences(after.schema)[:10]]
                entry.lines += [
                    line for problem in seen.problems for line in (f"! {problem.title}", *problem.evidence[:3])
                ]
                before = after
        return True

    def _up(self, entry: Entry, revision: str) -> bool:
        """Upgrade to *revision*, and note what was asked for, which locks were held, and the first error."""
        with watch_locks(self._environment.scratch) as watch:
            done, notes = self._rollout.up(self._environment, revision)
        self._done, self._asked = done, [*self._asked, *notes.get("asked", ())]
        error = first_error("\n".join(done.errors)) or first_error(done.output)
        self._first_error = self._first_error or error
        if watch is not None:
            self._failed_statement = self._failed_statement or watch.failed
            locks = [replace(lock, seconds=round(lock.seconds, DIGITS)) for lock in watch.seen()]
            self.locks = longest_locks([*self.locks, *locks])
            entry.lines += [f"{lock.mode} on {lock.relation}, {lock.seconds:,.2f} s" for lock in locks]
            entry.lines += watch.waits()[:10]
        entry.headline = f"took {done.seconds:,.1f} s on the copy"
        if self._commits:
            entry.lines.append("this database commits at every change of the schema: a failure midway stays")
        if not done.ok:
            entry.find(
                "upgrade_failed", f"the upgrade {done.ending()}", evidence=[*self._cause(), *done.tail()],
                advice=MORE_TIME if done.timed_out else "fix the upgrade: nothing after it could be rehearsed",
            )  # fmt: skip
        return done.ok

    def verify(self, start: State, *, finished: bool) -> State:
        """Is the revision recorded, every constraint there, no row lost, no other column touched?"""
        with self._journal.phase("verify", "what the upgrade left") as entry:
            after = self.state("after", since=start)
            changes = start.rows.compare(after.rows)
            schema_lines = start.schema.differences(after.schema)
            if not finished:
                _half_done(entry, changes, schema_lines, commits=self._commits)
                return after
            may_change = self._environment.config.rehearsal.may_change
            check_declared(entry, start.schema, may_change)
            check_rows(entry, changes, self._deals, may_change)
            meant = self._sees_to_types(start, after, schema_lines)
            moved = check_types(entry, start.types, after.types, self._deals, meant=meant) if self._deals.type else 0
            recorded = self._check_revision(entry, start, after)
            check_constraints(
                entry, after.schema, self._asked, self._probes(after), meant=meant, recorded=recorded,
                trouble=self._cause(),
            )  # fmt: skip
            lost_by_the_way = dropped_objects(start.schema, after.schema, self._asked)
            check_lost_parts(entry, lost_by_the_way, known=self._rollout.by_alembic)
            if (
                not moved
                and not changes.tables
                and not schema_lines
                and start.schema.revisions == after.schema.revisions
            ):
                self._nothing_changed(entry)
            lost = sum(table.lost for table in changes.tables)
            expected = expected_backfill(start.types, self._deals) if self._deals.type and meant else 0
            backfilled = f"{plural(moved, 'deal type')} backfilled"
            if moved < expected:
                backfilled = f"{moved:,} of {plural(expected, 'deal type')} backfilled"
            entry.headline = (
                f"{plural(changes.rows - lost, 'row')} kept, {f'{lost:,} lost, ' if lost else ''}"
                f"{backfilled}, {plural(len(schema_lines), 'change')} of the schema"
            )
            entry.lines += [printable(line) for line in schema_lines[:20]]
            return after

    def _nothing_changed(self, entry: Entry) -> None:
        """Tell an upgrade that went elsewhere, one that had nothing to do, and one that lost what it did."""
        if self._pending is False:
            return  # the chain of revisions says so
        if self._done is not None and not self._done.reached:
            self.idle = True
            entry.find(
                "upgrade_went_elsewhere",
                "nobody was seen to connect to the scratch copy during the upgrade, and nothing in it changed",
                weight="unfinished",
                evidence=self._done.tail(4),
                advice="the upgrade has to work on the database that "
                f"{self._environment.config.rehearsal.database_env} names: give it that, or a placeholder such as "
                "{url}, in rehearsal.upgrade",
            )
            return
        known = self._pending is True
        entry.find(
            "upgrade_did_nothing", "the upgrade ended well and changed nothing",
            weight="fails" if known else "unfinished", evidence=self._trouble(),
            advice="an error that is caught, or a transaction that is not committed"
            + ("" if known else f"; or the database is upgraded already: {BEFORE_IT}"),
        )  # fmt: skip

    def _probes(self, after: State) -> TypeProbes | None:
        """Try the types, where table and column are still what the configuration calls them."""
        shape = after.schema.tables.get(self._deals.table)
        if shape is None or not {self._deals.id, self._deals.type} <= shape.columns.keys():
            return None
        with connected(self._environment.scratch) as connection:
            return probe_types(connection, self._deals)

    def _sees_to_types(self, start: State, after: State, schema_lines: Sequence[str]) -> bool:
        """Whether the upgrade is about the deal type: by what it asked for or changed, or where nobody can know."""
        if not self._rollout.by_alembic or speaks_of(self._asked, self._deals):
            return True
        changed = any(
            start.types[deal_id] != after.types[deal_id] for deal_id in start.types.keys() & after.types.keys()
        )
        column, lead = self._deals.type, f"{self._deals.table}: "
        return changed or any(column and column in line and line.startswith(lead) for line in schema_lines)

    def _check_revision(self, entry: Entry, start: State, after: State) -> bool:
        """Whether the newest revision is recorded, where there are revisions."""
        if not self._rollout.by_alembic or not self._heads:
            return False
        revisions = self._own(after.schema)
        recorded, shown = set(revisions) == set(self._heads), ", ".join(revisions) or "none"
        if not recorded:
            entry.find(
                "revision_not_recorded",
                f"the upgrade ended well, but the revision is {shown}, not {', '.join(self._heads)}",
                evidence=self._trouble(),
                advice="the transaction was rolled back: look for an error that is caught inside of the migration",
            )
        return recorded

    def _own(self, schema: Schema) -> tuple[str, ...]:
        """Return the revisions that are not another application's."""
        return tuple(revision for revision in schema.revisions if revision not in self._foreign)

    def _trouble(self) -> list[str]:
        """Return what the upgrade said that sounds like the reason."""
        said = self._done.tail(200) if self._done is not None else ()
        return [*self._cause(), *[line for line in said if _TROUBLE.search(line)][:5]]

    def _cause(self) -> list[str]:
        """Return the first error of the database, in a line of its own."""
        if self._first_error:
            return [f"the first database error: {self._first_error}"]
        return [f"a transaction had failed by: {self._failed_statement}"] if self._failed_statement else []

    def downgrade(self, start: State) -> bool:
        """Take the schema back; whether rows and schema are what they were."""
        if not self._rollout.can_return:
            self._journal.skip("downgrade", "downgrade", "rehearsal.downgrade names none: the way back is the backup")
            return False
        with self._journal.phase("downgrade", "downgrade") as entry:
            done = self._rollout.down(self._environment, self._own(start.schema))
            if not done.ok:
                entry.find(
                    "downgrade_failed", f"the downgrade {done.ending()}", evidence=done.tail(),
                    advice=MORE_TIME if done.timed_out else
                    "fix the downgrade: without it, the way back is a restore from the backup",
                )  # fmt: skip
                return False
            restored = self.state("restored", since=start)
            lines = start.schema.differences(restored.schema)
            if restored.schema.revisions != start.schema.revisions:
                lines.append(f"revision {', '.join(start.schema.revisions)} → {', '.join(restored.schema.revisions)}")
            check_restored(entry, start.rows.compare(restored.rows), lines)
            entry.headline = "" if entry.problems else f"rows and schema are what they were, in {done.seconds:,.1f} s"
            return True

    def under_load(self, url: str) -> None:
        """Upgrade the copy at *url* with reads and writes beside it, and count those that failed."""
        step_environment = replace(self._environment, scratch=url)
        with self._journal.phase("load", "upgrade under load") as entry:
            with watch_locks(url) as watch, under_load(url, self._deals) as end:
                done, _ = self._rollout.up(step_environment)
                self.load = load = end()
            failed = load.failed_reads + load.failed_writes
            entry.headline = (
                f"{load.reads + failed + load.writes:,} requests in {load.seconds:,.1f} s, {failed:,} failed, "
                f"longest wait {max(load.longest_read, load.longest_write):,.2f} s"
            )
            entry.lines += [f"{count:,} times: {printable(reason)}" for reason, count in load.reasons.items()]
            entry.lines += watch.waits()[:10] if watch is not None else ()
            if not done.ok:
                entry.find("upgrade_failed_under_load", f"beside reads and writes, the upgrade {done.ending()}",
                    weight="note", evidence=done.tail(6), advice="take it in a maintenance window, or in smaller steps",
                )  # fmt: skip
            elif failed:
                entry.find(
                    "requests_failed", f"{plural(failed, 'request')} failed while the upgrade ran", weight="note"
                )


def _half_done(entry: Entry, changes: RowChanges, schema_lines: Sequence[str], *, commits: bool) -> None:
    """Tell what a failed upgrade left behind; *commits* says that the database commits at each change of the schema."""
    lines = [printable(line) for line in schema_lines]
    lines += [f"rows of {printable(table.name)} changed" for table in changes.tables]
    entry.headline = "the failed upgrade left nothing behind"
    if lines:
        entry.headline = ""
        entry.find(
            "upgrade_half_done", "the failed upgrade left a part of its changes behind", evidence=lines[:20],
            advice="this database commits at every change of the schema, so no transaction takes it back: let each "
            "revision make one change, and rehearse the way back from the middle" if commits
            else "let the migration run in one transaction",
        )  # fmt: skip
