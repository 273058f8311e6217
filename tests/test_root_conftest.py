"""This repository's own ``conftest.py``: the whole suite runs on all cores, a part of it in one process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugin.project import clean_environment

CONFTEST = Path(__file__).parents[1] / "conftest.py"


@pytest.mark.parametrize(
    ("arguments", "spread"),
    [((), True), (("-k", "one"), True), (("t",), False), (("-n", "0"), False), (("-s",), False), (("--pdb",), False),
     (("--collect-only",), False), (("-p", "no:xdist"), False), (("-p", "no:dealsnap"), True)],
)  # fmt: skip
def test_the_whole_suite_is_spread_over_the_cores(tmp_path: Path, arguments: tuple[str, ...], spread: bool) -> None:
    """Unless somebody looks into it, or chooses otherwise."""
    (tmp_path / "conftest.py").write_text(CONFTEST.read_text())
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = t\n")
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "test_one.py").write_text("def test_one(): pass\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], cwd=tmp_path, env=clean_environment(), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    workers = min(os.cpu_count() or 1, 4)
    assert (f"created: {workers}/{workers} worker" in done.stdout) == spread
