"""This repository's own ``conftest.py``: the whole suite runs on all cores, a part of it in one process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugin.project import BASE_ARGUMENTS, clean_environment

CONFTEST = Path(__file__).parents[1] / "conftest.py"


ALL = min(os.cpu_count() or 1, 4)
# Without the plugins that these runs have no use for; that of coverage they have.
QUICK = " ".join(BASE_ARGUMENTS).replace("-p no:pytest_cov", "")


@pytest.mark.parametrize(
    ("arguments", "workers"),
    [
        ("", ALL),
        ("-k one", ALL),
        ("-p no:dealsnap", ALL),
        ("t", 0),
        ("-s", 0),
        ("--pdb", 0),
        ("--collect-only", 0),
        ("--cov=t --cov-report=", 0),
        ("--cov=t --cov-report= -n 1", 1),
        ("-n 0", 0),
        ("-p no:xdist", 0),
    ],
)
def test_the_whole_suite_is_spread_over_the_cores(tmp_path: Path, arguments: str, workers: int) -> None:
    """Unless somebody looks into it, or chooses otherwise."""
    (tmp_path / "conftest.py").write_text(CONFTEST.read_text())
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = t\n")
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "test_one.py").write_text("def test_one(): pass\n")
    command = [sys.executable, "-m", "pytest", *arguments.split()]
    done = subprocess.run(
        command, cwd=tmp_path, env=clean_environment(PYTEST_ADDOPTS=QUICK), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert ("created: " in done.stdout) == (workers > 0)
    assert f"created: {workers}/{workers} worker" in done.stdout or not workers


def test_slow_tests_can_be_left_out(tmp_path: Path) -> None:
    """What is in a room of whole runs, or asks for a server, is slow; the core is not."""
    (tmp_path / "conftest.py").write_text(CONFTEST.read_text())
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n")
    for name in ("tests/plugin/test_runs.py", "tests/judging/test_core.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(
            "import pytest\n\n@pytest.fixture\ndef postgresql(): pass\n\n"
            "def test_one(): pass\n\ndef test_server(postgresql): pass\n"
        )
    command = [sys.executable, "-m", "pytest", "-m", "not slow", "--collect-only", "-q"]
    done = subprocess.run(
        command, cwd=tmp_path, env=clean_environment(PYTEST_ADDOPTS=QUICK), capture_output=True, text=True, check=False
    )
    assert [line for line in done.stdout.splitlines() if "::" in line] == ["tests/judging/test_core.py::test_one"]
