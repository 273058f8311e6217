"""Reports of real gates: the same from one process, from workers and from merged shards, and later from the JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from pytest_dealsnap.model.record import replace
from pytest_dealsnap.reporting.conclusion import conclude
from pytest_dealsnap.reporting.json_reading import read_json
from pytest_dealsnap.reporting.writers import formats, writer_of
from tests.cli.console import dealsnap
from tests.plugin.project import Outcome, Project, deal
from tests.scale.running import untimed

COUNT = 150
REASONER = """
def value(transaction):
    amount = transaction["amount"]
    if amount == 13:
        raise ArithmeticError("unlucky")
    memo = f"The price is {amount} dollars, as signed in the data room on the first day." * 3
    return {"offer": {"price": amount}, "risks": ["r"] * (amount % 3), "memo": memo}
"""
REPORTS = [f"--dealsnap-report={name}:out.{name}" for name in formats()]


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A captured project, whose deals have changed since in several ways."""
    folder = tmp_path_factory.mktemp("reports")
    rows = [deal(f"d{n}", kind=("acquisition", "carveout")[n % 2]) for n in range(COUNT)]
    project = Project(folder).with_reasoner(REASONER).with_deals(*rows, deal("gone")).captured()
    amounts = [100 if n % 5 == 0 else 130 if n % 5 < 4 else 103 for n in range(COUNT)]
    amounts[7] = 13
    changed = [deal(f"d{n}", kind=("acquisition", "carveout")[n % 2], amount=amounts[n]) for n in range(COUNT)]
    return project.with_deals(*changed)


@pytest.fixture(scope="module")
def gated(captured: Project) -> Outcome:
    """The gate with a report of each format, in one process."""
    return captured.gate(*REPORTS, "--junitxml", "junit.xml")


def details_of(report: Any) -> dict[str, Any]:
    """Return the details of the deals that have them."""
    return {entry["id"]: entry["details"] for entry in report["deals"] if "details" in entry}


def test_a_gate_writes_every_format(captured: Project, gated: Outcome) -> None:
    """Each file is what its writer makes of the saved JSON, byte for byte, and the terminal names it."""
    assert gated.code == 1, gated.text
    read = read_json(captured.folder / "out.json")
    run = conclude(replace(read.facts, report="report.json"), read.results)
    for name in formats():
        path = captured.folder / f"out.{name}"
        assert path.read_text(encoding="utf-8") == writer_of(name).render(run)
        assert f"report: {path}" in gated.text


def test_details_are_of_some_deals_of_each_kind(gated: Outcome) -> None:
    """Forty of the acquisitions that rose alike, every kind has some, and matched deals have none."""
    found = details_of(gated.report)
    statuses = {entry["id"]: entry["status"] for entry in gated.report["deals"]}
    assert {statuses[deal_id] for deal_id in found} == {"regressed", "changed", "errored"}
    assert "d7" in found
    rows = {row["metric"]: row for row in found["d2"]["metrics"]}
    assert rows["price"]["outcome"] == "fails"
    assert [(row["path"], row["move"]) for row in found["d2"]["differences"]] == [
        ("memo", "changed"),
        ("offer.price", "changed"),
    ]
    assert len([deal_id for deal_id in found if statuses[deal_id] == "regressed"]) == 40
    assert found["d7"]["traceback"].endswith('    raise ArithmeticError("unlucky")\n')
    assert [deal_id for deal_id, one in found.items() if "traceback" in one] == ["d7"]


def test_a_capture_and_a_matrix_tell_where_a_reasoner_raised(tmp_path: Path) -> None:
    """Each report holds the traceback, without the secrets of the line that raised."""
    reasoner = 'def value(deal):\n    raise OSError("postgresql://ana:s3cret@db/x")\n'
    project = Project(tmp_path).with_reasoner(reasoner).with_deals(deal("a"), deal("b"))
    capture = project.run("--dealsnap-update", "--dealsnap-allow-errors", "--dealsnap-report=json:capture.json")
    matrix = project.run("--dealsnap", "--dealsnap-matrix", "--dealsnap-report=json:matrix.json")
    for name, outcome in (("capture", capture), ("matrix", matrix)):
        document = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
        assert "in value" in details_of(document)["a"]["traceback"], outcome.text
        assert "s3cret" not in json.dumps(document)


