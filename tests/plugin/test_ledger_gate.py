"""What was accepted, at the next gates: it takes what a person saw, and nothing that came after."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.console import Answer, dealsnap
from tests.plugin.project import Outcome, Project, deal

THIRTY = tuple(deal(f"d{number}", amount=100_000 + 1_000 * number) for number in range(1, 31))
REASONER = """
import os


def value(transaction):
    price = transaction["amount"]
    number = int(transaction["deal_no"][1:])
    fault = os.environ.get("FAULT", "")
    if "spread" in fault:
        price = price * (1060 + number) / 1000
    if "second" in fault and number % 2:
        price = transaction["amount"] * 1.001 * 1.085
    if "cents" in fault:
        price = price + 0.01
    if "twelve" in fault:
        price = price * 1.12
    return {"offer": {"price": price}, "risks": [], "memo": "as signed"}
"""


@pytest.fixture
def thirty(project: Project) -> Project:
    """Thirty captured acquisitions, whose reasoner has faults that the environment switches on."""
    return project.with_reasoner(REASONER).with_deals(*THIRTY).captured()


def accept(project: Project, *arguments: str) -> Answer:
    """Accept what the last report holds into the ledger."""
    terms = ("--into", "ledger", "--reason", "agreed", "--who", "Ana", "--yes")
    return dealsnap(project.folder, "accept", "report.json", *arguments, *terms)


def causes(outcome: Outcome) -> list[str]:
    """Return the ids of the report's causes."""
    return [cause["id"] for cause in outcome.report["causes"]]


def ledger(project: Project) -> str:
    """Return the ledger's text."""
    return (project.folder / "snapshots" / "accepted.toml").read_text(encoding="utf-8")


def count(outcome: Outcome, status: str) -> int:
    """Return how many deals have a status."""
    return sum(found == status for found in outcome.statuses.values())


def test_another_bug_inside_the_accepted_range_is_red(thirty: Project) -> None:
    """+6 to +9 % was accepted in 30 deals; +8.6 % in every second one is another change, and the gate says so."""
    thirty = thirty.with_config(thirty.config.replace("within 5%", "within 1%"))
    outcome = thirty.with_environment(FAULT="spread").gate()
    assert count(outcome, "regressed") == 30
    [cause] = causes(outcome)
    answer = accept(thirty, "--cause", cause)
    assert answer.code == 0, answer.out + answer.err
    assert 'values = "accepted/' in ledger(thirty), "each deal with its value, in a file beside the ledger"
    assert "where" not in ledger(thirty)
    assert len(list((thirty.folder / "snapshots" / "accepted").iterdir())) == 1
    same = thirty.with_environment(FAULT="spread").gate()
    assert (same.code, same.action, count(same, "accepted")) == (0, "proceed", 30), same.text
    assert "no longer show" not in same.text
    other = thirty.with_environment(FAULT="second").gate("-n", "2")
    assert (other.code, other.action) == (1, "disable_flag")
    red = {deal_id for deal_id, status in other.statuses.items() if status == "regressed"}
    assert red == {f"d{number}" for number in range(1, 16, 2)}, "more than 1 % from what was accepted"
    assert any("(agreed): 23 of 30 no longer show it" in note for note in other.report["notes"])
    gone = thirty.gate()
    assert (gone.code, count(gone, "matched")) == (0, 30)
    assert any("matches nothing: stale" in note for note in gone.report["notes"])


