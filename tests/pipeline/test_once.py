"""One regressed deal is read, decoded and measured once on each side, whoever asks for its sides afterwards."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.baseline import codec, extension
from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.baseline.recording import Capture, Recorder
from pytest_dealsnap.deals.deal import Deal, DealRef
from pytest_dealsnap.judging import metrics
from pytest_dealsnap.pipeline.comparison import compare_baselines
from pytest_dealsnap.pipeline.gate import Judged
from pytest_dealsnap.pipeline.settling import Judging
from pytest_dealsnap.reasoning.calls import Reasoning
from tests.builders import configure
from tests.plugin.project import Project, deals

REF = DealRef("1", "1", "acquisition", "acquisition")
DEAL = Deal("1", "Acme", "acquisition", "acquisition", {"region": "EU"})


def output(total: int) -> dict[str, Any]:
    """Return an output with that cost."""
    return {"cost_estimate": {"total_cost": total}, "region": "EU"}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count reads of snapshot files, decodings, and evaluations of the metric ``cost_total``, by kind."""
    counts: Counter[str] = Counter()

    def counting(owner: Any, name: str, kind: str) -> None:
        whole = getattr(owner, name)

        def count(*args: Any, **keywords: Any) -> Any:
            counts[kind] += 1
            return whole(*args, **keywords)

        monkeypatch.setattr(owner, name, count)

    counting(extension, "read_whole", "read")
    counting(codec, "decode", "decoded")
    measure = metrics.Metric.in_recorded

    def measured(self: metrics.Metric, of: Any) -> Any:
        counts[f"measured {self.name}"] += 1
        return measure(self, of)

    monkeypatch.setattr(metrics.Metric, "in_recorded", measured)
    return counts


def judging_of(root: Path) -> Judging:
    """Return what a gate with a report judges by."""
    config = configure(root)
    today = date(2026, 1, 1)
    return Judging(config, DealSnapshots(config.snapshots), ledger=config.snapshots, today=today, details=True)


def recorded(root: Path, total: int) -> DealSnapshots:
    """Record the deal in a fresh folder of snapshots."""
    config = configure(root)
    snapshots = DealSnapshots(config.snapshots)
    Capture(Recorder(config), snapshots)(REF, DEAL, Reasoning(output=output(total)))
    snapshots.flush()
    return DealSnapshots(config.snapshots)


def sides(judged: Judged) -> tuple[Any, Any]:
    """Return both whole outputs, as a failed test's text asks for them."""
    assert judged.before is not None
    assert judged.after is not None
    return judged.before.output, judged.after.output


def test_a_gate(tmp_path: Path, counted: Counter[str]) -> None:
    """Judged, looked up for the ledger, and detailed for the report."""
    recorded(tmp_path, 100)
    judging = judging_of(tmp_path)
    counted.clear()
    settled = judging.settle(judging.gate(REF, DEAL, Reasoning(output=output(200))), lambda: DEAL.fields)
    assert settled.result.status == "regressed"
    assert settled.result.details is not None
    assert sides(settled) == (output(100), output(200))
    assert counted["read"] == counted["decoded"] == 1
    assert counted["measured cost_total"] == 2


def test_a_comparison(tmp_path: Path, counted: Counter[str]) -> None:
    """Each side is read and decoded once, and measured once: a snapshot's metrics are held against its output."""
    (tmp_path / "pre").mkdir()
    (tmp_path / "post").mkdir()
    pre, post = recorded(tmp_path / "pre", 100), recorded(tmp_path / "post", 200)
    judging = judging_of(tmp_path / "pre")
    counted.clear()
    judged = compare_baselines(pre, post, judging.gate, default_type="acquisition")
    [result], used = judging.settle_all(judged, lambda deal_id: {})
    assert (result.status, used) == ("regressed", {})
    assert result.details is not None
    assert counted["read"] == counted["decoded"] == 2
    assert counted["measured cost_total"] == 2


COUNTING = """
import json

from pytest_dealsnap.baseline import codec, extension

COUNTS = {"read": 0, "decoded": 0}


def counting(module, name, kind):
    whole = getattr(module, name)

    def count(*args, **keywords):
        COUNTS[kind] += 1
        return whole(*args, **keywords)

    setattr(module, name, count)


counting(extension, "read_whole", "read")
counting(codec, "decode", "decoded")


def pytest_sessionfinish():
    with open("counts.json", "w") as file:
        json.dump(COUNTS, file)
"""


def test_a_whole_run(tmp_path: Path) -> None:
    """From the item to its failure text, with a report. What deals have in common is read afterwards, of all deals."""
    project = Project(tmp_path).with_deals(*deals(3)).captured().with_deals(*deals(3, amount=500))
    outcome = project.with_file("conftest.py", COUNTING).gate()
    assert set(outcome.statuses.values()) == {"regressed"}
    assert "difference in the output" in outcome.text
    counts = json.loads((tmp_path / "counts.json").read_text())
    assert counts == {"read": 3, "decoded": 3}
