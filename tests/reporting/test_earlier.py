"""A run beside earlier ones: causes are new, persisting or gone, in every report; runs follow each other."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pytest_dealsnap.cli import main
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import DealResult
from pytest_dealsnap.reporting.earlier import read_earlier, since, with_earlier
from pytest_dealsnap.reporting.html_report import render_html
from pytest_dealsnap.reporting.json_report import render_json
from pytest_dealsnap.reporting.markdown_report import render_markdown
from pytest_dealsnap.reporting.summary_text import summary_lines
from tests.plugin.project import REASONER, Project, deals
from tests.reporting.runs import finding, finished, result, saved
from tests.reporting.test_html import Page


def moved(deal_id: str, percent: float, deal_type: str = "acquisition", metric: str = "cost_total") -> DealResult:
    """Return a deal whose *metric* rose by *percent*."""
    change = finding(metric, 100, 100 + percent, percent, allowed="within 5%")
    return result(deal_id, "regressed", change, deal_type=deal_type)


def then_run() -> FinishedRun:
    """Return the run of February: costs +12 %, one crash-free lost metric, and carve-outs twice as dear."""
    deals = [
        *(moved(str(n), 12.0) for n in range(1, 4)),
        *(moved(str(n), 100.0, "carveout") for n in range(4, 7)),
        moved("7", 50.0, metric="synergy_count"),
        *(result(str(n)) for n in range(8, 31)),
    ]
    return finished(deals, started_at=datetime(2026, 2, 1, 9, 0, tzinfo=UTC))


def now_run() -> FinishedRun:
    """Return the run of March: costs still +12 %, carve-outs half as dear again, another metric new."""
    deals = [
        *(moved(str(n), 12.0) for n in range(1, 4)),
        *(moved(str(n), 50.0, "carveout") for n in range(4, 7)),
        moved("7", 70.0, metric="cost_of_exit"),
        *(result(str(n)) for n in range(8, 31)),
    ]
    return finished(deals)


@pytest.fixture
def compared(tmp_path: Path) -> FinishedRun:
    """The run of March, compared with the report of February."""
    old = tmp_path / "february.json"
    old.write_text(render_json(then_run()), encoding="utf-8")
    return with_earlier(now_run(), read_earlier([old]))


def test_causes_are_new_persisting_or_gone(compared: FinishedRun, tmp_path: Path) -> None:
    """By id; one whose size moved persists where it is the only one of its metric and types on both sides."""
    told = since(compared)
    assert told is not None
    ages = {cause.title.split(" · ")[0]: told.ages[cause.id] for cause in compared.causes}
    assert ages == {"cost_total +12.0%": "persisting", "cost_total +50.0%": "persisting", "cost_of_exit +70.0%": "new"}
    assert [title.split(" · ")[0] for title in told.was.values()] == ["cost_total +100.0%"]
    assert [cause.metric for cause in told.gone] == ["synergy_count"]
    again = saved(compared, tmp_path)
    assert again.facts.earlier == compared.facts.earlier, "a saved report keeps what it was compared with"
    assert since(again) == told
    assert since(now_run()) is None


def test_every_report_says_so(compared: FinishedRun) -> None:
    """Terminal, Markdown, page and JSON."""
    lines = summary_lines(compared)
    assert any(line.endswith("cost_of_exit +70.0% · acquisition [new]") for line in lines)
    assert any(line.endswith("[persisting, was cost_total +100.0% · carveout]") for line in lines)
    gone = next(line for line in lines if line.startswith("since february.json"))
    assert gone == "since february.json: 1 cause gone: synergy_count +50.0% · acquisition (1 deal)"
    markdown = render_markdown(compared)
    assert "<sub>new</sub>" in markdown
    assert "since february.json: 1 cause gone" in markdown
    document = json.loads(render_json(compared))
    assert sorted(cause["age"] for cause in document["causes"]) == ["new", "persisting", "persisting"]
    assert [cause["metric"] for cause in document["gone"]] == ["synergy_count"]
    assert document["earlier"][0]["report"] == "february.json"
    page = Page(render_html(compared)).text
    assert "1 cause gone since february.json synergy_count +50.0% · acquisition: 1 deal" in page
    assert "2026-02-01 09:00 DISABLE THE FLAG 7 of 30" in page
    assert "persisting, was cost_total +100.0%" in page


def test_a_run_without_causes_says_what_is_gone(compared: FinishedRun) -> None:
    """A green run is where the reader wants to see it; without a loss, that is said, too."""
    green = finished([result(str(n)) for n in range(1, 31)])
    green = replace(green, facts=replace(green.facts, earlier=compared.facts.earlier))
    [line] = [line for line in summary_lines(green) if line.startswith("since")]
    assert line.startswith("since february.json: 3 causes gone: ")
    assert "3 causes gone" in render_markdown(green)
    clean = replace(compared.facts.earlier[0], causes=())
    assert "since february.json: no cause is gone" in summary_lines(with_earlier(now_run(), [clean]))


def test_reports_are_compared_afterwards(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """``dealsnap report --compare-with``; ``dealsnap history`` lists the runs by time; bad files are named."""
    for name, run in (("new.json", now_run()), ("old.json", then_run())):
        (tmp_path / name).write_text(render_json(run), encoding="utf-8")
    new, old = str(tmp_path / "new.json"), str(tmp_path / "old.json")
    assert main(["report", new, "--compare-with", old]) == 0
    assert "[new]" in capfd.readouterr().out
    assert main(["report", new, "--compare-with", old, "--format", "json"]) == 0
    assert [one["report"] for one in json.loads(capfd.readouterr().out)["earlier"]] == ["old.json"]
    assert main(["history", new, old]) == 0
    head, _, first, second = capfd.readouterr().out.splitlines()
    assert head.split() == ["started", "outcome", "affected", "causes", "new", "gone", "money", "commit", "report"]
    assert first.startswith("2026-02-01 09:00:00  DISABLE THE FLAG  7 of 30 (23.3 %)       3")
    assert first.endswith("old.json")
    assert "cost_total 600 → 936 (+56.00 %)" in first
    assert second.split("%)")[1].split()[:3] == ["3", "1", "1"], "as a report that compares the two says"
    assert main(["history", new, old, "--json"]) == 0
    assert [run["verdict"] for run in json.loads(capfd.readouterr().out)["runs"]] == ["disable_flag", "disable_flag"]
    assert main(["history", str(tmp_path / "none.json")]) == 2
    assert "no such report" in capfd.readouterr().err


@pytest.mark.slow
def test_a_gate_is_compared_with_an_earlier_one(project: Project) -> None:
    """The flag takes a saved report; one that is not there, and a capture, are usage errors."""
    project = project.with_deals(*deals(3))
    assert project.run("--dealsnap-update").code == 0
    dearer = project.with_reasoner(REASONER.replace('transaction["amount"]', 'transaction["amount"] * 2'))
    (project.folder / "old.json").write_bytes(dearer.gate().report_bytes or b"")
    again = dearer.run("--dealsnap", "--dealsnap-compare-with", "old.json")
    assert "[persisting]" in again.text
    assert "since old.json: no cause is gone" in again.text
    fixed = project.gate("--dealsnap-compare-with", "old.json")
    assert "since old.json: 1 cause gone: price +100.0%" in fixed.text
    assert fixed.report["gone"][0]["metric"] == "price"
    assert project.run("--dealsnap", "--dealsnap-compare-with", "none.json").code == 4
    assert project.run("--dealsnap-update", "--dealsnap-compare-with", "old.json").code == 4
