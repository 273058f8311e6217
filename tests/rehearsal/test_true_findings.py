"""A finding says what is true: each test is a small reproduction of one that once was not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.baseline.codec import Snapshot, encode
from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.rehearsals import LockFact
from pytest_dealsnap.model.results import Failure
from pytest_dealsnap.reasoning.calls import failure_of
from pytest_dealsnap.rehearsal.checks import check_declared, check_restored, check_rows, check_types, expected_backfill
from pytest_dealsnap.rehearsal.database_errors import first_error
from pytest_dealsnap.rehearsal.dropped_objects import dropped_objects
from pytest_dealsnap.rehearsal.locks import longest_locks
from pytest_dealsnap.rehearsal.row_digests import RowChanges, TableChanges
from pytest_dealsnap.rehearsal.schema import Schema, TableShape, missing_parts
from pytest_dealsnap.rehearsal.timeline import Entry
from pytest_dealsnap.rehearsal.type_mentions import speaks_of
from pytest_dealsnap.rehearsal.type_reach import reach_of
from tests.builders import configure
from tests.rehearsal.sample_project import Firm, run_statements

DEALS = 'database = "sqlite:///x.db"\n[deals]\ntable = "engagements"\ntype = "status"\n'
UNNAMED = (("", ("label",)),)


def statement(text: str) -> dict[str, Any]:
    """Return the note of an operation that runs SQL."""
    return {"kind": "statement", "table": None, "schema": None, "name": None, "text": text}


def column(table: str, name: str = "status") -> dict[str, Any]:
    """Return the note of an operation on a column."""
    return {"kind": "nullable", "table": table, "schema": None, "name": name, "wanted": False}


@pytest.mark.parametrize(
    ("note", "speaks"),
    [
        (column("tasks"), False),
        (column("engagements"), True),
        (column("engagements", "label"), False),
        (statement("UPDATE tasks SET status = 'open' WHERE deal IN (SELECT ref FROM engagements)"), False),
        (statement("UPDATE engagements SET label = 'x' WHERE status IS NULL"), False),
        (statement('UPDATE public."engagements" SET "status" = \'acquisition\' WHERE status IS NULL'), True),
        (statement("ALTER TABLE tasks ADD COLUMN status TEXT; ALTER TABLE engagements ADD x INT"), False),
        (statement("ALTER TABLE IF EXISTS engagements ALTER COLUMN status SET NOT NULL"), True),
        (statement("CREATE TRIGGER t AFTER INSERT ON engagements BEGIN UPDATE x SET status = 1; END"), True),
        (statement("DO $$ BEGIN UPDATE tasks SET status = 1; END $$"), False),
        ({**column("engagements"), "kind": "check", "name": None, "condition": "status IN ('a')"}, True),
        ({**column("tasks"), "kind": "check", "name": None, "condition": "status IN ('a')"}, False),
    ],
)
def test_another_tables_column_is_no_backfill(tmp_path: Path, note: dict[str, Any], *, speaks: bool) -> None:
    """A column of another table may have the deal type's name."""
    assert speaks_of([note], configure(tmp_path, DEALS).deals) is speaks


def test_a_project_without_types_has_no_backfill(tmp_path: Path) -> None:
    """Where deals have no type, no operation is about it."""
    deals = configure(tmp_path, DEALS.replace('"status"', '""')).deals
    assert not speaks_of([column("engagements")], deals)


def shape(**parts: Any) -> Schema:
    """Return a schema of one table with the constraints *parts*."""
    given = {"checks": (), "uniques": (), "foreign_keys": (), "indexes": (), **parts}
    return Schema({"engagements": TableShape({"label": ("TEXT", True)}, ("ref",), **given)}, ())


def drop(name: str, of: str | None = "unique", table: str = "engagements") -> dict[str, Any]:
    """Return the note of a constraint that is dropped."""
    return {"kind": "constraint", "table": table, "schema": None, "name": name, "of": of, "dropped": True}


