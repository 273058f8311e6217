"""`dealsnap init`: from a database to a configuration with which pytest runs."""

from __future__ import annotations

import os
import pty
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.cli.console import dealsnap
from tests.plugin.project import clean_environment, run_pytest
from tests.postgresql import as_owner

HOSTILE = '''
CREATE TABLE "Order ""Transactions""" ("select" CHAR(32) PRIMARY KEY, "Deal Title" TEXT, KIND TEXT, "deleted at" TEXT);
INSERT INTO "Order ""Transactions""" VALUES
  ('3f2b8c1e9a7d4e5fb6a1c2d3e4f50617', '<script>', 'carve-out', NULL),
  ('4f2b8c1e9a7d4e5fb6a1c2d3e4f50617', '::error::', 'acquisition', NULL),
  ('5f2b8c1e9a7d4e5fb6a1c2d3e4f50617', 'gone', 'divestiture', '2026-01-01'),
  ('6f2b8c1e9a7d4e5fb6a1c2d3e4f50617', NULL, NULL, NULL);
'''
REASONER = """
def value(deal):
    return {"cost_estimate": {"total_cost": len(deal.fields)}, "synergies": [], "type": deal.deal_type}
"""


def database(folder: Path, script: str = HOSTILE, name: str = "book.db") -> Path:
    """Make a SQLite database."""
    with sqlite3.connect(folder / name) as connection:
        connection.executescript(script)
    connection.close()
    return folder / name


def capture(folder: Path, **environment: str) -> Any:
    """Run a capture with the written configuration, whose reasoner was filled in, and then a gate."""
    (folder / "valuation.py").write_text(REASONER)
    for path in (folder / "pyproject.toml", folder / "dealsnap.toml"):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            named = text.replace('# reasoner = "myapp.analysis:run_reasoning_phase"', 'reasoner = "valuation:value"')
            path.write_text(named, encoding="utf-8")
    captured = run_pytest(
        folder, "--dealsnap-update", "--dealsnap-allow-constant", environment=clean_environment(**environment)
    )
    assert captured.code == 0, captured.text
    arguments = ("--dealsnap", "--dealsnap-report", "json:report.json")
    gate = run_pytest(folder, *arguments, environment=clean_environment(**environment))
    assert gate.code == 0, gate.text
    return gate.report


def test_the_written_configuration_works(tmp_path: Path) -> None:
    """Other names, quotes, blanks and reserved words: capture and gate run with what init wrote, and the reasoner."""
    database(tmp_path)
    answer = dealsnap(tmp_path, "init", "sqlite:///book.db")
    assert (answer.code, answer.err) == (0, "")
    assert "wrote dealsnap.toml" in answer.out
    assert "stored types: acquisition 1, carve-out 1, divestiture 1, NULL 1" in answer.out
    assert '1 row left out by "deleted at" IS NULL' in answer.out
    report = capture(tmp_path)
    assert {entry["name"]: entry["deal_type"] for entry in report["deals"]} == {
        "<script>": "carveout", "::error::": "acquisition", None: "acquisition",
    }  # fmt: skip
    table = tomllib.loads((tmp_path / "dealsnap.toml").read_text())["tool"]["dealsnap"]
    assert table["deals"]["aliases"] == {"carve-out": "carveout"}
    again = dealsnap(tmp_path, "init", "sqlite:///book.db")
    assert again.code == 2
    assert "configures dealsnap already: --force replaces that" in again.err


PYPROJECT = b"""\
# \xc3\xa4 comment\r
[project]\r
name = "x"  # odd   spacing\r
text = '''\r
[tool.dealsnap]\r
'''\r
\r
[tool.other]\r
a = 1"""


def test_a_pyproject_keeps_every_byte_of_the_rest(tmp_path: Path) -> None:
    """The table is added behind; --force replaces it and nothing else, whatever stands around it."""
    database(tmp_path)
    path = tmp_path / "pyproject.toml"
    path.write_bytes(PYPROJECT)
    answer = dealsnap(tmp_path, "init", "sqlite:///book.db")
    assert "added [tool.dealsnap] to pyproject.toml" in answer.out
    first = path.read_bytes()
    assert first.startswith(PYPROJECT + b"\r\n\r\n# Every deal as a test")
    assert b"\n" not in first.replace(b"\r\n", b"")
    behind = b"\r\n# of another tool\r\n[tool.last]\r\nb = 2\r\n"
    path.write_bytes(first + behind)
    assert dealsnap(tmp_path, "init", "sqlite:///book.db").code == 2
    assert path.read_bytes() == first + behind
    assert dealsnap(tmp_path, "init", "sqlite:///book.db", "--force").code == 0
    forced = path.read_bytes()
    assert forced.startswith(PYPROJECT + b"\r\n" + behind)
    assert forced.endswith(first.removeprefix(PYPROJECT + b"\r\n"))


