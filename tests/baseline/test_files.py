"""Files that are whole or not there."""

from __future__ import annotations

import inspect
import itertools
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pytest_dealsnap.baseline import files
from pytest_dealsnap.baseline.files import Syncer, is_special, remove_leftovers, write_atomic


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


class Disk:
    """Stands for the system's sync, which leaves nothing to be seen: counts calls, and can hold them up."""

    def __init__(self) -> None:
        self.calls = 0
        self.asked, self.free = threading.Event(), threading.Event()
        self.free.set()

    def sync(self) -> None:
        self.asked.set()
        assert self.free.wait(60)
        self.calls += 1


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """The disk that is synced."""
    disk = Disk()
    monkeypatch.setattr(os, "sync", disk.sync, raising=False)
    return disk


def test_a_batch_is_one_sync(disk: Disk) -> None:
    """Many files within the period are one sync at the end; with nothing pending there is none."""
    syncer = Syncer(period=3600)
    for _ in range(10):
        syncer.wrote("x")
    assert disk.calls == 0
    syncer.flush()
    syncer.flush()
    assert disk.calls == 1


def test_a_batch_is_synced_in_time_by_itself(disk: Disk) -> None:
    """However long the next write takes to come, the batch is synced when its period is over."""
    Syncer(period=0.01).wrote("x")
    assert disk.asked.wait(60)


def test_a_slow_disk_holds_up_the_end_and_not_the_run(disk: Disk) -> None:
    """While a sync is under way the run writes on; the closing flush waits for it and syncs the rest."""
    disk.free.clear()
    syncer = Syncer(period=0.01)
    syncer.wrote("x")
    assert disk.asked.wait(60)
    syncer.wrote("y")
    closing = threading.Thread(target=syncer.flush)
    closing.start()
    assert disk.calls == 0
    disk.free.set()
    closing.join(60)
    syncer.flush()
    assert disk.calls == 2


def test_without_a_system_wide_sync_each_file_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no ``sync``, every file of the batch is brought to the disk."""
    monkeypatch.delattr(os, "sync")
    calls: list[int] = []
    real = os.fsync

    def counted(descriptor: int) -> None:
        calls.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", counted)
    syncer = Syncer(period=3600)
    for name in ("a", "b"):
        write_atomic(str(tmp_path / name), b"x")
        syncer.wrote(str(tmp_path / name))
    syncer.flush()
    assert len(calls) == 2


def test_a_batch_is_synced_after_a_second() -> None:
    """A crash of the machine costs no more than that."""
    assert inspect.signature(Syncer).parameters["period"].default == 1.0


def test_a_device_is_special_and_what_can_be_replaced_is_not(tmp_path: Path) -> None:
    """A file, a folder, and what is not there."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert [is_special(tmp_path / "file"), is_special(tmp_path), is_special(tmp_path / "none")] == [False] * 3
    assert is_special(Path("/dev/null"))


def test_a_new_file_is_as_open_as_the_users_mask_says(tmp_path: Path) -> None:
    """Nobody may run it."""
    mask = os.umask(0)
    try:
        write_atomic(str(tmp_path / "file"), b"x")
    finally:
        os.umask(mask)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o666
