"""Sources over real databases, SQLite files and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from pytest_dealsnap.deals.sql import SQLSource
from tests.builders import configure

Fill = Callable[..., None]


@pytest.fixture
def fill() -> Fill:
    """Run statements in a database, as its owner would."""

    def run(url: str, *statements: str) -> None:
        engine = create_engine(url)
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement.replace(":", r"\:")))
        engine.dispose()

    return run


Open = Callable[..., SQLSource]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Open sources that are closed after the test."""
    sources: list[SQLSource] = []

    def open_source(url: str, settings: str = "", **flags: Any) -> SQLSource:
        config = configure(tmp_path, f"[deals]\n{settings}\n", flags=flags)
        sources.append(SQLSource(config, database=url))
        return sources[-1]

    yield open_source
    for source in sources:
        source.close()