def test_a_pyproject_without_room_is_left_alone(tmp_path: Path) -> None:
    """An inline tool table, a text that looks like ours, no TOML, a second configuration: a way out, no change."""
    database(tmp_path)
    path = tmp_path / "pyproject.toml"
    for text, arguments, words in (
        ("tool = { other = { a = 1 } }\n", (), "--output dealsnap.toml"),
        ("tool.dealsnap.database = 'x'\n[project]\nname = 'x'\n", ("--force",), "neither be added nor replaced"),
        ("tool = {", (), "is not valid TOML"),
        ("[tool.dealsnap]\n", ("--output", "dealsnap.toml", "--force"), "both would be one too many"),
        ("", ("--output", "setup.cfg"), "must be pyproject.toml, dealsnap.toml, or -"),
    ):
        path.write_text(text)
        answer = dealsnap(tmp_path, "init", "sqlite:///book.db", *arguments)
        assert (answer.code, path.read_text()) == (2, text)
        assert words in answer.err
    assert not (tmp_path / "dealsnap.toml").exists()


def test_it_is_only_shown_where_asked_and_found_from_below(tmp_path: Path) -> None:
    """`--output -` writes no file; from a folder below, the project's file is written, with paths as seen from it."""
    below = tmp_path / "data"
    below.mkdir()
    database(below)
    (tmp_path / "alembic.ini").write_text("")
    shown = dealsnap(below, "init", "sqlite:///book.db", "--output", "-")
    assert tomllib.loads(shown.out)["tool"]["dealsnap"]["database"] == "sqlite:///book.db"
    assert not list(tmp_path.rglob("*.toml"))
    (tmp_path / "pyproject.toml").touch(mode=0o640)
    assert dealsnap(below, "init", DEALSNAP_DATABASE="sqlite:///book.db").code == 0
    table = tomllib.loads((tmp_path / "pyproject.toml").read_text())["tool"]["dealsnap"]
    assert table["database"] == "sqlite:///data/book.db"
    assert table["rehearsal"] == {"alembic": "alembic.ini"}
    assert (tmp_path / "pyproject.toml").stat().st_mode & 0o777 == 0o640


def test_without_a_url_what_might_be_meant_is_named(tmp_path: Path) -> None:
    """A SQLite file that is there, or DATABASE_URL: suggested, never opened unasked."""
    assert "give its URL or set DEALSNAP_DATABASE (any SQLAlchemy URL)" in dealsnap(tmp_path, "init").err
    database(tmp_path)
    assert "such as sqlite:///book.db, which is here" in dealsnap(tmp_path, "init").err
    answer = dealsnap(tmp_path, "init", DATABASE_URL="sqlite:///book.db")
    assert (answer.code, 'dealsnap init "$DATABASE_URL"' in answer.err) == (2, True)


TWO = """
CREATE TABLE mandates (id INTEGER PRIMARY KEY, type TEXT);
CREATE TABLE transactions (id INTEGER PRIMARY KEY, type TEXT);
"""


@pytest.mark.parametrize(("answer", "table"), [(b"2\n", "mandates"), (b"3\n", None)])
def test_of_several_tables_a_person_chooses(tmp_path: Path, answer: bytes, table: str | None) -> None:
    """In a terminal the candidates are numbered and asked for; elsewhere they are an error that names --table."""
    database(tmp_path, TWO)
    piped = dealsnap(tmp_path, "init", "sqlite:///book.db")
    assert (piped.code, "dealsnap init --table transactions" in piped.err) == (2, True)
    terminal, inner = pty.openpty()
    os.write(terminal, answer)
    run = subprocess.Popen(
        [sys.executable, "-m", "pytest_dealsnap", "init", "sqlite:///book.db"],
        cwd=tmp_path, env=clean_environment(), stdin=inner, stdout=inner, stderr=inner,
    )  # fmt: skip
    code = run.wait(timeout=60)
    os.close(inner)
    os.close(terminal)
    assert code == (0 if table else 2)
    written = tmp_path / "dealsnap.toml"
    assert written.exists() is (table is not None)
    if table is not None:
        assert f'table = "{table}"' in written.read_text()
    assert dealsnap(tmp_path, "init", "sqlite:///book.db", "--table", "mandates", "--output", "-").code == 0


