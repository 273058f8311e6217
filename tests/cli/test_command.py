"""The console script as a whole: help, version, and what it says to a slip."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_dealsnap import __version__
from pytest_dealsnap.cli import COMMANDS, main
from tests.cli.console import dealsnap
from tests.plugin.project import clean_environment


def test_help_names_every_command(tmp_path: Path) -> None:
    """`dealsnap --help` is exit 0 and says in one line what each command does."""
    answer = dealsnap(tmp_path, "--help")
    assert (answer.code, answer.err) == (0, "")
    for name in COMMANDS:
        assert re.search(rf"^ +{name}\s+[A-Z]", answer.out, re.MULTILINE)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_each_command_has_help(tmp_path: Path, command: str) -> None:
    """`dealsnap COMMAND --help` is exit 0 and shows the command's arguments and what it is for."""
    answer = dealsnap(tmp_path, command, "--help")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith(f"usage: dealsnap {command}")
    summary = (COMMANDS[command].__doc__ or "").splitlines()[0]
    assert " ".join(summary.split()) in " ".join(answer.out.split())


def test_version(tmp_path: Path) -> None:
    """`dealsnap --version` names package and version."""
    answer = dealsnap(tmp_path, "--version")
    assert (answer.code, answer.out.strip()) == (0, f"pytest-dealsnap {__version__}")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "required: COMMAND"),
        (["compere", "a", "b"], "invalid choice"),
        (["compare"], "required: PRE, POST"),
        (["compare", "a"], "required: POST"),
        (["merge"], "required: REPORT.json"),
        (["compare", "a", "b", "--reprot", "x"], "unrecognized arguments"),
    ],
)
def test_a_slip_is_a_usage_error(tmp_path: Path, arguments: list[str], words: str) -> None:
    """A missing command, a wrong one or a missing argument is exit 2, with usage on standard error."""
    answer = dealsnap(tmp_path, *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert words in answer.err
    assert answer.err.startswith("usage: dealsnap")


def test_the_script_is_installed(tmp_path: Path) -> None:
    """The console script `dealsnap` beside the interpreter is the module."""
    script = Path(sys.executable).with_name("dealsnap")
    done = subprocess.run(
        [script, "--version"], cwd=tmp_path, env=clean_environment(), capture_output=True, check=True, timeout=60
    )
    assert done.stdout.decode().split() == ["pytest-dealsnap", __version__]


def test_the_command_line_needs_no_pytest(tmp_path: Path) -> None:
    """Neither pytest nor SQLAlchemy nor Hypothesis is imported by the command line."""
    code = (
        "import sys, pytest_dealsnap.cli\n"
        "print(sorted({'sqlalchemy', 'hypothesis', 'xdist'} & set(sys.modules)), "
        "'pytest_dealsnap.plugin' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=clean_environment(), capture_output=True, check=True, timeout=60
    )
    assert done.stdout.decode().split("\n")[0] == "[] False"


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [(KeyboardInterrupt(), 130, "\ndealsnap prune: interrupted\n"), (BrokenPipeError(), 1, "")],
)
def test_an_end_from_outside_is_no_traceback(
    error: BaseException, code: int, words: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C is said in a line, and a reader of the output who has seen enough ends it in silence."""

    def run(options: object) -> int:
        raise error

    monkeypatch.setattr(COMMANDS["prune"], "run", run)
    saved = os.dup(1)
    try:
        assert main(["prune"]) == code
    finally:
        os.dup2(saved, 1)
        os.close(saved)
    assert capfd.readouterr() == ("", words)
