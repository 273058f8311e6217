"""The HTML report in a real browser: deciding on causes and deals, and what becomes of the decisions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from selenium.webdriver.support.wait import WebDriverWait

from pytest_dealsnap.reporting.html_report import render_html
from tests.cli.console import dealsnap
from tests.cli.reviewing import build
from tests.reporting.browsing import Reader
from tests.reporting.runs import finding, finished, result


def decide(reader: Reader, form: str, choice: str, **fields: str) -> None:
    """Choose in a decision's form, and fill in its fields."""
    reader.until(f"document.querySelector('{form} input[value={choice}]')")
    reader.click(f"{form} input[value={choice}]")
    for name, text in fields.items():
        reader.type(f"{form} input[name={name}]", text)


def exported(reader: Reader) -> Any:
    """Export the decisions, and read the file that was downloaded."""
    reader.click("#export")
    path = reader.downloads / "dealsnap-decisions.json"
    WebDriverWait(reader.driver, 20).until(lambda _: path.is_file() and path.stat().st_size > 0)
    document = json.loads(path.read_text(encoding="utf-8"))
    path.unlink()
    return document


def test_decisions_are_marked_kept_and_exported(reader: Reader, pages: dict[str, Path]) -> None:
    """A cause is accepted into the ledger, a deal rejected; both survive a reload, and are in the file."""
    reader.open(pages["small"])
    assert reader.ask("document.getElementById('decisions').hidden")
    reader.click("#causes .cause:nth-child(1) summary")
    first = "#causes .cause:nth-child(1) form"
    decide(reader, first, "ledger", reason="A new price list", ticket="DD-142", note="ask Ana")
    reader.ask(
        "(document.querySelector(arguments[0] + ' [name=expires]').value = '2027-01-31', "
        "document.querySelector(arguments[0]).dispatchEvent(new Event('input')))",
        first,
    )
    reader.ask("void (location.hash = '#deal=4')")
    reader.until("!document.getElementById('deal').hidden")
    decide(reader, "#deal form", "reject", note="a real fault")
    reader.open(pages["small"])
    assert reader.text("#decisions p") == "2 decisions"
    assert reader.text("#causes .cause:nth-child(1) summary") == "accepted"
    assert "rejected" in reader.text("#table tr[data-place='3']")
    document = exported(reader)
    cause = reader.ask("JSON.parse(document.getElementById('data').textContent).causes[0].id")
    assert document == {
        "format": 1,
        "report": {"started_at": "2026-03-01T08:30:00+00:00", "database": "sqlite:///deals.db"},
        "decisions": [
            {
                "cause": cause,
                "decision": "accept",
                "into": "ledger",
                "note": "ask Ana",
                "reason": "A new price list",
                "ticket": "DD-142",
                "expires": "2027-01-31",
            },
            {
                "deal": "4",
                "decision": "reject",
                "into": None,
                "note": "a real fault",
                "reason": "a real fault",
                "ticket": None,
                "expires": None,
            },
        ],
    }


def test_what_cannot_be_accepted_is_not_offered(reader: Reader, pages: dict[str, Path]) -> None:
    """No entry of the ledger covers a deal that could not be judged; what only reports needs no decision."""
    reader.open(pages["small"])
    inputs = "[...document.querySelectorAll('#causes .cause:nth-child(' + arguments[0] + ') input[name=choice]')]"
    offered = f"{inputs}.map((input) => input.value)"
    for number in (1, 3):
        reader.click(f"#causes .cause:nth-child({number}) summary")
        reader.until(f"document.querySelector('#causes .cause:nth-child({number}) form')")
    assert reader.ask(offered, 1) == ["", "ledger", "baseline", "reject"]
    assert reader.ask(offered, 3) == ["", "reject"]
    assert reader.ask("document.querySelectorAll('.lighter .decide details').length") == 0


