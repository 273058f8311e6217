"""The reasoner reads the database that the deals are in: one that demonstrably reads another is not recorded."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.plugin.project import CONFIG, Outcome, Project, deals

REASONER = """
from sqlalchemy import create_engine, text

ENGINES = [create_engine(url) for url in {urls!r}]


def value(deal_id):
    for engine in ENGINES:
        with engine.connect() as connection:
            price = connection.execute(text("SELECT amount FROM transactions WHERE deal_no = :no"), {{"no": deal_id}})
            amount = price.scalar()
    return {{"offer": {{"price": amount}}, "risks": [], "deal": deal_id}}
"""


def project_reading(folder: Path, *urls: str) -> Project:
    """Return a project whose reasoner asks the databases of *urls*; a replica called ``other.db`` is there, too."""
    connection = sqlite3.connect(folder / "other.db")
    connection.execute("CREATE TABLE IF NOT EXISTS transactions (deal_no TEXT, title TEXT, kind TEXT, amount INTEGER)")
    connection.executemany("INSERT INTO transactions VALUES (?, ?, ?, ?)", deals(3))
    connection.commit()
    connection.close()
    return Project(folder).with_deals(*deals(3)).with_reasoner(REASONER.format(urls=urls))


def assert_refused(project: Project, outcome: Outcome, other: str) -> None:
    """The run names both databases, records nothing and exits 1."""
    assert outcome.code == 1, outcome.text
    flat = "".join(outcome.text.split())
    assert "thereasonerreadsanotherdatabasethanthedeals'" in flat
    assert other in outcome.text
    assert not project.baseline.exists() or not list(project.baseline.iterdir())


@pytest.mark.parametrize("arguments", [(), ("-n", "2"), ("--dealsnap-workers", "2"), ("--dealsnap-timeout", "60")])
def test_a_reasoner_on_another_database_is_not_recorded(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Seen by its SQLAlchemy engine, whichever process and thread calls it."""
    project = project_reading(tmp_path, "sqlite:///other.db")
    assert_refused(project, project.capture(*arguments), "other.db")


def test_a_gate_of_such_a_reasoner_is_inconclusive(tmp_path: Path) -> None:
    """The verdict says nothing of outputs that are of other data."""
    project = project_reading(tmp_path, "sqlite:///book.db").captured()
    outcome = project.with_reasoner(REASONER.format(urls=("sqlite:///other.db",))).gate()
    assert outcome.code == 1
    assert outcome.report["verdict"]["action"] == "inconclusive"


def test_the_same_database_under_another_name_and_others_beside_it_are_fine(tmp_path: Path) -> None:
    """A symbolic link, an absolute path, and a second database that the application reads as well."""
    (tmp_path / "link.db").symlink_to(tmp_path / "book.db")
    project_reading(tmp_path, "sqlite:///link.db").captured()
    project_reading(tmp_path, "sqlite:///other.db", f"sqlite:///{tmp_path}/book.db").captured()


def test_another_database_can_be_allowed(tmp_path: Path) -> None:
    """A replica is another database, and answers for the same deals."""
    project = project_reading(tmp_path, "sqlite:///other.db")
    assert project.capture("--dealsnap-allow-other-database").code == 0


SETTINGS = """
SECRET_KEY = "of a test"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "book.db"}}
"""
DJANGO_REASONER = """
from django.db import connection


def value(deal_id):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sqlite_master")
        return {"offer": {"price": cursor.fetchone()[0]}, "risks": [], "deal": deal_id}
"""
CONFTEST = """
import pytest
from valuation import value


@pytest.fixture
def deal_reasoner(db):
    return value
"""
OWN_DATABASE = """

@pytest.fixture(scope="session")
def django_db_setup():
    pass
"""
DJANGO_INI = "\n[tool.pytest.ini_options]\nDJANGO_SETTINGS_MODULE = 'own_settings'\npythonpath = ['.']\n"


def test_the_empty_test_database_of_pytest_django_is_not_recorded(tmp_path: Path) -> None:
    """Its fixture ``db`` puts one in place; without it the same reasoner is fine."""
    pytest.importorskip("pytest_django")
    project = (
        Project(tmp_path)
        .with_deals(*deals(3))
        .with_config(CONFIG.replace('reasoner = "valuation:value"', "") + DJANGO_INI)
        .with_reasoner(DJANGO_REASONER)
        .with_file("own_settings.py", SETTINGS)
        .with_file("conftest.py", CONFTEST)
    )
    assert_refused(project, project.capture("-p", "django"), "memory")
    outcome = project.with_file("conftest.py", CONFTEST + OWN_DATABASE).capture("-p", "django")
    assert outcome.code == 0, outcome.text
