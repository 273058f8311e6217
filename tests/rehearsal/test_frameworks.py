"""The recipes for frameworks, as the examples have them: each is recognized, and rehearsed as its user would."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_dealsnap.cli.migration_tools import recognize
from tests.cli.console import dealsnap
from tests.plugin.project import clean_environment
from tests.rehearsal.sample_project import QUICK

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("example", "tool", "upgrade"),
    [
        ("django_project", "Django", "python manage.py migrate"),
        ("flask_migrate", "Flask-Migrate", "flask db upgrade"),
    ],
)
def test_a_framework_is_recognized_and_rehearsed(tmp_path: Path, example: str, tool: str, upgrade: str) -> None:
    """Up, flag on and off, and down: none of the application's own ways stands in the way."""
    folder = shutil.copytree(
        EXAMPLES / example, tmp_path / example, ignore=shutil.ignore_patterns("*.db", "__pycache__")
    )
    found = recognize(folder, "sqlite:///book.db")
    assert found is not None
    assert (found.name, found.settings["upgrade"]) == (tool, upgrade)
    subprocess.run([sys.executable, "make_book.py"], cwd=folder, env=clean_environment(), check=True)
    answer = dealsnap(folder, "rehearse", "--no-load", **QUICK)
    assert answer.code == 0, answer.out + answer.err
    assert "rows kept, 8 deal types backfilled" in answer.out
    assert "rows and schema are what they were" in answer.out
    assert "verdict: PROCEED - none of 20 compared deals is affected" in answer.out
