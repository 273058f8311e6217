"""A database that dealsnap does not know is added from outside, by one module."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from pytest_dealsnap.deals import dialects
from pytest_dealsnap.deals.dialects import dialect_of
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.hookspecs import Dialect
from tests.cli.console import dealsnap
from tests.docs.pages import page
from tests.extensions.installing import install
from tests.plugin.project import CONFIG, Project, deal

# A database of another name, which keeps its rows as SQLite does: a server of its own is not needed to try this.
DIALECT = """
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from pytest_dealsnap.hookspecs import Dialect


class Ledgers(SQLiteDialect_pysqlite):
    name = "ledgerdb"
    supports_statement_cache = True


class LedgerDB(Dialect):
    names = ("ledgerdb",)
    begin = ("PRAGMA query_only = ON",)

    def unenforced(self, url):
        return None


def pytest_dealsnap_dialects():
    return [LedgerDB()]
"""
WRITES = """
from sqlalchemy import text

from pytest_dealsnap.deals.database import open_read_only
from pathlib import Path


def value(transaction):
    engine = open_read_only("ledgerdb:///book.db", folder=Path.cwd())
    with engine.connect() as connection:
        try:
            connection.execute(text("DELETE FROM transactions"))
        except Exception as error:
            return {"offer": {"price": 1}, "risks": [], "memo": str(error.__cause__ or error)}
    return {"offer": {"price": 1}, "risks": [], "memo": "written"}
"""


def test_one_module_makes_a_database_readable(tmp_path: Path) -> None:
    """Captured, gated and audited; the database refuses a write; without the module nothing is opened."""
    site = install(tmp_path / "site", "ledgerdb_for_dealsnap", DIALECT)
    points = tmp_path / "site" / "ledgerdb_for_dealsnap-1.0.dist-info" / "entry_points.txt"
    points.write_text(f"{points.read_text()}[sqlalchemy.dialects]\nledgerdb = ledgerdb_for_dealsnap:Ledgers\n")
    config = CONFIG.replace("sqlite:///book.db", "ledgerdb:///book.db")
    project = Project(tmp_path / "firm").with_config(config).with_reasoner(WRITES).with_deals(deal("d1"), deal("d2"))
    project = project.with_environment(PYTHONPATH=site)
    captured = project.capture("--dealsnap-allow-constant")
    assert captured.code == 0, captured.text
    assert "readonly database" in project.snapshot("d1")["output"]["memo"]
    assert project.gate().action == "proceed"
    audited = dealsnap(project.folder, "audit", PYTHONPATH=site)
    assert audited.code == 0, audited.err
    without = project.with_environment(PYTHONPATH="").run("--dealsnap")
    assert without.code == 4
    assert "ledgerdb" in without.text


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let an extension answer what a test says."""

    def answer(*answers: Any) -> None:
        monkeypatch.setattr(dialects, "answers", lambda hook: [(f"ext{n}", one) for n, one in enumerate(answers)])

    return answer


class Known(Dialect):
    """A database of this test's."""

    names = ("sheets",)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (([7],), r"pytest_dealsnap_dialects of ext0: 7 is no dialect"),
        (([Dialect()],), r"is no dialect: .* with names"),
        ((7,), r"ext0 returned int; it must return dialects"),
        (([Known()], [Known()]), r"ext1: the dialect sheets is added by another, too"),
        (([type("Own", (Dialect,), {"names": ("sqlite",)})()],), r"ext0: the dialect sqlite is dealsnap's own"),
        (([type("Text", (Dialect,), {"names": "sheets"})()],), r"is no dialect"),
    ],
)
def test_what_is_no_dialect_is_refused(answering: Any, answers: Any, message: str) -> None:
    """In a sentence that names the extension."""
    answering(*answers)
    with pytest.raises(ConfigError, match=message):
        dialect_of("sheets")


def test_a_built_in_database_asks_no_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most runs have one, and pay for nothing."""
    monkeypatch.setattr(dialects, "answers", lambda hook: pytest.fail("asked"))
    assert dialect_of("postgresql").names == ("postgresql",)


def test_the_page_shows_a_dialect_that_works(answering: Any) -> None:
    """As far as can be told without that server."""
    [block] = re.findall(r"```python\n# cockroach.py\n(.*?)```", page("how-to/extend"), re.DOTALL)
    module = ModuleType("cockroach")
    exec(block, vars(module))  # the page's own
    answering(module.pytest_dealsnap_dialects())
    known = dialect_of("cockroachdb")
    assert known.unenforced(make_url("cockroachdb://h/db")) is None
    assert known.begin == ("SET TRANSACTION READ ONLY",)
