"""Deals from real databases: what is read, and what is refused."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from pytest_dealsnap.config_reading import load_config
from pytest_dealsnap.deals.deal import Deal, DealRef
from pytest_dealsnap.deals.sql import SQLSource
from pytest_dealsnap.errors import DealNotFoundError, SourceError
from tests.deals.conftest import Fill, Open

TABLE = "CREATE TABLE deals (id INTEGER PRIMARY KEY, name VARCHAR(80), deal_type VARCHAR(20), deleted_at VARCHAR(20))"
REST = "name VARCHAR(9), deal_type VARCHAR(20), PRIMARY KEY (tenant, id))"
ROWS = (
    "INSERT INTO deals VALUES (10, 'Ten', 'carveout', NULL), (2, 'Two', NULL, NULL), "
    "(1, 'One', 'acquisition', NULL), (3, NULL, 'odd: 100%', '2024')"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path, fill: Fill) -> str:
    """Each database in turn, with four deals in it."""
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path / 'deals.db'}"
    else:
        address = str(request.getfixturevalue("postgresql"))
    fill(address, TABLE, ROWS)
    return address


@contextmanager
def statements(source: SQLSource) -> Iterator[list[str]]:
    """Collect the questions that *source* asks; what makes their transactions read-only is left out."""
    seen: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if not statement.startswith("SET TRANSACTION "):
            seen.append(statement)

    event.listen(source._link.engine, "before_cursor_execute", note)
    yield seen
    event.remove(source._link.engine, "before_cursor_execute", note)


def test_every_deal_is_listed_in_id_order(url: str, opened: Open) -> None:
    """Ids by value; stored types as they are; NULL and unknown types count as the default."""
    assert opened(url).refs() == [
        DealRef(1, "1", "acquisition", "acquisition"),
        DealRef(2, "2", None, "acquisition"),
        DealRef(3, "3", "odd: 100%", "acquisition"),
        DealRef(10, "10", "carveout", "carveout"),
    ]


def test_a_deal_is_read_with_its_row(url: str, opened: Open) -> None:
    """Name at once, and every column of the row."""
    source = opened(url)
    refs = source.refs()
    deal = source.fetch(refs[3])
    assert (deal.id, deal.name, deal.deal_type, deal.stored_type) == (10, "Ten", "carveout", "carveout")
    assert dict(deal.fields) == {"id": 10, "name": "Ten", "deal_type": "carveout", "deleted_at": None}
    assert deal["name"] == "Ten"
    assert source.fetch(refs[2]).name is None


def test_fields_are_read_only_when_asked_for(url: str, opened: Open) -> None:
    """Listing asks one question, a window of deals one more, and a row's columns one when used."""
    source = opened(url)
    source.refs()
    with statements(source) as sent:

        def asked() -> list[str]:
            """Questions; on PostgreSQL each transaction begins with a statement that makes it read-only."""
            return [statement for statement in sent if statement.startswith("SELECT")]

        refs = source.refs()
        assert len(asked()) == 1
        assert "name" not in asked()[0]
        deals = source.fetch_many(refs)
        assert len(asked()) == 2
        assert "deleted_at" not in asked()[1]
        first = deals[0]
        assert isinstance(first, Deal)
        assert (first["id"], first["name"], len(first.fields)) == (1, "One", 4)
        assert len(asked()) == 3


