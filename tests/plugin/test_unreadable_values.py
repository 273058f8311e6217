"""A row with a text that is not UTF-8: its name costs nothing, another column only who asks for it."""

from __future__ import annotations

import sqlite3

from tests.plugin.project import Outcome, Project, clean_environment, deals, run_pytest

SCHEMA = "CREATE TABLE transactions (deal_no TEXT, title TEXT, kind TEXT, amount TEXT)"
BROKEN_NAME = "UPDATE transactions SET title = CAST(x'636166e9' AS TEXT) WHERE deal_no = 'd1'"
BROKEN_AMOUNT = "UPDATE transactions SET amount = CAST(x'636166e9' AS TEXT) WHERE deal_no = 'd1'"
CAPTURE = ("--dealsnap-update", "--dealsnap-allow-constant", "--dealsnap-report", "json:report.json")
GATE = ("--dealsnap", "--dealsnap-report", "json:report.json")


def run(project: Project, statement: str, *arguments: str) -> Outcome:
    """Write the project, spoil its database, and run pytest in it."""
    project.write()
    with sqlite3.connect(project.folder / "book.db") as connection:
        connection.execute(statement)
    connection.close()
    return run_pytest(project.folder, *arguments, environment=clean_environment())


def test_a_deal_whose_name_cannot_be_decoded_is_recorded_and_judged(project: Project) -> None:
    """It keeps its id; the name is shown with escapes."""
    project = project.with_schema(SCHEMA).with_deals(*deals(2))
    captured = run(project, BROKEN_NAME, *CAPTURE)
    assert captured.code == 0, captured.text
    assert project.snapshot("d1")["deal_name"] == r"caf\xe9"
    gated = run(project, BROKEN_NAME, *GATE)
    assert (gated.code, gated.statuses) == (0, {"d1": "matched", "d2": "matched"}), gated.text
    assert gated.deal("d1")["name"] == r"caf\xe9"


def test_a_column_that_cannot_be_read_is_not_the_reasoners_failure(project: Project) -> None:
    """A deal whose reasoner asks for it is not judged and not recorded; the others are; the error names the column."""
    project = project.with_schema(SCHEMA).with_deals(*deals(2)).captured()
    before = project.snapshots()
    captured = run(project, BROKEN_AMOUNT, *CAPTURE)
    assert captured.code == 1, captured.text
    assert project.snapshots() == before
    gated = run(project, BROKEN_AMOUNT, *GATE)
    assert (gated.code, gated.action) == (1, "inconclusive"), gated.text
    assert gated.statuses["d2"] == "matched"
    assert 'column "amount" of this deal cannot be read' in gated.text
