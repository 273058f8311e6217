"""The audit of stored deal types, and of the constraints that keep them valid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.deals.deal import StoredRow
from pytest_dealsnap.deals.open_source import open_source
from pytest_dealsnap.deals.sql import SQLSource
from pytest_dealsnap.deals.type_audit import KINDS, TypeAudit, TypeConstraints, audit_types
from pytest_dealsnap.deals.types import DealTypes
from pytest_dealsnap.errors import SourceError
from tests.builders import configure
from tests.deals.conftest import Fill, Open

VALID = ("acquisition", "carveout", "divestiture")
TYPES = DealTypes(VALID, "acquisition", {"spinoff": "carveout"})

TABLE = "CREATE TABLE deals (id INTEGER PRIMARY KEY, name VARCHAR(80), deal_type VARCHAR(20), status VARCHAR(9))"
ROWS = (
    "INSERT INTO deals VALUES (10, 'Ten', 'carveout', 'a'), (2, 'Two', NULL, 'a'), (1, 'One', 'acquisition', 'a'), "
    "(3, NULL, 'carve-out ', 'a'), (4, 'Four', '', 'deleted'), (5, 'Five', NULL, NULL), (6, 'Six', 'spinoff', 'a')"
)
INVALID = ("merger", "", "no such type", *(spelt for t in VALID for spelt in (t.upper(), f"{t}x")))

stored_types = st.one_of(
    st.none(),
    st.sampled_from([*VALID, "spinoff", "", "  ", "Acquisition", "carve-out ", "merger"]),
    st.text(max_size=3),
)
rows = st.lists(
    st.builds(StoredRow, st.integers(0, 8) | st.none(), st.none() | st.text(max_size=3), stored_types, st.booleans())
)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each database in turn, empty."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'deals.db'}"
    return str(request.getfixturevalue("postgresql"))


def audited(source: SQLSource, types: DealTypes = TYPES) -> TypeAudit:
    """Audit all rows of *source*."""
    return audit_types(source.stored_rows(), types, ids_unique=source.ids_unique)


def shown(key: object) -> str | None:
    """Return an id as an audit names it."""
    return None if key is None else str(key)


@given(rows)
def test_counts_add_up(given_rows: list[StoredRow]) -> None:
    """Every row is counted once, under its stored type and under one kind; deals are counted likewise."""
    audit = audit_types(given_rows, TYPES)
    assert audit.rows == len(given_rows) == sum(audit.of_kind(kind) for kind in KINDS)
    assert audit.deals == sum(row.is_deal for row in given_rows) == sum(audit.deals_by_type().values())
    assert {value.stored_type: value.rows for value in audit.stored} == Counter(row.stored_type for row in given_rows)
    assert len(audit.stored) == len({value.stored_type for value in audit.stored})


@given(rows)
def test_the_backfill_is_what_would_change(given_rows: list[StoredRow]) -> None:
    """Exactly the rows whose effective type differs from the stored one, whether they are deals or not."""
    audit = audit_types(given_rows, TYPES)
    changing = [row for row in given_rows if TYPES.effective(row.stored_type) != row.stored_type]
    expected = Counter(
        (shown(row.key), row.name, row.stored_type, TYPES.effective(row.stored_type), row.is_deal) for row in changing
    )
    assert Counter((r.id, r.name, r.stored_type, r.becomes, r.is_deal) for r in audit.backfill) == expected
    assert len(audit.backfill) == audit.rows - audit.of_kind("valid")


@given(rows)
def test_after_the_backfill_nothing_is_left_to_change(given_rows: list[StoredRow]) -> None:
    """A second audit, of what the first says would be stored, finds only valid types."""
    after = [StoredRow(r.key, r.name, TYPES.effective(r.stored_type), r.is_deal) for r in given_rows]
    audit = audit_types(after, TYPES)
    assert audit.backfill == ()
    assert audit.deals_by_type() == audit_types(given_rows, TYPES).deals_by_type()


@given(rows)
def test_shared_and_missing_ids_are_counted_among_deals(given_rows: list[StoredRow]) -> None:
    """Rows that ``deals.where`` leaves out share ids with nobody."""
    audit = audit_types(given_rows, TYPES)
    keys = [row.key for row in given_rows if row.is_deal]
    assert audit.nameless == keys.count(None)
    assert audit.duplicates == {str(k): n for k, n in Counter(keys).items() if k is not None and n > 1}


def test_a_database_is_audited_whole(url: str, opened: Open, fill: Fill) -> None:
    """Rows that ``deals.where`` leaves out are audited and marked; the condition may be unknown for a row."""
    fill(url, TABLE, ROWS)
    audit = audited(opened(url, "where = \"status <> 'deleted' -- ':gone'\""))
    assert [(r.id, r.name, r.stored_type, r.kind, r.becomes, r.is_deal) for r in audit.backfill] == [
        ("2", "Two", None, "null", "acquisition", True),
        ("3", None, "carve-out ", "invalid", "acquisition", True),
        ("4", "Four", "", "blank", "acquisition", False),
        ("5", "Five", None, "null", "acquisition", False),
        ("6", "Six", "spinoff", "alias", "carveout", True),
    ]
    assert (audit.rows, audit.deals) == (7, 5)
    assert audit.deals_by_type() == {"acquisition": 3, "carveout": 2}


@pytest.mark.parametrize("names", ["name", ""])
def test_duplicate_and_missing_ids_do_not_stop_it(url: str, opened: Open, fill: Fill, names: str) -> None:
    """What the gate refuses to run with is found and counted, also where the table has no names."""
    fill(
        url,
        "CREATE TABLE loose (id INTEGER, name VARCHAR(9), deal_type VARCHAR(20))",
        "INSERT INTO loose VALUES (1, 'a', NULL), (1, 'b', 'carveout'), (NULL, 'c', 'merger'), (2, 'd', 'carveout')",
    )
    source = opened(url, f'table = "loose"\nname = "{names}"')
    audit = audited(source)
    assert not source.ids_unique
    assert (audit.duplicates, audit.nameless) == ({"1": 2}, 1)
    assert [(r.id, r.name) for r in audit.backfill] == [("1", "a" if names else None), (None, "c" if names else None)]


def test_ids_need_not_be_remembered_where_the_schema_keeps_them_apart(url: str, opened: Open, fill: Fill) -> None:
    """A primary key of one column, or a unique one, cannot be shared."""
    fill(url, TABLE, "CREATE TABLE codes (id INTEGER UNIQUE, name TEXT, deal_type TEXT)")
    assert opened(url).ids_unique
    assert opened(url, 'table = "codes"').ids_unique


def test_a_large_table_is_read_in_parts(postgresql: str, opened: Open, fill: Fill) -> None:
    """A server's cursor hands out rows a thousand at a time; an abandoned reading leaves nothing locked."""
    fill(postgresql, TABLE, "INSERT INTO deals SELECT n, 'x', 'carveout', 'a' FROM generate_series(1, 5000) n")
    source = opened(postgresql)
    reading = source.stored_rows()
    next(reading)
    reading.close()  # type: ignore[attr-defined]  # a generator
    audit = audited(source)
    assert (audit.rows, audit.backfill) == (5000, ())
    fill(postgresql, "DROP TABLE deals")


