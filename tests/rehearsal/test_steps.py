"""A step: bounded in time, ended with all that it started, quoted without secrets."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.rehearsal.steps import run_step


def run(command: str, folder: Path, *, timeout: float = 60, said: list[str] | None = None) -> tuple[int | None, str]:
    """Run a shell command as a step."""
    say = (said if said is not None else []).append
    done = run_step(command, cwd=folder, environment=dict(os.environ), timeout=timeout, title="a step", say=say)
    return done.code, "\n".join(done.tail())


def test_a_step_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    """A pipe of programs, none of which outlives the step."""
    code, _ = run("(echo $BASHPID > child; exec sleep 600) | sleep 600", tmp_path, timeout=1)
    assert code is None
    left = (tmp_path / "child").read_text().strip()
    if left:  # dash has no BASHPID
        with pytest.raises(ProcessLookupError):
            os.kill(int(left), 0)


def test_a_signal_amid_the_start_ends_the_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes when the process is there and nobody has been told of it yet; nothing may be left behind."""
    started = []

    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self.pid)
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    try:
        with pytest.raises(KeyboardInterrupt):
            run("sleep 600", tmp_path)
    finally:
        signal.signal(signal.SIGINT, before)
    with pytest.raises(ProcessLookupError):
        os.kill(started[0], 0)


def test_output_is_quoted_from_its_end_without_secrets(tmp_path: Path) -> None:
    """Standard error among it; controls are escaped, passwords masked."""
    code, said = run(r"seq 100; printf 'to postgresql://ana:s3cret@db/x \033[31m\n' >&2; exit 3", tmp_path)
    assert code == 3
    assert said.splitlines()[-2:] == ["100", "to postgresql://ana:***@db/x \\x1b[31m"]
    assert "88" not in said.splitlines()
