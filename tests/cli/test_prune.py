"""``dealsnap prune``: the only thing that deletes a snapshot, and only when told to."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.cli import main

LONG = "x" * 400
IDS = ("1", "2", "../../etc", "::error::\x1b", LONG)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a snapshot of each of ``IDS``; its database has the first two deals."""
    (tmp_path / "dealsnap.toml").write_text('database = "sqlite:///a.db"\n[deals]\nname = ""\ntype = ""\n')
    connection = sqlite3.connect(tmp_path / "a.db")
    with connection:
        connection.execute("CREATE TABLE deals (id TEXT PRIMARY KEY)")
        connection.executemany("INSERT INTO deals VALUES (?)", [("1",), ("2",)])
    connection.close()
    monkeypatch.chdir(tmp_path)
    snapshots = DealSnapshots(tmp_path / "snapshots")
    for deal_id in IDS:
        text = f'{{"deal_id": {json.dumps(deal_id)}, "deal_name": "<b>", "deal_type": "acquisition", '
        snapshots.record(deal_id, (text + '"stored_type": null, "metrics": {}}').encode())
    snapshots.flush()
    return tmp_path


def ids(folder: Path) -> set[str]:
    """Return the deals that have a snapshot."""
    return DealSnapshots(folder / "snapshots").ids()


def test_orphans_are_listed_and_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run says what would go, asks for a person, and deletes nothing."""
    assert main(["prune"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("3 snapshots of 5 without a deal in sqlite:///a.db:\n")
    assert "  deal ../../etc <b> (acquisition)\n" in said
    assert "  deal ::error::\\x1b <b> (acquisition)\n" in said
    assert said.endswith("nothing was deleted: dealsnap prune --yes deletes them\n")
    assert ids(folder) == set(IDS)


def test_orphans_are_deleted_when_told_to(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The snapshots of deals that are there stay, as does what is no snapshot; no empty folder is left."""
    stranger = folder / "snapshots" / "deals" / "README.txt"
    stranger.write_text("mine")
    (folder / "snapshots" / "deals" / "%2e%2e%2f%2e%2e%2fetc.json").write_text("spoilt")
    assert main(["prune", "--yes"]) == 0
    assert ids(folder) == {"1", "2"}
    assert stranger.read_text() == "mine"
    assert [path.name for path in (folder / "snapshots" / "deals").iterdir() if path.is_dir()] == []
    capsys.readouterr()
    assert main(["prune"]) == 0
    assert capsys.readouterr().out == "nothing to prune: all 2 snapshots are of deals in sqlite:///a.db\n"


def test_an_empty_database_prunes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A database without deals looks like the wrong one: the whole baseline would go."""
    connection = sqlite3.connect(folder / "a.db")
    with connection:
        connection.execute("DELETE FROM deals")
    connection.close()
    assert main(["prune", "--yes"]) == 2
    assert "that would prune the whole baseline. Is it the right one?" in capsys.readouterr().err
    assert ids(folder) == set(IDS)


def test_without_a_baseline_there_is_nothing_to_prune(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong snapshots setting is an error, not a clean baseline."""
    (folder / "dealsnap.toml").write_text('database = "sqlite:///a.db"\nsnapshots = "other"\n')
    assert main(["prune"]) == 2
    assert "no baseline in" in capsys.readouterr().err
