"""`dealsnap audit`: what it prints, as text and as JSON, and when it asks for a person."""

from __future__ import annotations

import gzip
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from examples.diligence import database
from pytest_dealsnap.cli import main
from tests.cli.console import Answer, dealsnap
from tests.cli.saved_reports import settled
from tests.plugin.project import Project, deal

NAMES = {"table": "transactions", "id": "deal_no", "name": "title", "type": "kind"}
CONFIG = (
    '[tool.dealsnap]\ndatabase = "sqlite:///book.db"\nreasoner = "valuation:value"\n'
    "[tool.dealsnap.deals]\n"
    + "".join(f'{key} = "{value}"\n' for key, value in NAMES.items())
    + "[tool.dealsnap.rules.carveout]\n"
    'cost_total = "ratio 1.5..3.0"\n'
    '"*" = "report"\n'
)
REASONER = """
import os

def value(transaction):
    separates = os.environ.get("AWARE") == "true" and transaction.deal_type == "carveout"
    estimate = {"total_cost": transaction["amount"] * (2 if separates else 1), "tsa_costs": 50 if separates else 0}
    return {"cost_estimate": estimate, "synergies": [], "narrative": "as signed"}
"""
CONSTRAINED = (
    "CREATE TABLE transactions (deal_no TEXT PRIMARY KEY, title TEXT, kind TEXT NOT NULL "
    "CHECK (kind IN ('acquisition', 'carveout', 'divestiture')), amount INTEGER)"
)
SOUND = (deal("a1"), deal("c1", kind="carveout"), deal("c2", kind="carveout"), deal("d1", kind="divestiture"))
QUESTIONS = {
    "carve-outs cost 1.5 to 3 times the comparable acquisition",
    "TSA costs for carve-outs only",
    "the regression suite passes: the gate is green",
    "fewer than 5 support tickets a week about deal types",
    "no rollback, and the flag no longer toggled, for 30 days",
    "the user guide says how a deal's type is chosen",
}

Audit = Callable[..., Answer]


@pytest.fixture
def audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Audit:
    """Run the command in this process, in a project of these deals."""
    for variable in ("DEALSNAP_DATABASE", "DATABASE_URL"):
        monkeypatch.delenv(variable, raising=False)

    def run(project: Project, *arguments: str) -> Answer:
        monkeypatch.chdir(project.write().folder)
        code = main(["audit", *arguments])
        out, err = capsys.readouterr()
        return Answer(code, out, err)

    return run


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project of four sound deals, in a table that takes no other types."""
    return Project(tmp_path / "p", SOUND, CONSTRAINED, CONFIG, {"valuation.py": REASONER})


@pytest.fixture
def loose(project: Project) -> Project:
    """The same without any constraint."""
    return project.with_schema("CREATE TABLE transactions (deal_no TEXT, title TEXT, kind TEXT, amount INTEGER)")


def document(answer: Answer) -> Any:
    """Return the JSON that was printed, read strictly."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(answer.out, parse_constant=refuse)


def needs(answer: Answer) -> list[str]:
    """Return what the text says that a person is needed for."""
    return [line.partition(": ")[2] for line in answer.out.splitlines() if line.startswith("needs a person: ")]


def checks(answer: Answer) -> dict[str, tuple[str, str]]:
    """Return the list's items: status and evidence by check."""
    return {item["check"]: (item["status"], item["evidence"]) for item in document(answer)["checklist"]}


def test_sound_deals_need_nobody(project: Project, audit: Audit) -> None:
    """Exit 0, every stored type counted, nothing to change."""
    answer = audit(project)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[0] == "sqlite:///book.db, transactions: 4 rows"
    assert "The backfill would change nothing." in answer.out
    assert answer.out.splitlines()[-1] == "nothing needs a person"


