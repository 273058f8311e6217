"""The pytest side. What is imported here is imported by every pytest run, so it is little.

Everything that reads a database, a snapshot or an output is behind :func:`pytest_configure`, and
only for ``--dealsnap`` and ``--dealsnap-update``.
"""

from __future__ import annotations

import pytest

from pytest_dealsnap.plugin.fixtures import deal, deal_baseline, deal_output, deal_reasoner, parametrize_deals
from pytest_dealsnap.plugin.options import add_options, wanted_mode

__all__ = ["deal", "deal_baseline", "deal_output", "deal_reasoner"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flags."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Take part in the run if it asks for deals."""
    mode = wanted_mode(config)
    if mode is not None:
        from pytest_dealsnap.plugin.hooks import DealHooks  # kept out of runs that ask for no deals

        config.pluginmanager.register(DealHooks(config, mode), "dealsnap-run")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that asks for ``deal`` every deal."""
    if "deal" in metafunc.fixturenames:
        parametrize_deals(metafunc)
