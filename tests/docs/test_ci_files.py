"""The files for CI are valid by their schemas, found safe, and their shell does what they say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.docs.pages import ROOT
from tests.plugin.project import Project, clean_environment, deal

BIN = Path(sys.executable).parent
EXAMPLES = ROOT / "examples" / "ci"
BOOK = tuple(deal(number, amount=100 * number) for number in (1, 2, 3, 4))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SCRIPTS = ROOT / ".ci" / "action"


def check(*command: str | Path) -> None:
    """Run a checker, which must find nothing."""
    done = subprocess.run([BIN / command[0], *command[1:]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-actions", [ROOT / "action.yml"]),
        ("vendor.github-workflows", [*sorted(EXAMPLES.glob("github-*.yml")), *WORKFLOWS]),
        ("vendor.gitlab-ci", sorted(EXAMPLES.glob("gitlab-*.yml"))),
    ],
)
def test_each_file_is_valid(schema: str, files: list[Path]) -> None:
    """By the schema that GitHub's and GitLab's editors use."""
    check("check-jsonschema", "--builtin-schema", schema, *files)


def test_nothing_in_the_files_for_github_is_unsafe() -> None:
    """No input reaches a shell as code, actions are pinned by hash, tokens may do no more than they must."""
    check(
        "zizmor",
        "--offline",
        "--no-progress",
        "--quiet",
        ROOT / "action.yml",
        *sorted(EXAMPLES.glob("github-*.yml")),
        *WORKFLOWS,
    )


def test_the_workflow_names_files_that_exist() -> None:
    """What runs on Windows is a choice of tests, which must not become empty by a renaming."""
    [workflow] = WORKFLOWS
    jobs = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]
    [chosen] = [step["run"] for step in jobs["windows"]["steps"] if "tests/" in step.get("run", "")]
    assert [word for word in chosen.split() if word.startswith("tests/") and not (ROOT / word).exists()] == []
    assert set(jobs["fast"]["strategy"]["matrix"]["python"]) == {"3.11", "3.12", "3.13", "3.14"}


def test_the_pre_commit_hook_is_a_command_that_there_is() -> None:
    """It names the files of a baseline, and nothing else."""
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["entry"] == "dealsnap check"
    assert hook["language"] == "python"


class Runner:
    """A job of GitHub Actions, as far as the action's shell can tell."""

    def __init__(self, folder: Path, project: Project) -> None:
        self.temporary = folder / "runner"
        self.temporary.mkdir()
        self.project = project
        self.summary = folder / "summary.md"

    def run(self, script: str, *, folder: str = ".", **inputs: str) -> tuple[int, dict[str, str], str]:
        """Run one of the scripts in a folder of the checkout; return its status, outputs and what it printed."""
        output = self.temporary / "output"
        output.write_text("")
        environment = clean_environment(
            GITHUB_OUTPUT=f"{output}",
            GITHUB_STEP_SUMMARY=f"{self.summary}",
            GITHUB_REPOSITORY="acme/deals",
            RUNNER_TEMP=f"{self.temporary}",
            **{
                "NAME": "dealsnap",
                "INSTALL": "true",
                "ARGUMENTS": "",
                "BASELINE": "committed",
                "BASE": "",
                "SHARD": "",
                **inputs,
            },
        )
        environment["PATH"] = os.pathsep.join([*inputs.get("TOOLS", "").split(), f"{BIN}", os.environ["PATH"]])
        command = ["bash", f"{SCRIPTS / script}"]
        done = subprocess.run(
            command, cwd=self.project.folder / folder, env=environment, capture_output=True, text=True, check=False
        )
        outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
        return done.returncode, outputs, done.stdout + done.stderr


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A checkout with a captured baseline, in git."""
    project = Project(tmp_path / "checkout").with_deals(*BOOK).captured()
    for command in (
        ["init", "--quiet"],
        ["add", "--all", "--force"],
        ["-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "--quiet", "--message", "base"],
    ):
        subprocess.run(["git", *command], cwd=project.folder, check=True)
    return Runner(tmp_path, project)


def head(folder: Path) -> str:
    """Return the commit that is checked out."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.slow
def test_a_gate_says_its_status_and_verdict(runner: Runner) -> None:
    """The step itself succeeds, so that reports and comment follow; the last step ends with the gate's status."""
    code, outputs, said = runner.run("judge.sh", MODE="gate")
    assert (code, outputs["status"], outputs["verdict"]) == (0, "0", "proceed"), said
    runner.project.with_deals(deal("1", amount=5), *BOOK[1:]).write()
    shutil.rmtree(runner.temporary / "dealsnap")
    code, outputs, said = runner.run("judge.sh", MODE="gate")
    assert (code, outputs["status"], outputs["verdict"]) == (0, "1", "disable_flag"), said
    assert outputs["name"] == "dealsnap"
    folder = Path(outputs["folder"])
    assert sorted(path.name for path in folder.iterdir()) == ["dealsnap.html", "dealsnap.json", "dealsnap.md"]
    assert "::error" in said
    assert "deal" in runner.summary.read_text(encoding="utf-8")


