"""The migration by the command of the plan, and the application on the database it leaves, on either kind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from examples.diligence import database

from .conftest import reason_about_all, stored_types
from .serving import ROOT, served
from .test_migration import EFFECTIVE, STORED


def flask_db(*arguments: str, url: str) -> str:
    """What `flask db` says."""
    program = [sys.executable, "-m", "flask", "--app", "examples.diligence.web", "db", *arguments]
    environment = os.environ | {database.VARIABLE: url}
    return subprocess.run(program, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def old_url(empty_url: str) -> str:
    """A database before the migration, of either kind, with a deal for each kind of stored type."""
    database.migrate(empty_url, "0001")
    for stored in STORED:
        insert(empty_url, stored)
    return empty_url


def insert(url: str, stored: str | None) -> None:
    """Store a deal of that type."""
    engine = create_engine(url)
    statement = text("INSERT INTO deals (name, target_name, deal_type) VALUES ('Test', 'Target', :stored)")
    try:
        with engine.begin() as connection:
            connection.execute(statement, {"stored": stored})
    finally:
        engine.dispose()


def test_flask_db_migrates_up_and_down(old_url: str) -> None:
    """`flask db upgrade` backfills, says so and constrains; `flask db downgrade` restores what it replaced."""
    assert "5 deals without a valid type are now of type acquisition" in flask_db("upgrade", url=old_url)
    assert [*stored_types(old_url).values()] == EFFECTIVE
    for invalid in ("merger", None):
        with pytest.raises(IntegrityError):
            insert(old_url, invalid)
    assert "5 deals have the type back" in flask_db("downgrade", url=old_url)
    assert [*stored_types(old_url).values()] == STORED


def test_flask_db_finds_nothing_to_generate(old_url: str) -> None:
    """Autogeneration sees no difference, and would not drop what the backfill remembers."""
    flask_db("upgrade", url=old_url)
    assert "No new upgrade operations detected" in flask_db("check", url=old_url)


def test_no_script_is_written_of_rows_unread(empty_url: str) -> None:
    """`--sql` is refused with the reason, rather than with half a script."""
    program = [sys.executable, "-m", "flask", "--app", "examples.diligence.web", "db", "upgrade", "--sql"]
    environment = os.environ | {database.VARIABLE: empty_url}
    run = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert "Error: no script can be written" in run.stderr
    assert "Traceback" not in run.stderr


def test_the_new_code_runs_on_the_old_schema(before_url: str, tmp_path: Path) -> None:
    """Between the two steps of a full rollback, deals without a valid type show as acquisitions."""
    with served(before_url, tmp_path) as visitor:
        for deal_id in (66, 89, 135, 176):  # stored with '', 'Acquisition', 'merger' and NULL
            assert visitor.ask(f"/api/v1/deals/{deal_id}").json["deal_type"] == "acquisition"
            assert "Consolidation synergies" in visitor.ask(f"/deals/{deal_id}").text
        assert visitor.ask("/api/v1/deals?deal_type=acquisition").json["total"] == 250 + 14
        assert visitor.ask("/deals").status == 200


def test_one_variable_moves_the_system_to_postgresql(new_postgres: Callable[[], str], tmp_path: Path) -> None:
    """An empty PostgreSQL is filled and served: deals are found, created, refused and reasoned about as on SQLite."""
    url = new_postgres()
    with served(url, tmp_path) as visitor:
        assert visitor.ask("/api/v1/deals").json["total"] == 321
        created = visitor.ask(
            "/api/v1/deals",
            "POST",
            json_body={"name": "Ñ", "target_name": "T", "deal_type": "spin-off", "inventory_from": 328},
        ).json
        assert (created["id"], created["deal_type"]) == (330, "carveout")
        assert visitor.ask(f"/api/v1/deals/{created['id']}", "PATCH", json_body={"deal_type": "merger"}).status == 422
        assert visitor.ask("/api/v1/deals?q=%C3%B1").json["total"] == 1
        assert visitor.ask("/api/v1/deals?q=%C3%B1%00").json["total"] == 1
        assert visitor.ask("/api/v1/deals/99999999999").status == 404
        report = visitor.ask("/api/v1/deals/328/report").json
        copied = visitor.ask(f"/api/v1/deals/{created['id']}/report").json
    assert copied["separation_costs"] == report["separation_costs"]
    del report["generated_at"]
    assert json.dumps(reason_about_all(url)[328]) == json.dumps(report)
