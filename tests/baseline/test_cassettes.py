"""The files of recorded calls: written whole, and refused where they are not as they were written."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from pytest_dealsnap.baseline.cassettes import Cassettes
from pytest_dealsnap.errors import CassetteError
from pytest_dealsnap.reasoning.replay_tape import RecordedCall

CALLS = (
    RecordedCall("a1", 0, "llm:ask", {"prompt": "x"}, {"b": 1, "a": ["ö", "\ud800"]}, Decimal("0.10"), 1.5),
    RecordedCall("a1", 1, "llm:ask", {"prompt": "x"}, None),
)


@pytest.fixture
def cassettes(tmp_path: Path) -> Cassettes:
    """A baseline with one deal's calls."""
    found = Cassettes(tmp_path)
    found.write("Deal/1", CALLS)
    return found


def test_calls_come_back_as_they_were(cassettes: Cassettes) -> None:
    """In their order, with the keys of answers in theirs; a deal without calls has no file."""
    again = cassettes.read("Deal/1")
    assert again == CALLS
    assert list(again[0].response) == ["b", "a"]
    assert cassettes.read("another") is None
    assert len(cassettes.path("Deal/1").read_text(encoding="utf-8").splitlines()) == 3
    cassettes.write("Deal/1", ())
    assert not cassettes.path("Deal/1").exists()


def test_other_line_ends_are_the_same_file(cassettes: Cassettes) -> None:
    """Git may change them on Windows."""
    path = cassettes.path("Deal/1")
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert cassettes.read("Deal/1") == CALLS


def test_the_same_answers_are_not_written_anew(cassettes: Cassettes) -> None:
    """Only the seconds differ: a capture of unchanged answers leaves the work tree clean."""
    before = cassettes.path("Deal/1").read_bytes()
    slower = tuple(RecordedCall(c.key, c.index, c.call, c.request, c.response, c.cost, 9.0) for c in CALLS)
    cassettes.write("Deal/1", slower)
    assert cassettes.path("Deal/1").read_bytes() == before


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda data: b"", "are truncated, or of a format"),
        (lambda data: data.replace(b'"format":1', b'"format":2'), "of a format that this version does not know"),
        (lambda data: data[: data.rindex(b"\n", 0, -1) + 1], "are truncated: 1 of 2 calls"),
        (lambda data: data.replace(b'"b":1', b'"b":2'), "were edited"),
        (lambda data: data.replace(b"Deal/1", b"Deal/2"), "are of deal 'Deal/2', not of 'Deal/1'"),
    ],
)
def test_a_damaged_file_is_one_clear_error(cassettes: Cassettes, damage: Callable[[bytes], bytes], words: str) -> None:
    """It names the file and the way out."""
    path = cassettes.path("Deal/1")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(CassetteError, match=words) as error:
        cassettes.read("Deal/1")
    assert str(path) in str(error.value)
    assert "Restore the file from git" in str(error.value)
    cassettes.write("Deal/1", CALLS)
    assert cassettes.read("Deal/1") == CALLS


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A folder in its place, for one."""
    cassettes = Cassettes(tmp_path)
    cassettes.path("1").mkdir(parents=True)
    with pytest.raises(CassetteError, match="cannot be read"):
        cassettes.read("1")
