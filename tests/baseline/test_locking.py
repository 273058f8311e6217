"""The lock of a baseline: one writer at a time, and none that outlives its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_dealsnap.baseline.files import remove_leftovers
from pytest_dealsnap.baseline.locking import BaselineLock, locked
from pytest_dealsnap.errors import BaselineError, LockedError

HOLDS = """
import os, sys, time
from pathlib import Path
from pytest_dealsnap.baseline.locking import BaselineLock
lock = BaselineLock(Path(sys.argv[1]))
lock.acquire()
if sys.argv[2] == "alone" or os.fork() == 0:  # the child says so itself: it runs by then
    print(os.getpid(), flush=True)
time.sleep(600)
"""
WRITES = """
import os, sys, time
from pytest_dealsnap.baseline import files
real = files.claim
def claim(descriptor):
    real(descriptor)
    [name] = [name for name in os.listdir(sys.argv[1]) if name.endswith(".tmp")]
    print(name, flush=True)
    time.sleep(600)
files.claim = claim
files.write_atomic(os.path.join(sys.argv[1], "1.json"), b"{}")
"""


@contextmanager
def running(program: str, *arguments: str) -> Iterator[str]:
    """Run *program* until the block ends, and yield the first line that it prints; then kill it."""
    command = [sys.executable, "-c", program, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("how", ["alone", "fork"])
def test_a_lock_dies_with_its_process(tmp_path: Path, how: str) -> None:
    """Held, it is refused in one sentence; killed, also with a forked child left behind, it is free at once."""
    with running(HOLDS, str(tmp_path), how) as child, pytest.raises(LockedError, match="another process writes"):
        BaselineLock(tmp_path).acquire()
    try:
        with locked(tmp_path, patience=0):
            assert list(tmp_path.iterdir()) == []
    finally:
        if how == "fork":
            os.kill(int(child), signal.SIGKILL)


def test_a_folder_that_was_made_for_the_lock_goes_with_it(tmp_path: Path) -> None:
    """Unless something was written into it."""
    with locked(tmp_path / "snapshots"):
        assert (tmp_path / "snapshots").is_dir()
    assert not (tmp_path / "snapshots").exists()
    with locked(tmp_path / "snapshots"):
        (tmp_path / "snapshots" / "manifest.json").write_text("{}")
    assert (tmp_path / "snapshots" / "manifest.json").exists()


def test_a_file_in_the_folders_place_is_one_sentence(tmp_path: Path) -> None:
    """A file, or a link to nowhere, cannot be a baseline."""
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("file", "link"):
        with pytest.raises(BaselineError, match="cannot be written"), locked(tmp_path / name):
            pass


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be deleted there")
def test_a_living_processs_temporary_file_is_left_to_it(tmp_path: Path) -> None:
    """Only what a killed process left half-written is swept."""
    with running(WRITES, str(tmp_path)) as name:
        (tmp_path / ".dealsnap-1-0.tmp").write_bytes(b"half")
        assert remove_leftovers(tmp_path) == 1
        assert (tmp_path / name).exists()
    assert remove_leftovers(tmp_path) == 1
    assert list(tmp_path.iterdir()) == []
