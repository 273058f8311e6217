"""``pytest_dealsnap.testing`` without its extra says what to install."""

from __future__ import annotations

import subprocess
import sys

WITHOUT = """
import sys
for name in {absent!r}:
    sys.modules[name] = None
try:
    import pytest_dealsnap.testing
except ModuleNotFoundError as error:
    print(error.name, error)
"""


def said(*absent: str) -> str:
    """Return what the import says where *absent* packages are not installed."""
    command = [sys.executable, "-c", WITHOUT.format(absent=absent)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_what_is_absent_is_named_with_the_command_that_brings_it() -> None:
    """Both, or the one that is absent."""
    install = "python -m pip install 'pytest-dealsnap[testing]'\n"
    both = said("hypothesis", "sqlglot")
    assert both == f"hypothesis pytest_dealsnap.testing needs hypothesis and sqlglot: {install}"
    assert said("sqlglot") == f"sqlglot pytest_dealsnap.testing needs sqlglot: {install}"
