"""The real databases that made-up rows are put into."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.testing.schemas import METADATA, engine_of

__all__ = ["engine"]


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine on a database that has the tables of ``schemas``, empty."""
    url = "sqlite://"
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgresql"))
    with engine_of(url) as made:
        METADATA.create_all(made)
        yield made