def test_deals_are_selected_by_the_text_of_their_ids(url: str, opened: Open) -> None:
    """A text that cannot be an id of the table, however large a number, selects nothing."""
    source = opened(url)
    asked = ["10", "2", "999", "x", "", "1; DROP TABLE deals", str(10**30), "1.5"]
    assert [ref.id for ref in source.refs(asked)] == ["2", "10"]
    assert source.refs([]) == []
    many = [str(number) for number in range(1, 1200)]
    assert [ref.id for ref in source.refs(many)] == ["1", "2", "3", "10"]


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("deleted_at IS NULL", ["1", "2", "10"]),
        ("deal_type = 'odd: 100%'", ["3"]),
        ("deal_type LIKE '%: 1%'", ["3"]),
        ("id = 1 OR id = 2", ["1", "2"]),
        ("name <> ':name' -- not that one", ["1", "2", "10"]),
        ("name <> 'a::b:c'", ["1", "2", "10"]),
        ("10 % id = 0", ["1", "2", "10"]),
        ("  ", ["1", "2", "3", "10"]),
    ],
)
def test_where_is_sql_as_the_user_writes_it(url: str, opened: Open, where: str, ids: list[str]) -> None:
    """Colons, percent signs, OR and comments mean what they mean in SQL."""
    source = opened(url, f'where = "{where}"')
    refs = source.refs()
    assert [ref.id for ref in refs] == ids
    assert all(source.fetch_many(refs))
    assert [ref.id for ref in source.refs(["1", "2", "3"])] == [i for i in ids if i in "123"]


def test_a_row_is_the_one_that_where_selects(url: str, opened: Open, fill: Fill) -> None:
    """Where an id stands for several versions of a deal, the columns are those of the selected one."""
    fill(
        url,
        "CREATE TABLE versions (id INTEGER, name VARCHAR(9), deal_type VARCHAR(20), live INTEGER)",
        "INSERT INTO versions VALUES (1, 'old', 'carveout', 0), (1, 'new', 'carveout', 1), (1, 'older', 'carveout', 0)",
    )
    source = opened(url, 'table = "versions"\nwhere = "live = 1"')
    [ref] = source.refs()
    deal = source.fetch(ref)
    assert (ref.copies, deal.name, deal["name"], deal["live"]) == (1, "new", "new", 1)


def test_text_ids(url: str, opened: Open, fill: Fill) -> None:
    """A text id is taken as it is, quotes and all."""
    fill(
        url,
        "CREATE TABLE named (code VARCHAR(40) PRIMARY KEY, title VARCHAR(9), kind VARCHAR(20))",
        "INSERT INTO named VALUES ('b''; --', 'B', 'carveout'), ('a/../x', 'A', 'divestiture')",
        "INSERT INTO named VALUES ('12', 'C', ''), ('', 'D', NULL)",
    )
    source = opened(url, 'table = "named"\nid = "code"\nname = "title"\ntype = "kind"')
    refs = source.refs()
    assert [(ref.id, ref.deal_type) for ref in refs] == [
        ("12", "acquisition"),
        ("", "acquisition"),
        ("a/../x", "divestiture"),
        ("b'; --", "carveout"),
    ]
    assert [ref.id for ref in source.refs(["b'; --"])] == ["b'; --"]
    assert source.fetch(refs[3]).name == "B"
    assert source.fetch(refs[3])["title"] == "B"


def test_no_name_and_no_type_column(url: str, opened: Open) -> None:
    """A table may have neither; every deal is then nameless, and of the default type."""
    source = opened(url, 'name = ""\ntype = ""\ndefault_type = "carveout"')
    refs = source.refs()
    assert {(ref.stored_type, ref.deal_type) for ref in refs} == {(None, "carveout")}
    assert source.fetch(refs[0]).name is None
    assert source.fetch(refs[0])["name"] == "One"


def test_a_view(url: str, opened: Open, fill: Fill) -> None:
    """A view serves as well as a table."""
    fill(url, "CREATE VIEW live AS SELECT id + 0 AS id, name, deal_type FROM deals WHERE deleted_at IS NULL")
    source = opened(url, 'table = "live"')
    assert [ref.id for ref in source.refs()] == ["1", "2", "10"]
    assert [ref.id for ref in source.refs(["10", "3", "x"])] == ["10"]
    assert source.fetch(source.refs()[0]).name == "One"


