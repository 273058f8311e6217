"""Usage errors: what is wrong, where it stands, what is valid; exit code 4 and no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.console import dealsnap
from tests.plugin.project import CONFIG, SCHEMA, Project, deal, deals


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("database =", "databse =", ("pyproject.toml, [tool.dealsnap] databse", 'Did you mean "database"?')),
        ('"within 5%"', '"wihtin 5%"', ("pyproject.toml, [tool.dealsnap.rules.acq", "'wihtin 5%'", "within 1000")),
        ("risk_count = \"equal\"", "risk_counts = \"equal\"", ("unknown metric", 'Did you mean "risk_count"?')),
        ('"offer.price"', '"offer..price"', ("[tool.dealsnap.metrics] price", "not a JMESPath expression")),
        ('table = "transactions"', 'table = "transaction"', ('no table "transaction"', 'Did you mean "transactions"?')),
        ('type = "kind"', 'type = "kinds"', ('has no column "kinds"', 'Did you mean "kind"?', "deals.type")),
        ("book.db", "books.db", ("[tool.dealsnap] database", "no such SQLite file", "books.db")),
        ("sqlite:///book.db", "nonsense", ("not a database URL", "sqlite:///deals.db")),
        ('type = "kind"', 'type = "kind"\nwhere = "kind IS NOT NUL"', ("kind IS NOT NUL", "cannot be read")),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_shown_with_its_place_and_what_is_valid(
    project: Project, old: str, new: str, words: tuple[str, ...]
) -> None:
    """A typing error anywhere in the configuration ends the run before it began, and can be mended from the text."""
    assert old in CONFIG
    outcome = project.with_deals(deal("a")).with_config(CONFIG.replace(old, new)).run("--dealsnap-update", "-q")
    assert outcome.code == 4, outcome.text
    for word in words:
        assert word in outcome.text
    assert "Traceback" not in outcome.text
    assert not (project.folder / "snapshots").exists()


def test_a_wrong_flag_or_variable_is_shown_likewise(project: Project) -> None:
    """Flags, selections and variables are checked as strictly as the file."""
    project = project.with_deals(deal("a"), deal("deal-alpha")).captured()
    for arguments, words in (
        (["--dealsnap", "--dealsnap-type", "carvout"], 'no such deal type. Did you mean "carveout"?'),
        (["--dealsnap", "--dealsnap-id", "b"], "neither the database nor the baseline has this deal"),
        (["--dealsnap", "--dealsnap-id", "deal-alhpa"], 'Did you mean "deal-alpha"?'),
        (["--dealsnap", "--dealsnap-sample", "0"], "'0' must be a whole number, at least 1"),
        (["--dealsnap", "--dealsnap-report", "jsno:x"], 'Did you mean "json"?'),
        (["--dealsnap", "--dealsnap-only", "missing"], "--dealsnap-only goes with --dealsnap-update"),
        (["--dealsnap-only", "missing"], "--dealsnap-only goes with --dealsnap-update"),
        (["--dealsnap", "deals::test_deal[acquisition-b]"], "deals::test_deal[acquisition-b]"),
        (["--dealsnap", "no/such/path"], "no/such/path"),
    ):
        outcome = project.run(*arguments)
        assert outcome.code == 4, outcome.text
        assert words in outcome.text
        assert "Traceback" not in outcome.text
    misspelt = project.with_environment(DEALSNAP_DATABSE="sqlite:///x.db").gate()
    assert misspelt.code == 4
    assert 'DEALSNAP_DATABSE: unknown. Did you mean "DEALSNAP_DATABASE"?' in misspelt.text


def test_flag_beats_environment_beats_file(project: Project) -> None:
    """The nearest word counts: flag, environment, file, default."""
    project = project.with_deals(deal("a"))
    by_variable = project.with_environment(DEALSNAP_SNAPSHOTS="by-variable")
    assert by_variable.capture().code == 0
    assert by_variable.capture("--dealsnap-snapshots", "by-flag").code == 0
    assert project.with_settings('snapshots = "by-file"').capture().code == 0
    written = {path.parent.name for path in project.folder.glob("*/manifest.json")}
    assert written == {"by-variable", "by-flag", "by-file"}


def test_nothing_to_capture_is_said_at_once(project: Project) -> None:
    """No rows, no rows under `where`, rows without an id: exit code 4 with the reason."""
    empty = project.capture()
    assert (empty.code, "there is nothing to capture" in empty.text) == (4, True)
    nameless = project.with_deals(deal("a"), deal(None)).capture()
    assert nameless.code == 4
    assert '1 of 2 rows of table "transactions" have no id' in nameless.text
    assert "IS NOT NULL" in nameless.text
    unset = project.with_deals(deal("a")).with_config("[tool.dealsnap]\nreasoner = 'valuation:value'").capture()
    assert unset.code == 4
    assert "--dealsnap-database URL, or DEALSNAP_DATABASE" in unset.text


def test_only_the_deals_of_the_where_condition_are_deals(project: Project) -> None:
    """`deals.where` narrows capture and gate alike; a number as id, a view and colons in SQL are fine."""
    schema = SCHEMA.replace("deal_no TEXT", "deal_no INTEGER PRIMARY KEY")
    project = project.with_schema(schema).with_deals(deal(10), deal(9), deal(100, title="x:gone"))
    project = project.with_settings("where = \"title <> 'x:gone'\"", section="deals")
    outcome = project.capture()
    assert [entry["id"] for entry in outcome.report["deals"]] == ["9", "10"], "numbers are ordered as numbers"
    assert set(project.snapshots()) == {"9.json", "10.json"}
    assert project.gate().code == 0


VANISHING = """
import os, sqlite3

