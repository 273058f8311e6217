"""A file that several processes append to: each sees all whole lines, and a half-written one stands in nobody's way."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pytest_dealsnap.baseline.shared_lines import SharedLines


def test_each_process_takes_in_the_lines_of_all(tmp_path: Path) -> None:
    """In the order of the file, each once."""
    seen: tuple[list[bytes], list[bytes]] = ([], [])
    one, two = (SharedLines(tmp_path / "lines", taken.append, synced=True) for taken in seen)
    for number, lines in enumerate((one, two, one)):
        with lines.changing() as append:
            append({"number": number})
    with two.reading():
        assert seen[1] == [b'{"number": 0}', b'{"number": 1}', b'{"number": 2}']
    assert seen[0] == seen[1]


def test_a_line_that_its_writer_could_not_end_is_dropped(tmp_path: Path) -> None:
    """The next line would be glued to it, and both lost."""
    path = tmp_path / "lines"
    path.write_bytes(b'{"number": 0}\n{"num')
    taken: list[bytes] = []
    with SharedLines(path, taken.append, synced=False).changing() as append:
        append({"number": 1})
    assert taken == [b'{"number": 0}', b'{"number": 1}']
    assert path.read_bytes() == b'{"number": 0}\n{"number": 1}\n'


def test_a_disk_that_takes_half_a_line_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not in the file did not happen."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:4]))
    taken: list[bytes] = []
    with (
        pytest.raises(OSError, match="No space left") as found,
        SharedLines(tmp_path / "lines", taken.append, synced=True).changing() as append,
    ):
        append({"number": 0})
    assert found.value.errno == errno.ENOSPC
    assert taken == []
