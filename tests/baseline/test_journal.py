"""Many files change together or not at all, and what a killed command left is finished or dropped."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.baseline import journal
from pytest_dealsnap.baseline.journal import JOURNAL, Change, Changes, commit, inverse, settle, take_over, writing
from pytest_dealsnap.baseline.listing import relist
from pytest_dealsnap.baseline.locking import BaselineLock
from pytest_dealsnap.baseline.manifest import MANIFEST, listed_ids, manifest_text, parse_manifest
from pytest_dealsnap.errors import BaselineError, LockedError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A baseline's folder with two snapshots and a ledger."""
    folder = tmp_path / "snapshots"
    (folder / "deals").mkdir(parents=True)
    (folder / "deals" / "1.json").write_bytes(b"one")
    (folder / "deals" / "2.json").write_bytes(b"two")
    (folder / "accepted.toml").write_bytes(b"")
    return folder


def three(folder: Path) -> tuple[Change, ...]:
    """Return a file that changes, one that goes and one that comes."""
    changes = Changes()
    changes.write(folder / "deals" / "1.json", b"uno")
    changes.write(folder / "deals" / "2.json", None)
    changes.write(folder / "deals" / "3.json", b"three")
    changes.write(folder / "accepted.toml", b"")  # as it is
    return changes.all()


def files(folder: Path) -> dict[str, bytes]:
    """Return the files below *folder*, by name, but for the lock."""
    found = (path for path in folder.rglob("*") if path.is_file() and "lock" not in path.name)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


BEFORE = {"deals/1.json": b"one", "deals/2.json": b"two", "accepted.toml": b""}
AFTER = {"deals/1.json": b"uno", "deals/3.json": b"three", "accepted.toml": b""}


def test_changes_are_read_back_before_they_are_made(folder: Path) -> None:
    """What is written is read, what is deleted is absent, and the disk is as it was."""
    changes = Changes()
    path = folder / "deals" / "1.json"
    assert changes.read(path) == b"one"
    assert changes.all() == ()
    changes.write(path, b"uno")
    assert changes.read(path) == b"uno"
    changes.write(folder / "deals" / "2.json", None)
    assert changes.read(folder / "deals" / "2.json") is None
    assert changes.below(folder / "deals") == {"1.json": b"uno"}
    assert changes.below(folder / "accepted") == {}
    assert files(folder) == BEFORE


def test_all_is_committed_and_taken_back(folder: Path) -> None:
    """No journal stays; the inverse puts each byte back."""
    changes = three(folder)
    assert len(changes) == 3
    commit(folder, changes)
    assert files(folder) == AFTER
    commit(folder, inverse(changes))
    assert files(folder) == BEFORE
    commit(folder, ())
    assert not (folder / JOURNAL).exists()


def test_a_file_that_was_edited_since_stops_all(folder: Path) -> None:
    """The error names it, and says what was not done."""
    changes = three(folder)
    (folder / "deals" / "2.json").write_bytes(b"edited")
    with pytest.raises(BaselineError, match=r"2\.json was edited since: nothing was undone"):
        commit(folder, changes, otherwise="nothing was undone")
    assert files(folder) == {**BEFORE, "deals/2.json": b"edited"}


@pytest.mark.parametrize("fails", [1, 2, 3])
def test_what_cannot_be_written_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch, fails: int) -> None:
    """Also where it is the last of several files."""
    changes, applied = three(folder), journal._apply
    calls: list[Path] = []

    def apply(path: Path, data: bytes | None) -> None:
        calls.append(path)
        if len(calls) == fails:
            raise OSError(28, "No space left on device", str(path))
        applied(path, data)

    monkeypatch.setattr(journal, "_apply", apply)
    with pytest.raises(BaselineError, match=r"cannot be written: No space left on device; nothing was changed"):
        commit(folder, changes)
    assert files(folder) == BEFORE
    assert not (folder / JOURNAL).exists()


class Killed(BaseException):
    """The process ends here."""


def killed(folder: Path, monkeypatch: pytest.MonkeyPatch, at: str, call: int) -> None:
    """Commit three changes, and be killed at the *call*-th call of the function *at*."""
    whole: Callable[..., Any] = getattr(journal, at)
    calls: list[int] = []

    def dies(*args: Any, **keywords: Any) -> Any:
        calls.append(1)
        if len(calls) == call:
            raise Killed
        return whole(*args, **keywords)

    changes = three(folder)
    with monkeypatch.context() as patch:
        patch.setattr(journal, at, dies)
        with pytest.raises(Killed):
            commit(folder, changes)


