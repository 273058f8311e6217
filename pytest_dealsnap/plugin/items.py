"""Deals as pytest items.

A deal is an ``Item`` of its own kind, not a ``Function``: it costs less than an empty parametrized
function, and syrupy's closing report, which is quadratic in functions, passes over it. It gets at
fixtures the way pytest's own doctest items do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from pytest_dealsnap._compat import CallSpec, RunsAgain, fixture_request, fixtures_for, is_users_frame
from pytest_dealsnap.errors import DealsnapError, SnapshotError
from pytest_dealsnap.pipeline.gate import Judged
from pytest_dealsnap.plugin.run import Run
from pytest_dealsnap.plugin.unjudged import DECIDED, NotJudgedError, Unjudged, end_run
from pytest_dealsnap.reporting.deal_text import brief_text, deal_text
from pytest_dealsnap.reporting.wording import worst_finding
from pytest_dealsnap.secrets import redact
from pytest_dealsnap.text import printable

if TYPE_CHECKING:
    from pytest_dealsnap._compat import FuncFixtureInfo, TerminalRepr, TopRequest
    from pytest_dealsnap.deals.selection import Entry
    from pytest_dealsnap.plugin.options import Mode

__all__ = ["NODE_PREFIX", "DealItem", "Deals", "entry_param_id", "node_name"]

NODE_PREFIX = "deals::"
FAILED_IN_FULL = 20


def entry_param_id(entry: Entry) -> str:
    """Return the part of a test id that names a deal: effective type and deal id, safe to print."""
    return f"{entry.ref.deal_type}-{printable(entry.ref.id)}"


def node_name(entry: Entry, mode: Mode) -> str:
    """Return the name of a deal's test."""
    return f"test_{'matrix' if mode == 'matrix' else 'deal'}[{entry_param_id(entry)}]"


class DealFailedError(Exception):
    """A deal's test fails; the text is the whole message, no traceback of dealsnap's own helps."""


class DealsRoot(pytest.Directory):
    """The root folder as parent of the deals, so that its ``conftest.py`` fixtures are theirs."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Return nothing: the deals are collected by :class:`Deals`."""
        return iter(())


