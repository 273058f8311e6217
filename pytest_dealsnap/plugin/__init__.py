"""The pytest side. What is imported here is imported by every pytest run, so it is little.

Everything that reads a database, a snapshot or an output is behind :func:`pytest_configure`, and
only for ``--dealsnap`` and ``--dealsnap-update``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator

import pytest

from pytest_dealsnap import extensions, hookspecs
from pytest_dealsnap.plugin.fixtures import deal, deal_baseline, deal_output, deal_reasoner, parametrize_deals
from pytest_dealsnap.plugin.options import add_options, wanted_mode

__all__ = ["deal", "deal_baseline", "deal_output", "deal_reasoner"]

MATRIX_MARKER = (
    "deal_matrix(types=..., **axes): run the test under every deal type (its argument deal_type), or under those "
    "of types, and along every further axis that it takes, such as domain=['network', 'identity'] or those of "
    "[tool.dealsnap.matrix] axes; a test that takes deal sees every deal under every type"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flags."""
    add_options(parser)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Refuse a run of deals where no folder takes temporary files: pytest's own capture would fail by a traceback."""
    asked = early_config.known_args_namespace
    if asked.dealsnap or asked.dealsnap_update:
        try:
            tempfile.gettempdir()
        except OSError as error:
            raise pytest.UsageError(f"dealsnap: {error.strerror or error}") from None
    return (yield)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Let a ``conftest.py`` and other plugins add rules, report formats and more."""
    pluginmanager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; take part in the run if it asks for deals."""
    extensions.follow(config.pluginmanager)
    config.addinivalue_line("markers", MATRIX_MARKER)
    mode = wanted_mode(config)
    if mode is not None:
        from pytest_dealsnap.plugin.hooks import DealHooks  # kept out of runs that ask for no deals

        config.pluginmanager.register(DealHooks(config, mode), "dealsnap-run")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Forget what this run's plugins add."""
    extensions.unfollow(config.pluginmanager)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test with the matrix marker every deal type, and one that asks for ``deal`` every deal."""
    if metafunc.definition.get_closest_marker("deal_matrix") is not None:
        from pytest_dealsnap.plugin.deal_matrix import parametrize_matrix  # kept out of runs that do not use it

        parametrize_matrix(metafunc)
    elif "deal" in metafunc.fixturenames:
        parametrize_deals(metafunc)