def test_decisions_of_another_run_are_not_shown(reader: Reader, pages: dict[str, Path], tmp_path: Path) -> None:
    """They are remembered by the run: its start and its database."""
    reader.open(pages["small"], "#deal=1")
    decide(reader, "#deal form", "reject")
    other = tmp_path / "other.html"
    regressed = result("1", "regressed", finding("cost_total", 1, 2, 100.0))
    other.write_text(render_html(finished([regressed], database="sqlite:///other.db")), encoding="utf-8")
    reader.open(other)
    assert reader.ask("document.getElementById('decisions').hidden")


def test_three_faults_are_causes_that_can_be_decided_on(reader: Reader, tmp_path: Path) -> None:
    """Three faults at once, two of them together in five deals: each cause is accepted, to expire, or rejected."""
    project = build(tmp_path / "project")
    assert project.capture().code == 0
    faults, page = "carve,emea,lost", project.folder / "report.html"
    assert project.gate("--dealsnap-report", f"html:{page}", faults=faults).code == 1
    reader.open(page)
    causes = {cause["title"].split(" · ")[0]: cause for cause in project.causes().values() if cause["gates"]}
    titles = reader.ask("[...document.querySelectorAll('.cause.fails .title.scripted')].map((a) => a.textContent)")
    assert [title.split(" · ")[0] for title in titles] == list(causes)
    assert list(causes) == ["fee +50,000", "fee +12.0%", "fee +12.0% and +50,000", "risk_count -1"]
    for number, cause in enumerate(causes.values(), start=1):
        reader.ask("void (location.hash = arguments[0])", f"#cause={cause['id']}")
        reader.until(f"document.getElementById('by-cause').value === '{number - 1}'")
        assert sorted(reader.rows()) == sorted(cause["deals"])
    for number, (choice, fields) in enumerate(
        [
            ("ledger", {"reason": "agreed", "ticket": "D-1"}),
            ("reject", {"note": "a bug"}),
            ("ledger", {"reason": "agreed, too"}),
            ("ledger", {"reason": "for now"}),
        ],
        start=1,
    ):
        reader.click(f"#causes .cause:nth-child({number}) summary")
        decide(reader, f"#causes .cause:nth-child({number}) form", choice, **fields)
    (project.folder / "decisions.json").write_text(json.dumps(exported(reader)), encoding="utf-8")
    answer = dealsnap(
        project.folder, "accept", "report.json", "--decisions", "decisions.json", "--who", "Ana", "--yes",
        CONTRACT_FAULTS=faults,
    )  # fmt: skip
    assert "rejected: fee +12.0% · carveout by Ana: a bug" in answer.out, answer.err
    again = project.gate("--dealsnap-report", f"html:{page}", faults=faults, report="again.json")
    accepted, rejected, *_ = (cause["deals"] for cause in causes.values())
    assert again.code == 1
    statuses = {
        entry["id"]: entry["status"] for entry in json.loads((project.folder / "again.json").read_text())["deals"]
    }
    assert {statuses[deal_id] for deal_id in rejected} == {"regressed"}
    assert {statuses[deal_id] for deal_id in set(accepted) - set(rejected)} == {"accepted"}
    reader.open(page)
    assert reader.ask("document.querySelectorAll('.cause.fails').length") == 1
    assert reader.ask("document.querySelectorAll('.cause.accepted').length") == 3
    assert reader.ask("document.getElementById('decisions').hidden"), "another run, to be decided on anew"
    ledger = project.ledger.read_text(encoding="utf-8")
    project.ledger.write_text(
        ledger.replace('reason = "for now"', 'reason = "for now"\nexpires = 2020-01-01'), encoding="utf-8"
    )
    assert project.gate("--dealsnap-report", f"html:{page}", faults=faults).code == 1
    reader.open(page)
    assert reader.ask("document.querySelectorAll('.cause.fails').length") == 2
    assert "expired on 2020-01-01" in reader.text(".aside")