def test_a_schema_qualified_table(postgresql: str, opened: Open, fill: Fill) -> None:
    """``schema.table`` names a table of another schema."""
    fill(postgresql, "CREATE SCHEMA crm", TABLE.replace("deals", "crm.deals"), ROWS.replace("deals", "crm.deals"))
    assert len(opened(postgresql, 'table = "crm.deals"').refs()) == 4
    with pytest.raises(SourceError, match=r'has no table "crm\.deal" \(deals\.table\)\. Did you mean "deals"\?'):
        opened(postgresql, 'table = "crm.deal"').refs()
    with pytest.raises(SourceError, match=r'has no schema "crn" .*\. Did you mean "crm"\?'):
        opened(postgresql, 'table = "crn.deals"').refs()
    fill(postgresql, "CREATE SCHEMA void")
    with pytest.raises(SourceError, match="It has: none at all"):
        opened(postgresql, 'table = "void.deals"').refs()


def test_the_main_schema_of_sqlite(tmp_path: Path, opened: Open, fill: Fill) -> None:
    """SQLite has schemas too."""
    fill(f"sqlite:///{tmp_path / 'x.db'}", TABLE, ROWS)
    assert len(opened(f"sqlite:///{tmp_path / 'x.db'}", 'table = "main.deals"').refs()) == 4


def test_a_schema_that_is_not_there(postgresql: str, opened: Open, fill: Fill) -> None:
    """Its tables cannot be listed, but what it was probably meant to be."""
    fill(postgresql, 'CREATE SCHEMA "Crm"')
    with pytest.raises(SourceError, match=r'has no schema "crm" .*Did you mean "Crm"'):
        opened(postgresql, 'table = "crm.deals"').refs()


UUIDS = ["550e8400-e29b-41d4-a716-446655440000", "00000000-0000-4000-8000-000000000001"]


def test_uuid_ids_of_postgresql(postgresql: str, opened: Open, fill: Fill) -> None:
    """A native UUID is named by its usual text, and found by it in any case."""
    fill(
        postgresql,
        "CREATE TABLE deals (id UUID PRIMARY KEY, name TEXT, deal_type TEXT)",
        f"INSERT INTO deals VALUES ('{UUIDS[0]}', 'A', 'carveout'), ('{UUIDS[1]}', 'B', NULL)",
    )
    source = opened(postgresql)
    refs = source.refs()
    assert [(ref.id, ref.key) for ref in refs] == [(UUIDS[1], UUID(UUIDS[1])), (UUIDS[0], UUID(UUIDS[0]))]
    assert [ref.id for ref in source.refs([UUIDS[0].upper(), "12", "x"])] == [UUIDS[0]]
    assert source.fetch(refs[0]).name == "B"
    assert source.fetch(refs[0])["id"] == UUID(UUIDS[1])


@pytest.mark.parametrize(
    ("kind", "values", "ids"),
    [
        ("NUMERIC(30)", "100000000000000000000, 7", ["7", "100000000000000000000"]),
        ("NUMERIC(9,2)", "1.50, 2.00", ["1.50", "2"]),
        ("BIGINT", "9223372036854775807, -5", ["-5", "9223372036854775807"]),
        ("BYTEA", "'\\x0aff'", ["0aff"]),
        ("CHAR(4)", "'ab'", ["ab  "]),
    ],
)
def test_other_kinds_of_ids(postgresql: str, opened: Open, fill: Fill, kind: str, values: str, ids: list[str]) -> None:
    """Whatever can be a key names a deal, and finds it again."""
    rows = ", ".join(f"({value}, 'x', NULL)" for value in values.split(", "))
    fill(
        postgresql,
        f"CREATE TABLE deals (id {kind} PRIMARY KEY, name TEXT, deal_type TEXT)",
        f"INSERT INTO deals VALUES {rows}",
    )
    source = opened(postgresql)
    refs = source.refs()
    assert sorted(ref.id for ref in refs) == sorted(ids)
    assert sorted(ref.id for ref in source.refs([*ids, "zz", "12345678901234567890123"])) == sorted(ids)
    assert [source.fetch(ref).name for ref in refs] == ["x"] * len(ids)