@pytest.mark.slow
def test_shards_are_judged_apart_and_merged(runner: Runner) -> None:
    """Each leaves its report under its own name; merging them reaches the verdict."""
    shards = runner.temporary / "shards"
    shards.mkdir()
    for number in (1, 2):
        code, outputs, said = runner.run("judge.sh", MODE="shard", SHARD=f"{number}/2")
        assert (code, outputs["name"]) == (0, f"dealsnap-shard-{number}"), said
        shutil.move(f"{Path(outputs['folder']) / f'shard-{number}.json'}", shards)
        shutil.rmtree(runner.temporary / "venv-head")
    code, outputs, said = runner.run("judge.sh", MODE="merge")
    assert (code, outputs["status"], outputs["verdict"]) == (0, "0", "proceed"), said
    code, outputs, said = runner.run("judge.sh", MODE="shard", SHARD="two")
    assert code == 1
    assert "::error::mode: shard needs shard: I/N" in said


@pytest.mark.slow
def test_the_base_is_captured_with_its_own_code_once(runner: Runner) -> None:
    """The base's answers are its own code's, not those of the head. Nothing is left in the checkout."""
    folder, base = runner.project.folder, head(runner.project.folder)
    shutil.rmtree(folder / "snapshots")
    reasoner = folder / "valuation.py"
    reasoner.write_text(
        reasoner.read_text(encoding="utf-8").replace('transaction["amount"]', '2 * transaction["amount"]')
    )
    code, outputs, said = runner.run("base.sh", BASE=base)
    assert (code, outputs["commit"]) == (0, base), said
    code, outputs, said = runner.run("judge.sh", MODE="gate", BASELINE="base", BASE=base)
    found = [outputs.get(name) for name in ("status", "verdict", "captured")]
    assert (code, found) == (0, ["1", "roll_back", "true"]), said
    assert not (folder / "snapshots").exists()
    listed = subprocess.run(["git", "worktree", "list"], cwd=folder, capture_output=True, text=True, check=True)
    assert len(listed.stdout.splitlines()) == 1
    shutil.rmtree(runner.temporary / "venv-head")
    code, outputs, said = runner.run("judge.sh", MODE="gate", BASELINE="base", BASE=base)
    assert "captured" not in outputs, said  # it was there
    assert outputs["verdict"] == "roll_back"
    code, _, said = runner.run("base.sh", BASE="0" * 40)
    assert code == 1
    assert "::error::baseline: base needs" in said


def test_the_comment_is_written_once_and_then_changed(runner: Runner, tmp_path: Path) -> None:
    """The body goes through a file; a comment with the marker is the one that is changed."""
    tools = tmp_path / "tools"
    tools.mkdir()
    calls = tmp_path / "calls"
    gh = tools / "gh"
    gh.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>"{calls}"\ncase "$*" in *--paginate*) echo "$KNOWN" ;; esac\n')
    gh.chmod(0o755)
    reports = tmp_path / "reports"
    reports.mkdir()
    inputs = {"TOOLS": f"{tools}", "FOLDER": f"{reports}", "NUMBER": "7", "ARTIFACT": "https://example.org/artifact"}
    assert runner.run("comment.sh", **inputs, KNOWN="")[0] == 0
    assert not calls.exists()  # no report, no comment
    (reports / "dealsnap.md").write_text("**ROLL BACK** `$(touch /tmp/never)`\n")
    assert runner.run("comment.sh", **inputs, KNOWN="")[0] == 0
    assert runner.run("comment.sh", **inputs, KNOWN="42")[0] == 0
    listed, posted, _, changed = calls.read_text().splitlines()
    assert "repos/acme/deals/issues/7/comments" in listed
    assert posted == f"api --silent --method POST repos/acme/deals/issues/7/comments --field body=@{reports}/comment.md"
    assert changed.startswith("api --silent --method PATCH repos/acme/deals/issues/comments/42 ")
    body = (reports / "comment.md").read_text()
    assert body.startswith("<!-- pytest-dealsnap -->\n**ROLL BACK** `$(touch /tmp/never)`")
    assert "https://example.org/artifact" in body


def test_systems_of_one_repository_are_kept_apart(runner: Runner, tmp_path: Path) -> None:
    """Artefact, cache and comment of each folder have a name of their own; the root's is as it always was."""
    folder = runner.project.folder / "services" / "prices (EU)"
    folder.mkdir(parents=True)
    assert runner.run("name.sh")[1] == {"name": "dealsnap"}
    assert runner.run("name.sh", folder="services/prices (EU)")[1] == {"name": "dealsnap.services-prices--EU-"}
    (folder / "dealsnap.md").write_text("report\n")
    (tmp_path / "gh").write_text("#!/bin/sh\n")
    (tmp_path / "gh").chmod(0o755)
    inputs = {"TOOLS": f"{tmp_path}", "FOLDER": f"{folder}", "NUMBER": "7", "ARTIFACT": ""}
    code, _, said = runner.run("comment.sh", **inputs, NAME="dealsnap.services")
    assert code == 0, said
    assert (folder / "comment.md").read_text() == "<!-- pytest-dealsnap.services -->\n`services`\n\nreport\n"


def test_the_actions_inputs_reach_its_scripts() -> None:
    """Every variable of a script is given by the action, and every step's script exists."""
    steps = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]
    scripts = {
        step["run"].split("/")[-1].rstrip('"'): step.get("env", {})
        for step in steps
        if "/.ci/action/" in step.get("run", "")
    }
    assert set(scripts) == {path.name for path in SCRIPTS.iterdir()}
    assert set(scripts["judge.sh"]) == {"NAME", "MODE", "BASELINE", "BASE", "SHARD", "INSTALL", "ARGUMENTS"}
    assert json.dumps(steps).count("${{ inputs") > 5
