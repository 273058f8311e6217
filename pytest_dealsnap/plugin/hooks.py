"""The hooks of a run that asks for deals: each says what; ``startup``, ``collecting`` and the like say how."""

from __future__ import annotations

import os
import pickle
import sys
import warnings
from collections.abc import Generator
from functools import partial
from typing import Any

import pytest

from pytest_dealsnap._compat import is_pytests_own
from pytest_dealsnap.baseline.journal import settle
from pytest_dealsnap.config import Config
from pytest_dealsnap.config_reading import load_config
from pytest_dealsnap.deals.open_source import with_added_source
from pytest_dealsnap.errors import DealsnapError
from pytest_dealsnap.plugin.async_fixtures import FixtureHomes
from pytest_dealsnap.plugin.collecting import (
    announce_outputs,
    chosen,
    collect_deals,
    reasoned_twice,
    take_deal_arguments,
)
from pytest_dealsnap.plugin.deciding import check_order, close_order
from pytest_dealsnap.plugin.gc_tuning import set_aside
from pytest_dealsnap.plugin.item_reports import attach_result, say_at_once
from pytest_dealsnap.plugin.items import DealItem
from pytest_dealsnap.plugin.manifest_writer import begin_manifest, finish_manifest
from pytest_dealsnap.plugin.masking import mask_warning, without_secrets
from pytest_dealsnap.plugin.old_side import old_settings, orders_of
from pytest_dealsnap.plugin.options import Mode, given_settings
from pytest_dealsnap.plugin.run import RUN, Run
from pytest_dealsnap.plugin.run_order import one_worker_for_all, order_of
from pytest_dealsnap.plugin.session_finish import SessionFinish, without_syrupys_word_on_workers
from pytest_dealsnap.plugin.startup import AGAINST_KEY, ORDER_KEY, STATE_KEY, STORE_KEY, WORKER_KEY, open_run
from pytest_dealsnap.plugin.unjudged import Unjudged
from pytest_dealsnap.plugin.xdist_transport import unpack
from pytest_dealsnap.reasoning.process_guard import ProcessGuard, end_forked_child
from pytest_dealsnap.reasoning.run_store import other_run
from pytest_dealsnap.rehearsal.leftovers import local_leftovers, summary
from pytest_dealsnap.text import plural, printable

__all__ = ["DealHooks"]

_TESTMON = "--testmon leaves out deals whose code is unchanged, even if their data changed; gate without --testmon"
_LETTERS = {"changed": "c", "regressed": "R", "errored": "E", "missing": "M", "new": "s", "accepted": "a"}
_OUTCOMES = {"passed": "PASSED", "failed": "FAILED", "skipped": "SKIPPED"}