class Deals(pytest.Module):
    """All deals of a run, and what their items share: fixtures, and the reasoner.

    A module without a file, as pytest's own doctest files are: fixtures of module scope need one.
    """

    def __init__(self, run: Run, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.obj = ModuleType("deals")
        self.run = run
        self.add_marker(pytest.mark.deal)
        self._info: FuncFixtureInfo | None = None
        self._settled = False
        self._reasoner: Callable[..., Any] | None = None

    @cached_property
    def deal_hooks(self) -> Any:
        """The hooks that deals run under: those of every plugin, and of the root folder's ``conftest.py``.

        pytest would look for the folder's again at each of a hundred thousand items' seven hooks.
        """
        return self.session.gethookproxy(self.config.rootpath)

    def collect(self) -> Iterator[pytest.Item]:
        """Yield one item for each entry of the plan, in its order."""
        for entry in self.run.plan.entries:
            name = node_name(entry, self.run.mode)
            # Told apart from its parameter, as ``--lf`` reads it back: pytest would take the whole name for one.
            nodeid = f"{NODE_PREFIX}{name}"
            yield DealItem.from_parent(self, name=name, nodeid=nodeid, entry=entry, path=self.config.rootpath)

    def fixtures_of(self, item: DealItem) -> FuncFixtureInfo:
        """Return the fixtures that every deal asks for: those that are autouse, and the reasoner."""
        if self._info is None:
            self._info = fixtures_for(item, lambda deal_reasoner: None)
        return self._info

    def reasoner_for(self, item: DealItem) -> Callable[..., Any]:
        """Return the value of ``deal_reasoner``; one of session scope is asked for only once."""
        if self._reasoner is not None:
            return self._reasoner
        function: Callable[..., Any] = item.request.getfixturevalue("deal_reasoner")
        if self._scope("deal_reasoner", item) == "session":
            self._reasoner = function
            self.run.calls.shared = self.run.taped(function)
        return function

    def needs_setup(self, item: DealItem) -> bool:
        """Whether *item* must set up autouse fixtures: not where all are of session scope and stand."""
        if self._settled:
            return False
        names = [name for name in self.fixtures_of(item).names_closure if name != "deal_reasoner"]
        self._settled = all(self._scope(name, item) == "session" for name in names)
        return True

    def _scope(self, name: str, item: DealItem) -> str:
        definitions: Any = self.fixtures_of(item).name2fixturedefs.get(name, ())
        innermost: pytest.FixtureDef[Any] | None = definitions[-1] if definitions else None
        return "session" if innermost is None else innermost.scope


class DealCall(CallSpec):
    """What reporters identify a parametrized test by, as they find it on pytest's own items: parameters and an id.

    An id is one deal's, of whatever type. The parameter's name is none that a fixture can have: pytest would take
    it for that fixture's value.
    """

    __slots__ = ("id",)
    indices: Mapping[str, int] = MappingProxyType({})
    marks: Sequence[pytest.Mark] = ()

    def __init__(self, entry: Entry) -> None:
        self.params = {"deal id": printable(entry.ref.id)}
        self.id = entry_param_id(entry)

    def getparam(self, name: str) -> object:
        """Return the parameter called *name*; raises :class:`ValueError` for one that there is not."""
        try:
            return self.params[name]
        except KeyError:
            raise ValueError(name) from None


class DealItem(RunsAgain, pytest.Item):
    """One deal's test."""

    parent: Deals
    cls = None  # asked of every item with a callspec, as it is put in order

    def __init__(self, *, entry: Entry, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.entry = entry
        self.outcome: Judged | None = None
        self.unjudged: Unjudged | None = None
        self.attempts = 0
        self.own_properties: list[tuple[str, object]] = []
        self.funcargs: dict[str, Any] = {}
        self._top_request: TopRequest | None = None
        mark = getattr(pytest.mark, entry.ref.deal_type)
        self.own_markers.append(mark.mark)
        self.keywords[entry.ref.deal_type] = mark

    @property
    def path(self) -> Path:
        """The deal's snapshot, so that an editor opens it; the root folder where there is none.

        Found when asked for: a hundred thousand paths would stay. It exists, because ``--nf`` asks for its time.
        """
        try:
            snapshot = Path(self.parent.run.snapshots.path(self.entry.ref.id))
            return snapshot if snapshot.is_file() else self.config.rootpath
        except (SnapshotError, OSError):  # an id that no file name can hold is told as the deal runs
            return self.config.rootpath

    @path.setter
    def path(self, path: Path) -> None:
        """Take what pytest sets when it makes the item: the root folder."""

    @property
    def callspec(self) -> DealCall:
        """What tells this deal's test from the others', for reporters such as Allure.

        Made when asked for: pytest asks four times as it orders the items, and a hundred thousand would stay.
        """
        return DealCall(self.entry)

    @property
    def originalname(self) -> str:
        """The name of the test without its parameter."""
        return self.name.partition("[")[0]

    @property
    def ihook(self) -> Any:
        """The hooks of all deals."""
        return self.parent.deal_hooks

    @property
    def request(self) -> TopRequest:
        """The fixture request of this item, made when first needed."""
        if self._top_request is None:
            self._top_request = fixture_request(self, self.parent.fixtures_of(self))
        return self._top_request

    def setup(self) -> None:
        """Set up autouse fixtures, and function-scoped ones of the user's reasoner."""
        if self.parent.needs_setup(self):
            for name in self.parent.fixtures_of(self).initialnames:
                if name != "deal_reasoner":
                    self.request.getfixturevalue(name)

    def forget(self) -> None:
        """Forget the last attempt."""
        self._top_request = None
        self.funcargs = {}
        self.outcome = self.unjudged = None

    def runtest(self) -> None:
        """Judge or record the deal, and pass, fail, skip or xfail by its status."""
        run = self.parent.run
        if not run.may_begin(self.entry):
            pytest.skip(DECIDED)
        self.attempts += 1
        if self.attempts > 1:
            run.call_anew(self.entry)
        try:
            self.outcome = run.perform(self.entry, lambda: self.parent.reasoner_for(self))
        except DealsnapError as error:  # of ours, so that it says nothing of the reasoner
            self.unjudged = Unjudged.by(error)
            end_run(self.session, error)
            if isinstance(error, NotJudgedError) and error.skips:
                pytest.skip(printable(str(error)))
            raise
        result = self.outcome.result
        if result.status in ("matched", "changed"):
            return
        if run.mode == "capture" and result.compared and (result.status != "errored" or run.allow_errors):
            return
        if result.status == "accepted":
            pytest.xfail(f"accepted: {printable(result.reason)}")
        if result.status == "new" and run.config.deals.new == "skip":
            pytest.skip(result.reason)
        if result.status == "missing" and run.config.deals.missing == "report":
            pytest.skip("in the baseline, not in the database (deals.missing = report)")
        raise DealFailedError(worst_finding(result))

    def teardown(self) -> None:
        """Let go of what only this test needed: a hundred thousand items stay until the end."""
        self._top_request = None
        self.funcargs = {}
        self.outcome = None

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **keywords: Any
    ) -> str | TerminalRepr:
        """Return the deal with its findings as a table; a fixture's exception as its own frames, escaped."""
        if isinstance(excinfo.value, DealFailedError) and self.outcome is not None:
            return self._text(self.outcome)
        if isinstance(excinfo.value, DealsnapError):
            what = "recorded" if self.parent.run.mode == "capture" else "judged"
            return printable(f"deal {self.entry.ref.id} was not {what}: {excinfo.value}")
        excinfo.traceback = excinfo.traceback.filter(lambda entry: is_users_frame(entry.path))
        # First what pytest's short summary shows beside the test's id.
        text = f"{excinfo.exconly(tryshort=True)}\n\n{super().repr_failure(excinfo, *args, **keywords)}"
        return "\n".join(printable(line) for line in redact(text).splitlines())

    def _text(self, outcome: Judged) -> str:
        run = self.parent.run
        before, after = None, None
        shown = run.explain_another(FAILED_IN_FULL)
        if not shown and not self.config.getoption("xmlpath", None):
            return brief_text(outcome.result)  # ten thousand tables that nobody sees cost a run a tenth of its time
        if shown and outcome.result.status == "regressed":
            before = None if outcome.before is None else outcome.before.output
            after = None if outcome.after is None else outcome.after.output
        trace = outcome.reasoning.trace if outcome.reasoning and outcome.result.error else ""
        return deal_text(outcome.result, before=before, after=after, trace=trace)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the test stands: the first line of :attr:`path`."""
        return self.path, 0, self.name