def test_bad_rows_are_listed(loose: Project, audit: Audit) -> None:
    """NULL, blank and unknown types are counted and listed with what they would become; exit 1."""
    rows = (*SOUND, deal("n", kind=None), deal("b", kind="  "), deal("m", kind="merger"), deal("s", kind="spinoff"))
    answer = audit(loose.with_deals(*rows).with_settings('aliases = { spinoff = "carveout" }', section="deals"))
    assert answer.code == 1
    assert "valid: 4, alias: 1, NULL: 1, blank: 1, invalid: 1" in answer.out
    listed = answer.out.partition("The backfill would change 4 rows of 8:")[2].splitlines()[3:7]
    assert [line.split() for line in listed] == [
        ["blank", "b", "Orion", '"', '"', "acquisition"],
        ["invalid", "m", "Orion", '"merger"', "acquisition"],
        ["NULL", "n", "Orion", "NULL", "acquisition"],
        ["alias", "s", "Orion", '"spinoff"', "carveout"],
    ]
    assert [problem.partition(" with ")[0] for problem in needs(answer)] == ["1 row"] * 3


def test_aliases_alone_need_nobody(loose: Project, audit: Audit) -> None:
    """The configuration says already what they are."""
    aliased = loose.with_deals(deal("s", kind="spinoff"))
    answer = audit(aliased.with_settings('aliases = { spinoff = "carveout" }', section="deals"), "--json")
    assert (answer.code, document(answer)["summary"]["backfill"]) == (0, 1)


def test_shared_and_missing_ids_are_told(loose: Project, audit: Audit) -> None:
    """What stops a gate is an answer of the audit."""
    answer = audit(loose.with_deals(deal("x"), deal("x"), deal(None)))
    assert answer.code == 1
    assert needs(answer) == [
        "1 id shared by several deals (x in 2 rows)",
        "1 deal without an id (NULL): no gate can judge them",
    ]


def test_the_json_document(loose: Project, audit: Audit) -> None:
    """One strict document with the counts, the distribution, every row and what needs a person."""
    where = loose.with_settings('where = "amount > 0"', section="deals")
    answer = audit(where.with_deals(*SOUND, deal("n", kind=None), deal("m", kind="merger", amount=0)), "--json")
    found = document(answer)
    assert (answer.code, found["format"], found["needs_person"]) == (1, 1, True)
    assert found["source"] == {"database": "sqlite:///book.db", "table": "transactions", "where": "amount > 0"}
    assert found["summary"] == {
        "rows": 6, "deals": 5, "valid": 4, "alias": 0, "null": 1, "blank": 0, "invalid": 1,
        "backfill": 2, "duplicate_ids": 0, "without_id": 0,
    }  # fmt: skip
    assert found["distribution"][-1] == {
        "stored_type": "merger", "kind": "invalid", "counts_as": "acquisition", "rows": 1, "deals": 0,
    }  # fmt: skip
    assert found["deals_by_type"] == {"acquisition": 2, "carveout": 2, "divestiture": 1}
    assert found["backfill"][0] == {
        "id": "m", "name": "Orion", "stored_type": "merger", "kind": "invalid",
        "becomes": "acquisition", "is_deal": False,
    }  # fmt: skip
    assert len(found["problems"]) == 2
    assert (found["logs"], found["checklist"]) == (None, None)


