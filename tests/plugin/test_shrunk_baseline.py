"""A baseline that shrank: what its manifest lists and its folder lacks is never a pass, and never blessed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.project import Project, deal, deals


def delete(path: Path) -> None:
    """Delete a snapshot."""
    path.unlink()


def break_link(path: Path) -> None:
    """Leave a link to nowhere in a snapshot's place."""
    path.unlink()
    path.symlink_to("nowhere.json")


def make_folder(path: Path) -> None:
    """Leave a folder in a snapshot's place."""
    path.unlink()
    path.mkdir()


def manifest(project: Project) -> Any:
    """Return the baseline's manifest."""
    return json.loads((project.folder / "snapshots" / "manifest.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("spoil", "arguments"),
    [
        (delete, ()),
        (delete, ("-n", "2")),
        (delete, ("--dealsnap-verdict-min-compared", "1")),
        (break_link, ()),
        (make_folder, ("--dealsnap-verdict-min-compared", "1")),
    ],
)
def test_a_baseline_that_shrank_is_inconclusive(
    project: Project, spoil: Callable[[Path], None], arguments: tuple[str, ...]
) -> None:
    """Of 20 snapshots 19 are gone and their deals answer 999,999: inconclusive, exit 1, restore them from git."""
    project = project.with_deals(*deals(20)).captured()
    for number in range(2, 21):
        spoil(project.baseline / f"d{number}.json")
    outcome = project.with_deals(deal("d1"), *deals(20, amount=999_999)[1:]).gate(*arguments)
    assert (outcome.code, outcome.action) == (1, "inconclusive"), outcome.text
    assert outcome.statuses == {"d1": "matched", **{f"d{n}": "errored" for n in range(2, 21)}}
    assert outcome.report["summary"]["compared"] == 1
    steps = outcome.text.partition("next:")[2]
    if spoil is not make_folder:
        assert "19 snapshots of the baseline are missing" in outcome.verdict
        assert outcome.deal("d2")["error"]["type"] == "MissingSnapshotError"
        assert "git checkout -- snapshots   # restore 19 missing snapshots" in steps
    assert "--dealsnap-update" not in steps


def test_a_lost_snapshot_is_noticed_by_every_selection(project: Project) -> None:
    """By id, type, shard: a selected deal whose snapshot is lost is no new deal."""
    project = project.with_deals(*deals(3)).captured()
    (project.baseline / "d2.json").unlink()
    for arguments in (("--dealsnap-id", "d2"), ("--dealsnap-type", "acquisition"), ("--dealsnap-shard", "1/1")):
        outcome = project.gate(*arguments)
        assert outcome.code == 1
        assert outcome.statuses["d2"] == "errored"


def test_a_lost_snapshot_of_a_deal_that_is_gone_from_the_database_is_still_a_missing_deal(project: Project) -> None:
    """The manifest alone remembers the deal: it is missing, which asks for a rollback."""
    project = project.with_deals(*deals(3)).captured()
    (project.baseline / "d3.json").unlink()
    outcome = project.with_deals(*deals(2)).gate()
    assert (outcome.code, outcome.action) == (1, "roll_back")
    assert outcome.statuses["d3"] == "missing"


def test_an_emptied_baseline_says_restore_and_not_capture(project: Project) -> None:
    """With every snapshot gone there is nothing to judge, and nothing that would approve what comes out now."""
    project = project.with_deals(*deals(3)).captured()
    for path in project.baseline.iterdir():
        path.unlink()
    outcome = project.gate()
    assert outcome.code == 4
    assert "has none of the 3 snapshots that its manifest lists" in outcome.text
    assert "git checkout -- snapshots" in outcome.text
    assert "--dealsnap-update" not in outcome.text


def test_the_manifest_lists_every_recorded_deal(project: Project) -> None:
    """Also deals that a later capture of a part added; a report holds one digest in place of the list."""
    project = project.with_deals(*deals(3)).captured()
    assert sorted(manifest(project)["ids"]) == ["d1", "d2", "d3"]
    more = project.with_deals(*deals(5))
    assert more.capture("--dealsnap-only", "missing").code == 0
    assert sorted(manifest(project)["ids"]) == ["d1", "d2", "d3", "d4", "d5"]
    outcome = more.gate()
    assert outcome.action == "proceed"
    assert "ids" not in outcome.report["baseline"]
    assert len(outcome.report["baseline"]["ids_sha256"]) == 64
    fewer = project.with_deals(*deals(2)).captured()
    assert sorted(manifest(fewer)["ids"]) == ["d1", "d2", "d3", "d4", "d5"], "an update deletes no snapshot"
    (fewer.baseline / "d5.json").unlink()
    assert fewer.captured().folder
    assert sorted(manifest(fewer)["ids"]) == ["d1", "d2", "d3", "d4"], "a capture of the whole starts anew"


def test_a_manifest_whose_list_is_no_list_is_refused(project: Project) -> None:
    """What speaks for the whole baseline must be right before anything is judged."""
    project = project.with_deals(*deals(2)).captured()
    path = project.folder / "snapshots" / "manifest.json"
    path.write_text(json.dumps({**manifest(project), "ids": {"d1": 1}}))
    outcome = project.gate()
    assert outcome.code == 4
    assert "ids: Expected `array`" in outcome.text
    path.write_text(json.dumps({key: value for key, value in json.loads(path.read_text()).items() if key != "ids"}))
    assert "manifest.json does not list the deals" in project.gate().text
