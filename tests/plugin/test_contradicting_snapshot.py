"""A snapshot whose metrics and output disagree was edited or merged badly: nothing is judged by it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.console import dealsnap
from tests.plugin.project import Project, deals


def edit(project: Project, deal_id: str, **metrics: Any) -> None:
    """Write other metrics into a snapshot, beside an untouched output."""
    path = project.baseline / f"{deal_id}.json"
    document = json.loads(path.read_text())
    document["metrics"] |= metrics
    path.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")


def test_a_metric_that_disagrees_with_its_output_is_a_bad_snapshot(tmp_path: Path) -> None:
    """One sentence names file, metric and both values; the other deals are judged, and the run is red."""
    project = Project(tmp_path).with_deals(*deals(3)).captured()
    edit(project, "d2", price=104)
    outcome = project.gate()
    assert outcome.code == 1
    assert outcome.statuses == {"d1": "matched", "d2": "errored", "d3": "matched"}
    assert "contradicts itself: its metric price is 104, and its output says 100 (offer.price)" in outcome.text


def test_a_metric_whose_path_changed_since_the_capture_is_taken_anew(tmp_path: Path) -> None:
    """The recorded value answers another question, so both sides answer the new one."""
    project = Project(tmp_path).with_deals(*deals(3)).captured()
    changed = project.with_config(project.config.replace('"offer.price"', '"length(memo)"'))
    outcome = changed.with_reasoner(
        project.files["valuation.py"].replace("as signed", "as signed, and then amended at length")
    ).gate()
    assert outcome.statuses == dict.fromkeys(("d1", "d2", "d3"), "regressed")
    assert changed.gate().statuses == dict.fromkeys(("d1", "d2", "d3"), "matched")


def test_a_metric_of_a_dropped_path_cannot_be_checked(tmp_path: Path) -> None:
    """``output.drop`` keeps the path out of the recorded output, and the metric was taken before."""
    project = Project(tmp_path).with_settings('drop = ["offer.price"]', section="output").with_deals(*deals(2))
    project = project.captured()
    edit(project, "d2", risk_count=7)
    outcome = project.with_deals(*deals(2, amount=101)).gate()
    assert outcome.statuses == {"d1": "changed", "d2": "errored"}
    assert "its metric risk_count is 7, and its output says 0" in outcome.text


def test_a_text_that_is_cut_elsewhere_does_not_disagree(tmp_path: Path) -> None:
    """``max_chars`` may change between a capture and a gate."""
    metric = 'memo = { path = "memo", max_chars = 5 }'
    project = Project(tmp_path).with_settings(metric, section="metrics").with_deals(*deals(1)).captured()
    longer = project.with_config(project.config.replace("max_chars = 5", "max_chars = 7"))
    assert longer.gate().statuses == {"d1": "changed"}


def test_compare_refuses_either_side_that_contradicts_itself(tmp_path: Path) -> None:
    """Offline as in the gate."""
    project = Project(tmp_path).with_deals(*deals(2)).captured()
    project.run("--dealsnap-update", "--dealsnap-snapshots", "after")
    edit(project, "d1", price=3)
    after = tmp_path / "after" / "deals" / "d2.json"
    after.write_text(after.read_text().replace('"price": 100,\n    "risk', '"price": 9,\n    "risk'))
    done = dealsnap(tmp_path, "compare", "snapshots", "after", "--report", "json:r.json")
    assert done.code == 1, done.out
    errors = [deal["error"]["message"] for deal in json.loads((tmp_path / "r.json").read_text())["deals"]]
    assert "its metric price is 3, and its output says 100" in errors[0]
    assert "its metric price is 9, and its output says 100" in errors[1]