HOSTILE = (
    "<script>alert(1)</script>",
    "::error::no",
    "\x1b[2J\x07",
    "a\nneeds a person: no",
    "\u202etxt",
    "名 \U0001f600",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_text(loose: Project, audit: Audit, text: str) -> None:
    """No name, id, type or log line moves the cursor, adds a line or spoils the JSON."""
    rows = loose.with_deals(deal(text, title=text, kind=text)).with_file("app.log", f"deal_type='{text}' x")
    answer = audit(rows, "--logs", "app.log")
    assert not any(character in answer.out for character in "\x1b\x07\u202e")
    assert not any(line.lstrip().startswith(("::", "needs a person: no")) for line in answer.out.splitlines())
    found = document(audit(rows, "--json"))["backfill"][0]
    assert (found["id"], found["name"], found["stored_type"]) == (text, text, text)


def test_long_lists_are_cut_and_json_is_not(loose: Project, audit: Audit) -> None:
    """Fifty rows and thirty types are shown, the rest counted."""
    many = loose.with_deals(*(deal(f"m{number}", kind=f"t{number}") for number in range(120)))
    answer = audit(many)
    assert "… and 70 more rows (--json lists all)" in answer.out
    assert "… and 90 more values (--json lists all)" in answer.out
    assert len(document(audit(many, "--json"))["backfill"]) == 120


def test_logs_are_counted_beside_the_database(project: Project, audit: Audit) -> None:
    """Plain, JSON and gzipped logs, by name or pattern; each type's share beside that of the deals."""
    logs = project.with_file(
        "app.log", "Cost calculation: deal_type=acquisition, n=1\nCost calculation: deal_type=carveout\n"
    )
    logs = logs.with_file("app.log.1", '{"message": "Cost calculation: n=1", "deal_type": "divestiture"}\n').write()
    (logs.folder / "app.log.2.gz").write_bytes(gzip.compress(b"Cost calculation: deal_type=carveout\n"))
    answer = audit(logs, "--logs", "app.log*")
    assert answer.code == 0, answer.out
    assert "3 log files, 4 lines, 4 cost calculations:" in answer.out
    assert [line.split() for line in answer.out.splitlines() if line.startswith("deal_type=")] == [
        ["deal_type=acquisition", "1", "25.0", "%", "1", "25.0", "%"],
        ["deal_type=carveout", "2", "50.0", "%", "2", "50.0", "%"],
        ["deal_type=divestiture", "1", "25.0", "%", "1", "25.0", "%"],
    ]
    counts = document(audit(logs, "--json", "--logs", "app.log", "--logs", "app.log.1"))["logs"]
    assert counts["counts"] == {"acquisition": 1, "carveout": 1, "divestiture": 1}


@pytest.mark.parametrize(
    ("log", "problem"),
    [
        ("nothing of the kind\n", "the log names no deal type at all"),
        ("", "the log names no deal type at all"),
        ("deal_type=carveout\ndeal_type=None\n", '1 log line with an unknown deal type ("None" 1 times)'),
        ("Cost calculation: deal_type=carveout\nCost calculation: n=1\n", "1 cost calculation in the log without"),
        ("deal_type=acquisition\n" * 10, "2 deals of 4 deals count as carveout, and none of the log's 10 mentions"),
    ],
)
def test_logs_that_need_a_person(project: Project, audit: Audit, log: str, problem: str) -> None:
    """Unknown types, none, or a type that should have been seen: exit 1."""
    answer = audit(project.with_file("app.log", log), "--logs", "app.log")
    assert answer.code == 1
    assert needs(answer)[0].startswith(problem)


def test_questions_alone_do_not_fail_the_list(project: Project, audit: Audit) -> None:
    """What the schema shows is passed; what a program cannot know is a question, never passed; exit 0."""
    answer = audit(project, "--post-migration", "--json")
    found = checks(answer)
    assert answer.code == 0
    assert {check for check, (status, _) in found.items() if status == "question"} == QUESTIONS
    assert {status for check, (status, _) in found.items() if check not in QUESTIONS} == {"passed"}
    assert len(found) == 9
    text = audit(project, "--post-migration").out
    assert text.endswith("nothing needs a person, but the questions are still open\n")
    assert "6 questions (?) left open; by themselves they do not fail the audit." in text


def test_bad_types_and_missing_constraints_fail_the_list(loose: Project, audit: Audit) -> None:
    """Each item that fails says why, and is what needs a person."""
    answer = audit(
        loose.with_deals(*SOUND, deal("n", kind=None), deal("m", kind="merger")), "--post-migration", "--json"
    )
    found = checks(answer)
    assert answer.code == 1
    assert [status for status, _ in found.values()][:3] == ["failed"] * 3
    assert "kind may be NULL; no CHECK refuses" in found["the database refuses NULL and invalid types"][1]
    assert sum(problem.startswith("checklist: ") for problem in document(answer)["problems"]) == 3


def test_an_empty_table_passes_nothing(project: Project, audit: Audit) -> None:
    """Of no deals, nothing can be said."""
    found = checks(audit(project.with_deals(), "--post-migration", "--json"))
    assert [status for status, _ in found.values()][:2] == ["question", "question"]


@pytest.fixture(scope="module")
def rolled_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project's folder after its rollout: a gate's report and a capture of the new code."""
    project = Project(
        tmp_path_factory.mktemp("rollout"), SOUND, CONSTRAINED, CONFIG, {"valuation.py": REASONER}
    ).captured()
    aware = project.with_environment(AWARE="true")
    assert aware.gate().action == "proceed"
    report = (project.folder / "report.json").read_bytes()
    assert aware.run("--dealsnap-update", "--dealsnap-snapshots", "after").code == 0
    (project.folder / "gate.json").write_bytes(report)
    return project.folder


@pytest.fixture
def after(rolled_out: Path, project: Project) -> Project:
    """The same in a folder to change things in."""
    shutil.copytree(rolled_out, project.folder, ignore=shutil.ignore_patterns("__pycache__"))
    return project


LISTED = ("--post-migration", "--json", "--report", "gate.json", "--baseline", "after")


def test_a_report_and_a_capture_answer_questions(after: Project, audit: Audit) -> None:
    """With both, only what no program can know is left."""
    answer = audit(after, *LISTED)
    found = checks(answer)
    assert answer.code == 0
    assert found["carve-outs cost 1.5 to 3 times the comparable acquisition"] == ("passed", "2 of 2 carve-outs inside")
    assert found["TSA costs for carve-outs only"] == ("passed", "2 carve-outs with TSA costs, none of 2 other deals")
    assert found["the regression suite passes: the gate is green"][0] == "passed"
    assert [status for status, _ in found.values()].count("question") == 3


def test_a_matrix_is_no_gate(after: Project, audit: Audit) -> None:
    """Its report compares types, not releases: green or not, it answers neither question."""
    found = checks(audit(edited(after, lambda report: report["run"].update(mode="matrix")), *LISTED))
    for check in (
        "carve-outs cost 1.5 to 3 times the comparable acquisition",
        "the regression suite passes: the gate is green",
    ):
        assert found[check][0] == "question"
        assert found[check][1].startswith("the report is of a matrix, which compares types and not releases")


def edited(project: Project, change: Callable[[Any], object]) -> Project:
    """Change the gate's report, which is then the report of a run that came to that."""
    path = project.folder / "gate.json"
    report = json.loads(path.read_text())
    change(report)
    path.write_text(json.dumps(settled(report)))
    return project


def carveout(report: Any) -> Any:
    """Return the first carve-out of a report."""
    return next(entry for entry in report["deals"] if entry["id"] == "c1")


def cost(current: object, **more: object) -> Callable[[Any], object]:
    """Have the first carve-out cost this much, after 100."""

    def change(report: Any) -> None:
        carveout(report).update(more)
        finding = next(f for f in carveout(report)["findings"] if f["metric"] == "cost_total")
        finding.update(gates=more.get("status") in ("regressed", "accepted"))
        if more.get("status") == "accepted":
            entry = {"place": "accepted.toml, entry 1", "reason": "known", "who": "Ana", "expires": None}
            report["ledger"] = [{**entry, "expired": False, "matched": True, "metric": "cost_total"}]
        finding.update(current=current, change_percent=None if isinstance(current, str) else current - 100)  # type: ignore[operator]  # a number

    return change


def without_findings(status: str) -> Callable[[Any], object]:
    """Have the first carve-out come to this without a finding."""
    error = {"type": "ValueError", "message": "no"} if status == "errored" else None
    return lambda report: carveout(report).update(findings=[], status=status, error=error)


def one_type_less(report: Any) -> None:
    """Leave the carve-outs out."""
    report["deals"] = [entry for entry in report["deals"] if entry["deal_type"] != "carveout"]


def partial(report: Any) -> None:
    """Have the run be one of a part."""
    report["run"].update(partial=True, part="chosen")


def unchanged(report: Any) -> None:
    """Let nothing have changed."""
    for entry in report["deals"]:
        entry.update(findings=[], status="matched")


@pytest.mark.parametrize(
    ("change", "status", "evidence"),
    [
        (cost(150), "passed", "2 of 2 carve-outs inside"),
        (cost(149.99, status="regressed"), "failed", "1 of 2 are outside: c1 (1.4999 times)"),
        (cost(301, status="regressed"), "failed", "1 of 2 are outside: c1 (3.01 times)"),
        (cost(301, status="accepted"), "passed", "1 of 2 carve-outs inside; 1 outside, accepted in the ledger: c1"),
        (cost("NaN"), "failed", "1 of 2 are outside: c1 (no ratio)"),
        (without_findings("errored"), "failed", "1 of 2 are outside: c1 (errored)"),
        (without_findings("matched"), "failed", "1 of 2 are outside: c1 (the same as before)"),
        (partial, "question", "the report is of a part of the deals only"),
        (unchanged, "question", "no carve-out's cost differs from the report's baseline"),
        (one_type_less, "question", "the report judges no carve-out; the database has 2"),
    ],
)  # fmt: skip
def test_what_carve_outs_cost(
    after: Project, audit: Audit, change: Callable[[Any], object], status: str, evidence: str
) -> None:
    """Each carve-out of the report is held to the plan's ratio; what was not judged is no pass."""
    answer = audit(edited(after, change), *LISTED)
    found = checks(answer)["carve-outs cost 1.5 to 3 times the comparable acquisition"]
    assert found[0] == status
    assert found[1].startswith(evidence)
    assert answer.code == (1 if "failed" in {status for status, _ in checks(answer).values()} else 0)


def snapshot(project: Project, deal_id: str, text: str) -> None:
    """Replace one snapshot of the capture with the new code."""
    (project.folder / "after" / "deals" / f"{deal_id}.json").write_text(text)


@pytest.mark.parametrize(
    ("baseline", "old", "new", "status", "evidence"),
    [
        ("after", '"tsa_costs": 0', '"tsa_costs": 7', "failed", "1 other deal with TSA costs: a1"),
        ("after", '"tsa_costs": 0', '"tsa_costs": null', "passed", "2 carve-outs with TSA costs"),
        ("after", '"tsa_costs": 0', '"tsa_costs": ', "question", "1 snapshot without an output that can be read: a1"),
        ("snapshots", "", "", "question", "no carve-out in snapshots/deals has cost_estimate.tsa_costs"),
    ],
)
def test_where_tsa_costs_appear(
    after: Project, audit: Audit, baseline: str, old: str, new: str, status: str, evidence: str
) -> None:
    """Any other deal with them fails; a capture that shows none, or cannot be read, is no pass."""
    snapshot(after, "a1", (after.folder / "after" / "deals" / "a1.json").read_text().replace(old, new))
    found = checks(audit(after, "--post-migration", "--json", "--baseline", baseline))["TSA costs for carve-outs only"]
    assert found[0] == status
    assert found[1].startswith(evidence)


def test_a_gate_that_is_not_green_fails_the_list(after: Project, audit: Audit) -> None:
    """The verdict is drawn anew from the report's deals."""
    red = edited(after, cost(900, status="regressed"))
    found = checks(audit(red, *LISTED))["the regression suite passes: the gate is green"]
    assert found[0] == "failed"
    assert found[1].startswith("ROLL BACK on ") or found[1].startswith("DISABLE THE FLAG on ")
    capture = edited(after, lambda report: report["run"].update(mode="capture"))
    assert checks(audit(capture, *LISTED))["the regression suite passes: the gate is green"][0] == "question"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--logs", "no.log"), "--logs no.log: no such file"),
        (("--report", "report.json"), "--report is used by --post-migration only"),
        (("--baseline", "after"), "--baseline is used by --post-migration only"),
        (("--post-migration", "--report", "no.json"), "no such report: no.json"),
        (("--post-migration", "--baseline", "none"), "none is no baseline: it has no snapshots in none/deals"),
        (("--database", "sqlite:///no.db"), "--database: no such SQLite file: "),
        (("--database", "oracel://u:secret@h/x"), '--database: SQLAlchemy knows no database "oracel"'),
    ],
)
def test_a_slip_is_a_usage_error(project: Project, audit: Audit, arguments: tuple[str, ...], words: str) -> None:
    """Exit 2, one line on standard error, nothing on standard output."""
    answer = audit(project, *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("dealsnap audit: ")
    assert words in answer.err
    assert "secret" not in answer.err


def test_no_database_is_a_usage_error(project: Project, audit: Audit) -> None:
    """The message says how this command is given one."""
    answer = audit(project.with_config("[tool.dealsnap]\n"))
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("dealsnap audit: no database: give --database URL")


def test_a_table_without_types_cannot_be_audited(project: Project, audit: Audit) -> None:
    """Saying so is better than calling every row NULL."""
    answer = audit(project.with_config(CONFIG.replace('"kind"', '""')))
    assert (answer.code, answer.out) == (2, "")
    assert "without a type column there is nothing to audit" in answer.err


def test_a_database_on_the_command_line_is_the_one(project: Project, audit: Audit, tmp_path: Path) -> None:
    """It is named relative to the current folder, and is only read."""
    project.write()
    other = tmp_path / "p" / "other.db"
    shutil.copy(project.folder / "book.db", other)
    with sqlite3.connect(other) as connection:
        connection.execute("DELETE FROM transactions")
    connection.close()
    before = other.read_bytes()
    answer = audit(project, "--database", "sqlite:///other.db", "--json")
    assert document(answer)["summary"]["rows"] == 0
    assert other.read_bytes() == before


@pytest.mark.parametrize("state", ["before", "after"])
def test_the_examples_databases(tmp_path: Path, state: Any) -> None:
    """The example's bad rows, the soft-deleted one too, before its migration, and none after."""
    (tmp_path / "dealsnap.toml").write_text("[deals]\nwhere = \"status <> 'deleted'\"\n")
    answer = dealsnap(tmp_path, "audit", "--json", "--database", f"sqlite:///{database.ensure(state)}")
    found = document(answer)
    bad = {d["stored_type"]: (d["rows"], d["deals"]) for d in found["distribution"] if d["kind"] != "valid"}
    expected = {None: (6, 5), "merger": (3, 3), "Acquisition": (2, 2), "carve-out ": (2, 2), "": (2, 2)}
    assert bad == (expected if state == "before" else {})
    assert (answer.code, found["summary"]["backfill"]) == ((1, 15) if state == "before" else (0, 0))
    assert (found["summary"]["rows"], found["summary"]["deals"]) == (329, 321)


def test_json_is_printed_in_any_encoding(loose: Project) -> None:
    """A terminal without the characters of a name still gets a document."""
    project = loose.with_deals(deal("名", title="é\U0001f600", kind="x")).write()
    answer = dealsnap(project.folder, "audit", "--json", PYTHONIOENCODING="ascii")
    assert document(answer)["backfill"][0]["name"] == "é\U0001f600"
    assert "\\u540d" in dealsnap(project.folder, "audit", PYTHONIOENCODING="ascii").out
