"""A step that goes to the original by a way of its own is stopped, the original unchanged, with what to do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

from pytest_dealsnap.rehearsal.rollout import Rollout, carry_out
from pytest_dealsnap.rehearsal.step_environment import StepEnvironment
from pytest_dealsnap.rehearsal.steps import Done, OriginalReachedError
from tests.mariadb import as_root
from tests.postgresql import as_owner
from tests.rehearsal.sample_project import REASONER, Firm, run_statements
from tests.rehearsal.test_guard_drivers import parts
from tests.rehearsal.test_rehearse import codes, headlines
from tests.rehearsal.test_scratch import content, files, query, scratch_databases

ROWS = ("CREATE TABLE t (x INTEGER)", "INSERT INTO t VALUES (1), (2)")
# What nothing but the watch sees: a Python without the guard, which holds its session until it is ended.
HOLDS = "import os, sys, {module}; c = {connect}; sys.stdin.close(); os.read(os.pipe()[0], 1)"


def step(firm: Firm, original: str, copy: str, command: str) -> Done:
    """Carry out a command of the user's as a step."""
    step_environment = StepEnvironment(firm.config(), original, copy, firm.folder, 60, lambda line: None)
    return carry_out(step_environment, "upgrade", command)[0]


def stopped(firm: Firm, original: str, copy: str, command: str) -> OriginalReachedError:
    """Return the error of a step that must be stopped."""
    with pytest.raises(OriginalReachedError) as raised:
        step(firm, original, copy, command)
    assert "FIRM_DB" in raised.value.advice
    assert "{plain_url}" in raised.value.advice
    return raised.value


@pytest.fixture
def firm(tmp_path: Path) -> Firm:
    """A project, whose SQLite database is not the point here."""
    return Firm.found(tmp_path)


@pytest.fixture
def pg_copy(postgresql: str) -> str:
    """A copy beside a PostgreSQL original that has two rows."""
    run_statements(postgresql, *ROWS)
    as_owner(postgresql, "DROP DATABASE IF EXISTS copied WITH (FORCE)", "CREATE DATABASE copied")
    return make_url(postgresql).set(database="copied").render_as_string(hide_password=False)


@pytest.mark.parametrize(
    "command",
    [
        "psql -h {host} -p {port} -U {user} -c 'DROP TABLE t' {name}",
        "psql 'postgresql://{user}@/{name}?host={host}&port={port}' -c 'DROP TABLE t'",
        "PGDATABASE={name} psql -c 'DROP TABLE t'",
        "echo '\\\\c {name}' > up.sql; psql -f up.sql -c 'DROP TABLE t'",
        "echo 'DROP TABLE t' | psql --dbname='host={host} port={port} dbname={name} user={user}'",
    ],
)
def test_psql_on_the_original_is_stopped(firm: Firm, postgresql: str, pg_copy: str, command: str) -> None:
    """However the command line names it."""
    before = content(postgresql)
    filled = command
    for name, value in parts(postgresql).items():
        filled = filled.replace("{" + name + "}", str(value))
    assert "opened by psql" in stopped(firm, postgresql, pg_copy, filled).evidence
    assert content(postgresql) == before


def test_psql_reads_the_copy_from_its_own_variables_and_from_placeholders(
    firm: Firm, postgresql: str, pg_copy: str
) -> None:
    """``PGDATABASE`` and its like; a URL without the driver, quoted for the shell."""
    for command in (
        "psql -v ON_ERROR_STOP=1 -c 'CREATE TABLE a (x int)'",
        "psql {plain_url} -c 'CREATE TABLE b (x int)'",
        'psql -h "{host}" -p {port} -U {user} -d {name} -c "CREATE TABLE c (x int)"',
    ):
        done = step(firm, postgresql, pg_copy, command)
        assert done.ok, done.output
        assert done.reached == ("psql",)
    assert sorted(map(str, query(pg_copy, "SELECT relname FROM pg_class WHERE relname IN ('a', 'b', 'c')"))) == [
        "a", "b", "c",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "command",
    [
        "mariadb -h 127.0.0.1 -P {port} -u root {name} -e 'DROP TABLE t'",
        "mysql --protocol=TCP -uroot -e 'DROP TABLE {name}.t'",
        "echo 'USE {name}; DROP TABLE t;' > script.sql; mariadb --protocol=TCP -uroot < script.sql",
        "mariadb --protocol=TCP -uroot -e 'UPDATE `{name}`.`t` SET x = 7'",
        "echo 'UPDATE {name}.t, t SET {name}.t.x = 7' > up.sql; mariadb -h127.0.0.1 -uroot copied -e 'source up.sql'",
    ],
)
def test_mariadb_on_the_original_is_stopped(firm: Firm, mariadb: str, command: str) -> None:
    """Also where the statements name the schema, and the connection none."""
    run_statements(mariadb, *ROWS)
    as_root(mariadb, "CREATE DATABASE IF NOT EXISTS copied")
    copy = make_url(mariadb).set(database="copied").render_as_string(hide_password=False)
    filled = command.replace("{name}", str(make_url(mariadb).database)).replace("{port}", str(make_url(mariadb).port))
    [evidence, *_] = stopped(firm, mariadb, copy, filled).evidence
    assert evidence in ("opened by mariadb", "opened by mysql")
    assert query(mariadb, "SELECT x FROM t") == [1, 2]
    for statement in ("CREATE TABLE deals (x int)", "UPDATE deals SET x = 1 WHERE deals.x IS NULL"):
        done = step(firm, mariadb, copy, f"mariadb --protocol=TCP {{name}} -e '{statement}'")
        assert done.ok, done.output
    as_root(mariadb, "DROP DATABASE copied")