def test_the_gate_says_how_many_deals_no_longer_show_what_was_accepted(thirty: Project) -> None:
    """Fifteen of thirty went back to what they were: the entry is told, with the numbers, also by merged shards."""
    twelve = thirty.with_environment(FAULT="twelve").gate()
    assert accept(thirty, "--cause", *causes(twelve)).code == 0
    half = thirty.with_reasoner(REASONER.replace('if "twelve" in fault:', 'if "twelve" in fault and number % 2:'))
    outcome = half.with_environment(FAULT="twelve").gate()
    note = next(note for note in outcome.report["notes"] if "no longer show" in note)
    assert note.endswith("accepted.toml, entry 1 (agreed): 15 of 30 no longer show it")
    assert note in outcome.text
    [fact] = outcome.report["ledger"]
    assert (fact["deals"], fact["judged"], fact["shown"], fact["others"]) == (30, 30, 15, 0)
    shards = [f"shard-{number}.json" for number in (1, 2)]
    for number, name in enumerate(shards, start=1):
        half.with_environment(FAULT="twelve").run(
            "--dealsnap", "--dealsnap-shard", f"{number}/2", "--dealsnap-report", f"json:{name}"
        )
    dealsnap(half.folder, "merge", *shards, "--report", "json:merged.json")
    merged = json.loads((half.folder / "merged.json").read_text(encoding="utf-8"))
    assert merged["ledger"] == outcome.report["ledger"]
    assert note in merged["notes"]


def test_an_accepted_value_stands_in_the_baselines_place_for_the_metrics_own_rule(thirty: Project) -> None:
    """Within 5 % of what was accepted is accepted still; within 5 % of the baseline of old is not asked."""
    assert accept(thirty, "--cause", *causes(thirty.with_environment(FAULT="twelve").gate())).code == 0
    cents = thirty.with_environment(FAULT="twelve,cents").gate()
    assert (cents.code, count(cents, "accepted")) == (0, 30), cents.text
    equal = thirty.with_config(thirty.config.replace('price = "within 5%"', 'price = "equal"'))
    strict = equal.with_environment(FAULT="twelve,cents").gate()
    assert (strict.code, count(strict, "regressed")) == (1, 30)
    ratio = thirty.with_config(thirty.config.replace('price = "within 5%"', 'price = "ratio 1.5..3.0"'))
    kept = ratio.with_environment(FAULT="twelve").gate()
    assert count(kept, "accepted") == 30, "a rule that asks for a change takes the accepted value itself"
    assert count(ratio.with_environment(FAULT="twelve,cents").gate(), "regressed") == 30


def test_a_few_deals_stand_in_the_ledger_itself(project: Project) -> None:
    """Three deals are pinned inline, where a reviewer reads them."""
    three = project.with_deals(deal("d1"), deal("d2"), deal("d3")).captured()
    changed = three.with_deals(deal("d1", amount=112), deal("d2", amount=112), deal("d3", amount=112))
    assert accept(three, "--cause", *causes(changed.gate())).code == 0
    assert "values = {d1 = 112, d2 = 112, d3 = 112}\n" in ledger(three)
    assert not (three.folder / "snapshots" / "accepted").exists()
    assert changed.gate().code == 0
    other = three.with_deals(deal("d1", amount=112), deal("d2", amount=150), deal("d3", amount=112)).gate()
    assert other.statuses == {"d1": "accepted", "d2": "regressed", "d3": "accepted"}
    assert any("1 of 3 no longer shows it" in note for note in other.report["notes"])


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: path.unlink(), "does not exist: the accepted values are lost"),
        (lambda path: path.write_text("{", encoding="utf-8"), "cannot be read"),
        (lambda path: path.write_text('{"format": 9}', encoding="utf-8"), "is no file of accepted values of format 1"),
        (
            lambda path: path.write_text(path.read_text("utf-8").replace('"price"', '"cost"'), "utf-8"),
            "is of the metric 'cost', and the entry of 'price'",
        ),
    ],
)
def test_a_lost_or_spoilt_file_of_values_is_an_error(thirty: Project, damage: Any, words: str) -> None:
    """It is no pass and no traceback: a usage error that names the file."""
    faulty = thirty.with_environment(FAULT="twelve")
    assert accept(thirty, "--cause", *causes(faulty.gate())).code == 0
    [path] = (thirty.folder / "snapshots" / "accepted").iterdir()
    damage(path)
    outcome = faulty.gate()
    assert outcome.code == 4, outcome.text
    assert words in " ".join(outcome.text.split())
    assert "Traceback" not in outcome.text