def test_the_users_own_source_is_audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records of a callable are rows like others, and every one of them is a deal."""
    (tmp_path / "audited_book.py").write_text(
        "def deals():\n"
        "    yield dict(id=1, name='A', deal_type='x')\n"
        "    yield dict(id=1, name='B', deal_type='carveout')\n"
        "    yield dict(id=None, name=None, deal_type=None)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    source = open_source(configure(tmp_path, '[deals]\nsource = "audited_book:deals"\n'))
    audit = audit_types(source.stored_rows(), TYPES, ids_unique=source.ids_unique)
    assert [(r.id, r.stored_type) for r in audit.backfill] == [("1", "x"), (None, None)]
    assert (audit.deals, audit.duplicates, audit.nameless) == (3, {"1": 2}, 1)
    assert source.type_constraints() is None
    bad = open_source(configure(tmp_path, '[deals]\nsource = "audited_book:deals"\nname = "nmae"\n'))
    with pytest.raises(SourceError, match="record 0 has no 'nmae'"):
        list(bad.stored_rows())


def constrained(source: SQLSource) -> Iterator[Any]:
    """Return what the database insists on, for unpacking; the words of the checks are the dialect's own."""
    found = source.type_constraints()
    assert isinstance(found, TypeConstraints)
    return iter((found.nullable, found.accepted, found.refused))