@pytest.mark.parametrize(
    "command",
    [
        "sqlite3 {path} 'DELETE FROM notes'",
        "sqlite3 firm.db < script.sql",
        "sqlite3 :memory: \"ATTACH '{path}' AS o; DELETE FROM o.notes\"",
        "sh wrapped.sh",
    ],
)
def test_sqlite3_on_the_original_is_stopped(firm: Firm, command: str) -> None:
    """By a relative path, in a script of the user's, and attached to another database."""
    path = firm.folder / "firm.db"
    (firm.folder / "script.sql").write_text("DELETE FROM notes;")
    (firm.folder / "wrapped.sh").write_text("sqlite3 firm.db 'DELETE FROM notes'")
    before = files(firm.folder)["firm.db"]
    stopped(firm, firm.url, f"sqlite:///{firm.folder}/copy.db", command.replace("{path}", str(path)))
    assert files(firm.folder)["firm.db"] == before
    done = step(firm, firm.url, f"sqlite:///{firm.folder}/copy.db", "sqlite3 {path} 'CREATE TABLE t (x)'")
    assert (done.ok, done.reached) == (True, ("sqlite3",)), done.output


def test_a_session_on_postgresqls_original_is_ended_and_its_step_stopped(
    firm: Firm, postgresql: str, pg_copy: str
) -> None:
    """Of a program that no guard holds back: by its application name, and it would have waited for ever."""
    dsn = parts(postgresql)["dsn"]
    code = HOLDS.format(module="psycopg", connect=f"psycopg.connect({str(dsn)!r})")
    (firm.folder / "strays.py").write_text(code)
    error = stopped(firm, postgresql, pg_copy, f"{sys.executable} -I strays.py")
    assert "of the server, from" in error.evidence[0]
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    assert query(postgresql, others) == [0]


def test_a_session_on_mariadbs_original_is_ended_and_its_step_stopped(firm: Firm, mariadb: str) -> None:
    """By the client's port, among the sockets of the step's processes; also one that changes to it later."""
    as_root(mariadb, "CREATE DATABASE IF NOT EXISTS copied")
    copy = make_url(mariadb).set(database="copied").render_as_string(hide_password=False)
    where = parts(mariadb)
    connect = f"pymysql.connect(host='127.0.0.1', port={where['port']}, user='root', database='copied')"
    code = HOLDS.format(module="pymysql", connect=connect).replace(
        "sys.stdin", f"c.select_db({where['name']!r}); sys.stdin"
    )
    (firm.folder / "strays.py").write_text(code)
    error = stopped(firm, mariadb, copy, f"{sys.executable} -I strays.py")
    assert "of the server, from" in error.evidence[0]
    as_root(mariadb, "DROP DATABASE copied")


def test_a_program_that_holds_the_original_file_open_is_stopped(firm: Firm) -> None:
    """Whatever it is; a Python without the guard is named in the report as only watched."""
    code = HOLDS.format(module="sqlite3", connect="sqlite3.connect('firm.db'); c.execute('SELECT * FROM notes')")
    (firm.folder / "strays.py").write_text(code)
    step_environment = StepEnvironment(firm.config(), firm.url, "sqlite:///copy.db", firm.folder, 60, lambda line: None)
    with pytest.raises(OriginalReachedError) as raised:
        carry_out(step_environment, "upgrade", f"{sys.executable} -I strays.py")
    assert "python" in raised.value.evidence[0]
    [remark] = step_environment.remarks
    assert "ran without the guard" in remark


SETTINGS = """
SECRET_KEY = "x"
INSTALLED_APPS = ["shop"]
DATABASES = {{"default": {{
    "ENGINE": "django.db.backends.postgresql", "NAME": {name!r}, "USER": {user!r}, "HOST": {host!r}, "PORT": {port!r},
}}}}
"""
DJANGO_REASONER = """
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
import django
django.setup()
from django.db import connection


def answer(deal_id):
    with connection.cursor() as cursor:
        cursor.execute("SELECT fee FROM engagements WHERE ref = %s", [deal_id])
        return {"offer": {"price": cursor.fetchone()[0]}}
"""
DJANGO_MIGRATION = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = []
    operations = [migrations.RunSQL("UPDATE engagements SET kind = 'acquisition'")]
