"""``dealsnap accept`` and ``dealsnap reject``: shown, then done, whole or not at all."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.baseline.ledger import read_ledger
from pytest_dealsnap.cli import main
from pytest_dealsnap.cli.decisions import DecisionError, read_decisions
from pytest_dealsnap.errors import DealsnapError
from tests.cli.reviewing import Contracts
from tests.reporting.runs import small_run

CARVE, EMEA, BOTH, LOST, CRASH = (
    "fee +12.0%",
    "fee +50,000",
    "fee +12.0% and +50,000",
    "risk_count -1",
    "reasoning failed: ZeroDivisionError: no items in '<deal>'",
)


def dealsnap(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Run a command in this process, and return its exit status and all that it said."""
    try:
        code = main(arguments)
    except SystemExit as stop:
        code = int(stop.code or 0)
    said = capsys.readouterr()
    return code, said.out + said.err


def cause(contracts: Contracts, title: str) -> str:
    """Return the id of the cause of that title."""
    return str(contracts.causes()[title]["id"])


def changed(contracts: Contracts, before: dict[str, bytes]) -> set[str]:
    """Return the files of the baseline that are not as they were *before*."""
    after = contracts.snapshots()
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def test_the_gate_finds_exactly_the_faults(contracts: Contracts) -> None:
    """Four faults are four causes and that of two at once, each with its deals and with what those have in common."""
    causes = contracts.causes()
    assert set(causes) == {CARVE, EMEA, BOTH, LOST, CRASH}
    carveouts = {f"k{n}" for n in range(60) if n % 4 == 2}
    emea = {f"k{n}" for n in range(60) if n % 3 == 0}
    crashed = {"k8", "k20", "k44"}
    lost = {f"k{n}" for n in range(60) if n % 9 >= 5} - crashed
    assert set(causes[CARVE]["deals"]) == carveouts - emea
    assert set(causes[EMEA]["deals"]) == emea - carveouts
    assert set(causes[BOTH]["deals"]) == carveouts & emea
    assert set(causes[LOST]["deals"]) == lost
    assert set(causes[CRASH]["deals"]) == crashed
    common = {title: [common["text"] for common in one["common"]] for title, one in causes.items()}
    within = 'all 15 have region = "EMEA", no other acquisition or divestiture has'
    assert any(text.startswith(within) for text in common[EMEA])
    assert any(text.startswith("all 3 have items = 0, no other deal has") for text in common[CRASH])
    assert "hidden" not in contracts.report.read_text(encoding="utf-8")


def test_workers_and_shards_find_the_same_causes(contracts: Contracts) -> None:
    """What deals have in common travels: causes are the same under ``-n 2``, and when shards are merged."""
    whole = contracts.causes()
    faults = os.environ["CONTRACT_FAULTS"]
    contracts.gate("-n", "2", faults=faults, report="workers.json")
    assert contracts.causes("workers.json") == whole
    for number in (1, 2):
        contracts.gate("--dealsnap-shard", f"{number}/2", faults=faults, report=f"shard{number}.json")
    assert main(["merge", "shard1.json", "shard2.json", "--report", "json:merged.json"]) == 1
    assert contracts.causes("merged.json") == whole
    assert main(["merge", "shard2.json", "shard1.json", "--report", "json:other.json"]) == 1
    assert contracts.causes("other.json") == whole


