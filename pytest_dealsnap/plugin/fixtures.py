"""Fixtures for tests over deals. Override ``deal_reasoner``; ask for the others.

Nothing heavy is imported here: plain pytest loads this module too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pytest_dealsnap.errors import DealsnapError
from pytest_dealsnap.text import printable

if TYPE_CHECKING:
    from pytest_dealsnap.baseline.extension import DealAssertion
    from pytest_dealsnap.deals.deal import Deal
    from pytest_dealsnap.deals.selection import Entry
    from pytest_dealsnap.plugin.run import Run

__all__ = ["deal", "deal_baseline", "deal_output", "deal_reasoner", "entries_of_run", "parametrize_deals"]

_ASKED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def deal_reasoner(pytestconfig: pytest.Config) -> Callable[..., Any]:
    """Override this fixture to reason deals by your own callable, with any fixtures it needs.

    The default is the callable that the setting ``reasoner`` names. What you return is called by its
    parameter names: ``deal_id``, ``deal_type``, or one other for the whole deal.
    """
    from pytest_dealsnap.reasoning.reasoner import import_reasoner

    return import_reasoner(_run(pytestconfig).config)


@pytest.fixture
def deal(request: pytest.FixtureRequest) -> Deal:
    """Each deal in turn, read from the database when its test runs.

    Under ``@pytest.mark.deal_matrix`` it counts as each deal type in turn.
    """
    run = _run(request.config)
    with _told_plainly(request):
        found = run.source.fetch(request.param.ref)
    deal_type = getattr(request.param, "deal_type", found.deal_type)
    return found if deal_type == found.deal_type else found.as_type(deal_type, column=run.config.deals.type)


@pytest.fixture
def deal_output(deal: Deal, deal_reasoner: Callable[..., Any], request: pytest.FixtureRequest) -> Any:
    """The reasoner's output for the deal, as canonical plain values; computed once per deal and session."""
    from pytest_dealsnap.reasoning.canonical import canonical

    run = _run(request.config)
    calls = run.calls
    entry = request.node.callspec.params["deal"]
    if run.order is not None and run.order.decided and not calls.has_begun(entry):
        from pytest_dealsnap.plugin.unjudged import DECIDED

        pytest.skip(DECIDED)
    with _told_plainly(request):
        other = deal.deal_type != entry.ref.deal_type
        if request.node.stash.get(_ASKED, False):  # the test runs again
            calls.outputs.renew(getattr(entry, "output_key", entry.ref.id))
        request.node.stash[_ASKED] = True
        if other:
            reasoning = calls.finish_as(deal, deal_reasoner)
        else:
            reasoning = run.settled(deal, calls.finish(deal, run.taped(deal_reasoner)))
    if reasoning.failure is not None:
        what = f"deal {deal.key} has no output" if reasoning.excused else f"the reasoner failed for deal {deal.key}"
        text = f"{what}: {reasoning.failure}"
        pytest.fail("\n".join(map(printable, (text, *reasoning.trace.splitlines()))), pytrace=False)
    return canonical(reasoning.output)  # a copy: a test that changes it must not change the next one's


@pytest.fixture
def deal_baseline(deal: Deal, request: pytest.FixtureRequest) -> DealAssertion:
    """The deal's snapshot, for ``assert deal_output == deal_baseline``."""
    with _told_plainly(request):
        return _run(request.config).assertion(deal, request.node)


@contextmanager
def _told_plainly(request: pytest.FixtureRequest) -> Iterator[None]:
    """Make an error of ours the test's message: our own frames would help nobody."""
    try:
        yield
    except DealsnapError as error:
        from pytest_dealsnap.plugin.unjudged import end_run

        end_run(request.session, error)
        pytest.fail(printable(str(error)), pytrace=False)


def _run(config: pytest.Config) -> Run:
    from pytest_dealsnap.plugin.run import RUN

    return config.stash[RUN]


def parametrize_deals(metafunc: pytest.Metafunc) -> None:
    """Parametrize a test over all deals of the run; without ``--dealsnap`` it is skipped, saying so."""
    from pytest_dealsnap.plugin.options import wanted_mode

    if wanted_mode(metafunc.config) is None:
        mark = pytest.mark.skip(reason="runs over deals: pytest --dealsnap PATH")
        metafunc.parametrize("deal", [pytest.param(None, marks=mark, id="no-deals")], indirect=True)
        return
    from pytest_dealsnap.plugin.items import entry_param_id

    params = [
        pytest.param(entry, marks=getattr(pytest.mark, entry.ref.deal_type), id=entry_param_id(entry))
        for entry in entries_of_run(metafunc.config)
    ]
    metafunc.parametrize("deal", params, indirect=True)


def entries_of_run(config: pytest.Config) -> list[Entry]:
    """Return the deals that tests can ask for: those that the database has, each once."""
    return [entry for entry in _run(config).plan.entries if entry.kind != "missing" and entry.ref.copies == 1]
