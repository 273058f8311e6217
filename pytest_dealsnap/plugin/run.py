"""The state of one run in one process: it takes a deal from the source to its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_dealsnap._compat import syrupy_session
from pytest_dealsnap.baseline.extension import DealAssertion, DealSnapshots, deal_assertion
from pytest_dealsnap.baseline.locking import BaselineLock
from pytest_dealsnap.baseline.recording import Capture, duplicated
from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.deal import Deal, DealRef
from pytest_dealsnap.deals.open_source import open_source
from pytest_dealsnap.deals.selection import Entry
from pytest_dealsnap.deals.source import DealSource
from pytest_dealsnap.deals.window import ReadAhead
from pytest_dealsnap.errors import BaselineError, ConfigError, DealsnapError, SourceError
from pytest_dealsnap.judging.confirmation import is_suspect
from pytest_dealsnap.judging.matrix_rules import compile_matrix_rules
from pytest_dealsnap.judging.portfolio import compile_portfolio
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import AFFECTED, COMPARED, DealResult
from pytest_dealsnap.pipeline.calls_asked import CallQueue
from pytest_dealsnap.pipeline.gate import Judged
from pytest_dealsnap.pipeline.seeded_order import calls_reasoner
from pytest_dealsnap.pipeline.settling import Judging
from pytest_dealsnap.plugin.unjudged import NotJudgedError
from pytest_dealsnap.reasoning.calls import Reasoning, excused_by
from pytest_dealsnap.reasoning.loops import Home

if TYPE_CHECKING:
    from pytest_dealsnap.pipeline.both_sides import Confirmation
    from pytest_dealsnap.pipeline.seeded_order import SeededOrder
    from pytest_dealsnap.plugin.against import Against, AgainstFacts
    from pytest_dealsnap.plugin.options import Mode
    from pytest_dealsnap.plugin.plan import Plan
    from pytest_dealsnap.reasoning.replay import Replay
    from pytest_dealsnap.reasoning.stored import StoredCalls
    from pytest_dealsnap.rehearsal.old_code import OldCode

__all__ = ["RUN", "Run"]


class Run:
    """Everything that judging or recording a deal needs; kept in ``config.stash`` under ``RUN``."""

    def __init__(
        self,
        config: Config,
        mode: Mode,
        *,
        details: bool = False,
        allow_errors: bool = False,
        any_database: bool = False,
        baseline: Path | None = None,
    ) -> None:
        self.config = config
        self.allow_errors = allow_errors
        self._any_database = any_database
        self.lock: BaselineLock | None = None  # held by the process that plans a capture
        self.mode = mode
        self.started_at = datetime.now(UTC)
        self.source: DealSource = open_source(config)
        self.against: AgainstFacts | None = None
        self.old_code: Against | None = None  # in the process that plans
        self.old_answers: OldCode | None = None  # in each process: the old code for single deals
        self.confirmation: Confirmation | str | None = None  # what makes fresh runs, or why none are made
        self.is_old = False  # this is the process of old code
        self.snapshots = DealSnapshots(config.snapshots if baseline is None else baseline)
        self.judging = Judging(
            config,
            self.snapshots,
            ledger=config.snapshots,
            today=self.started_at.date(),
            details=details,
            between_types=mode == "matrix",
        )
        self.recorder, self.gate, self.ledger = self.judging.recorder, self.judging.gate, self.judging.ledger
        self.matrix_rules = compile_matrix_rules(  # a bad one is told by every run, as any other setting is
            config.matrix_rules,
            types=config.deals.types,
            aliases=config.deals.aliases,
            metrics=self.recorder.metrics,
            root=config.root,
            place=config.place("matrix.rules"),
        )
        self._capture = Capture(self.recorder, self.snapshots, allow_errors=allow_errors)
        self._plan: Plan | None = None
        self.portfolio = compile_portfolio(
            config.portfolio,
            metrics=[metric.name for metric in config.metrics],
            root=config.root,
            place=config.place("portfolio"),
        )
        self.replay: Replay | None = None
        self.stored: StoredCalls | None = None
        self.order: SeededOrder | None = None
        self._explained = 0
        self.checked: frozenset[str] = frozenset()  # the deals that a capture reasons twice
        self.home_of: Callable[[Callable[..., Any]], Home | None] = lambda function: None

    @property
    def plan(self) -> Plan:
        """The deals of the run; there from the start of the session on."""
        assert self._plan is not None
        return self._plan

    @property
    def judged_paths(self) -> Mapping[str, str]:
        """What judges nothing, in silence, where no deal has it: each by its name, with its path or its rule."""
        return self.recorder.paths

    def start(self, plan: Plan) -> None:
        """Take the frozen *plan*, from the database or from xdist's controller."""
        self._plan = plan

    def output_keys(self, entry: Entry) -> Sequence[str]:
        """Return what names the outputs that the test of *entry* will ask for; other tests may share them."""
        return [asked.key for asked in self.calls.plan.calls(entry.ref)]

    def prepare(self, *, reasoner_overridden: bool, only_listed: bool) -> None:
        """Make ready what the whole run shares, in the process that plans it; here that is nothing."""

    @cached_property
    def calls(self) -> CallQueue:
        """The calls of the reasoner, in this process."""
        calls = CallQueue(self.config, self.mode, ReadAhead(self.source, self.plan.entries))
        if not self._any_database and self.config.deals.source is None:
            from pytest_dealsnap.deals.reasoner_database import ReasonerDatabases  # SQLAlchemy is there by now

            calls.databases = ReasonerDatabases(self.config)
        if self.plan.until_decided and self.config.workers > 1:
            calls.window = self.config.workers  # what waits for its turn would be begun after the verdict is decided
        if self.stored is not None:
            calls.on_lost = self.stored.lost
        calls.homes = lambda function: self.home_of(getattr(function, "untaped", function))
        return calls

    def taped(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return *function* as it is called: with its recorded calls, where there are any."""
        taped = function if self.replay is None else self.replay.reasoner(function)
        return taped if self.stored is None else self.stored.reasoner(taped)

    def settled(self, deal: Deal, reasoning: Reasoning) -> Reasoning:
        """Return *reasoning* as it counts: not at all where a call was refused."""
        if self.stored is not None:
            reasoning = self.stored.settle(deal, reasoning)
        return reasoning if self.replay is None or reasoning.reused else self.replay.settle(deal, reasoning)

    def call_anew(self, entry: Entry) -> None:
        """Let the reasoner be called again for a deal whose test runs again."""
        for key in self.output_keys(entry):
            self.calls.outputs.renew(key)

    def may_begin(self, entry: Entry) -> bool:
        """Whether the deal's turn comes at all: not once the verdict is decided, unless its call is under way."""
        order = self.order
        if order is None or not calls_reasoner(entry):
            return True
        may = order.begin(entry.ref.id, entry.ref.deal_type, already=self.calls.has_begun(entry))
        self.calls.begins_ahead = not order.decided
        return may

    def perform(self, entry: Entry, reasoner: Callable[[], Callable[..., Any]]) -> Judged:
        """Take one deal through the run; *reasoner* is asked for the callable only where one is called."""
        order = self.order
        if order is None or not calls_reasoner(entry):
            return self._perform(entry, reasoner)
        try:
            judged = self._perform(entry, reasoner)
        except NotJudgedError as error:
            if error.skips and self.replay is None:  # by the budget, before anything of the deal was known
                order.withdraw(entry.ref.id)
            else:
                order.end(entry.ref.id, None)
            raise
        except DealsnapError:
            order.end(entry.ref.id, None)
            raise
        result = judged.result
        known = result.compared and result.status in COMPARED
        order.end(result.id, result.status in AFFECTED if known else None, corrupt=bool(result.corrupt))
        return judged

    def _perform(self, entry: Entry, reasoner: Callable[[], Callable[..., Any]]) -> Judged:
        ref = entry.ref
        if entry.kind == "missing":
            return Judged(self.gate.missing(ref))
        if entry.kind == "lost":
            return Judged(self.gate.lost(ref))
        if self.mode == "gate" and ref.copies > 1:
            failure = duplicated(ref, gate=True)
            facts = (ref.id, None, ref.deal_type, ref.stored_type, "errored")
            return Judged(DealResult(*facts, error=failure, corrupt=failure.message))
        if self.mode == "gate" and entry.kind == "new":
            return Judged(self._new(entry))
        if self.against is not None and ref.copies == 1 and not self.snapshots.has(ref.id):
            why = self.against.unanswered.get(ref.id, "its process ended before")
            raise NotJudgedError(f"the code of {self.against.side.words} gave no answer: {why}")
        deal, reasoning = self._reasoned(entry, reasoner)
        if reasoning.excused:
            raise NotJudgedError.of(reasoning)
        if reasoning.failure is not None:
            self.refuse_moved(ref)
        if self.mode == "capture":
            captured = self._capture(ref, deal, reasoning)
            records = (self.replay is not None or self.config.replay.calls) and not self.is_old
            if captured.compared and not reasoning.reused and records:
                self._record_calls(ref)
            if ref.id in self.checked and reasoning.output is not None and not reasoning.reused:
                captured = replace(captured, unsteady=self._reasoned_twice(entry, reasoner(), reasoning.output))
            return self.judging.settle(Judged(self._with_evidence(captured, reasoning), reasoning=reasoning), dict)
        judged = self.gate(ref, deal, reasoning)
        if judged.result.status == "new" and not judged.result.findings:  # a broken link, or gone since the plan
            judged = Judged(self.gate.lost(ref))
        if judged.result.status == "regressed":
            self.refuse_moved(ref)
            if deal is not None and is_suspect(judged.result.findings):
                from pytest_dealsnap.plugin.confirming import confirm  # only gates with floors of noise

                judged = replace(judged, result=confirm(self, judged.result, deal, reasoner()))
        judged = replace(judged, reasoning=reasoning)
        settled = self.judging.settle(judged, lambda: {} if deal is None else deal.fields)
        return replace(settled, result=self._with_evidence(settled.result, reasoning))

    def _reasoned_twice(
        self, entry: Entry, function: Callable[..., Any], output: Mapping[str, Any]
    ) -> tuple[str, ...] | None:
        """Return the places at which another run of a captured deal differs; ``None`` where there can be none.

        The second output is compared, and neither recorded nor kept.
        """
        from pytest_dealsnap.judging.two_runs import unstable  # gates need it not

        try:
            again = self.calls.again(self.source.fetch(entry.ref), function)
        except SourceError:
            return None  # gone or changed since: the recorded output is as good as any
        if again.excused:
            return None
        if again.output is None:
            return (f"its second run failed: {again.failure}",)
        first, second = (self.recorder.recorded_output(one) for one in (output, again.output))
        rules = self.gate.policy[entry.ref.deal_type]
        found = unstable(first, second, self.recorder.metrics)
        return tuple(one.path for one in found if one.metric is None or not rules[one.metric].or_noise)

    def _with_evidence(self, result: DealResult, reasoning: Reasoning) -> DealResult:
        """Return *result* with how its output came about, where that may be otherwise than by a call."""
        made = reasoning.calls
        if reasoning.reused:
            return replace(result, evidence="reused")
        if made is not None:
            return replace(result, evidence=made.evidence, asked=made.asked, miss=made.miss, unfollowed=made.unfollowed)
        return result if self.stored is None else replace(result, evidence="computed", asked=1)

    def _record_calls(self, ref: DealRef) -> None:
        """Record the calls of a captured deal; those of an older snapshot do not stay beside a new one."""
        from pytest_dealsnap.baseline.cassettes import Cassettes  # most captures record none

        made = self.replay.recorded(ref.id) if self.replay is not None else None
        Cassettes(self.config.snapshots).write(ref.id, made or ())

    def refuse_moved(self, ref: DealRef) -> None:
        """Refuse to judge a deal that has gone or changed its type since the list of deals was read.

        Its output is no one's fault. Raises :class:`NotJudgedError`; asked only where the output is bad.
        """
        moved = self.source.moved(ref) if ref.copies == 1 else None
        if moved is not None:
            raise NotJudgedError(str(moved))

    def _new(self, entry: Entry) -> DealResult:
        ref = entry.ref
        gates = self.config.deals.new == "fail"
        reason = "not in the baseline; pytest --dealsnap-update --dealsnap-only missing records it"
        return DealResult(
            ref.id,
            None,
            ref.deal_type,
            ref.stored_type,
            "new",
            compared=False,
            reason=reason if not gates else f"{reason} (deals.new = fail)",
        )

    def _reasoned(self, entry: Entry, reasoner: Callable[[], Callable[..., Any]]) -> tuple[Deal | None, Reasoning]:
        """Read the deal's row and reason it; a row that cannot be read is no failure of the reasoner's."""
        if entry.ref.copies > 1:
            return None, Reasoning(failure=duplicated(entry.ref, gate=False))
        function = self.taped(reasoner())
        try:
            deal = self.calls.begin(entry, function)
        except SourceError as error:
            return None, excused_by(error)
        return deal, self.settled(deal, self.calls.finish(deal, function))

    def assertion(self, deal: Deal, node: pytest.Item) -> DealAssertion:
        """Return the deal's snapshot as syrupy's assertion; raises an error for a bad or missing one."""
        data = self.snapshots.recall(deal.key)
        if data is None:
            raise BaselineError(
                f"deal {deal.key} has no snapshot in {self.config.snapshots}. Restore it from git; the snapshot of a "
                "new deal is recorded by pytest --dealsnap-update --dealsnap-only missing"
            )
        recorded = self.snapshots.decode(deal.key, data)
        if recorded.error is not None:
            raise BaselineError(f"the baseline of deal {deal.key} is an error, not an output: {recorded.error}")
        session = syrupy_session(node.config)
        if session is None:
            raise ConfigError("deal_baseline needs syrupy's pytest plugin, which -p no:syrupy turned off")
        return deal_assertion(self.snapshots, recorded, project=self.recorder.project, node=node, session=session)

    def explain_another(self, limit: int) -> bool:
        """Count an explanation; whether it is within *limit* (each costs some milliseconds)."""
        self._explained += 1
        return self._explained <= limit

    def close(self) -> None:
        """Bring snapshots to the disk, and let go of connection, loop and thread."""
        self.snapshots.flush()
        if "calls" in self.__dict__:
            self.calls.close()
        if self.confirmation is not None and not isinstance(self.confirmation, str):
            self.confirmation.close()
        if self.replay is not None:
            self.replay.end()
        if self.stored is not None:
            self.stored.store.close()
        self.source.close()
        if self.lock is not None:
            self.lock.release()
        if self.old_code is not None:
            self.old_code.close()


RUN = pytest.StashKey[Run]()
