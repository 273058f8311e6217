"""A baseline that changes while a gate reads it is noticed, whichever of its files it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_dealsnap.baseline.watching import state_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A baseline's folder."""
    for name in (
        "deals/1.json",
        "deals/2.json",
        "deals/long%/id.json",
        "accepted/x.json",
        "manifest.json",
        "accepted.toml",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def written(name: str) -> Callable[[Path], object]:
    """Return what writes a file, longer than it was."""
    return lambda folder: (folder / name).write_text("another text, and a longer one")


CHANGES = {
    name: written(name)
    for name in ("deals/1.json", "deals/long%/id.json", "accepted/x.json", "manifest.json", "accepted.toml")
}


@pytest.mark.parametrize("name", [*CHANGES])
def test_any_file_counts(folder: Path, name: str) -> None:
    """Written, added or deleted."""
    before = state_of(folder)
    assert state_of(folder) == before
    CHANGES[name](folder)
    after = state_of(folder)
    assert after != before
    (folder / name).unlink()
    assert state_of(folder) not in (before, after)


def test_hidden_files_do_not_count(folder: Path) -> None:
    """They are a writer's temporary ones."""
    before = state_of(folder)
    (folder / "deals" / ".1.json.tmp").write_text("x")
    assert state_of(folder) == before


def test_of_chosen_deals_only_their_snapshots_count(folder: Path) -> None:
    """And the manifest, the ledger and its files."""
    before = state_of(folder, ["1", "", "x" * 5000])
    CHANGES["deals/long%/id.json"](folder)
    (folder / "deals" / "2.json").unlink()
    assert state_of(folder, ["1", "", "x" * 5000]) == before
    CHANGES["deals/1.json"](folder)
    assert state_of(folder, ["1", "", "x" * 5000]) != before
    before = state_of(folder, ["1"])
    CHANGES["accepted/x.json"](folder)
    assert state_of(folder, ["1"]) != before


def test_an_empty_folder_has_a_state(tmp_path: Path) -> None:
    """A gate of no baseline ends elsewhere."""
    assert state_of(tmp_path) == state_of(tmp_path / "absent") == 0
