"""One deal of fifty thousand costs one deal; a run that asks for none costs nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugin.project import BASE_ARGUMENTS, Project, clean_environment, deal
from tests.scale.running import padded

COUNT = 50_000

# What the run asked the database, how many rows it was given, and how much of a folder it listed.
WATCH = """
import json
import os
import sqlite3
from pathlib import Path

from sqlalchemy import Engine, event

HERE = Path(__file__).parent
asked = []
listed = []
scandir, listdir = os.scandir, os.listdir


class Counted:
    def __init__(self, path):
        self.entries = scandir(path)
        self.count = 0
        self.path = str(path)
        listed.append(self)

    def __iter__(self):
        return self

    def __next__(self):
        self.count += 1
        return next(self.entries)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.entries.close()

    def close(self):
        self.entries.close()


def counted_scandir(path="."):
    return Counted(path) if "snapshots" in os.fsdecode(path) else scandir(path)


def counted_listdir(path="."):
    names = listdir(path)
    if "snapshots" in os.fsdecode(path):
        listed.append(type("Listed", (), {"count": len(names), "path": str(path)}))
    return names


os.scandir, os.listdir = counted_scandir, counted_listdir


@event.listens_for(Engine, "connect")
def count_rows(connection, record):
    def rows(cursor, row):
        asked[-1]["rows"] += 1
        return row

    connection.row_factory = rows
    connection.set_trace_callback(lambda statement: asked.append({"statement": statement, "rows": 0}))


def pytest_unconfigure(config):
    facts = {"asked": asked, "listed": [[one.path, one.count] for one in listed]}
    (HERE / "facts.json").write_text(json.dumps(facts))
"""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project of 50,000 deals, of which a hundred were captured."""
    project = Project(tmp_path_factory.mktemp("many")).with_deals(*padded(100)).captured()
    schema = "CREATE TABLE transactions (deal_no TEXT PRIMARY KEY, title TEXT, kind TEXT, amount INTEGER)"
    rows = (*padded(100), *(deal(f"e{number:05}") for number in range(COUNT - 100)))
    return project.with_schema(schema).with_deals(*rows).with_file("conftest.py", WATCH)


def test_one_deal_asks_for_that_deal_alone(many: Project) -> None:
    """`--dealsnap-id X` of 50,000: no question gives more than that deal's row, and no folder is listed."""
    outcome = many.gate("--dealsnap-id", "d0007")
    assert outcome.code == 0, outcome.text
    assert outcome.statuses == {"d0007": "matched"}
    facts = json.loads((many.folder / "facts.json").read_text())
    about_deals = [one for one in facts["asked"] if "FROM transactions" in one["statement"]]
    assert 1 <= len(about_deals) <= 3
    assert all("d0007" in one["statement"] and one["rows"] <= 1 for one in about_deals)
    schema = ("PRAGMA", "SELECT sql FROM")
    answers = [one["rows"] for one in facts["asked"] if not one["statement"].startswith(schema)]
    assert sum(answers) <= 3, facts["asked"]
    assert len(facts["asked"]) < 20
    assert sum(count for _, count in facts["listed"]) < 10, facts["listed"]  # what killed commands left is looked for


def test_an_id_that_there_is_not_asks_no_more(many: Project) -> None:
    """An unknown id is a usage error that reads no other deal."""
    outcome = many.gate("--dealsnap-id", "d9999")
    assert outcome.code == 4
    assert "--dealsnap-id d9999: neither the database nor the baseline has this deal" in outcome.text


def test_plain_pytest_pays_nothing(tmp_path: Path) -> None:
    """With the plugin installed and unused nothing of it that works is imported, and no database is opened."""
    project = Project(tmp_path).with_config('[tool.dealsnap]\ndatabase = "sqlite:///nowhere.db"\nnonsense = 1\n')
    project = project.with_file("test_own.py", "def test_own():\n    pass\n").write()
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pytest", *BASE_ARGUMENTS, "-p", "no:syrupy", "-q"],
        cwd=tmp_path,
        # Measured coverage would import modules of its own.
        env={name: value for name, value in clean_environment().items() if not name.startswith("COV")},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    imported = set(re.findall(r"\| +([\w.]+)$", done.stderr.decode(), re.MULTILINE))
    ours = {name for name in imported if name.startswith("pytest_dealsnap.")}
    assert "pytest_dealsnap.plugin.options" in ours
    assert not imported & {"sqlalchemy", "hypothesis", "jmespath", "rapidfuzz", "deepdiff", "asyncio", "sqlite3"}
    rooms = ("deals", "reasoning", "baseline", "judging", "reporting", "cli", "rehearsal", "testing")
    assert not [name for name in ours if name.split(".")[1] in rooms]