def test_more_stored_types_than_are_listed(tmp_path: Path) -> None:
    """A list that was cut says so."""
    words = ", ".join(f"({n}, 'word {n}')" for n in range(30))
    database(
        tmp_path, f"CREATE TABLE deals (id INTEGER PRIMARY KEY, deal_type TEXT); INSERT INTO deals VALUES {words};"
    )
    answer = dealsnap(tmp_path, "init", "sqlite:///book.db")
    assert answer.code == 0
    stored, undecided = (line for line in answer.out.splitlines() if "word 10" in line)
    assert stored.endswith(" 1, and more")
    assert undecided.endswith(", and more count as acquisition for now")


def test_no_deals_and_an_empty_database(tmp_path: Path) -> None:
    """No table that looks like deals is an error; a table without rows is configured all the same."""
    database(tmp_path, "CREATE TABLE users (id INTEGER PRIMARY KEY);")
    answer = dealsnap(tmp_path, "init", "sqlite:///book.db")
    assert answer.code == 2
    assert "no table that looks like deals. It has: users." in answer.err
    database(tmp_path, "CREATE TABLE deals (id INTEGER PRIMARY KEY);", "empty.db")
    assert dealsnap(tmp_path, "init", "sqlite:///empty.db").code == 0
    arguments = ("--dealsnap-update", "--dealsnap-reasoner", "builtins:dict")
    empty = run_pytest(tmp_path, *arguments, environment=clean_environment())
    assert (empty.code, "there is nothing to capture" in empty.text) == (4, True)


def test_postgresql_with_a_secret(postgresql: str, tmp_path: Path) -> None:
    """UUIDs, an enum, another schema: the configuration works, and the URL's password is in no file and no line."""
    as_owner(
        postgresql,
        "CREATE SCHEMA book",
        "CREATE TYPE book.kind AS ENUM ('ACQUISITION', 'CARVE_OUT')",
        'CREATE TABLE book."Transactions" (id UUID PRIMARY KEY, "Title" TEXT, kind book.kind, is_deleted BOOLEAN)',
        "INSERT INTO book.\"Transactions\" VALUES (gen_random_uuid(), 'A', 'CARVE_OUT', NULL),"
        " (gen_random_uuid(), 'B', 'ACQUISITION', TRUE), (gen_random_uuid(), 'C', 'ACQUISITION', FALSE)",
        "CREATE TABLE book.alembic_version (version_num TEXT)",
        "INSERT INTO book.alembic_version VALUES ('0007')",
    )
    secret = f"{postgresql}{'&' if '?' in postgresql else '?'}application_name=x&options=-c%20search_path%3Dbook"
    secret = secret.replace("://postgres:@", "://postgres:s3cret@").replace("://postgres@", "://postgres:s3cret@")
    assert "s3cret" in secret
    answer = dealsnap(tmp_path, "init", DEALSNAP_DATABASE=secret)
    assert answer.code == 0, answer.err
    written = (tmp_path / "dealsnap.toml").read_text()
    assert "s3cret" not in answer.out + answer.err + written
    assert "database" not in tomllib.loads(written)["tool"]["dealsnap"]
    assert "set DEALSNAP_DATABASE in the environment" in answer.out
    assert "(revision 0007)" in written
    report = capture(tmp_path, DEALSNAP_DATABASE=secret)
    assert {entry["name"]: entry["deal_type"] for entry in report["deals"]} == {"A": "carveout", "C": "acquisition"}


def test_a_reasoner_can_be_named_at_once(tmp_path: Path) -> None:
    """It is imported, so that a slip is told now, and written where it belongs."""
    database(tmp_path)
    (tmp_path / "valuation.py").write_text(REASONER)
    wrong = dealsnap(tmp_path, "init", "sqlite:///book.db", "--reasoner", "valuation:valeu")
    assert wrong.code == 2
    assert "valuation has no 'valeu'. Did you mean" in wrong.err
    assert not (tmp_path / "dealsnap.toml").exists()
    done = dealsnap(tmp_path, "init", "sqlite:///book.db", "--reasoner", "valuation:value")
    assert done.code == 0
    assert "read dealsnap.toml: choose what is judged" in done.out
    written = tomllib.loads((tmp_path / "dealsnap.toml").read_text(encoding="utf-8"))
    assert written["tool"]["dealsnap"]["reasoner"] == "valuation:value"
