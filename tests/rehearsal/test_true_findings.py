"""A finding says what is true: each test is a small reproduction of one that once was not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_dealsnap.rehearsal.dropped_objects import dropped_objects
from pytest_dealsnap.rehearsal.schema import Schema, TableShape, missing_parts
from pytest_dealsnap.rehearsal.type_mentions import speaks_of
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