@pytest.mark.parametrize(
    ("asked", "lost"),
    [
        (drop("uq_engagements_label"), 0),
        (drop("uq_engagements_label", None), 0),
        (drop("uq_engagements_label", "check"), 1),
        (drop("uq_engagements_ref"), 1),
        (drop("uq_notes_label", table="notes"), 1),
    ],
)
def test_a_constraint_without_a_name_is_dropped_by_its_conventions_name(asked: dict[str, Any], lost: int) -> None:
    """Alembic's batch mode gives a reflected constraint the name that the naming convention has for it."""
    assert len(dropped_objects(shape(uniques=UNNAMED), shape(), [asked])) == lost


def test_a_name_that_a_convention_lengthens_is_found() -> None:
    """``valid_kind`` becomes ``ck_engagements_valid_kind``."""
    note = {"kind": "check", "table": "engagements", "schema": None, "name": "valid_kind", "condition": "x"}
    assert missing_parts([note], shape(checks=(("ck_engagements_valid_kind", "x"),))) == []
    assert len(missing_parts([note], shape(checks=(("invalid_kind", "x"),)))) == 1


def test_revisions_are_found_in_whichever_table(tmp_path: Path) -> None:
    """Alembic's ``version_table`` may have any name, and another application a version table beside it."""
    firm = Firm.found(tmp_path)
    env = tmp_path / "migrations" / "env.py"
    env.write_text(env.read_text().replace("connection=connection", 'connection=connection, version_table="my-own"'))
    run_statements(
        firm.url,
        'ALTER TABLE alembic_version RENAME TO "my-own"',
        "CREATE TABLE other_versions (version_num VARCHAR(32) PRIMARY KEY)",
        "INSERT INTO other_versions VALUES ('elsewhere')",
    )
    migration, timeline = firm.migration()
    start = migration.state("start")
    assert start.schema.revisions == ("elsewhere", "r1")
    migration.chain(start)
    assert migration.upgrade()
    migration.verify(start, finished=True)
    assert migration.downgrade(start)
    assert timeline.problems == []


CHANGES = TableChanges("notes", 3, 3, 0, 0, 0, {"body": 3}, changed_keys={"body": ("1", "2", "3")})


def rows_checked(tmp_path: Path, *may_change: str) -> Entry:
    """Return the entry of a check in which ``notes.body`` changed, and ``notes.old`` is gone."""
    entry = Entry("verify", "what the upgrade left")
    deals = configure(tmp_path, DEALS).deals
    check_rows(entry, RowChanges((replace(CHANGES, gone_columns=("old",)),), 3), deals, may_change)
    return entry


def test_a_change_that_was_not_declared_is_told_with_its_rows(tmp_path: Path) -> None:
    """It is no corruption by itself: the downgrade shows whether it can be taken back."""
    changed, lost = rows_checked(tmp_path).problems
    assert (changed.weight, changed.title) == ("fails", "changed beyond the deal type: notes.body in 3 rows")
    assert changed.evidence == ("changed: 1, 2, 3",)
    assert 'rehearsal.may_change = ["notes.body"]' in changed.advice
    assert (lost.code, lost.weight) == ("columns_lost", "corrupts")


@pytest.mark.parametrize("pattern", ["notes.*", "*.*", "*"])
def test_a_change_that_was_declared_is_a_line(tmp_path: Path, pattern: str) -> None:
    """``rehearsal.may_change`` names the columns that the upgrade is meant to change or drop."""
    entry = rows_checked(tmp_path, pattern)
    assert entry.problems == []
    assert entry.lines == [
        "notes.body changed in 3 rows, as may_change allows",
        "notes.old is gone, as may_change allows",
    ]


def test_a_declaration_that_names_no_column_is_told() -> None:
    """A slip in ``may_change`` would allow nothing."""
    entry = Entry("verify", "what the upgrade left")
    check_declared(entry, shape(), ("engagements.label", "engagement.label"))
    [problem] = entry.problems
    assert (problem.weight, problem.title) == ("note", 'rehearsal.may_change: "engagement.label" names no column')


