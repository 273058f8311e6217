"""Where the baseline came from."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pytest_dealsnap.baseline.manifest import MANIFEST, git_state, read_manifest, without_ids, write_manifest
from pytest_dealsnap.errors import ManifestError


def test_a_manifest_survives_its_file(tmp_path: Path) -> None:
    """What was written is read, with the format added; the file reads well in a diff."""
    write_manifest(tmp_path / "snapshots", {"reasoner": "app:run", "deals": {"carveout": 3}})
    assert read_manifest(tmp_path / "snapshots") == {"deals": {"carveout": 3}, "format": 1, "reasoner": "app:run"}
    text = (tmp_path / "snapshots" / MANIFEST).read_text()
    assert text == '{\n  "deals": {\n    "carveout": 3\n  },\n  "format": 1,\n  "reasoner": "app:run"\n}\n'


def test_a_report_holds_one_digest_in_place_of_all_ids() -> None:
    """The same for the same deals in any order; a manifest without a list, and none, are as they are."""
    assert without_ids(None) is None
    assert without_ids({"format": 1}) == {"format": 1}
    one, other = without_ids({"format": 1, "ids": ["1", "2"]}), without_ids({"format": 1, "ids": ["2", "1"]})
    assert one is not None
    assert one == other
    assert set(one) == {"format", "ids_sha256"}
    assert one != without_ids({"format": 1, "ids": ["1"]})


def test_no_manifest_is_none(tmp_path: Path) -> None:
    """A folder without a manifest is no baseline, which is for the caller to say."""
    assert read_manifest(tmp_path) is None


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "cannot be read: "),
        (b'{"format": 1', "cannot be read: "),
        (b"\xff", "cannot be read: "),
        (b'{"format": 1, "format": 1}', "the key 'format' stands there twice"),
        (b"[" * 100_000, "cannot be read: "),
        (b"[]", "has format None; this version of pytest-dealsnap knows format 1"),
        (b"{}", "has format None"),
        (b'{"format": 2}', "has format 2; this version of pytest-dealsnap knows format 1"),
        (b'{"format": "1"}', "has format '1'"),
        (b'{"format": 1, "ids": "d1"}', "ids: Expected `array`, got `str`"),
        (b'{"format": 1, "ids": ["d1", 2]}', "ids: Expected `str`, got `int` - at `$[1]`"),
        (b'{"format": 1, "resume": "later"}', "resume: "),
    ],
)
def test_a_bad_manifest_is_refused(tmp_path: Path, data: bytes, what: str) -> None:
    """The error names the file, what is wrong, and the way out."""
    (tmp_path / MANIFEST).write_bytes(data)
    with pytest.raises(ManifestError) as caught:
        read_manifest(tmp_path)
    assert str(caught.value).startswith(str(tmp_path / MANIFEST))
    assert what in str(caught.value)
    assert str(caught.value).endswith("or capture the baseline again")


def git(folder: Path, *arguments: str) -> str:
    """Run git with an identity of its own."""
    who = ["-c", "user.name=Ana", "-c", "user.email=ana@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_the_commit_and_whether_anything_was_changed(tmp_path: Path) -> None:
    """A clean checkout has its commit; a change, a new file and a name that is no UTF-8 make it dirty."""
    git(tmp_path, "init", "--quiet")
    assert git_state(tmp_path) == {"commit": None, "dirty": None}
    (tmp_path / "a.txt").write_text("one")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "one")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert git_state(tmp_path) == {"commit": commit, "dirty": False}
    (tmp_path / "a.txt").write_text("two")
    assert git_state(tmp_path) == {"commit": commit, "dirty": True}
    git(tmp_path, "checkout", "--quiet", "a.txt")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "new.txt").write_text("")
    assert git_state(tmp_path / "below") == {"commit": commit, "dirty": True}
    (tmp_path / "below" / "new.txt").unlink()
    git(tmp_path, "config", "core.quotepath", "false")
    Path(bytes(tmp_path).decode() + "/\udcff.txt").write_text("")
    assert git_state(tmp_path) == {"commit": commit, "dirty": True}


def test_outside_of_a_checkout_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a plain folder, nor none, nor a machine without git is an error."""
    assert git_state(tmp_path) == {"commit": None, "dirty": None}
    assert git_state(tmp_path / "nowhere") == {"commit": None, "dirty": None}
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(tmp_path) == {"commit": None, "dirty": None}


def test_a_key_of_a_later_version_is_kept(tmp_path: Path) -> None:
    """Whoever writes a manifest that was read leaves alone what it does not know."""
    write_manifest(tmp_path, {"ids": ["1"], "of a later version": 5})
    assert read_manifest(tmp_path) == {"format": 1, "ids": ["1"], "of a later version": 5}
