"""Which source a configuration names."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.source import CallableSource, DealSource
from pytest_dealsnap.errors import ConfigError, SourceError
from pytest_dealsnap.extensions import answers

__all__ = ["open_source", "with_added_source"]

HOOK = "pytest_dealsnap_deal_source"


def with_added_source(config: Config) -> Config:
    """Return *config* with the source of deals that an extension names, where the configuration names none.

    Raises :class:`ConfigError` where two extensions name one, or one names nothing that can be called.
    """
    if config.database is not None or config.deals.source is not None:
        return config
    found = answers(HOOK, config=config)
    if len(found) > 1:
        raise ConfigError(f"several sources of deals: {', '.join(f'{spec!r} of {name}' for name, spec in found)}")
    for name, spec in found:
        if not isinstance(spec, str):
            raise ConfigError(f'{HOOK} of {name} returned {spec!r}; it must return "package.module:callable" or None')
        places = {**config.places, "deals.source": f"{HOOK} of {name}"}
        return replace(config, deals=replace(config.deals, source=spec), places=places)
    return config


def _hint(config: Config) -> str:
    """Return where a folder above configures dealsnap, where the root folder does not: pytest took another root."""
    if any(".toml" in place for place in config.places.values()):
        return ""
    for folder in config.root.parents:
        for name in ("dealsnap.toml", "pyproject.toml"):
            path = folder / name
            with suppress(OSError):  # what cannot be read gives no hint; the error stands without it
                if "[tool.dealsnap" in path.read_bytes().decode("utf-8", "replace") or name == "dealsnap.toml":
                    return f". {path} configures dealsnap: run pytest in {folder}, or give --rootdir {folder}"
    return ""


def open_source(config: Config) -> DealSource:
    """Return the source that *config* names: the user's own, or the database."""
    if config.deals.source is not None:
        return CallableSource(config)
    if config.database is None:
        raise SourceError(
            'no database: set database = "sqlite:///deals.db" (any SQLAlchemy URL) in [tool.dealsnap] of '
            f"{config.root / 'pyproject.toml'}, or give --dealsnap-database URL, or DEALSNAP_DATABASE{_hint(config)}"
        )
    from pytest_dealsnap.deals.sql import SQLSource  # SQLAlchemy is imported only where a database is read

    return SQLSource(config, database=config.database)