@pytest.mark.parametrize(
    ("at", "call", "left"),
    [
        ("write_atomic", 1, BEFORE),  # its index was never written
        ("_apply", 1, AFTER),
        ("_apply", 2, AFTER),
        ("_apply", 3, AFTER),
        ("_close", 1, AFTER),
    ],
)
def test_a_killed_commit_is_finished_or_dropped(
    folder: Path, monkeypatch: pytest.MonkeyPatch, at: str, call: int, left: dict[str, bytes]
) -> None:
    """By the next command, before it looks at anything."""
    killed(folder, monkeypatch, at, call)
    assert (folder / JOURNAL).exists()
    settle(folder)
    assert files(folder) == left
    assert not (folder / JOURNAL).exists()
    settle(folder)


def test_a_file_that_is_neither_before_nor_after_is_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way out is to delete the journal."""
    killed(folder, monkeypatch, "_apply", 2)
    (folder / "deals" / "3.json").write_bytes(b"another")
    with pytest.raises(BaselineError, match=r"3\.json is neither as it was .* Delete the folder"):
        take_over(folder)
    assert (folder / "deals" / "3.json").read_bytes() == b"another"


def test_bytes_that_were_edited_in_the_journal_are_not_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its digest."""
    killed(folder, monkeypatch, "_apply", 1)
    (folder / JOURNAL / "0").write_bytes(b"tampered")
    with pytest.raises(BaselineError, match=r"1\.json is neither"):
        take_over(folder)
    assert files(folder)["deals/1.json"] == b"one"


@pytest.mark.parametrize(
    "path", ["../elsewhere", "deals/../../x", ".hidden", "other/1.json", "/tmp/x.json", "deals/../x"]
)
def test_a_journal_reaches_no_other_file(folder: Path, path: str) -> None:
    """It may come from a stranger's repository."""
    aside = {"path": path, "aside": None, "before": None, "after": None}
    index(folder, {"format": 1, "changes": [aside]})
    with pytest.raises(BaselineError, match="is no journal of this version"):
        take_over(folder)


@pytest.mark.parametrize("document", [{"format": 2, "changes": []}, {"format": 1, "changes": {}}, [], {"changes": []}])
def test_a_journal_of_another_form_is_refused(folder: Path, document: Any) -> None:
    """In one sentence."""
    index(folder, document)
    with pytest.raises(BaselineError, match="is no journal of this version"):
        take_over(folder)


def index(folder: Path, document: Any) -> None:
    """Write the index of a journal."""
    (folder / JOURNAL).mkdir()
    (folder / JOURNAL / "journal.json").write_text(json.dumps(document))


def test_a_page_of_decisions_beside_the_baseline_may_change(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the one file outside."""
    page = folder.parent / "report.decisions.json"
    page.write_bytes(b"{}")
    changes = Changes()
    changes.write(page, b"[]")

    def dies(path: Path, data: bytes | None) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(journal, "_apply", dies)
        with pytest.raises(Killed):
            commit(folder, changes.all())
    settle(folder)
    assert page.read_bytes() == b"[]"


def test_a_long_ids_folder_goes_with_its_last_file(folder: Path) -> None:
    """Other folders stay."""
    deep = folder / "deals" / "aaaa%" / "bb.json"
    deep.parent.mkdir()
    deep.write_bytes(b"x")
    (folder / "deals" / "cccc%").mkdir()
    changes = Changes()
    for path in (deep, folder / "deals" / "1.json", folder / "deals" / "2.json"):
        changes.write(path, None)
    commit(folder, changes.all())
    assert not deep.parent.exists()
    assert (folder / "deals").is_dir()


def test_writing_holds_the_lock(folder: Path) -> None:
    """Nobody else writes meanwhile; what is done inside is done under it."""
    inside = False
    with writing(folder):
        inside = True
        with pytest.raises(LockedError):
            BaselineLock(folder).acquire()
    assert inside
    lock = BaselineLock(folder)
    lock.acquire()
    lock.release()


def test_the_manifests_list_follows(folder: Path) -> None:
    """Deals are added and removed; a manifest without a list, and none at all, stay as they are."""
    changes = Changes()
    relist(changes, folder, added=["3"])
    assert changes.all() == ()
    path = folder / MANIFEST
    path.write_bytes(manifest_text({"format": 1, "ids": ["1", "2"]}))
    changes = Changes()
    relist(changes, folder, added=["2"])
    assert changes.all() == ()
    relist(changes, folder, added=["10", "3"], removed=["1"])
    written = parse_manifest(changes.read(path) or b"", path)
    assert listed_ids(written) == {"2", "3", "10"}
    path.write_bytes(manifest_text({"format": 1}))
    changes = Changes()
    relist(changes, folder, added=["3"])
    assert changes.all() == ()
