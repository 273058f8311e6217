"""What all tests share: database servers, a pooler; Hypothesis without a deadline: no test may depend on timing."""

from __future__ import annotations

import os
import signal
import threading

import pytest
from hypothesis import settings

from tests.mariadb import mariadb, mariadb_server
from tests.pgbouncer import pgbouncer, pgbouncer_of_all
from tests.postgresql import postgresql, postgresql_server
from tests.profiles import scaled

__all__ = [  # fixtures for all tests
    "mariadb",
    "mariadb_server",
    "pgbouncer",
    "pgbouncer_of_all",
    "postgresql",
    "postgresql_server",
]

settings.register_profile("dealsnap", deadline=None, max_examples=scaled(60))
settings.load_profile("dealsnap")


@pytest.fixture(autouse=True, scope="session")
def no_options_of_this_run() -> None:
    """``PYTEST_ADDOPTS`` is meant for this run and its xdist workers, not for the pytest runs that tests start."""
    os.environ.pop("PYTEST_ADDOPTS", None)


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> None:
    """A shell's background job ignores Ctrl-C, and one under ``nohup`` a hang-up; so would all that the tests start."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)
