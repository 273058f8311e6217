"""`dealsnap config`: what a run would use, and where it is from."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cli.console import dealsnap
from tests.plugin.project import Project, deal


def settings(folder: Path, **environment: str) -> dict[str, tuple[Any, str]]:
    """Return what the command says as JSON: value and place by name."""
    said = dealsnap(folder, "config", "--json", **environment)
    assert (said.code, said.err) == (0, "")
    return {one["name"]: (one["value"], one["place"]) for one in json.loads(said.out)}


def test_each_setting_says_where_it_is_from(tmp_path: Path) -> None:
    """The environment beats the file, the file the default; metrics and rules stand behind the settings."""
    Project(tmp_path).with_deals(deal("1")).write()
    found = settings(tmp_path, DEALSNAP_WORKERS="3")
    assert found["workers"] == (3, "DEALSNAP_WORKERS")
    assert found["deals.table"][0] == "transactions"
    assert "table" in found["deals.table"][1]
    assert found["deals.types"][1] == "default"
    assert any(name.startswith("metrics.") for name in found)
    assert any(name.startswith("rules.") and rule == "within 5%" for name, (rule, _) in found.items())
    said = dealsnap(tmp_path, "config", DEALSNAP_WORKERS="3")
    assert said.code == 0
    [line] = [line for line in said.out.splitlines() if line.startswith("workers")]
    assert line.split() == ["workers", "3", "DEALSNAP_WORKERS"]


def test_a_password_is_masked(tmp_path: Path) -> None:
    """In both forms."""
    Project(tmp_path).with_deals(deal("1")).write()
    secret = {"DEALSNAP_DATABASE": "postgresql://ana:s3cret-word@localhost/deals"}
    assert settings(tmp_path, **secret)["database"][0].startswith("postgresql://ana:")
    for arguments in (["config"], ["config", "--json"]):
        assert "s3cret-word" not in dealsnap(tmp_path, *arguments, **secret).out


def test_the_schema_is_the_published_one(tmp_path: Path) -> None:
    """It needs no configuration."""
    said = dealsnap(tmp_path, "config", "--schema")
    assert said.code == 0
    assert json.loads(said.out) == json.loads(dealsnap(tmp_path, "report", "--schema", "configuration").out)


def validated(path: Path) -> subprocess.CompletedProcess[str]:
    """Check a file by ``validate-pyproject``, which finds the schema by its entry point."""
    command = [sys.executable, "-m", "validate_pyproject", f"{path}"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_validate_pyproject_knows_the_table(tmp_path: Path) -> None:
    """A whole number that is a text is told, before any run; what is right passes."""
    path = tmp_path / "pyproject.toml"
    path.write_text('[project]\nname = "x"\nversion = "1"\n[tool.dealsnap]\nworkers = 2\n')
    good = validated(path)
    assert good.returncode == 0, good.stdout + good.stderr
    path.write_text(path.read_text().replace("workers = 2", 'workers = "two"'))
    bad = validated(path)
    assert bad.returncode == 1
    assert "tool.dealsnap.workers" in bad.stdout + bad.stderr