def test_types_are_read_as_text(postgresql: str, opened: Open, fill: Fill) -> None:
    """An ENUM column gives the labels that it holds."""
    fill(
        postgresql,
        "CREATE TYPE kind AS ENUM ('acquisition', 'carveout')",
        "CREATE TABLE deals (id INT PRIMARY KEY, name INT, deal_type kind)",
        "INSERT INTO deals VALUES (1, 77, 'carveout'), (2, NULL, NULL)",
    )
    source = opened(postgresql)
    assert [(ref.stored_type, ref.deal_type) for ref in source.refs()] == [
        ("carveout", "carveout"),
        (None, "acquisition"),
    ]
    assert source.fetch(source.refs()[0]).name == "77"


def test_a_duplicated_id_is_one_reference(url: str, opened: Open, fill: Fill) -> None:
    """How many rows share an id is counted; which of them is the deal is not guessed."""
    fill(
        url,
        "CREATE TABLE loose (id INTEGER, name VARCHAR(9), deal_type VARCHAR(20))",
        "INSERT INTO loose VALUES (1, 'a', NULL), (1, 'b', 'carveout'), (2, 'c', NULL)",
    )
    assert [(ref.id, ref.copies) for ref in opened(url, 'table = "loose"').refs()] == [("1", 2), ("2", 1)]


def test_an_id_that_is_null_is_refused(url: str, opened: Open, fill: Fill) -> None:
    """The message counts such rows and says how to leave them out."""
    fill(
        url,
        "CREATE TABLE loose (id INTEGER, name VARCHAR(9), deal_type VARCHAR(20))",
        "INSERT INTO loose VALUES (1, 'a', NULL), (NULL, 'b', NULL)",
    )
    with pytest.raises(SourceError, match=r'1 of 2 rows of table "loose" have no id.*deals\.where = "id IS NOT NULL"'):
        opened(url, 'table = "loose"').refs()
    assert len(opened(url, 'table = "loose"\nwhere = "id IS NOT NULL"').refs()) == 1


def test_one_part_of_a_composite_key_is_refused(url: str, opened: Open, fill: Fill) -> None:
    """It does not identify a deal, unless it is unique by itself."""
    fill(
        url,
        "CREATE TABLE parts (tenant INTEGER, id INTEGER, " + REST,
        "CREATE TABLE wholes (tenant INTEGER, id INTEGER UNIQUE, " + REST,
        "CREATE TABLE indexed (tenant INTEGER, id INTEGER, " + REST,
        "CREATE UNIQUE INDEX one ON indexed (id)",
    )
    with pytest.raises(SourceError, match=r'table "parts" has the composite key \(tenant, id\); "id"'):
        opened(url, 'table = "parts"').refs()
    assert opened(url, 'table = "wholes"').refs() == []
    assert opened(url, 'table = "indexed"').refs() == []


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ('table = "deal"', 'has no table "deal" (deals.table). Did you mean "deals"? It has: deals'),
        ('table = "contracts"', 'has no table "contracts" (deals.table). It has: deals'),
        ('id = "ID2"', 'table "deals" has no column "ID2" (deals.id). '),
        (
            'id = "nmae"',
            'has no column "nmae" (deals.id). Did you mean "name"? It has: id, name, deal_type, deleted_at. '
            "Name the right one in deals.id",
        ),
        (
            'name = "title"',
            'has no column "title" (deals.name). It has: id, name, deal_type, deleted_at. '
            'Name the right one in deals.name, or deals.name = "" if it has none',
        ),
        ('type = "dealtype"', 'has no column "dealtype" (deals.type). Did you mean "deal_type"?'),
    ],
)
def test_a_table_or_column_that_is_not_there(url: str, opened: Open, settings: str, what: str) -> None:
    """The message says what there is, what was probably meant, and which setting to change."""
    with pytest.raises(SourceError) as caught:
        opened(url, settings).refs()
    assert what in str(caught.value)


