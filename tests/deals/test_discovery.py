"""What a database says about its deals, on real databases of every shape."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_dealsnap.deals.discovery import Discovery, SeveralTablesError, discover
from pytest_dealsnap.errors import SourceError

Fill = Callable[..., None]


def found(folder: Path, script: str, *, table: str | None = None) -> Discovery:
    """Make a SQLite database by *script* and look at it."""
    path = folder / "x.db"
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as connection:
        connection.executescript(script)
    connection.close()
    return discover("sqlite:///x.db", folder=folder, table=table)


def roles(discovery: Discovery) -> tuple[str, str, str, str]:
    """Return table, id, name and type."""
    chosen = discovery.chosen
    return chosen.table.shown, chosen.id, chosen.name, chosen.type


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (
            "CREATE TABLE deals (id INTEGER PRIMARY KEY, name TEXT, deal_type TEXT);"
            "CREATE TABLE deal_documents (id INTEGER PRIMARY KEY, deal_id INTEGER, name TEXT, type TEXT);"
            "CREATE TABLE deal_types (code TEXT PRIMARY KEY, name TEXT); CREATE TABLE users (id INTEGER, type TEXT);"
            "CREATE VIEW active_deals AS SELECT * FROM deals;",
            ("deals", "id", "name", "deal_type"),
        ),
        (
            "CREATE TABLE transactions (uuid CHAR(32) PRIMARY KEY, title TEXT, buyer TEXT, kind TEXT);",
            ("transactions", "uuid", "title", "kind"),
        ),
        (
            'CREATE TABLE "M&A ""Deals""" ("Deal No." TEXT UNIQUE, "Deal Title" TEXT, "Type" TEXT, "select" TEXT);',
            ('M&A "Deals"', "Deal No.", "Deal Title", "Type"),
        ),
        ('CREATE TABLE "DEAL" ("ID" INT PRIMARY KEY, "NAME" TEXT, "KIND" TEXT);', ("DEAL", "ID", "NAME", "KIND")),
        ("CREATE TABLE maDeals (dealId INTEGER PRIMARY KEY, dealName TEXT, dealType INT);",
         ("maDeals", "dealId", "dealName", "dealType")),
        (
            "CREATE TABLE cases (ref TEXT PRIMARY KEY, flag TEXT, sort TEXT);"
            "INSERT INTO cases VALUES ('a', 'x', 'carve-out'), ('b', 'y', NULL);",
            ("cases", "ref", "", "sort"),
        ),
        ("CREATE TABLE deals (id INTEGER PRIMARY KEY, total INT);", ("deals", "id", "", "")),
        (
            "CREATE TABLE d (a INT, b INT, code TEXT, type TEXT); CREATE VIEW v_deals AS SELECT code, type FROM d;",
            ("v_deals", "code", "", "type"),
        ),
        (
            "CREATE TABLE deals (tenant INT, no INT, code TEXT UNIQUE, type TEXT, PRIMARY KEY (tenant, no));",
            ("deals", "code", "", "type"),
        ),
    ],
)  # fmt: skip
def test_table_and_columns_are_found(tmp_path: Path, script: str, expected: tuple[str, ...]) -> None:
    """By names, keys and values; lookup tables, documents of deals and views of the table are passed over."""
    assert roles(found(tmp_path, script)) == expected


def test_several_or_no_candidates_are_named(tmp_path: Path) -> None:
    """A person decides between equals; without any, what there is is listed; a named table is taken as it is."""
    with pytest.raises(SourceError, match=r'no table that looks like deals\. It has: "a\.b", users, w'):
        found(
            tmp_path, "CREATE TABLE users (id INTEGER PRIMARY KEY); CREATE TABLE w (a INT); CREATE TABLE 'a.b' (x INT)"
        )
    composite = "CREATE TABLE deals (tenant INT, no INT, type TEXT, PRIMARY KEY (tenant, no));"
    with pytest.raises(SourceError, match=r"In deals, which reads like them, no single column identifies a row"):
        found(tmp_path, composite)
    with pytest.raises(SourceError, match="It has: none at all"):
        found(tmp_path, "")
    script = (
        "CREATE TABLE transactions (id INTEGER PRIMARY KEY, type TEXT);"
        "CREATE TABLE mandates (id INTEGER PRIMARY KEY, type TEXT);"
    )
    with pytest.raises(SeveralTablesError, match="dealsnap init --table transactions") as caught:
        found(tmp_path, script)
    assert caught.value.names == ("transactions", "mandates")
    assert roles(found(tmp_path, script, table="mandates")) == ("mandates", "id", "", "type")
    with pytest.raises(SourceError, match=r'no table or view "mandate"\. Did you mean "mandates"'):
        found(tmp_path, script, table="mandate")


DEALS = "CREATE TABLE deals (id INTEGER PRIMARY KEY, type TEXT, {column});"