def test_every_row_that_the_audit_named_is_accounted_for(tmp_path: Path) -> None:
    """Of four rows to change, the upgrade did one, left an invalid one and two aliases."""
    deals = configure(tmp_path, DEALS + 'aliases = { spinoff = "carveout" }\n').deals
    before = {"1": None, "2": "merger", "3": "spinoff", "4": "spinoff", "5": "carveout"}
    after = {**before, "1": "acquisition"}
    assert expected_backfill(before, deals) == 4
    entry = Entry("verify", "what the upgrade left")
    assert check_types(entry, before, after, deals, meant=True) == 1
    invalid, aliases = entry.problems
    assert (invalid.title, invalid.deals) == ("1 deal has no valid type after the upgrade", ("2",))
    assert (aliases.title, aliases.deals) == ("2 rows that the audit named keep an alias", ("3", "4"))
    assert aliases.weight == "note"


def captured(folder: Path, answers: dict[str, Any]) -> DealSnapshots:
    """Return a capture of *answers*: cost, memo and a digest of each deal, or ``None`` for an error."""
    snapshots = DealSnapshots(folder)
    for deal_id, answer in answers.items():
        facts = (deal_id, None, "acquisition", "acquisition")
        if answer is None:
            snapshot = Snapshot(*facts, error=Failure("ValueError", "no"))
        else:
            cost, memo, digest = answer
            metrics = {"cost": cost, "memo": memo}
            snapshot = Snapshot(*facts, metrics=metrics, output={**metrics, "prompt_sha": digest})
        snapshots.record(deal_id, encode(snapshot))
    return snapshots


@pytest.mark.parametrize(
    ("after", "noticed", "metrics", "lines"),
    [
        ({"1": (5, "This acquisition", "x"), "2": (5, "m", "y")}, (), {}, 0),
        ({"1": (5, "This Carveout", "x"), "2": (5, "m", "y")}, (), {}, 0),
        ({"1": (5, "This acquisition", "z"), "2": None}, (), {}, 1),
        ({"1": (6, "This acquisition", "x"), "2": (5, "other", "y")}, ("1", "2"), {"cost": 1, "memo": 1}, 2),
    ],
)
def test_metrics_that_depend_on_the_type_are_named(
    tmp_path: Path, after: dict[str, Any], noticed: tuple[str, ...], metrics: dict[str, int], lines: int
) -> None:
    """A digest of the prompt, an error or a text that repeats the type is no sign that the type was used."""
    before = captured(tmp_path / "pre", {"1": (5, "This acquisition", "x"), "2": (5, "m", "y")})
    reach = reach_of(before, captured(tmp_path / "post", after), configure(tmp_path, DEALS).deals)
    assert (reach.noticed, reach.metrics, len(reach.lines)) == (noticed, metrics, lines)


def test_without_metrics_the_output_stands_for_them(tmp_path: Path) -> None:
    """Metrics that find nothing in any output say nothing."""
    before = captured(tmp_path / "pre", {"1": (None, None, "x")})
    reach = reach_of(before, captured(tmp_path / "post", {"1": (None, None, "y")}), configure(tmp_path, DEALS).deals)
    assert reach.noticed == ("1",)


def test_a_dead_flag_is_found_although_the_upgrade_failed(tmp_path: Path) -> None:
    """Both captures of the old schema are there, and show it."""
    answers, timeline = Firm.found(tmp_path).answers()
    answers.flag_effect_before()
    assert timeline.phases == []
    same = {"1": (5, "m", "x")}
    answers.captures["before", "off"] = captured(tmp_path / "off", same)
    answers.captures["before", "on"] = captured(tmp_path / "on", same)
    answers.flag_effect_before()
    assert [problem.code for problem in timeline.problems] == ["flag_unread"]


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        (
            "INFO upgrade\nwarning: (psycopg2.errors.CheckViolation) check constraint is violated\n"
            "psycopg2.errors.InFailedSqlTransaction: current transaction is aborted\n",
            "warning: (psycopg2.errors.CheckViolation) check constraint is violated",
        ),
        ("psql:up.sql:3: ERROR:  no column x\nERROR:  current transaction is aborted", "psql:up.sql:3:"),
        ("ERROR 1265 (01000) at line 3: Data truncated", "ERROR 1265"),
        ("Runtime error near line 2: CHECK constraint failed: k", "Runtime error near line 2"),
        ("from sqlalchemy.exc import OperationalError\nfine", None),
        ("  raise IntegrityError\ndjango.db.utils.IntegrityError: NOT NULL", "django.db.utils.IntegrityError"),
        ("sqlalchemy.exc.InternalError: (psycopg.errors.InFailedSqlTransaction) x", "sqlalchemy.exc.InternalError"),
        ("ValueError: no database in it", None),
        ("sqlite3.OperationalError: password=hunter2 is wrong", "sqlite3.OperationalError: password=*"),
    ],
)
def test_the_first_database_error_is_shown(output: str, shown: str | None) -> None:
    """Not the ones that follow from it, and not an import of its class."""
    found = first_error(output)
    assert found is None if shown is None else (found or "").startswith(shown)


