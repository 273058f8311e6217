"""Entries that commands add to the ledger: readable, exact, and beside what a person wrote."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.baseline.journal import Changes
from pytest_dealsnap.baseline.ledger import parse_ledger, read_ledger
from pytest_dealsnap.baseline.ledger_writing import add_entries, entry_text, ledger_bytes, ledger_text, twin
from pytest_dealsnap.errors import LedgerError

TODAY = date(2027, 1, 31)
ENTRY: dict[str, Any] = {"deals": ["12"], "metric": "fee", "value": 5, "reason": "known", "who": "Ana"}

HAND_WRITTEN = """\
# Ours. Do not touch.
[[accepted]]
deals = [ "1" , 2 ]   # the odd ones
metric = 'fee'
range = [1_000, 2_000.50]
reason = '''
two lines'''
who = "Ana"
"""


def test_an_entry_reads_as_a_person_would_write_it() -> None:
    """Keys in the given order, under a comment; many ids in lines of ten."""
    many = {**ENTRY, "deals": [str(number) for number in range(12)], "where": {"region": "EU", "output.a": [1, True]}}
    many |= {"change_percent": [Decimal("11.50"), Decimal("12.5")], "expires": date(2027, 1, 31), "ticket": None}
    del many["value"]
    assert entry_text(many, comments=["fee +12.0% · carveout, 12 deals\n[[accepted]]"]) == (
        "[[accepted]]\n"
        "# fee +12.0% · carveout, 12 deals\\x0a[[accepted]]\n"
        "deals = [\n"
        '  "0", "1", "2", "3", "4", "5", "6", "7", "8", "9",\n'
        '  "10", "11",\n'
        "]\n"
        'metric = "fee"\n'
        'reason = "known"\n'
        'who = "Ana"\n'
        'where = {region = "EU", "output.a" = [1, true]}\n'
        "change_percent = [11.50, 12.5]\n"
        "expires = 2027-01-31 # the last day on which it counts, in UTC\n"
    )


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_what_stands_in_the_file_stays_as_it_is(tmp_path: Path, newline: str) -> None:
    """Comments, blanks and line ends of a person are kept to the byte; entries come after them."""
    before = HAND_WRITTEN.replace("\n", newline).encode()
    (tmp_path / "accepted.toml").write_bytes(before)
    after = add_entries(tmp_path, [entry_text(ENTRY), entry_text(ENTRY)], today=TODAY, types=())
    assert (tmp_path / "accepted.toml").read_bytes() == after
    assert after.startswith(before + newline.encode() + b"[[accepted]]")
    assert after.count(b"\n") == after.count(newline.encode())
    assert len(read_ledger(tmp_path, today=TODAY).entries) == 3


def test_a_first_entry_makes_the_file(tmp_path: Path) -> None:
    """Also where the last line has no end."""
    assert add_entries(tmp_path / "snapshots", [entry_text(ENTRY)], today=TODAY, types=()).startswith(b"[[accepted]]\n")
    path = tmp_path / "snapshots" / "accepted.toml"
    path.write_bytes(path.read_bytes().rstrip())
    add_entries(path.parent, [entry_text(ENTRY)], today=TODAY, types=())
    assert len(read_ledger(path.parent, today=TODAY).entries) == 2


def test_entries_wait_with_other_changes(tmp_path: Path) -> None:
    """They and their files reach the disk when all do, and the next entry is added to them."""
    changes = Changes()
    files = {"accepted/x.txt": b"beside"}
    for _ in range(2):
        data = add_entries(tmp_path, [entry_text(ENTRY)], today=TODAY, types=(), files=files, changes=changes)
    assert list(tmp_path.iterdir()) == []
    assert changes.read(tmp_path / "accepted.toml") == data
    assert changes.read(tmp_path / "accepted" / "x.txt") == b"beside"
    assert data.count(b"[[accepted]]") == 2
    assert add_entries(tmp_path, [entry_text(ENTRY)], today=TODAY, types=(), files=files) != data
    assert (tmp_path / "accepted" / "x.txt").read_bytes() == b"beside"


@pytest.mark.parametrize("text", ["[[accepted]]\nmetric = 5", "accepted = []\n", "[[accepted", "other = 1"])
def test_a_bad_ledger_is_not_written_to(tmp_path: Path, text: str) -> None:
    """What could not be read before must not look mended, nor grow."""
    (tmp_path / "accepted.toml").write_text(text, encoding="utf-8")
    with pytest.raises(LedgerError):
        add_entries(tmp_path, [entry_text(ENTRY)], today=TODAY, types=())
    assert (tmp_path / "accepted.toml").read_text(encoding="utf-8") == text
    (tmp_path / "accepted.toml").write_bytes(b"\xff")
    with pytest.raises(LedgerError, match="cannot be read"):
        add_entries(tmp_path, [entry_text(ENTRY)], today=TODAY, types=())


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(str.strip)
numbers = st.integers(-(2**62), 2**62) | st.decimals(allow_nan=False, allow_infinity=False, places=3)
values = st.one_of(texts, st.booleans(), numbers, st.lists(texts | st.integers(-9, 9), max_size=12))


@given(
    deals=st.lists(texts, min_size=1, max_size=25, unique=True),
    value=values,
    reason=texts,
    comment=texts,
    where=st.dictionaries(texts, texts | st.booleans() | st.integers(-9, 9), min_size=1, max_size=3),
)
def test_any_entry_is_read_back_as_it_was_written(
    deals: list[str], value: Any, reason: str, comment: str, where: dict[str, Any]
) -> None:
    """Whatever ids, reasons and values hold, the ledger reads what the command wrote."""
    entry = {"deals": deals, "where": where, "metric": "fee", "value": value, "reason": reason, "who": "Ana"}
    text = entry_text({**entry, "ticket": None}, comments=[comment])
    assert tomllib.loads(text, parse_float=Decimal)["accepted"] == [entry]
    [read] = parse_ledger(text, Path("accepted.toml"), today=TODAY).entries
    assert (read.deals, read.reason, read.metric) == (frozenset(deals), reason, "fee")


def test_a_ledger_that_is_a_link_to_nothing_is_no_empty_ledger(tmp_path: Path) -> None:
    """It was meant to be somewhere; where there is none at all, there is no entry."""
    assert ledger_bytes(tmp_path) is None
    assert ledger_text(tmp_path) == ""
    (tmp_path / "accepted.toml").symlink_to(tmp_path / "elsewhere.toml")
    with pytest.raises(LedgerError, match="it is a link to nothing"):
        ledger_bytes(tmp_path)


def test_only_a_live_entry_that_takes_the_same_is_a_twin() -> None:
    """By what it takes, not by its reason; on its last day it still counts."""
    expired = '[[accepted]]\ndeals = ["1"]\nmetric = "cost"\nreason = "old"\nexpires = 2026-01-31\n'
    other = '[[accepted]]\ndeals = ["2"]\nmetric = "cost"\nreason = "new"\n'
    same_one = '[[accepted]]\ndeals = ["1"]\nmetric = "cost"\nreason = "again"\n'
    day = date(2026, 1, 31)
    assert twin(expired + other, same_one, today=day) == 1
    assert twin(expired + other, same_one, today=date(2026, 2, 1)) is None
    assert twin(other, same_one, today=day) is None
    assert twin(expired + other + same_one, same_one, today=date(2026, 2, 1)) == 3