@pytest.mark.parametrize(
    ("column", "values", "where", "rows"),
    [
        ("deleted_at TIMESTAMP", "(1, 'x', NULL), (2, 'x', '2026-01-01')", "deleted_at IS NULL", 1),
        ('"Deleted At" TEXT', "(1, 'x', NULL)", '"Deleted At" IS NULL', 0),
        ("is_deleted BOOLEAN", "(1, 'x', 0), (2, 'x', 1), (3, 'x', NULL)", "is_deleted IS NOT TRUE", 1),
        ("deleted INT", "(1, 'x', 0), (2, 'x', 1), (3, 'x', NULL)", "COALESCE(deleted, 0) = 0", 1),
        (
            "status TEXT",
            "(1, 'x', 'open'), (2, 'x', 'Deleted'), (3, 'x', NULL)",
            "COALESCE(status, '') <> 'Deleted'",
            1,
        ),
        ("deal_state TEXT NOT NULL", "(1, 'x', 'open'), (2, 'x', 'removed')", "deal_state <> 'removed'", 1),
    ],
)
def test_deleted_rows_are_left_out(tmp_path: Path, column: str, values: str, where: str, rows: int) -> None:
    """A column that marks deleted rows becomes a condition that holds for all others, those without a mark too."""
    discovery = found(tmp_path, DEALS.format(column=column) + f"INSERT INTO deals VALUES {values};")
    assert discovery.soft_delete is not None
    assert (discovery.soft_delete.where, discovery.soft_delete.rows) == (where, rows)
    assert discovery.soft_delete.certain
    again = found(tmp_path, DEALS.format(column="archived_at DATE, status TEXT"))
    assert again.soft_delete is not None
    assert not again.soft_delete.certain, "archived is not deleted"
    assert found(tmp_path, DEALS.format(column="status TEXT")).soft_delete is None


def test_stored_types_are_counted(tmp_path: Path) -> None:
    """Each stored word with its rows, NULL apart; words that a CHECK constraint insists on are types."""
    values = "(1, 'acquisition', 0), (2, 'jv', 0), (3, 'jv', 0), (4, NULL, 0), (5, '', 0)"
    discovery = found(tmp_path, DEALS.format(column="x INT") + f"INSERT INTO deals VALUES {values};")
    assert (discovery.stored, discovery.nulls, discovery.rows) == ({"jv": 2, "": 1, "acquisition": 1}, 1, 5)
    assert discovery.suggestion is not None
    assert discovery.suggestion.unknown == ("jv",)
    check = "x INT, CHECK (type IN ('acquisition', 'jv'))"
    constrained = found(
        tmp_path, DEALS.format(column=check) + "INSERT INTO deals VALUES (1, 'jv', 0), (2, 'acquisition', 0);"
    )
    assert constrained.suggestion is not None
    assert "jv" in constrained.suggestion.types


@pytest.mark.parametrize(
    ("values", "problem"),
    [("('a', 'x'), ('a', 'x')", "1 of 2 rows share theirs"), ("('a', 'x'), (NULL, 'x')", "1 of 2 rows have none")],
)
def test_an_id_that_is_none_is_told(tmp_path: Path, values: str, problem: str) -> None:
    """Without a key, the column's values are looked at."""
    script = f"CREATE TABLE deals (code TEXT, type TEXT); INSERT INTO deals VALUES {values};"
    assert found(tmp_path, script).id_problem.startswith(problem)
    nothing = "CREATE TABLE deals (a INT, b INT, type TEXT, PRIMARY KEY (a, b));"
    assert "no column of its own" in found(tmp_path, nothing, table="deals").id_problem


def test_alembic_is_noticed(tmp_path: Path) -> None:
    """The revision is told, also where there is none yet."""
    script = DEALS.format(column="x INT") + "CREATE TABLE alembic_version (version_num TEXT);"
    assert found(tmp_path, script).revision == "none yet"
    discovery = found(tmp_path, script + "INSERT INTO alembic_version VALUES ('0001');")
    assert (discovery.revision, discovery.has_alembic) == ("0001", True)
    assert not found(tmp_path, DEALS.format(column="x INT")).has_alembic


def test_what_cannot_be_read_is_an_error_without_secrets(tmp_path: Path) -> None:
    """No file, no database, a server that is not there: where, why, and no password."""
    (tmp_path / "no.db").write_bytes(b"not a database" * 99)
    for url, words in (
        ("sqlite:///none.db", "no such SQLite file"),
        ("sqlite:///no.db", "cannot be read: DatabaseError"),
        ("postgresql://ana:s3cret@127.0.0.1:1/x", "cannot be read: OperationalError"),
        ("nonsense", "not a database URL"),
    ):
        with pytest.raises(SourceError, match=words) as caught:
            discover(url, folder=tmp_path, place="URL")
        assert str(caught.value).startswith("URL")
        assert "s3cret" not in str(caught.value)


def test_postgresql(postgresql: str, fill: Fill, tmp_path: Path) -> None:
    """Enums, UUIDs, other schemas, quoted names, views of both kinds; the URL's secret is noticed."""
    fill(
        postgresql,
        "CREATE SCHEMA book",
        "CREATE TYPE book.kind AS ENUM ('acquisition', 'carve_out', 'joint venture')",
        'CREATE TABLE book."Transactions" (id UUID PRIMARY KEY, "Title" TEXT, kind book.kind, "order" TEXT,'
        " removed BOOLEAN, is_deleted BOOLEAN)",
        "INSERT INTO book.\"Transactions\" VALUES (gen_random_uuid(), 'A', 'carve_out', NULL, NULL, TRUE),"
        " (gen_random_uuid(), 'B', NULL, NULL, NULL, NULL),"
        " (gen_random_uuid(), 'C', 'joint venture', NULL, NULL, NULL)",
        'CREATE MATERIALIZED VIEW book.recent AS SELECT * FROM book."Transactions"',
        "CREATE TABLE plans (id INT PRIMARY KEY)",
    )
    discovery = discover(postgresql, folder=tmp_path)
    assert roles(discovery) == ("book.Transactions", "id", "Title", "kind")
    assert discovery.stored == {"carve_out": 1, "joint venture": 1}
    assert discovery.nulls == 1
    assert discovery.soft_delete is not None
    assert (discovery.soft_delete.where, discovery.soft_delete.rows) == ("is_deleted IS NOT TRUE", 1)
    view = discover(postgresql, folder=tmp_path, table="book.recent")
    assert (view.chosen.table.is_view, view.id_problem, view.rows) == (True, "", 3)
