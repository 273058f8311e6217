"""Fixtures for tests over deals. Override ``deal_reasoner``; ask for the others.

Nothing heavy is imported here: plain pytest loads this module too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pytest_dealsnap.errors import DealsnapError, printable

if TYPE_CHECKING:
    from pytest_dealsnap.baseline.extension import DealAssertion
    from pytest_dealsnap.deals.deal import Deal
    from pytest_dealsnap.plugin.run import Run

__all__ = ["deal", "deal_baseline", "deal_output", "deal_reasoner", "parametrize_deals"]


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
    """Each deal in turn, read from the database when its test runs."""
    with _told_plainly():
        return _run(request.config).source.fetch(request.param.ref)


@pytest.fixture
def deal_output(deal: Deal, deal_reasoner: Callable[..., Any], pytestconfig: pytest.Config) -> Any:
    """The reasoner's output for the deal, as canonical plain values; computed once per deal and session."""
    from pytest_dealsnap.reasoning.canonical import canonical

    reasoning = _run(pytestconfig).calls.finish(deal, deal_reasoner)
    if reasoning.failure is not None:
        text = f"the reasoner failed for deal {deal.key}: {reasoning.failure}"
        pytest.fail("\n".join(map(printable, (text, *reasoning.trace.splitlines()))), pytrace=False)
    return canonical(reasoning.output)  # a copy: a test that changes it must not change the next one's


@pytest.fixture
def deal_baseline(deal: Deal, request: pytest.FixtureRequest) -> DealAssertion:
    """The deal's snapshot, for ``assert deal_output == deal_baseline``."""
    with _told_plainly():
        return _run(request.config).assertion(deal, request.node)


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Make an error of ours the test's message: our own frames would help nobody."""
    try:
        yield
    except DealsnapError as error:
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

    plan = _run(metafunc.config).plan
    entries = [e for e in plan.entries if e.kind != "missing" and e.ref.copies == 1]
    params = [
        pytest.param(entry, marks=getattr(pytest.mark, entry.ref.deal_type), id=entry_param_id(entry))
        for entry in entries
    ]
    metafunc.parametrize("deal", params, indirect=True)
