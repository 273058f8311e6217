"""What `pytest --dealsnap` at this root works on: the example system, before and after its migration.

A capture (`--dealsnap-update`) records the unmigrated database with the feature flag off; a gate
(`--dealsnap`) judges the migrated one with it on. Either database is built where it is absent. A
database, or a flag, of your own takes precedence: `DEALSNAP_DATABASE`, `DEAL_TYPE_AWARENESS`.
"""

from __future__ import annotations

import os
import sys

import pytest

# Rewriting the asserts of all tests takes 15 seconds a process where nothing is kept of it.
sys.dont_write_bytecode = False

MOST_WORKERS = 4
# `pytest -m "not slow"` is what one runs while working: the core by itself, and a gate of each status.
SLOW_PLACES = (
    "tests/cli",
    "tests/docs",
    "tests/example",
    "tests/extensions",
    "tests/plugin",
    "tests/rehearsal",
    "tests/scale",
    "tests/story",
    "tests/test_root_conftest.py",
    "examples",
)
QUICK_FILES = (
    "tests/cli/test_compare.py",
    "tests/extensions/test_public_api.py",
    "tests/plugin/test_statuses.py",
)
SLOW_FIXTURES = frozenset({"driver", "mariadb", "pgbouncer", "pgbouncer_of_all", "postgresql"})


@pytest.hookimpl(tryfirst=True)  # before xdist's own, which reads what is set here
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Spread the whole suite over the cores; a part of it, one that is looked into, and deals run in one process."""
    options = config.option
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not hasattr(config, "workerinput")
    # pytest-cov has to know of workers before any conftest.py is read.
    looking = options.usepdb or options.collectonly or options.capture == "no" or getattr(options, "cov_source", None)
    deals = config.getoption("--dealsnap", default=False) or config.getoption("--dealsnap-update", default=False)
    if whole and not looking and not deals and getattr(options, "numprocesses", 0) is None:
        options.numprocesses = "logical"
        options.maxprocesses = options.maxprocesses or MOST_WORKERS
        if getattr(options, "dist", "") == "no":
            options.dist = "worksteal"  # modules stay together, and none waits for a worker with a long test


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark as slow what starts servers, browsers or many processes."""
    for item in items:
        name = item.nodeid.partition("::")[0]
        slow_place = name.startswith(SLOW_PLACES) and name not in QUICK_FILES
        callspec = getattr(item, "callspec", None)
        words = {value for value in callspec.params.values() if isinstance(value, str)} if callspec else set()
        asked = words.union(getattr(item, "fixturenames", ()))
        if slow_place or SLOW_FIXTURES & asked:
            item.add_marker("slow")


def pytest_configure(config: pytest.Config) -> None:
    """Build the database that the run is about, and point the example system at it."""
    config.addinivalue_line("markers", "slow: needs a server, a browser, or many processes (`-m 'not slow'` leaves it)")
    capture = config.getoption("--dealsnap-update", default=False)
    if not (capture or config.getoption("--dealsnap", default=False)) or "DEALSNAP_DATABASE" in os.environ:
        return
    from examples.diligence import database, faults  # kept out of runs that are not about deals

    os.environ.setdefault("DEAL_TYPE_AWARENESS", "false" if capture else "true")
    try:
        dropped = faults.Fault.DROPPED_DEAL in faults.active() and not capture
    except faults.UnknownFaultError as error:
        raise pytest.UsageError(str(error)) from None
    path = database.ensure("before" if capture else "after", fault="dropped_deal" if dropped else None)
    relative = path.relative_to(config.rootpath).as_posix()
    os.environ["DEALSNAP_DATABASE"] = f"sqlite:///{relative}"
    os.environ["DATABASE_URL"] = f"sqlite:///{path.as_posix()}"