def test_a_cause_is_taken_into_the_ledger(contracts: Contracts, capsys: pytest.CaptureFixture[str]) -> None:
    """One entry pins the deals at their values, and the next gate accepts just these."""
    name = cause(contracts, EMEA)
    arguments = ["accept", "report.json", "--cause", name, "--into", "ledger", "--reason", "a fee", "--ticket", "DD-1"]
    code, said = dealsnap(capsys, *arguments, "--expires", "2999-12-31", "--yes")
    assert code == 0, said
    [values] = (contracts.folder / "snapshots" / "accepted").iterdir()
    text = contracts.ledger.read_text(encoding="utf-8")
    made = next(line for line in text.splitlines(keepends=True) if line.startswith("made_for"))
    assert made.startswith(
        'made_for = {deals = 15, pattern = "fee +50,000 · acquisition, divestiture", baseline = 4826025, '
    )
    assert text == (
        "[[accepted]]\n"
        "# fee +50,000 · acquisition, divestiture, 15 deals\n"
        f'cause = "{name}"\n'
        'metric = "fee"\n'
        f'values = "accepted/{values.name}"\n'
        f"{made}"
        'reason = "a fee"\n'
        'who = "Ana Ruiz"\n'
        'ticket = "DD-1"\n'
        "expires = 2999-12-31 # the last day on which it counts, in UTC\n"
    )
    outcome = contracts.gate(faults=os.environ["CONTRACT_FAULTS"], report="after.json")
    emea_only = {f"k{n}" for n in range(60) if n % 3 == 0 and n % 4 != 2 and n % 9 < 5 and n not in (8, 20, 44)}
    accepted = {i for i, status in read_statuses(contracts, "after.json").items() if status == "accepted"}
    assert accepted == emea_only, outcome.text
    assert contracts.causes("after.json")[EMEA]["id"] == name
    ledger = json.loads((contracts.folder / "after.json").read_text(encoding="utf-8"))["ledger"]
    assert [(one["cause"], one["metric"], one["ticket"], one["matched"]) for one in ledger] == [
        (name, "fee", "DD-1", True)
    ]


def read_statuses(contracts: Contracts, report: str) -> dict[str, str]:
    """Return each deal's status in a report."""
    document = json.loads((contracts.folder / report).read_text(encoding="utf-8"))
    return {deal["id"]: deal["status"] for deal in document["deals"]}