"""


def test_a_stock_django_project_never_migrates_its_database(tmp_path: Path, postgresql: str) -> None:
    """With ``settings.DATABASES`` as everybody writes it; the preflight says so before anything is written."""
    firm = Firm.found(
        tmp_path, postgresql, reasoner=DJANGO_REASONER,
        rehearsal=f'upgrade = "{sys.executable} -m django migrate --settings settings"',
    )  # fmt: skip
    (tmp_path / "settings.py").write_text(SETTINGS.format(**parts(postgresql)))
    (tmp_path / "shop" / "migrations").mkdir(parents=True)
    for name in ("shop/__init__.py", "shop/migrations/__init__.py"):
        (tmp_path / name).touch()
    (tmp_path / "shop" / "migrations" / "0001_kinds.py").write_text(DJANGO_MIGRATION)
    rows = "SELECT t::text FROM engagements t ORDER BY ref"
    before = query(postgresql, rows)
    answer, report = firm.rehearse(PYTHONPATH=str(tmp_path))
    assert answer.code == 1
    assert codes(report) == {"original_asked_for": "unfinished"}
    assert answer.verdict.startswith("INCONCLUSIVE - does a step reach the scratch copy: the step opened the ORIGINAL")
    assert "rehearsal.database_env" in answer.out
    assert [phase["name"] for phase in report["phases"]] == ["copy", "audit", "preflight", "original"]
    assert query(postgresql, rows) == before
    assert query(postgresql, "SELECT count(*) FROM pg_class WHERE relname = 'django_migrations'") == [0]
    assert scratch_databases(postgresql) == []


def test_mariadbs_original_is_safe_beside_a_copy_of_the_users_own(tmp_path: Path, mariadb: str) -> None:
    """The copy is on the same server, and the application's settings name the original."""
    firm = Firm.found(tmp_path, mariadb, reasoner=REASONER.replace('os.environ["FIRM_DB"]', repr(mariadb)))
    tables = ("engagements", "notes", "alembic_version")
    copies = [f"CREATE TABLE copied.{name} AS SELECT * FROM {make_url(mariadb).database}.{name}" for name in tables]
    as_root(mariadb, "DROP DATABASE IF EXISTS copied", "CREATE DATABASE copied", *copies)
    copy = make_url(mariadb).set(database="copied").render_as_string(hide_password=False)
    answer, report = firm.rehearse("--scratch-url", copy)
    assert answer.code == 1
    assert codes(report) == {"original_asked_for": "unfinished"}, answer.out + answer.err
    assert query(mariadb, "SELECT count(*) FROM engagements WHERE kind IS NULL") == [2]
    assert "answers before the upgrade" not in answer.err
    as_root(mariadb, "DROP DATABASE copied")


NO_DATABASE = "def answer(deal_id):\n    return {'offer': {'price': 7}}\n"


def test_on_a_server_no_upgrade_runs_without_proof(tmp_path: Path, postgresql: str) -> None:
    """A reasoner that opens no database proves nothing; ``rehearsal.check`` does."""
    firm = Firm.found(tmp_path, postgresql, reasoner=NO_DATABASE, rehearsal='upgrade = "touch upgraded"')
    answer, report = firm.rehearse("--no-load")
    assert answer.code == 1
    assert codes(report) == {"preflight_unproved": "unfinished"}
    assert "rehearsal.check" in answer.out
    assert not (tmp_path / "upgraded").exists()
    answer, report = firm.rehearse("--no-load", "--check", "psql {plain_url} -c 'SELECT 1'")
    assert headlines(report)["preflight"] == "rehearsal.check reached the scratch copy, nothing the original"
    assert (tmp_path / "upgraded").exists()
    assert codes(report)["upgrade_went_elsewhere"] == "unfinished"
    assert "restored_off" not in headlines(report)
    assert Rollout.of(firm.config()).migrates


def test_a_database_at_its_newest_revision_rehearses_nothing(tmp_path: Path) -> None:
    """Green would say that the upgrade was tried."""
    firm = Firm.found(tmp_path)
    run_statements(
        firm.url,
        "UPDATE alembic_version SET version_num = 'r2'",
        "UPDATE engagements SET kind = 'acquisition' WHERE kind IS NULL OR kind = 'merger'",
    )
    problems = firm.upgraded()
    assert problems["nothing_to_upgrade"].weight == "unfinished"
    assert "--database URL" in problems["nothing_to_upgrade"].advice


@pytest.mark.parametrize(
    ("command", "code"),
    [("true", "upgrade_went_elsewhere"), ("sqlite3 {path} 'SELECT 1'", "upgrade_did_nothing")],
)
def test_an_upgrade_that_changes_nothing_is_never_green(tmp_path: Path, command: str, code: str) -> None:
    """Told apart: nobody came to the copy, or somebody did and had nothing to do."""
    firm = Firm.found(tmp_path, rehearsal=f'upgrade = "{command}"')
    problems = firm.upgraded()
    assert problems[code].weight == "unfinished"
