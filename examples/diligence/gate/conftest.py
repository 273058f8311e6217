"""The plugin's reasoner, replaced by the application's own: what users are shown, computed as for a request."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from examples.diligence import database
from examples.diligence.analysis_runner import DealNotFoundError
from examples.diligence.web import build_app, deals, reports


@pytest.fixture(scope="session")
def deal_reasoner() -> Callable[[int], dict[str, object]]:
    """Reason inside an application context, over DATABASE_URL or the embedded database."""
    app = build_app(database.url())

    def reason(deal_id: int) -> dict[str, object]:
        with app.app_context():
            deal = deals.get(deal_id)
            if deal is None:
                raise DealNotFoundError(f"no deal with id {deal_id} in {database.shown_url()}")
            return reports.report_of(deal).output

    return reason
