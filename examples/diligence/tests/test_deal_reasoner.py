"""The gate's reasoner, in the context of this folder's application: what it answers is what users are shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from examples.diligence import flags
from examples.diligence.analysis_runner import DealNotFoundError
from examples.diligence.gate import conftest
from examples.diligence.web import build_app

from .conftest import Reports, stored_types
from .serving import Visitor

Reasoner = Callable[[int], dict[str, object]]

# Here, not in this folder's conftest.py: the gate at the root loads that one too, and has a reasoner of its own.
deal_reasoner = conftest.deal_reasoner


@pytest.fixture(scope="session")
def app(after_url: str) -> Flask:
    """The application in whose context the gate's fixture reasons here."""
    return build_app(after_url)


def timeless(report: dict[str, object]) -> dict[str, object]:
    """A report without the time it was written."""
    return {key: value for key, value in report.items() if key != "generated_at"}


def test_it_answers_as_the_engine_does(deal_reasoner: Reasoner, reports: Reports, after_url: str) -> None:
    """Every fifth deal, and so all three types, comes out of the application's context as out of the engine."""
    kinds = set()
    for deal_id, kind in [*stored_types(after_url).items()][::5]:
        try:
            assert timeless(deal_reasoner(deal_id)) == reports[deal_id]
        except DealNotFoundError:
            continue  # soft-deleted, which only the application knows of
        kinds.add(kind)
    assert kinds == {"acquisition", "carveout", "divestiture"}


def test_it_answers_what_users_are_shown(deal_reasoner: Reasoner, visitor: Visitor) -> None:
    """The report over HTTP and the gate's are the same."""
    assert timeless(deal_reasoner(328)) == timeless(visitor.ask("/api/v1/deals/328/report").json)


def test_it_follows_the_flag(deal_reasoner: Reasoner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The context holds no flag of its own: switched off in between, a carve-out is an acquisition."""
    shown = [deal_reasoner(328)["separation_costs"] != []]
    monkeypatch.setenv(flags.DEAL_TYPE_AWARENESS, "off")
    shown.append(deal_reasoner(328)["separation_costs"] != [])
    assert shown == [True, False]


def test_a_deal_that_is_not_shown_is_an_error(deal_reasoner: Reasoner) -> None:
    """The gate records it under the deal's name, rather than an empty answer."""
    with pytest.raises(DealNotFoundError, match="no deal with id 100000"):
        deal_reasoner(100_000)
