"""Files that are whole or not there."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_dealsnap.baseline import files
from pytest_dealsnap.baseline.files import Syncer, remove_leftovers, write_atomic


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    """Folders are made on the way, and nothing else is left beside the file."""
    path = tmp_path / "a" / "b" / "x.json"
    write_atomic(str(path), b"one")
    assert path.read_bytes() == b"one"
    write_atomic(str(path), b"two" * 100_000)
    assert path.read_bytes() == b"two" * 100_000
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    """Where the rename is refused, the temporary file is removed again."""
    (tmp_path / "x.json").mkdir()
    with pytest.raises(OSError, match="Is a directory"):
        write_atomic(str(tmp_path / "x.json"), b"new")
    assert list(tmp_path.iterdir()) == [tmp_path / "x.json"]


def test_the_permissions_are_those_that_the_umask_leaves(tmp_path: Path) -> None:
    """A snapshot is an ordinary file of the repository, not a private one."""
    mask = os.umask(0o022)
    try:
        write_atomic(str(tmp_path / "x.json"), b"")
    finally:
        os.umask(mask)
    assert (tmp_path / "x.json").stat().st_mode & 0o777 == 0o644


def test_a_leftover_of_a_process_with_the_same_number_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container every capture is process 1: what a killed one left must not stop the next."""
    monkeypatch.setattr(files, "_counter", itertools.count())
    (tmp_path / f".dealsnap-{os.getpid()}-0.tmp").write_bytes(b"half")
    write_atomic(str(tmp_path / "x.json"), b"whole")
    assert (tmp_path / "x.json").read_bytes() == b"whole"


WRITER = """
import sys
from pytest_dealsnap.baseline.files import write_atomic
folder = sys.argv[1]
blocks = [bytes([65 + i]) * 400_000 for i in range(8)]
print("ready", flush=True)
n = 0
while True:
    write_atomic(f"{folder}/{n % 5}.json", blocks[n % 8])
    n += 1
    if n == 20:
        print("under way", flush=True)
"""


def test_a_killed_writer_leaves_whole_files_only(tmp_path: Path) -> None:
    """Killed at any moment, again and again, every file is one whole block; leftovers can be removed."""
    whole = {bytes([65 + i]) * 400_000 for i in range(8)}
    for _ in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            assert [writer.stdout.readline(), writer.stdout.readline()] == ["ready\n", "under way\n"]
            writer.send_signal(signal.SIGKILL)
            assert writer.wait() == -signal.SIGKILL
        for path in tmp_path.glob("*.json"):
            assert path.read_bytes() in whole
    left = [path for path in tmp_path.iterdir() if path.suffix == ".tmp"]
    assert remove_leftovers(tmp_path) == len(left)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{i}.json" for i in range(5)]


def test_leftovers_are_removed_and_nothing_else(tmp_path: Path) -> None:
    """Temporary files of ours go, also in folders below; a user's own files stay."""
    (tmp_path / "long%").mkdir()
    for name in (".dealsnap-1-2.tmp", "long%/.dealsnap-99-0.tmp", "x.tmp", ".other.tmp", "1.json"):
        (tmp_path / name).write_bytes(b"half")
    assert remove_leftovers(tmp_path) == 2
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")) == [
        ".other.tmp",
        "1.json",
        "long%",
        "x.tmp",
    ]


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count the system's syncs, which leave nothing to be seen."""
    calls: list[str] = []
    monkeypatch.setattr(os, "sync", lambda: calls.append("sync"), raising=False)
    return calls


def test_a_batch_is_synced_when_its_second_is_over(synced: list[str]) -> None:
    """Many files within a second are one sync; the second runs from the first of them."""
    clock = Clock()
    syncer = Syncer(clock=clock)
    clock.now += 50
    for _ in range(10):
        syncer.wrote("x")
        clock.now += 0.09
    assert synced == []
    clock.now += 0.1
    syncer.wrote("x")
    assert synced == ["sync"]
    syncer.wrote("x")
    assert synced == ["sync"]
    syncer.flush()
    assert synced == ["sync", "sync"]
    syncer.flush()
    assert synced == ["sync", "sync"]


def test_a_period_of_nothing_syncs_each_file(synced: list[str]) -> None:
    """A period of 0 seconds batches nothing."""
    syncer = Syncer(period=0, clock=Clock())
    syncer.wrote("x")
    syncer.wrote("y")
    assert synced == ["sync", "sync"]


def test_without_a_system_wide_sync_each_file_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no ``sync``, every file of the batch is brought to the disk."""
    monkeypatch.delattr(os, "sync")
    calls: list[int] = []
    real = os.fsync

    def counted(descriptor: int) -> None:
        calls.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", counted)
    syncer = Syncer(clock=Clock())
    for name in ("a", "b"):
        write_atomic(str(tmp_path / name), b"x")
        syncer.wrote(str(tmp_path / name))
    syncer.flush()
    assert len(calls) == 2
