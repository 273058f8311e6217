"""How a deal id becomes a file name."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_dealsnap.baseline.layout import id_of, relative_path, stored_ids
from pytest_dealsnap.errors import SnapshotError

characters = st.characters(exclude_categories=()) | st.sampled_from(list("aAzZ019._-%/\\ :~%.."))
ids = st.text(characters, max_size=30) | st.text(characters, min_size=150, max_size=300)
AWKWARD = [
    "",
    ".",
    "..",
    "../../x",
    "/etc/passwd",
    "C:\\x",
    "a/b",
    "a\\b",
    "~",
    "%",
    "%2e",
    "a%/b",
    "con",
    "CON",
    "con.txt",
    "nul.json",
    "aux.",
    "com1",
    "lpt9.x",
    "conx",
    "a.",
    ".a",
    "a..b",
    " ",
    "a ",
    "\x00",
    "\n",
    "A",
    "a",
    "ß",
    "ss",
    "ẞ",
    "\u017f",
    "s",
    "K",
    "\u212a",
    "é",
    "e\u0301",
    "ﬁ",
    "fi",
    "\ud800",
    "💼",
    "x.json",
    ".dealsnap-1-2.tmp",
    "-",
    "--flag",
    "manifest",
    "12",
    "acme-1",
    "550e8400-e29b-41d4-a716-446655440000",
    "a" * 200,
    "a" * 201,
    "a" * 200 + ".b",
    "a" * 200 + "..",
    "a" * 200 + "con",
    "a" * 400 + "aux.x",
    "é" * 300,
    "." * 300,
    "%" * 300,
    "/" * 300,
    "a" * 2000,
]


@pytest.mark.parametrize("deal_id", AWKWARD, ids=lambda deal_id: ascii(deal_id)[:20])
def test_an_awkward_id_has_a_safe_path_and_comes_back(deal_id: str, tmp_path: Path) -> None:
    """Written to a real folder and listed again, the id is itself, in one file below that folder."""
    path = relative_path(deal_id)
    target = tmp_path / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(b"")
    assert target.resolve().is_relative_to(tmp_path.resolve())
    assert list(stored_ids(tmp_path)) == [(deal_id, path)]
    assert id_of(path) == deal_id


def check(deal_id: str) -> None:
    """Hold one id to everything a path must be."""
    path = relative_path(deal_id)
    assert id_of(path) == deal_id
    assert re.fullmatch(r"[a-z0-9_\-.%/]+\.json", path)
    parts = path.split("/")
    assert all(part and not part.startswith(".") and len(part) <= 220 for part in parts)
    assert all(part.endswith("%") for part in parts[:-1])
    assert not any(re.match(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", part) for part in parts)
    assert not path.startswith("/")
    assert path == path.casefold() == unicodedata.normalize("NFC", path) == unicodedata.normalize("NFD", path)


@given(deal_id=ids)
def test_any_id_has_a_safe_path_and_comes_back(deal_id: str) -> None:
    """Round trip, one alphabet, no hidden name, no device, no way out, nothing that folding changes."""
    check(deal_id)


@given(deal_id=ids)
def test_the_awkward_ids_are_held_to_the_same(deal_id: str) -> None:
    """Each awkward id, and random ones after a long beginning, where names are split."""
    for awkward in AWKWARD:
        check(awkward)
    check("a" * 198 + deal_id)
    check("." * 198 + deal_id)


@given(one=ids, two=ids)
@example(one="a", two="A")
@example(one="é", two="e\u0301")
@example(one="%41", two="A")
@example(one="a" * 200 + "%/b", two="a" * 200 + "b")
def test_two_ids_never_share_a_file(one: str, two: str) -> None:
    """Paths differ also where the file system folds case or normalizes Unicode."""
    folded = [unicodedata.normalize("NFC", relative_path(deal_id)).casefold() for deal_id in (one, two)]
    assert (folded[0] == folded[1]) is (one == two)


@pytest.mark.parametrize(
    ("deal_id", "path"),
    [
        ("12", "12.json"),
        ("acme-1_b.2", "acme-1_b.2.json"),
        ("ACME", "%41%43%4d%45.json"),
        ("a/b", "a%2fb.json"),
        ("..", "%2e..json"),
        ("", "%.json"),
        ("con", "%63on.json"),
        ("é", "%c3%a9.json"),
        ("a" * 250, "a" * 200 + "%/" + "a" * 50 + ".json"),
    ],
)
def test_the_encoding_is_fixed(deal_id: str, path: str) -> None:
    """Baselines in git rely on these names."""
    assert relative_path(deal_id) == path


@pytest.mark.parametrize(
    "path",
    [
        "A.json",
        "%41%4A.json",
        "%61.json",
        "a.txt",
        "a",
        ".json",
        "%2.json",
        "%zz.json",
        "é.json",
        "%.json.json/x",
        "a/b.json",
        "a%/b.json",
        "con.json",
        "%ff.json",
        "%/%.json",
        "../a.json",
        "a%/.json",
        "%2f",
        "a b.json",
        "..json",
    ],
)
def test_a_name_that_no_id_has_is_refused(path: str) -> None:
    """Only the one canonical name of an id is a snapshot's; any other file is a stranger."""
    assert id_of(path) is None


@given(path=st.text(st.sampled_from(list("aA%/2e4f1.~ json")), max_size=12).map(lambda text: text + ".json"))
def test_whatever_is_read_as_an_id_has_that_path(path: str) -> None:
    """``id_of`` is the inverse of ``relative_path``, nothing more."""
    deal_id = id_of(path)
    assert deal_id is None or relative_path(deal_id) == path


@pytest.mark.parametrize("deal_id", ["a" * 3001, "A" * 2000, "é" * 1000])
def test_an_id_that_no_path_can_hold_is_refused(deal_id: str) -> None:
    """The error shows the beginning and the length."""
    with pytest.raises(SnapshotError, match=rf"…' has|… has {len(deal_id)} characters, too many for a path"):
        relative_path(deal_id)


def test_strangers_and_hidden_files_are_told_apart(tmp_path: Path) -> None:
    """A file that is no snapshot is listed without an id; hidden files and other folders are passed over."""
    for name in ("1.json", "README.md", "A.json", ".DS_Store", ".dealsnap-1-2.tmp"):
        (tmp_path / name).write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "2.json").write_text("")
    (tmp_path / "x%").mkdir()
    (tmp_path / "x%" / "y.json").write_text("")
    assert sorted(stored_ids(tmp_path), key=str) == [
        ("1", "1.json"),
        (None, "A.json"),
        (None, "README.md"),
        (None, "x%/y.json"),
    ]
    assert list(stored_ids(tmp_path / "nowhere")) == []


def test_a_folder_without_a_snapshots_name_is_passed_over(tmp_path: Path) -> None:
    """A folder with one counts, so that reading it fails."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "7.json").mkdir()
    (tmp_path / "8.json").write_text("{}", encoding="utf-8")
    assert sorted(stored_ids(tmp_path), key=str) == [("7", "7.json"), ("8", "8.json")]
