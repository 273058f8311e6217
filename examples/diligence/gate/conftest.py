"""The plugin's reasoner, replaced by the application's own: what users are shown, computed as for a request."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from examples.diligence import database
from examples.diligence.analysis_runner import DealNotFoundError
from examples.diligence.web import build_app, deals, reports


@pytest.fixture(scope="session")
def app() -> Flask:
    """The application, over DATABASE_URL or the embedded database."""
    return build_app(database.url())


@pytest.fixture(scope="session")
def deal_reasoner(app: Flask) -> Callable[[int], dict[str, object]]:
    """Reason inside an application context, of whatever application `app` is."""

    def reason(deal_id: int) -> dict[str, object]:
        with app.app_context():
            deal = deals.get(deal_id)
            if deal is None:
                raise DealNotFoundError(f"no deal with id {deal_id}")
            return reports.report_of(deal).output

    return reason