class DealHooks:
    """Registered by ``pytest_configure`` for ``--dealsnap`` and ``--dealsnap-update``."""

    def __init__(self, config: pytest.Config, mode: Mode) -> None:
        self.mode = mode
        self.run: Run | None = None
        self.begun: bool | None = None
        self.under_way: dict[str, int] = {}
        self.summarized = False
        self.homes = FixtureHomes()
        self.refused = False  # by a baseline that cannot be written: nothing is concluded, and no report written
        self.worker = hasattr(config, "workerinput")
        self.guard, self.process = ProcessGuard(partial(say_at_once, config)), os.getpid()
        self.session: pytest.Session | None = None
        self.nodeids = take_deal_arguments(config)
        try:
            self.orders = orders_of(config)
            self.settings: Config = with_added_source(self._settings(config))
            if not self.worker:
                settle(self.settings.snapshots)
            self.closing = SessionFinish(config, self.settings, mode)
        except DealsnapError as error:
            raise pytest.UsageError(printable(str(error))) from None
        config.addinivalue_line("markers", "deal: a deal of the database, judged against its snapshot")
        for deal_type in self.settings.deals.types:
            config.addinivalue_line("markers", f"{deal_type}: a deal that counts as {deal_type}")

    def _settings(self, config: pytest.Config) -> Config:
        if self.orders is not None:
            return old_settings(config, self.orders)
        cwd = config.invocation_params.dir
        return load_config(config.rootpath, flags=given_settings(config), environ=os.environ, cwd=cwd)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Open the source and read the plan; a worker is given its controller's."""
        self.session = session
        self.guard.put_up()
        try:
            self.run = session.config.stash[RUN] = open_run(session.config, self.settings, self.mode)
            self.closing.stored = self.run.stored
        except DealsnapError as error:
            raise pytest.UsageError(printable(str(error))) from None
        self.run.home_of = self.homes.of

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        """Learn on which event loop an async fixture runs."""
        return (yield from self.homes.set_up(fixturedef))

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Hand the frozen plan to an xdist worker."""
        assert self.run is not None
        node.workerinput[WORKER_KEY] = self.run.plan.dump()
        node.workerinput[STATE_KEY] = self.run.source.shared_state
        if self.run.against is not None:
            folder = self.run.snapshots.folder.parent
            node.workerinput[AGAINST_KEY] = pickle.dumps((folder, self.run.against, self.run.old_answers))
        if self.run.order is not None:
            node.workerinput[ORDER_KEY] = pickle.dumps(self.run.order.settings)
        if self.run.stored is not None:
            node.workerinput[STORE_KEY] = pickle.dumps(self.run.stored.settings)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """Learn from a worker which deals are left after ``-k`` and the like; none runs before all have told."""
        self.closing.expect(ids)
        self._need_baseline()
        self._begin_capture(node.config)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Forget the calls of a worker that is gone."""
        self.under_way.pop(node.gateway.id, None)
        if self.run is not None and self.run.order is not None:
            self.run.order.lose(node.gateway.id)

    def pytest_report_header(self, config: pytest.Config) -> list[str]:
        """Say what the run is about."""
        if self.run is None:
            return []
        plan, folder = self.run.plan, self.settings.snapshots
        what = f"{plural(len(plan.entries), 'deal')} of {plan.description}"
        if len(plan.entries) < plan.total:
            what += f" (out of {plan.total:,})"
        shown = folder.relative_to(config.rootpath) if folder.is_relative_to(config.rootpath) else folder
        side = self.run.against.side.words if self.run.against is not None else ""
        where = {"gate": f"against {f'the code of {side}' if side else shown}", "capture": f"into {shown}"}
        types = f"each under {', '.join(self.settings.deals.types)}"
        about = f"{self.mode}, {what}, {where.get(self.mode, types)}"
        left = summary(local_leftovers([folder, config.rootpath], deep=False))
        crowded = one_worker_for_all(config.getoption("dist", "no"), len(config.getoption("tx", [])))
        fewer = _TESTMON if config.getoption("testmon", False) else ""
        return [
            printable(f"dealsnap: {line}")
            for line in (about, self._order(), self._kept(), crowded, fewer, *self.settings.unknown_variables, left)
            if line
        ]

    def _order(self) -> str:
        """Say that deals begin in a random order, and whether the run stops by its verdict."""
        plan = self.run.plan if self.run is not None else None
        if plan is None or plan.seed is None:
            return ""
        until = ", until the verdict is decided" if plan.until_decided else ", so that a budget leaves a sample"
        return f"deals begin in a random order (--dealsnap-seed {plan.seed}){until}"

    def _kept(self) -> str:
        """Say that outputs are reused, so that nobody takes the run for a fresh one."""
        stored = self.run.stored if self.run is not None else None
        if stored is None:
            return ""
        count = stored.store.count()
        if not count:
            others = other_run(stored.store.folder, stored.settings.made_of)
            return f"the run store has outputs that are not reused: {others}" if others else ""
        return f"the run store has {plural(count, 'output')} of this run, to be reused (--dealsnap-fresh starts anew)"

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Put the deals before the other tests."""
        assert self.run is not None
        items[:0] = chosen(collect_deals(session, self.run, items), self.nodeids, session.config.args)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count who will ask for an output, so that it is kept just as long."""
        assert self.run is not None
        self.closing.expect(item.nodeid for item in session.items)
        if self.run.order is not None:
            check_order(self.run, session.items)
        self.run.calls.order = order_of(session.config, session.items)
        announce_outputs(session.items, self.run)
        self.run.checked = reasoned_twice(session.items, self.run)
        set_aside(len(session.items))
        if not self.worker:
            self._need_baseline()
            self._begin_capture(session.config)

    def _need_baseline(self) -> None:
        """Refuse to judge deals without a baseline; tests of the user's own that read no baseline need none."""
        if self.run is not None and self.run.plan.unrecorded and self.closing.selected(self.run):
            self.refused = True
            raise pytest.UsageError(printable(self.run.plan.unrecorded))

    def _begin_capture(self, config: pytest.Config) -> None:
        if self.run is not None and self.mode == "capture" and not config.option.collectonly and self.begun is None:
            selected = len(self.closing.selected(self.run))
            try:
                self.begun = begin_manifest(self.run, selected=selected, only=config.getoption("dealsnap_only"))
            except DealsnapError as error:
                self.refused = True
                raise pytest.UsageError(printable(str(error))) from None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach the deal's result to its report, which is how it travels from a worker.

        Outside of every other plugin: one that runs a test again does so in here, and the last attempt counts.
        """
        report = yield
        if isinstance(item, DealItem):
            report = without_secrets(report)
        if call.when == "call" and isinstance(item, DealItem):
            attach_result(report, item, packed=self.worker)
            if self.worker and self.run is not None:
                report.dealsnap_under_way = self.run.calls.under_way  # type: ignore[attr-defined]  # may carry more
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """Mask a warning before pytest shows it, in its summary or from a worker."""
        mask_warning(warning_message)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a deal's result in, where the run is being reported."""
        attached = getattr(report, "dealsnap", None)
        unjudged = getattr(report, "dealsnap_unjudged", None)
        if self.worker:
            return
        if unjudged is not None:
            self.closing.excuse(unjudged[0], Unjudged.unpack(unjudged[1:]))
        if attached is None:
            return
        if isinstance(attached, str):
            attached = unpack(attached)
        again = report.passed and getattr(report, "dealsnap_attempts", 1) > 1
        self.closing.take(*attached, under_way=self._under_way(report), again=again)

    def _under_way(self, report: Any) -> int:
        """Return how many calls are under way, in all of xdist's workers as each told last."""
        if not hasattr(report, "dealsnap_under_way"):
            return self.run.calls.under_way if self.run else 0
        self.under_way[report.worker_id] = report.dealsnap_under_way
        return sum(self.under_way.values())

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Name a deal's status beside the outcome that pytest counts."""
        status = getattr(report, "dealsnap_status", None)
        if report.outcome not in _OUTCOMES:  # another plugin's word, such as rerun
            return None
        if status is None or status == "matched" or (status == "new" and self.mode == "capture"):
            return None
        if status == "accepted" or (report.skipped and hasattr(report, "wasxfail")):
            return "xfailed", "a", "XFAIL (accepted)"
        if self.mode == "capture":
            words = {"changed": "updated", "errored": "error recorded" if report.passed else "errored"}
            letter = "." if status != "errored" else "e" if report.passed else "E"
            return report.outcome, letter, f"{_OUTCOMES[report.outcome]} ({words.get(status, status)})"
        return report.outcome, _LETTERS[status], f"{_OUTCOMES[report.outcome]} ({status})"

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Conclude, also where another plugin fails as the session ends: verdict, exit status, reports, manifest."""
        end_forked_child(self.process)
        if self.orders is not None:
            self.orders.note_imports()
        if self.run is not None and not self.worker:
            self.closing.describe(self.run)
        try:
            with without_syrupys_word_on_workers():
                return (yield)
        finally:
            self._conclude(session)

    def _conclude(self, session: pytest.Session) -> None:
        if self.run is None or self.refused:
            return
        self.run.snapshots.flush()
        if not self.worker and not session.config.option.collectonly:
            session.exitstatus = self.closing.conclude(self.run, int(session.exitstatus))
            if self.begun is not None and self.closing.finished is not None:
                only = session.config.getoption("dealsnap_only")
                try:
                    finish_manifest(self.run, self.closing.finished, begun=self.begun, only=only)
                except DealsnapError as error:
                    pytest.exit(printable(str(error)), returncode=int(pytest.ExitCode.USAGE_ERROR))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None, None, None]:
        """Show the first failed deals in full and the rest in the closing summary."""
        if self.run is not None and not self.worker:
            with self.closing.bounded_failures(terminalreporter):
                yield
            self.closing.write_summary(terminalreporter)
            self.summarized = True
        else:
            yield

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Let go of the process and of the database."""
        terminal = config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None and not self.summarized and self.closing.finished is not None:
            self.closing.write_summary(terminal)  # before pytest 9, `--no-summary` leaves out the hook for all plugins
        failed = self.session is not None and not self.worker and is_pytests_own(sys._getframe())
        self.guard.take_down(int(self.session.exitstatus) if failed and self.session is not None else 0)
        if self.run is not None:
            self.run.close()
            if self.run.order is not None and not self.worker:
                close_order(self.run.order)
