"""The plugin at work: the application's own reasoner in the gate's project, and the files for CI."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from examples.diligence import database, metrics

from .checkout import copy_checkout, run_bash

CI = database.PACKAGE / "ci"
ENGINE = Path("examples/diligence/transition_services.py")
SOUND, BROKEN = "USUAL_MONTHS = 12", "USUAL_MONTHS = 18"


def git(folder: Path, *arguments: str) -> None:
    """Run git as nobody in particular."""
    identity = ["-c", "user.name=Dev", "-c", "user.email=dev@example.invalid", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of the checkout, in which nothing has changed yet."""
    origin = copy_checkout(tmp_path)
    git(origin, "init")
    git(origin, "add", ".")
    git(origin, "commit", "-m", "The base branch")
    git(tmp_path, "clone", str(origin), "clone")
    return tmp_path / "clone"


def github() -> dict[str, str]:
    """The steps of the GitHub workflow that are commands, by name."""
    workflow: dict[str, Any] = yaml.safe_load((CI / "github-actions.yml").read_text())
    return {step["name"]: step["run"] for step in workflow["jobs"]["deals"]["steps"] if "run" in step}


def environment(clone: Path) -> dict[str, str]:
    """What GitHub and GitLab would set."""
    return {
        "BASELINE": str(clone / "deal-baseline"),
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_PROJECT_DIR": str(clone),
        "GITHUB_BASE_REF": "main",
        "GITHUB_WORKSPACE": str(clone),
        "PYTEST_DEBUG_TEMPROOT": str(clone),
        "RUNNER_TEMP": str(clone.parent),
    }


def statuses(report: Path) -> dict[str, set[str]]:
    """The statuses of the deals of each type in a gate's report."""
    found: dict[str, set[str]] = {}
    for deal in json.loads(report.read_text())["deals"]:
        found.setdefault(deal["deal_type"], set()).add(deal["status"])
    return found


def test_github_gates_a_change_against_its_base_branch(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workflow's commands fail for carve-outs that got dearer since the base branch, and the metrics know."""
    engine = clone / ENGINE
    assert SOUND in engine.read_text()
    engine.write_text(engine.read_text().replace(SOUND, BROKEN))
    steps = github()
    assert [*steps] == ["Install", "Capture on the base branch", "Gate on the change"]
    captured = run_bash(steps["Capture on the base branch"], clone, **environment(clone))
    assert captured.returncode == 0, captured.stdout + captured.stderr
    gated = run_bash(steps["Gate on the change"], clone, **environment(clone))
    assert gated.returncode == 1, gated.stdout + gated.stderr
    found = statuses(clone / "deal-gate.json")
    assert "regressed" in found.pop("carveout")
    assert found == {"acquisition": {"matched"}, "divestiture": {"matched"}}
    monkeypatch.setenv(metrics.GATE_REPORT, str(clone / "deal-gate.json"))
    (failures,) = re.findall(r"^diligence_regression_failures (\S+)$", metrics.exposition(), re.MULTILINE)
    assert float(failures) >= 1


def test_gitlab_passes_what_changes_nothing(clone: Path) -> None:
    """The job's commands pass without a change, leave the reports that it keeps as artifacts, and clean up."""
    job: dict[str, Any] = yaml.safe_load((CI / "gitlab-ci.yml").read_text())["deal-gate"]
    ran = run_bash("\n".join(job["script"]), clone, **environment(clone))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert all((clone / path).exists() for path in (*job["artifacts"]["paths"], job["artifacts"]["reports"]["junit"]))
    found = statuses(clone / "deal-gate.json")
    assert found == {kind: {"matched"} for kind in ("acquisition", "carveout", "divestiture")}
    assert run_bash("\n".join(job["after_script"]), clone, **environment(clone)).returncode == 0
    assert not (clone.parent / "deal-base").exists()


def test_the_gate_has_no_reasoner_but_the_fixture() -> None:
    """The gate's project names no reasoner, so what the tests above computed came from the application's context."""
    settings = tomllib.loads((database.PACKAGE / "gate" / "pyproject.toml").read_text())["tool"]["dealsnap"]
    assert "reasoner" not in settings