def test_a_standing_range_or_type_is_a_choice_of_its_own(thirty: Project) -> None:
    """`--range` and `--for-type` write what they take, under a warning; deals that come under a type are told."""
    outcome = thirty.with_environment(FAULT="twelve").gate()
    [cause] = causes(outcome)
    answer = accept(thirty, "--cause", cause, "--range")
    assert answer.code == 0, answer.err
    text = ledger(thirty)
    assert "# standing range: it accepts any later value inside it, whatever the cause\n" in text
    assert "change_percent = [11.9, 12.1]" in text
    assert '"d1"' in text
    (thirty.folder / "snapshots" / "accepted.toml").unlink()
    assert accept(thirty, "--cause", cause, "--for-type").code == 0
    text = ledger(thirty)
    assert "# standing, by type: it accepts any later change inside it, in any deal of the type, new ones too\n" in text
    assert 'type = "acquisition"' in text
    assert "where" not in text
    more = thirty.with_deals(*THIRTY, deal("d31", amount=7_000))
    more.with_environment(FAULT="").run("--dealsnap-update", "--dealsnap-only", "missing")
    drifted = more.with_environment(FAULT="twelve").gate()
    assert count(drifted, "accepted") == 31
    assert any("covers 1 deal that was not accepted: drifted" in note for note in drifted.report["notes"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--deal", "d1", "--range"), "--range belongs to --cause or --type: a deal is taken at its values"),
        (("--deal", "d1", "--for-type"), "--for-type belongs to --cause or --type"),
        (("--cause", "x", "--range", "--for-type"), "not allowed with argument"),
    ],
)
def test_flags_that_do_not_go_together(thirty: Project, arguments: tuple[str, ...], words: str) -> None:
    """A usage error, and nothing is written."""
    thirty.with_environment(FAULT="twelve").gate()
    answer = accept(thirty, *arguments)
    assert (answer.code, words in answer.err) == (2, True), answer.err
    into_baseline = dealsnap(thirty.folder, "accept", "report.json", "--type", "acquisition", "--range", "--yes")
    assert (into_baseline.code, "belongs to an exception in the ledger" in into_baseline.err) == (2, True)
    assert not (thirty.folder / "snapshots" / "accepted.toml").exists()


def test_a_cause_of_another_report_is_refused(thirty: Project) -> None:
    """The id that was seen in one report names no other change of the next one."""
    first = causes(thirty.with_environment(FAULT="spread").gate())
    thirty.with_environment(FAULT="twelve").gate()
    answer = accept(thirty, "--cause", *first)
    assert (answer.code, f"the report has no cause '{first[0]}'" in answer.err) == (2, True)
    assert not (thirty.folder / "snapshots" / "accepted.toml").exists()


def test_a_metric_with_a_colon_is_accepted_and_told(project: Project) -> None:
    """`price: net` is a metric as any other, to the ledger too; its entry is told where it is stale."""
    named = project.with_config(project.config.replace("\nprice = ", '\n"price: net" = '))
    named = named.with_deals(deal("d1"), deal("d2")).captured()
    outcome = named.with_deals(deal("d1", amount=300), deal("d2")).gate()
    assert accept(named, "--deal", "d1").code == 0
    again = named.with_deals(deal("d1", amount=300), deal("d2")).gate()
    assert again.statuses == {"d1": "accepted", "d2": "matched"}, outcome.text
    assert [fact["metric"] for fact in again.report["ledger"]] == ["price: net"]
    assert any("matches nothing: stale" in note for note in named.gate().report["notes"])


BOOK = tuple(deal(f"d{number}", amount=100 + number) for number in range(1, 9))
FLAGGED = """
import os

FLAG = os.environ.get("NEW_PRICES") == "yes"


def value(transaction):
    return {"offer": {"price": transaction["amount"] * (108 if FLAG else 100) / 100}, "risks": []}
"""
MOVING = """
import os, sqlite3, sys

connection = sqlite3.connect(os.environ["DATABASE_URL"].removeprefix("sqlite:///"))
with connection:
    connection.execute(sys.argv[1])
connection.close()
"""
LEDGER = """
[[accepted]]
type = "acquisition"
where = {amount = [101, 102, 103, 104]}
metric = "price"
change_percent = [7.9, 8.1]
reason = "the price list"
who = "Ana"

[[accepted]]
metric = "price"
values = {d5 = 113.4, d6 = 114.48, d7 = 115.56}
reason = "agreed"
who = "Ana"

[[accepted]]
type = "acquisition"
metric = "price: carveout / acquisition"
range = [1, 2]
reason = "of the matrix"
who = "Ana"
"""