@pytest.mark.parametrize("where", ["no_such_column = 1", "id = = 1", "id IN (", "no_such_function(id) = 1"])
def test_a_bad_condition_is_shown(url: str, opened: Open, where: str) -> None:
    """The error quotes the condition, and the next question is not spoilt by it."""
    source = opened(url, f'where = "{where}"')
    for _ in range(2):
        with pytest.raises(SourceError) as caught:
            source.refs()
        assert f'cannot be read (deals.where = "{where}")' in str(caught.value)
    assert source.facts["alembic_revision"] is None


def test_a_deal_that_went_away(url: str, opened: Open, fill: Fill) -> None:
    """A deal deleted while the run is on is told as gone, by name and by column."""
    source = opened(url)
    refs = source.refs()
    deal = source.fetch(refs[0])
    fill(url, "DELETE FROM deals WHERE id = 1")
    with pytest.raises(DealNotFoundError, match="deal 1 was deleted, or is no longer selected, since"):
        source.fetch(refs[0])
    with pytest.raises(DealNotFoundError, match="deal 1 "):
        deal["name"]
    found = source.fetch_many(refs)
    assert isinstance(found[0], DealNotFoundError)
    assert [one.id for one in found if isinstance(one, Deal)] == [2, 3, 10]


def test_no_lock_is_held_between_questions(url: str, opened: Open, fill: Fill) -> None:
    """The application may change its schema while a run is on, also after a question that failed."""
    source = opened(url)
    deal = source.fetch(source.refs()[0])
    deal["name"]
    fill(url, "ALTER TABLE deals ADD COLUMN later INTEGER")
    failing = opened(url, 'table = "deal"')
    with pytest.raises(SourceError):
        failing.refs()
    fill(url, "DROP TABLE deals")


def test_threads_may_share_a_source(url: str, opened: Open) -> None:
    """Many threads asking at once each get their own deal."""
    source = opened(url)
    refs = source.refs() * 10
    found: dict[int, Any] = {}
    threads = [
        threading.Thread(target=lambda i=i: found.__setitem__(i, source.fetch(refs[i])["id"])) for i in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[i] for i in range(40)] == [ref.key for ref in refs]


def test_the_alembic_revision(url: str, opened: Open, fill: Fill) -> None:
    """Where Alembic keeps a revision, it is told; several heads too; none where there is none."""
    assert opened(url).facts["alembic_revision"] is None
    fill(url, "CREATE TABLE alembic_version (version_num VARCHAR(32))")
    assert opened(url).facts["alembic_revision"] is None
    fill(url, "INSERT INTO alembic_version VALUES ('b2'), ('a1')")
    source = opened(url)
    assert source.facts == {"dialect": url.split(":")[0], "alembic_revision": "a1, b2"}


@pytest.mark.parametrize(
    ("kinds", "values", "ids"),
    [
        ("UUID, STRING, ENUM", "('7b-a', 'One', 'carveout'), ('7b-b', 'Two', NULL)", ["7b-a", "7b-b"]),
        ("NUMERIC, JSON, DATE", "(9007199254740993, 'One', 'carveout'), ('x', 'Two', '')", ["9007199254740993", "x"]),
        ("BOOLEAN, DATETIME, BOOLEAN", "(1, 'One', 'carveout'), (0, 'Two', 'x')", ["0", "1"]),
        ("BLOB, BLOB, BLOB", "(x'01ff', 'One', 'carveout'), ('t', 'Two', NULL)", ["01ff", "t"]),
        ("NUMERIC, TEXT, MONEY", "(1.5, 'One', 'carveout'), (2, 'Two', 7)", ["2", "1.5"]),
    ],
)
def test_sqlite_is_read_as_it_is_stored(
    tmp_path: Path, opened: Open, fill: Fill, kinds: str, values: str, ids: list[str]
) -> None:
    """SQLite holds anything under any declared type, and takes one that it does not know for a number's."""
    address = f"sqlite:///{tmp_path / 'x.db'}"
    key, name, stored = kinds.split(", ")
    fill(
        address,
        f"CREATE TABLE deals (id {key} PRIMARY KEY, name {name}, deal_type {stored})",
        f"INSERT INTO deals VALUES {values}",
    )
    source = opened(address)
    refs = source.refs()
    assert [ref.id for ref in refs] == ids
    assert [source.refs([ref.id]) for ref in refs] == [[ref] for ref in refs]
    assert {ref.deal_type for ref in refs} == {"acquisition", "carveout"}
    assert {source.fetch(ref).name for ref in refs} == {"One", "Two"}
    assert {row.name for row in source.stored_rows()} == {"One", "Two"}
    assert {source.fetch(ref)["name"] for ref in refs} == {"One", "Two"}