def test_workers_give_the_same_reports(captured: Project, gated: Outcome) -> None:
    """With `-n 2`, the report is the same but for its times."""
    spread = captured.gate("-n", "2")
    assert details_of(spread.report) == details_of(gated.report)
    assert untimed(spread.report) == untimed(gated.report)


def test_merged_shards_give_the_same_details(captured: Project, gated: Outcome) -> None:
    """Each shard kept its own first deals; merged, they are those of the whole run."""
    names = []
    for number in (1, 2, 3):
        names.append(f"shard-{number}.json")
        captured.run("--dealsnap", f"--dealsnap-shard={number}/3", f"--dealsnap-report=json:{names[-1]}", "-q")
    answer = dealsnap(captured.folder, "merge", *names, "--report", "json:merged.json", "--report", "html:merged.html")
    assert answer.code == 1, answer.err
    merged = json.loads((captured.folder / "merged.json").read_text(encoding="utf-8"))
    assert details_of(merged) == details_of(gated.report)
    assert merged["causes"] == gated.report["causes"]
    assert (captured.folder / "merged.html").stat().st_size > 10_000


def test_without_a_report_no_details_are_made(captured: Project) -> None:
    """They cost time, so only a report that shows them asks for them; the terminal is the same."""
    outcome = captured.run("--dealsnap", "-q", "--tb=no")
    assert "verdict: " in outcome.text


def test_the_terminal_shows_causes_then_the_worst_deals_on_one_screen(gated: Outcome) -> None:
    """The closing summary: counts, causes, worst deals, verdict, what to run next."""
    summary = gated.text[gated.text.index("dealsnap gate") :].splitlines()
    places = [
        next(n for n, line in enumerate(summary) if line.startswith(words)) for words in ("type", "cause", "verdict")
    ]
    assert places == sorted(places)
    worst = next(n for n, line in enumerate(summary) if "the worst two of each cause" in line)
    assert places[1] < worst < places[2]
    assert len(summary) < 45
    assert max(map(len, summary)) <= 200


def test_github_commands_are_printed_where_github_reads_them(captured: Project, tmp_path: Path) -> None:
    """`github:-` prints one annotation a cause, each on a line of its own, and fills the step's summary."""
    summary = tmp_path / "summary.md"
    runner = captured.with_environment(GITHUB_STEP_SUMMARY=str(summary))
    outcome = runner.run("--dealsnap", "--dealsnap-report", "github:-", "-q", "--tb=no")
    commands = [line for line in outcome.text.splitlines() if line.startswith("::")]
    assert 2 <= len(commands) <= 10
    assert all(re.fullmatch(r"::error title=dealsnap%3A [^:,]+::.*", line) for line in commands)
    assert summary.read_text(encoding="utf-8").startswith("## dealsnap: ROLL BACK")


def test_junit_properties_tell_every_change(gated: Outcome) -> None:
    """Beside id, name, type and status: each finding, as a percentage or in words."""

    def properties(name: str) -> dict[str | None, str | None]:
        case: ElementTree.Element = gated.junit[f"test_deal[{name}]"]
        return {one.get("name"): one.get("value") for one in case.iter("property")}

    assert properties("acquisition-d2") == {
        "deal_id": "d2", "deal_name": "Orion", "deal_type": "acquisition", "status": "regressed",
        "price_changed": "30.0", "output_changed": "memo (1 path)",
    }  # fmt: skip
    assert properties("carveout-d7")["reasoning_failed"] == "null → ArithmeticError: unlucky"
    assert properties("acquisition-gone")["missing_from_database"] == "Orion → gone"