def answer_of(document: Any) -> tuple[dict[str, str], str, list[tuple[str, int]], bool]:
    """Return a report's statuses, verdict and use of the ledger, and whether an entry is called stale."""
    statuses = {entry["id"]: entry["status"] for entry in document["deals"]}
    used = [(fact["metric"], fact["shown"]) for fact in document["ledger"]]
    return statuses, document["verdict"]["action"], used, any("stale" in note for note in document["notes"])


@pytest.mark.parametrize("accepted", [7, 8])
def test_gate_workers_shards_compare_and_rehearsal_give_one_answer(tmp_path: Path, accepted: int) -> None:
    """One book and one ledger, with an entry that asks a column, one that pins values, and one of the matrix."""
    book = LEDGER if accepted == 7 else LEDGER.replace("d7 = 115.56", "d7 = 115.56, d8 = 116.64")
    project = Project(tmp_path).with_reasoner(FLAGGED).with_deals(*BOOK).captured()
    up, down = "ALTER TABLE transactions ADD COLUMN note TEXT", "ALTER TABLE transactions DROP COLUMN note"
    project = project.with_file("moving.py", MOVING).with_file("snapshots/accepted.toml", book)
    settings = f"""
    upgrade = '{sys.executable} moving.py "{up}"'
    downgrade = '{sys.executable} moving.py "{down}"'
    flag = "NEW_PRICES"
    flag_off = "no"
    flag_on = "yes"
    """
    project = project.with_settings(settings, section="rehearsal")
    flagged = project.with_environment(NEW_PRICES="yes")
    whole = flagged.gate()
    expected = answer_of(whole.report)
    statuses = {f"d{number}": "accepted" if number <= accepted else "regressed" for number in range(1, 9)}
    assert expected == (
        statuses,
        "proceed" if accepted == 8 else "disable_flag",
        [("price", 0), ("price", accepted - 4)],
        False,
    )
    assert answer_of(flagged.gate("-n", "2").report) == expected
    shards = [f"shard-{number}.json" for number in (1, 2, 3)]
    for number, name in enumerate(shards, start=1):
        flagged.run("--dealsnap", "--dealsnap-shard", f"{number}/3", "--dealsnap-report", f"json:{name}")
    dealsnap(tmp_path, "merge", *shards, "--report", "json:merged.json")
    assert answer_of(read(tmp_path / "merged.json")) == expected
    after = flagged.capture("--dealsnap-snapshots", "after")
    assert after.code == 0, after.text
    compared = dealsnap(tmp_path, "compare", "snapshots", "after", "--report", "json:compared.json")
    assert answer_of(read(tmp_path / "compared.json")) == expected, compared.out + compared.err
    rehearsed = dealsnap(tmp_path, "rehearse", "--report", "json:rehearsed.json")
    document = read(tmp_path / "rehearsed.json")
    assert document["gate"] is not None, rehearsed.out + rehearsed.err
    assert answer_of(document["gate"]) == expected, rehearsed.out


def read(path: Path) -> Any:
    """Return a report."""
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_comparison_says_that_rows_cannot_be_read(tmp_path: Path) -> None:
    """Where the database is gone, an entry that names a column takes no deal, and the report says why."""
    project = Project(tmp_path).with_deals(*BOOK).captured()
    project.with_deals(*(deal(f"d{n}", amount=(100 + n) * 1.08) for n in range(1, 9))).capture(
        "--dealsnap-snapshots", "after"
    )
    (tmp_path / "snapshots" / "accepted.toml").write_text(LEDGER, encoding="utf-8")
    (tmp_path / "book.db").unlink()
    answer = dealsnap(tmp_path, "compare", "snapshots", "after", "--report", "json:compared.json")
    assert answer.code == 1
    [note] = [note for note in read(tmp_path / "compared.json")["notes"] if "name a column" in note]
    assert "no row can be read" in note
