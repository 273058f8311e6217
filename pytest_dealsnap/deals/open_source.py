"""Which source a configuration names."""

from __future__ import annotations

from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.source import CallableSource, DealSource
from pytest_dealsnap.errors import SourceError

__all__ = ["open_source"]


def open_source(config: Config) -> DealSource:
    """Return the source that *config* names: the user's own, or the database."""
    if config.deals.source is not None:
        return CallableSource(config)
    if config.database is None:
        raise SourceError(
            'no database: set database = "sqlite:///deals.db" (any SQLAlchemy URL) in [tool.dealsnap] of '
            f"{config.root / 'pyproject.toml'}, or give --dealsnap-database URL, or DEALSNAP_DATABASE"
        )
    from pytest_dealsnap.deals.sql import SQLSource  # SQLAlchemy is imported only where a database is read

    return SQLSource(config, database=config.database)