def test_an_error_that_the_migration_swallows_is_shown(tmp_path: Path) -> None:
    """It is told where the constraint is missed, with the words of the database."""
    firm = Firm.found(tmp_path)
    up = """
try:
    op.execute("UPDATE engagements SET ref = 'E-01' WHERE ref = 'E-02'")
except Exception:
    pass
try:
    op.create_check_constraint("valid_kind", "engagements", "kind IN ('acquisition')")
except Exception:
    pass
"""
    firm.revision("r2", "r1", up)
    missing = firm.upgraded(chain=False)["constraint_missing"]
    assert any("the first database error: IntegrityError: UNIQUE" in line for line in missing.evidence)


@pytest.mark.parametrize(
    ("message", "hinted"),
    [
        ("Error binding parameter 1: type 'Deal' is not supported", True),
        ("cannot adapt type 'Deal' using placeholder '%s' (format: AUTO)", True),
        ("invalid input for query argument $1: Deal(id='7', name=None)", True),
        ("no Deal for this customer", False),
        ("'Deal' object has no attribute 'fee'", False),
    ],
)
def test_a_deal_that_is_used_for_its_id_is_told(message: str, *, hinted: bool) -> None:
    """A reasoner that reads its own database by id must be given ``deal_id``."""
    assert ("call its parameter deal_id" in failure_of(TypeError(message)).message) is hinted


def test_a_migration_tools_own_book_is_no_finding(tmp_path: Path) -> None:
    """Django, yoyo and Flyway record what they did; a way back may be one more record."""
    entry = Entry("verify", "what the upgrade left")
    changes = RowChanges((TableChanges("django_migrations", 1, 2, 0, 1, 0, {}),), 1)
    check_rows(entry, changes, configure(tmp_path, DEALS).deals)
    check_restored(entry, changes, ["table _yoyo_log is new", "_yoyo_log: column x is new"])
    assert entry.problems == []
    check_restored(entry, RowChanges((), 1), ["table yoyo is new"])
    assert [problem.code for problem in entry.problems] == ["downgrade_leaves_schema"]


def test_the_revision_that_did_it_is_named(tmp_path: Path) -> None:
    """With ``--each``, every revision is a phase: its changes, and what is wrong with it."""
    firm = Firm.found(tmp_path)
    firm.revision("r3", "r2", "op.execute(\"DELETE FROM notes WHERE body = 'two'\")")
    firm.revision("r4", "r3", 'op.add_column("notes", sa.Column("more", sa.Text))\nraise RuntimeError("no further")')
    migration, timeline = firm.migration()
    start = migration.state("start")
    migration.chain(start)
    assert not migration.upgrade_each(start)
    steps = {phase.name: phase for phase in timeline.phases if phase.name.startswith("upgrade_")}
    assert [phase.status for phase in steps.values()] == ["passed", "passed", "failed"]
    assert any("column kind is NOT NULL now" in line for line in steps["upgrade_1"].lines)
    assert steps["upgrade_2"].lines == ("! 1 row of notes is lost", "lost: 2")
    assert steps["upgrade_3"].title == "upgrade 3 of 3: r4"
    assert [problem.code for problem in timeline.problems] == ["upgrade_failed"]


def test_a_lock_of_several_revisions_is_told_once() -> None:
    """With its longest time."""
    facts = [LockFact("notes", "EXCLUSIVE", seconds) for seconds in (0.1, 0.3, 0.2)]
    assert longest_locks(facts) == (facts[1],)