def value(transaction):
    if transaction.id == "d2":
        WHAT
    return {"offer": {"price": 100}, "risks": [], "memo": str(len(transaction.fields))}
"""


def test_a_database_that_goes_away_is_never_a_pass(project: Project) -> None:
    """Deals whose rows cannot be read any more are not judged; those judged before stand; nothing is written over."""
    project = project.with_deals(*deals(400)).with_reasoner(VANISHING.replace("WHAT", "pass")).captured()
    before = project.snapshots()
    breaking = project.with_reasoner(VANISHING.replace("WHAT", "open('book.db', 'wb').write(b'no database ' * 9000)"))
    outcome = breaking.gate()
    assert outcome.code == 1, outcome.text
    assert outcome.statuses["d1"] == "matched"
    assert outcome.report["summary"]["errored"] == 0, "an outage is not the reasoner's failure"
    assert outcome.action == "inconclusive"
    assert "cannot be read" in outcome.text
    assert "passed" in outcome.closing
    assert breaking.capture().code == 1
    assert project.snapshots() == before


def test_a_deal_deleted_in_mid_run_is_not_judged(project: Project) -> None:
    """A row that was listed and has gone when its turn comes is named, is no failure, and leaves the verdict open."""
    project = project.with_deals(*deals(5)).with_reasoner(VANISHING.replace("WHAT", "pass")).captured()
    deleting = (
        "c = sqlite3.connect('book.db'); c.execute(\"DELETE FROM transactions WHERE deal_no = 'd5'\"); c.commit()"
    )
    outcome = project.with_reasoner(VANISHING.replace("WHAT", deleting)).gate()
    assert outcome.statuses == {f"d{n}": "matched" for n in range(1, 5)}
    assert (outcome.code, outcome.action) == (1, "inconclusive"), outcome.text
    assert "d5" in outcome.text


def test_a_reasoner_that_writes_by_the_deals_connection_cannot(project: Project) -> None:
    """The deals' database is opened read-only: its bytes are the same after capture and gate."""
    project = project.with_deals(*deals(3))
    project.captured()
    before = (project.folder / "book.db").read_bytes()
    assert project.gate().code == 0
    assert (project.folder / "book.db").read_bytes() == before
    assert not list(project.folder.glob("book.db-*"))


def test_deals_come_from_the_users_own_code(project: Project) -> None:
    """`deals.source` names a callable whose records are the deals; no database is needed."""
    source = "def deals():\n    return [{'deal_no': 7, 'title': 'Seven', 'kind': 'carveout', 'amount': 1}]\n"
    config = CONFIG.replace('database = "sqlite:///book.db"\n', "")
    project = project.with_config(config).with_settings('source = "book:deals"', section="deals")
    project = project.with_file("book.py", source).captured()
    assert project.snapshot("7")["deal_name"] == "Seven"
    assert project.gate().code == 0
    lost = project.with_file("book.py", "def deals():\n    return []\n").gate()
    assert (lost.code, lost.statuses) == (1, {"7": "missing"})
    broken = project.with_file("book.py", "def deals():\n    raise OSError('feed is down')\n").gate()
    assert broken.code == 4
    assert "feed is down" in broken.text


def test_an_unknown_environment_variable_is_told_by_pytest_and_by_the_command_line(tmp_path: Path) -> None:
    """Its name and the nearest known one, never its value."""
    project = Project(tmp_path).with_deals(deal("1")).captured()
    known = project.with_environment(DEALSNAP_DATABASE_PASSWORD="hunter2").gate()
    line = 'dealsnap: environment variable DEALSNAP_DATABASE_PASSWORD is unknown and has no effect. Did you mean "DEAL'
    assert line in known.text
    assert "hunter2" not in known.text
    assert known.code == 0
    audited = dealsnap(tmp_path, "audit", DEALSNAP_DATABASE_PASSWORD="hunter2")
    assert line in audited.err
    assert "hunter2" not in audited.out + audited.err