def test_nothing_is_taken_without_a_yes(contracts: Contracts, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal and without --yes, what would change is shown and nothing is done."""
    before = contracts.snapshots()
    for into in (["--into", "ledger", "--reason", "why"], []):
        code, said = dealsnap(capsys, "accept", "report.json", "--cause", cause(contracts, CARVE), *into)
        assert code == 1
        assert said.rstrip().endswith("nothing was taken: give --yes to do it")
        assert "+12.00 %" in said or "values in snapshots/accepted/" in said or "values = {" in said
    assert contracts.snapshots() == before
    assert not (contracts.folder / "report.decisions.json").exists()


def test_a_cause_is_taken_into_the_baseline(contracts: Contracts, capsys: pytest.CaptureFixture[str]) -> None:
    """The deals that fail by nothing else get their new outputs; the others are named with what else they show."""
    before = contracts.snapshots()
    code, said = dealsnap(capsys, "accept", "report.json", "--cause", cause(contracts, CARVE), "--yes")
    assert code == 1
    carveouts_only = {f"k{n}" for n in range(60) if n % 4 == 2 and n % 3 and n % 9 < 5}
    assert changed(contracts, before) == {f"deals/{deal}.json" for deal in carveouts_only}
    assert f"the new output of {len(carveouts_only)} deals:" in said
    assert "deals that fail by risk_count -1 · acquisition, carveout, divestiture" in said
    assert "decide on both, or take them by --deal" in said
    code, said = dealsnap(capsys, "accept", "report.json", "--cause", cause(contracts, EMEA), "--yes")
    emea = {f"k{n}" for n in range(60) if n % 3 == 0 and n % 9 < 5 and n % 4 != 2}
    assert changed(contracts, before) == {f"deals/{deal}.json" for deal in carveouts_only | emea}
    contracts.gate(faults=os.environ["CONTRACT_FAULTS"], report="after.json")
    statuses = read_statuses(contracts, "after.json")
    assert all(statuses[deal] == "matched" for deal in carveouts_only | emea)


def test_single_deals_are_taken_whole(contracts: Contracts, capsys: pytest.CaptureFixture[str]) -> None:
    """Who names a deal takes all that changed in it."""
    before = contracts.snapshots()
    code, said = dealsnap(capsys, "accept", "report.json", "--deal", "k6", "--deal", "k8", "--yes")
    assert code == 1
    assert "not taken: deal k8: a deal that could not be reasoned cannot be accepted; fix the error" in said
    assert changed(contracts, before) == {"deals/k6.json"}
    assert json.loads(contracts.snapshots()["deals/k6.json"])["metrics"]["fee"] == (100_003 + 7_919 * 6) * 1.12 + 50_000


def test_a_deal_is_taken_into_the_ledger_at_its_values(
    contracts: Contracts, capsys: pytest.CaptureFixture[str]
) -> None:
    """One entry for each of its failing metrics; the deal is accepted then, and no other."""
    arguments = ["accept", "report.json", "--deal", "k6", "--into", "ledger", "--reason", "agreed", "--yes"]
    code, said = dealsnap(capsys, *arguments)
    assert code == 0, said
    book = read_ledger(contracts.folder / "snapshots", today=date(2027, 1, 1))
    assert [(one.metric, one.condition, one.deals) for one in book.entries] == [
        ("fee", "values", frozenset({"k6"})),
        ("risk_count", "values", frozenset({"k6"})),
    ]
    assert "1 deal is accepted by it" in said


def test_a_type_is_taken(contracts: Contracts, capsys: pytest.CaptureFixture[str]) -> None:
    """Into the baseline its failed deals, into the ledger their values, for each metric."""
    before = contracts.snapshots()
    code, said = dealsnap(capsys, "accept", "report.json", "--type", "carveout", "--yes")
    assert code == 0, said
    assert changed(contracts, before) == {f"deals/k{n}.json" for n in range(60) if n % 4 == 2}
    arguments = ["accept", "report.json", "--type", "divestiture", "--into", "ledger", "--reason", "sold", "--yes"]
    code, said = dealsnap(capsys, *arguments)
    assert code == 0, said
    outcome = contracts.gate(faults=os.environ["CONTRACT_FAULTS"])
    sold = {status for deal, status in outcome.statuses.items() if int(deal[1:]) % 4 == 3}
    assert sold == {"accepted", "matched"}, outcome.text


def test_an_error_cannot_be_accepted(contracts: Contracts, capsys: pytest.CaptureFixture[str]) -> None:
    """An error is no value that anybody could take."""
    before = contracts.snapshots()
    name, words = cause(contracts, CRASH), "a deal that could not be reasoned cannot be accepted; fix the error"
    code, said = dealsnap(
        capsys, "accept", "report.json", "--cause", name, "--into", "ledger", "--reason", "x", "--yes"
    )
    assert (code, words in said) == (1, True)
    code, said = dealsnap(capsys, "accept", "report.json", "--cause", name, "--yes")
    assert (code, words in said) == (1, True)
    assert contracts.snapshots() == before
    path = decisions(contracts, {"cause": name, "decision": "accept", "into": "baseline", "note": "fine"})
    code, said = dealsnap(capsys, "accept", "report.json", "--decisions", str(path), "--yes")
    assert (code, words in said) == (1, True)
    assert not (contracts.folder / "report.decisions.json").exists(), "it is not marked as accepted either"


def test_a_deal_that_changed_since_the_report_is_not_taken(
    contracts: Contracts, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the reviewer saw is what is taken: another output, another database or a deal that went is refused."""
    before = contracts.snapshots()
    monkeypatch.setenv("CONTRACT_FAULTS", "carve,emea,lost,crash,memo")
    code, said = dealsnap(capsys, "accept", "report.json", "--deal", "k2", "--yes")
    assert (code, "deal k2: it has changed since the report; run the gate again" in said) == (1, True)
    connection = sqlite3.connect(contracts.folder / "contracts.db")
    with connection:
        connection.execute("DELETE FROM contracts WHERE number = 'k2'")
    connection.close()
    code, said = dealsnap(capsys, "accept", "report.json", "--deal", "k2", "--yes")
    assert (code, "deal k2: it is gone from the database" in said) == (1, True)
    monkeypatch.setenv("DEALSNAP_DATABASE", "sqlite:///other.db")
    code, said = dealsnap(capsys, "accept", "report.json", "--deal", "k6", "--yes")
    assert (code, "the report is of sqlite:///contracts.db, this project's deals are in" in said) == (2, True)
    assert contracts.snapshots() == before


def test_deals_that_were_taken_already_are_no_news(contracts: Contracts, capsys: pytest.CaptureFixture[str]) -> None:
    """Accepting the same again is done already; what cannot be taken for one reason is told in one line."""
    accept = ("accept", "report.json", "--cause", cause(contracts, LOST), "--yes")
    first, said = dealsnap(capsys, *accept)
    taken = contracts.snapshots()
    again, said = dealsnap(capsys, *accept)
    assert (first, again, contracts.snapshots() == taken) == (1, 1, True), "other causes keep some of its deals red"
    assert "deals were taken before\n" in said
    assert "has changed since the report" not in said
    assert dealsnap(capsys, "accept", "report.json", "--deal", "k5", "--yes")[0] == 0
    gone = sqlite3.connect(contracts.folder / "contracts.db")
    with gone:
        gone.execute("DELETE FROM contracts WHERE number IN ('k2', 'k6', 'k10', 'k14')")
    gone.close()
    deals = [word for number in (2, 6, 10, 14) for word in ("--deal", f"k{number}")]
    said = dealsnap(capsys, "accept", "report.json", *deals, "--yes")[1]
    assert "not taken: 4 deals (k10, k14, k2, k6): it is gone from the database\n" in said


def test_what_the_ledger_takes_already_is_not_added_again(
    contracts: Contracts, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second entry without an end would outlive the first one's; after that has expired, a new one is right."""
    accept = ("accept", "report.json", "--cause", cause(contracts, CARVE), "--into", "ledger", "--yes")
    assert dealsnap(capsys, *accept, "--reason", "a year", "--expires", "2999-12-31")[0] == 0
    before = contracts.ledger.read_bytes()
    code, said = dealsnap(capsys, *accept, "--reason", "for ever")
    assert (code, contracts.ledger.read_bytes() == before) == (1, True)
    assert (
        "not taken: snapshots/accepted.toml, entry 1 accepts exactly this already; to change its reason or its end"
        in said
    )
    contracts.ledger.write_bytes(before.replace(b"2999-12-31", b"2020-12-31"))
    assert dealsnap(capsys, *accept, "--reason", "one more year")[0] == 0
    assert contracts.ledger.read_text(encoding="utf-8").count("[[accepted]]") == 2


def test_a_batch_is_written_whole_or_not_at_all(contracts: Contracts) -> None:
    """Where one snapshot cannot be written, those written before it are put back."""
    connection = sqlite3.connect(contracts.folder / "contracts.db")
    with connection:
        connection.execute("UPDATE contracts SET party = ? WHERE number = 'k6'", ("x" * 3_000,))
    connection.close()
    before = contracts.snapshots()
    # No file may become longer than two kilobytes, as on a disk that is full.
    command = f"ulimit -f 2; exec {sys.executable} -m pytest_dealsnap accept report.json --deal k2 --deal k6 --yes"
    done = subprocess.run(["bash", "-c", command], capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, "k6.json cannot be written: File too large" in done.stderr) == (2, True), done
    assert contracts.snapshots() == before
    assert not (contracts.folder / "report.decisions.json").exists()


def test_a_fixtures_reasoner_is_pytests_to_call(contracts: Contracts, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a configured reasoner, the message is the command that takes the deals."""
    config = contracts.folder / "pyproject.toml"
    config.write_text(config.read_text(encoding="utf-8").replace('reasoner = "pricing:price"', ""), encoding="utf-8")
    code, said = dealsnap(capsys, "accept", "report.json", "--deal", "k2", "--deal", "k6", "--yes")
    assert code == 2
    assert "pytest --dealsnap-update --dealsnap-id k2 --dealsnap-id k6" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "what is accepted?"),
        (["--cause", "nope"], "the report has no cause 'nope'. It has: "),
        (["--deal", "nope"], "the report has no deal 'nope'"),
        (["--type", "nope"], "the report has no deal of the type 'nope'. It has: acquisition, carveout, divestiture"),
        (["--deal", "k2", "--reason", "x"], "--reason belongs to an exception in the ledger: add --into ledger"),
        (["--deal", "k2", "--into", "ledger"], "needs a reason: --reason TEXT"),
        (
            ["--deal", "k2", "--into", "ledger", "--reason", "x", "--expires", "soon"],
            "must be a day such as 2027-01-31",
        ),
        (["--deal", "k2", "--into", "ledger", "--reason", "x", "--expires", "2020-01-01"], "that day is over"),
        (["--deal", "k2", "--decisions", "x.json"], "--decisions FILE alone"),
        (["--decisions", "x.json"], "no such file of decisions: x.json"),
    ],
)
def test_usage(contracts: Contracts, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    """What is wrong is said, with the way out, and ends with 2."""
    code, said = dealsnap(capsys, "accept", "report.json", *arguments, "--yes")
    assert (code, words in said) == (2, True), said


def decisions(contracts: Contracts, *made: dict[str, Any], **report: str) -> Path:
    """Write a file as the HTML page exports it."""
    document = json.loads(contracts.report.read_text(encoding="utf-8"))
    origin = {key: document["run"][key] for key in ("started_at", "database")} | report
    path = contracts.folder / "made.json"
    path.write_text(json.dumps({"format": 1, "report": origin, "decisions": list(made)}), encoding="utf-8")
    return path


def test_decisions_of_the_page_are_carried_out_together(
    contracts: Contracts, capsys: pytest.CaptureFixture[str]
) -> None:
    """Accepted causes go where the page says, rejected ones are recorded; all of it or nothing."""
    before = contracts.snapshots()
    carve = {"cause": cause(contracts, CARVE), "decision": "accept", "into": "ledger", "reason": "meant", "note": ""}
    emea = {"cause": cause(contracts, EMEA), "decision": "accept", "into": "baseline", "note": "fine"}
    lost = {"cause": cause(contracts, LOST), "decision": "reject", "note": "a bug", "into": None}
    path = decisions(contracts, {**carve, "ticket": "T-1", "expires": "2999-01-31"}, emea, lost)
    code, said = dealsnap(capsys, "accept", "report.json", "--decisions", str(path), "--yes")
    assert code == 1, said
    assert "accepted.toml" in changed(contracts, before)
    assert "deals/k3.json" in changed(contracts, before)
    kept = json.loads((contracts.folder / "report.decisions.json").read_text(encoding="utf-8"))["decisions"]
    assert {one["decision"] for one in kept} == {"accept", "reject"}
    code, said = dealsnap(capsys, "review", "report.json")
    assert "rejected: risk_count -1 · acquisition, carveout, divestiture by Ana Ruiz: a bug" in said
    assert "accepted into the ledger: fee +12.0% · carveout" in said


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("no json", "is no file of decisions"),
        ("[]", "has format None; this version of pytest-dealsnap knows format 1"),
        ('{"format": 2}', "has format 2"),
        ('{"format": 1, "report": 5, "decisions": []}', "report must say which report this is of: Expected `object`"),
        ('{"format": 1, "report": {"started_at": "x", "database": "x"}}', "decisions must be a list"),
        (
            '{"format": 1, "report": {"started_at": "y", "database": "x"}, "decisions": []}',
            "was made from another report: of x, begun y; this one is of sqlite:///contracts.db",
        ),
    ],
)
def test_a_bad_file_of_decisions_is_refused(
    contracts: Contracts, capsys: pytest.CaptureFixture[str], document: str, words: str
) -> None:
    """The error says what is wrong; nothing is done."""
    (contracts.folder / "made.json").write_text(document, encoding="utf-8")
    code, said = dealsnap(capsys, "accept", "report.json", "--decisions", "made.json", "--yes")
    assert (code, words in said) == (2, True), said


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (5, "must name a cause or a deal"),
        ({"cause": None}, "cause must be a text"),
        ({"deal": "1", "note": 5}, "note must be a text"),
        ({"deal": "1", "type": "carveout", "decision": "accept"}, "unknown key 'type'"),
        ({"deal": "1", "decision": "x"}, "decision is 'x'. Valid are accept and reject"),
        ({"deal": "1"}, "decision is None. Valid are accept and reject"),
        (
            {"deal": "1", "decision": "accept", "into": "legder"},
            "into is 'legder'. Did you mean \"ledger\"? Valid are baseline",
        ),
        ({"deal": "1", "decision": "accept", "expires": "soon"}, "expires 'soon': must be a day such as 2027-01-31"),
    ],
)
def test_a_bad_decision_is_refused(tmp_path: Path, entry: Any, words: str) -> None:
    """The error says which, and what is valid."""
    path, origin = tmp_path / "made.json", {"started_at": "x", "database": "x"}
    path.write_text(json.dumps({"format": 1, "report": origin, "decisions": [entry]}), encoding="utf-8")
    with pytest.raises(DecisionError, match=re.escape(f"made.json, decision 1: {words}")):
        read_decisions(path, small_run())


def test_a_decision_on_what_the_report_has_not_is_refused(
    contracts: Contracts, capsys: pytest.CaptureFixture[str]
) -> None:
    """A cause of another report is not taken for one of this."""
    path = decisions(contracts, {"cause": cause(contracts, CARVE), "decision": "reject", "note": " "})
    code, said = dealsnap(capsys, "accept", "report.json", "--decisions", str(path), "--yes")
    assert (code, "has no reason" in said) == (2, True), said
    path = decisions(contracts, {"cause": "0" * 12, "decision": "accept"})
    code, said = dealsnap(capsys, "accept", "report.json", "--decisions", str(path), "--yes")
    assert (code, f"the report has no cause {'0' * 12}" in said) == (2, True)


def test_a_rejection_is_kept_and_changes_nothing_else(contracts: Contracts, capsys: pytest.CaptureFixture[str]) -> None:
    """By cause, deal or type; the gate stays as it is, and the next report's review still knows."""
    before = contracts.snapshots()
    code, said = dealsnap(capsys, "reject", "report.json", "--cause", cause(contracts, LOST), "--note", "bug <b>\x1b")
    assert code == 0
    assert "rejected: risk_count -1" in said
    assert dealsnap(capsys, "reject", "report.json", "--deal", "k8", "--type", "carveout", "--who", "Bo")[0] == 0
    assert contracts.snapshots() == before
    code, said = dealsnap(capsys, "review", "report.json")
    assert code == 1
    assert "rejected: risk_count -1 · acquisition, carveout, divestiture by Ana Ruiz: bug <b>\\x1b" in said
    assert "rejected: deal k8 by Bo" in said
    assert dealsnap(capsys, "reject", "report.json")[0] == 2


def test_a_report_of_another_kind_has_nothing_for_the_baseline(
    contracts: Contracts, capsys: pytest.CaptureFixture[str]
) -> None:
    """A comparison's outputs are in its second folder, a capture found nothing."""
    assert main(["compare", "snapshots", "snapshots", "--report", "json:same.json"]) == 0
    code, said = dealsnap(capsys, "accept", "same.json", "--deal", "k2", "--yes")
    assert (code, "this is the report of a compare" in said) == (2, True)
    found = json.loads(contracts.report.read_text(encoding="utf-8"))
    found["run"]["mode"] = "compare"
    Path("compared.json").write_text(json.dumps(found), encoding="utf-8")
    said = dealsnap(capsys, "review", "compared.json")[1]
    assert "--into ledger" in said
    assert "--into baseline" not in said, "what would be refused is not offered"
    contracts.capture("--dealsnap-report", "json:capture.json")
    for command in (("review",), ("accept", "--deal", "k2", "--yes"), ("reject", "--deal", "k2")):
        code, said = dealsnap(capsys, command[0], "capture.json", *command[1:])
        assert (code, "capture.json is the report of a capture, which judges nothing" in said) == (2, True)


def test_entries_with_fields_hold_in_a_comparison_of_folders(contracts: Contracts) -> None:
    """An entry that names a field of the output is asked offline, too; one that names a column matches nothing."""
    assert contracts.capture("--dealsnap-snapshots", "after", faults="lost").code == 0
    entry = '[[accepted]]\ncause = "x"\nmetric = "risk_count"\nchange_amount = [-1, -1]\nreason = "r"\nwho = "w"\n'
    for where, code in (('{"output.length(risks)" = 3}', 0), ('{"region" = "EMEA"}', 1)):
        contracts.ledger.write_text(f"{entry}where = {where}\n", encoding="utf-8")
        assert main(["compare", "snapshots", "after"]) == code


def test_a_ledger_that_was_edited_is_not_undone(contracts: Contracts) -> None:
    """Undo puts back the file that it wrote to, and no other."""
    from pytest_dealsnap.cli.chosen import choose
    from pytest_dealsnap.cli.ledger_entries import Terms
    from pytest_dealsnap.cli.output import project_config
    from pytest_dealsnap.cli.proposals import propose_ledger
    from pytest_dealsnap.reporting.json_reading import read_json

    run = read_json(contracts.report)
    chosen = choose(run, causes=[cause(contracts, CARVE)], deals=[], types=[])
    terms = Terms("why", "Ana", expires=datetime.now(UTC).date())
    undo = propose_ledger(project_config(), run, chosen, terms).apply()
    text = contracts.ledger.read_text(encoding="utf-8")
    contracts.ledger.write_text(text + "# mine\n", encoding="utf-8")
    with pytest.raises(DealsnapError, match="was edited since: nothing was undone"):
        undo()
    contracts.ledger.write_text(text, encoding="utf-8")
    undo()
    assert not contracts.ledger.exists()
