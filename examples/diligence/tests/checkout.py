"""Copies of the checkout, for commands that build databases, write baselines or change code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .serving import ROOT

# Plugins that the example's runs have no use for, each of which takes its time to import.
QUICK = " ".join(
    f"-p no:{name}"
    for name in ("hypothesispytest", "allure_pytest", "django", "pytest_cov", "platformdirs", "rerunfailures")
)
EVERY_DEAL = "status <> 'deleted'"
SOME_DEALS = "status <> 'deleted' AND id % 8 IN (0, 3)"  # of all types, and one of the deals that the migration mends


def copy_checkout(folder: Path) -> Path:
    """The example as it is checked out, with nothing built in it; its gates look at a quarter of the deals."""
    copy = folder / "checkout"
    ignored = shutil.ignore_patterns("__pycache__", "*.db", ".pytest_cache", "screenshots")
    shutil.copytree(ROOT / "examples", copy / "examples", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", copy)
    for project in (copy, copy / "examples" / "diligence" / "gate"):
        settings = (project / "pyproject.toml").read_text()
        assert EVERY_DEAL in settings
        (project / "pyproject.toml").write_text(settings.replace(EVERY_DEAL, SOME_DEALS))
    return copy


def run_bash(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script that stops at the first command that fails, with this Python in front of all others."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=os.environ | {"PATH": path, "PYTEST_ADDOPTS": QUICK} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