def test_a_value_of_another_type_than_its_columns_is_read_as_stored(tmp_path: Path, opened: Open, fill: Fill) -> None:
    """Of a row of SQLite's, what is of the declared type is read as that, and the rest as it is."""
    address = f"sqlite:///{tmp_path / 'x.db'}"
    fill(
        address,
        "CREATE TABLE deals (id INTEGER PRIMARY KEY, name TEXT, deal_type TEXT, closed DATE, status STRING)",
        "INSERT INTO deals VALUES (1, 'One', NULL, 'next spring', 'open'), (2, 'Two', NULL, '2026-03-01', 'won')",
    )
    source = opened(address)
    refs = source.refs()
    one, two = map(source.fetch, refs)
    assert (one["closed"], one["status"]) == ("next spring", "open")
    assert (two["closed"], two["status"]) == (date(2026, 3, 1), "won")
    shared = dict(source.fields_of(refs))
    assert shared == {
        "1": {"closed": "next spring", "status": "open"},
        "2": {"closed": date(2026, 3, 1), "status": "won"},
    }


def test_ids_that_differ_in_case_only_where_the_column_folds_it(tmp_path: Path, opened: Open, fill: Fill) -> None:
    """Each deal is given its own row, also where the database finds both."""
    address = f"sqlite:///{tmp_path / 'x.db'}"
    fill(
        address,
        "CREATE TABLE deals (id TEXT COLLATE NOCASE, name TEXT, deal_type TEXT, fee INTEGER)",
        "INSERT INTO deals VALUES ('a', 'One', NULL, 1), ('A', 'Two', NULL, 2)",
    )
    source = opened(address)
    assert {ref.id: source.fetch(ref)["fee"] for ref in source.refs()} == {"a": 1, "A": 2}
    assert [ref.id for ref in source.refs(["A"])] == ["A"]


def test_a_source_that_was_never_opened_can_be_closed(tmp_path: Path, opened: Open) -> None:
    """Closing opens nothing, and hides no error."""
    source = opened(f"sqlite:///{tmp_path / 'nowhere.db'}")
    with pytest.raises(SourceError, match="no such SQLite file"):
        source.refs()
    source.close()
    opened(f"sqlite:///{tmp_path / 'nowhere.db'}").close()


def test_a_closed_source_opens_again(url: str, opened: Open) -> None:
    """Closing lets go of connections, and the next question gets a new one."""
    source = opened(url)
    source.refs()
    source.close()
    assert len(source.refs()) == 4


def test_a_deal_of_an_unchanged_sqlite_file_is_not_asked_for_again(tmp_path: Path) -> None:
    """Ten thousand deals that fail need no question each; one change by anybody, and every one is asked for."""
    path = tmp_path / "book.db"
    with sqlite3.connect(path) as writer:
        writer.execute("CREATE TABLE deals (id INTEGER PRIMARY KEY, name TEXT, deal_type TEXT)")
        writer.executemany("INSERT INTO deals VALUES (?, 'x', 'carveout')", [(1,), (2,)])
    writer.commit()
    source = SQLSource(load_config(tmp_path, flags={}, environ={}), database=f"sqlite:///{path}")
    first, second = source.refs()
    asked: list[str] = []
    event.listen(source._link.engine, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
    assert source.moved(first) is None
    assert asked == []
    writer.execute("UPDATE deals SET deal_type = 'divestiture' WHERE id = 2")
    writer.commit()
    writer.close()
    assert source.moved(first) is None
    assert "divestiture" in str(source.moved(second))
    assert asked != []
    source.close()