IN_THREE = "deal_type IN ('acquisition', 'carveout', 'divestiture')"
NOT_BLANK = tuple(probe for probe in INVALID if probe)
IN_TWO = "deal_type IN ('acquisition', 'carveout')"


@pytest.mark.parametrize(
    ("column", "nullable", "accepted", "refused"),
    [
        ("deal_type VARCHAR(20)", True, INVALID, ()),
        ("deal_type VARCHAR(20) NOT NULL", False, INVALID, ()),
        (f"deal_type VARCHAR(20) CHECK ({IN_THREE})", True, (), ()),
        (f"deal_type VARCHAR(20) NOT NULL CHECK (deals.{IN_THREE})", False, (), ()),
        (f"deal_type VARCHAR(20), CHECK (deal_type IS NOT NULL AND {IN_TWO})", False, (), ("divestiture",)),
        (f"deal_type VARCHAR(20), CHECK ({IN_THREE} OR status = 'deleted')", True, INVALID, ()),
        (f"deal_type VARCHAR(20), CHECK ({IN_THREE} AND status <> 'x')", True, (), ()),
        ("deal_type VARCHAR(20) CONSTRAINT valid_deal_type CHECK (deal_type <> '')", True, NOT_BLANK, ()),
        ("deal_type VARCHAR(20) CHECK (deal_type <> 'a:b%s')", True, INVALID, ()),
    ],
)
def test_constraints_are_tried_not_read(
    url: str, opened: Open, fill: Fill, column: str, nullable: bool, accepted: tuple[str, ...], refused: tuple[str, ...]
) -> None:
    """What the conditions answer counts: a constraint of the right name that refuses nothing is found out."""
    fill(url, f"CREATE TABLE deals (id INTEGER PRIMARY KEY, name TEXT, status VARCHAR(9), {column})")
    assert tuple(constrained(opened(url))) == (nullable, accepted, refused)


def test_a_constraint_that_cannot_be_asked_refuses_nothing(tmp_path: Path, opened: Open, fill: Fill) -> None:
    """A condition over a column of another kind, or one that fails, does not end the audit."""
    address = f"sqlite:///{tmp_path / 'x.db'}"
    fill(address, "CREATE TABLE deals (id INTEGER PRIMARY KEY, name TEXT, deal_type TEXT CHECK (json(deal_type) = 1))")
    assert tuple(constrained(opened(address))) == (True, INVALID, ())


def test_an_enumerated_type_is_a_constraint(postgresql: str, opened: Open, fill: Fill) -> None:
    """Its labels are what may be stored."""
    fill(
        postgresql,
        "CREATE TYPE kind AS ENUM ('acquisition', 'carveout', 'merger')",
        "CREATE TABLE deals (id INT PRIMARY KEY, name TEXT, deal_type kind NOT NULL)",
    )
    assert tuple(constrained(opened(postgresql))) == (False, ("merger",), ("divestiture",))


def test_what_the_table_does_not_say_is_not_known(postgresql: str, opened: Open, fill: Fill) -> None:
    """A view, a lookup table and a domain keep the condition elsewhere."""
    fill(
        postgresql,
        "CREATE TABLE kinds (name TEXT PRIMARY KEY)",
        "CREATE TABLE looked_up (id INT PRIMARY KEY, name TEXT, deal_type TEXT REFERENCES kinds (name))",
        "CREATE DOMAIN kind AS TEXT CHECK (VALUE IN ('acquisition'))",
        "CREATE TABLE in_domain (id INT PRIMARY KEY, name TEXT, deal_type kind)",
        "CREATE VIEW seen AS SELECT * FROM looked_up",
    )
    for table in ("looked_up", "in_domain", "seen"):
        assert opened(postgresql, f'table = "{table}"').type_constraints() is None
