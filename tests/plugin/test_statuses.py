"""Each status of a deal: what pytest counts, what a reader sees, what the reports say."""

from __future__ import annotations

import json
import re

import pytest

from tests.plugin.project import Outcome, Project, deal

FAILING = """
FAILS = {ERRORS}

def value(transaction):
    if transaction.id in FAILS:
        raise FAILS[transaction.id](f"no rate for {transaction.id}")
    return {"offer": {"price": transaction["amount"]}, "risks": [], "memo": "as signed"}
"""
ACCEPTED = """
[[accepted]]
deals = ["known"]
metric = "price"
value = 300
reason = "the parent hosts it for a year"
who = "Ana"
"""


def failing_for(**errors: str) -> str:
    """Return a reasoner that raises these exceptions, by deal id."""
    return FAILING.replace("ERRORS", ", ".join(f"{name!r}: {error}" for name, error in errors.items()))


def every_status(project: Project) -> Project:
    """Return a captured project whose next gate meets every status once."""
    before = project.with_reasoner(failing_for(healed="KeyError", still="KeyError")).with_deals(
        *(deal(name) for name in ("same", "moved", "broke", "fails", "gone", "known", "healed", "still")),
    )
    before.captured()
    (project.folder / "snapshots" / "accepted.toml").write_text(ACCEPTED)
    return before.with_reasoner(failing_for(fails="ValueError", still="KeyError")).with_deals(
        *(deal(name) for name in ("same", "fails", "healed", "still", "fresh")),
        deal("moved", amount=104),
        deal("broke", amount=106),
        deal("known", amount=300),
    )


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose gate meets every status."""
    return every_status(Project(tmp_path_factory.mktemp("statuses")))


@pytest.fixture(scope="module")
def outcome(gated: Project) -> Outcome:
    """That gate, once for all tests that read what it came to."""
    return gated.gate("-v", "--junitxml", "junit.xml")


def test_each_status_has_its_pytest_outcome_and_its_word(outcome: Outcome) -> None:
    """Matched and changed pass; regressed, errored and missing fail; new and recovered skip; accepted is an xfail."""
    words = {
        "same": "PASSED",
        "moved": "PASSED (changed)",
        "healed": "SKIPPED (new)",
        "still": "PASSED (changed)",
        "broke": "FAILED (regressed)",
        "fails": "FAILED (errored)",
        "gone": "FAILED (missing)",
        "fresh": "SKIPPED (new)",
        "known": "XFAIL (accepted)",
    }
    for deal_id, word in words.items():
        line = next(
            line for line in outcome.text.splitlines() if line.startswith(f"deals::test_deal[acquisition-{deal_id}] ")
        )
        assert line.split("] ")[1].split(" [")[0].split(" - ")[0].strip().startswith(word)
    assert outcome.closing == "3 failed, 3 passed, 2 skipped, 1 xfailed"
    assert outcome.code == 1


def test_each_status_has_its_place_in_the_report(outcome: Outcome) -> None:
    """The report holds every deal under its status, and counts them."""
    assert outcome.statuses == {
        "broke": "regressed",
        "fails": "errored",
        "fresh": "new",
        "gone": "missing",
        "healed": "new",
        "known": "accepted",
        "moved": "changed",
        "same": "matched",
        "still": "changed",
    }
    assert outcome.report["summary"] == {
        "deals": 9,
        "compared": 7,
        "matched": 1,
        "changed": 2,
        "regressed": 1,
        "errored": 1,
        "missing": 1,
        "new": 2,
        "accepted": 1,
        "affected_percent": 42.8571,
    }


def test_a_lost_deal_of_the_baseline_asks_for_a_rollback(outcome: Outcome) -> None:
    """A deal that the database lost is data corruption, whatever share of the deals is affected."""
    assert outcome.action == "roll_back"
    assert (
        outcome.report["verdict"]["reason"]
        == "data corruption: deal gone: it is in the baseline and not in the database"
    )
    assert outcome.verdict.startswith("ROLL BACK - data corruption: deal gone")


def test_each_finding_says_what_moved_and_what_was_allowed(outcome: Outcome) -> None:
    """A finding names metric, issue, both values, the change, the rule, and whether it gates."""
    assert outcome.deal("broke")["findings"] == [
        {
            "metric": "price",
            "issue": "price_changed",
            "baseline": 100,
            "current": 106,
            "change_percent": 6.0,
            "allowed": "within 5%",
            "gates": True,
            "kind": "metric",
        }
    ]
    [moved] = outcome.deal("moved")["findings"]
    assert (moved["change_percent"], moved["gates"]) == (4.0, False)
    [gone] = outcome.deal("gone")["findings"]
    assert (gone["issue"], gone["gates"]) == ("missing_from_database", True)
    [failed] = outcome.deal("fails")["findings"]
    assert (failed["issue"], failed["gates"]) == ("reasoning_failed", True)
    assert outcome.deal("fails")["error"] == {"type": "ValueError", "message": "no rate for fails"}
    assert outcome.deal("same")["findings"] == []
    assert outcome.deal("same")["error"] is None
    [known] = outcome.deal("known")["findings"]
    assert known["gates"]


def test_the_report_has_the_promised_keys(gated: Project, outcome: Outcome) -> None:
    """Other tools read the report: every promised key is there, whatever else it holds to be rendered from."""
    report = outcome.report
    assert set(report) >= {"format", "tool", "run", "baseline", "summary", "verdict", "causes", "deals"}
    assert report["format"] == 1
    assert set(report["tool"]) == {"name", "version"}
    assert report["tool"]["name"] == "pytest-dealsnap"
    assert set(report["run"]) >= {
        "mode", "started_at", "seconds", "database", "reasoner", "git_commit", "partial", "shard",
    }  # fmt: skip
    assert (report["run"]["mode"], report["run"]["partial"], report["run"]["shard"]) == ("gate", False, None)
    assert (report["run"]["database"], report["run"]["reasoner"]) == ("sqlite:///book.db", "valuation:value")
    manifest = json.loads((gated.folder / "snapshots" / "manifest.json").read_text())
    del manifest["ids"]  # the report has their digest
    assert len(report["baseline"].pop("ids_sha256")) == 64
    assert report["baseline"] == manifest
    assert set(report["verdict"]) == {"action", "reason"}
    assert all(set(cause) >= {"id", "title", "metric", "deal_types", "deals", "gates"} for cause in report["causes"])
    facts = {"id", "name", "deal_type", "stored_type", "status", "seconds", "findings", "error"}
    assert all(set(entry) >= facts for entry in report["deals"])


def test_junit_holds_the_facts_of_each_deal_as_properties(outcome: Outcome) -> None:
    """A CI that reads JUnit alone still learns id, name, type, status and change."""
    properties = {
        name: {p.get("name"): p.get("value") for p in case.iter("property")} for name, case in outcome.junit.items()
    }
    assert properties["test_deal[acquisition-broke]"] == {
        "deal_id": "broke",
        "deal_name": "Orion",
        "deal_type": "acquisition",
        "status": "regressed",
        "price_changed": "6.0",
    }
    assert properties["test_deal[acquisition-known]"]["status"] == "accepted"
    failed = {name for name, case in outcome.junit.items() if case.find("failure") is not None}
    assert failed == {f"test_deal[acquisition-{name}]" for name in ("broke", "fails", "gone")}
    assert len(outcome.junit) == 9


def test_the_terminal_tells_what_to_do(outcome: Outcome) -> None:
    """The closing summary counts by status and type, explains the failures and names the next commands."""
    table = outcome.text[outcome.text.index("dealsnap gate") :]
    assert [line.split() for line in table.splitlines()[1:4:2]] == [
        ["type", "matched", "changed", "regressed", "errored", "missing", "new", "accepted", "deals"],
        ["acquisition", "1", "2", "1", "1", "1", "2", "1", "9"],
    ]
    assert "pytest --dealsnap --lf" in table
    assert "--dealsnap-update" not in table, "three deals failed, so nothing is recorded now"
    assert "pytest --dealsnap --dealsnap-id fails   # the traceback of ValueError in 1 deal" in table
    assert "ValueError: no rate for fails" in outcome.text
    assert re.search(r"^! price +100 +106 +\+6.00 % +within 5%$", outcome.text, re.MULTILINE)


def test_letters_show_the_status_without_v(gated: Project) -> None:
    """Without -v each status has a letter of its own."""
    outcome = gated.gate()
    line = next(line for line in outcome.text.splitlines() if line.startswith("deals "))
    assert line.split()[1] == "REsMsac.c"


def test_a_missing_and_a_new_deal_can_be_told_to_report_and_to_fail(project: Project) -> None:
    """`deals.missing = "report"` skips a lost deal; `deals.new = "fail"` fails a new one."""
    project.with_deals(deal("a"), deal("b")).captured()
    changed = project.with_deals(deal("a"), deal("c"))
    reported = changed.gate("--dealsnap-deals-missing", "report", "--dealsnap-verdict-min-compared", "50")
    assert (reported.code, reported.closing) == (0, "1 passed, 2 skipped")
    assert reported.action == "proceed"
    assert reported.report["summary"]["compared"] == 1
    strict = changed.with_deals(deal("a"), deal("b"), deal("c")).gate("--dealsnap-deals-new", "fail")
    assert (strict.code, strict.closing) == (1, "1 failed, 2 passed")
    assert strict.action == "inconclusive"
