"""Rows of any table: what each kind of column and each CHECK leaves, overrides, parents, and what is not understood."""

from __future__ import annotations

import re
import warnings
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    ARRAY,
    REAL,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Engine,
    Enum,
    Float,
    Integer,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    TypeDecorator,
    column,
    create_engine,
    insert,
    text,
)
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from pytest_dealsnap.errors import ConfigError, SourceError
from pytest_dealsnap.testing import UnreadCheckWarning, deal_types, rows
from tests.testing.schemas import ITEMS, METADATA, NOTES, OFFICES, ORDERS, PEOPLE, Colour, untouched

STEADY = settings(
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    max_examples=30,
    phases=(Phase.generate, Phase.shrink),
)


def table(*parts: Any, name: str = "t") -> Table:
    """A table of those columns and constraints, and a key."""
    return Table(name, MetaData(), Column("id", Integer, primary_key=True), *parts)


def test_single_rows_are_taken(engine: Engine) -> None:
    """A row of each table goes in beside the parents that it was given."""
    office = {"id": 3, "code": "ABC"}
    person = {"id": 7, "office_id": 3, "email": "a@b.com"}

    @STEADY
    @given(st.data())
    def insert_one(data: st.DataObject) -> None:
        order = data.draw(rows(ORDERS, parents={"people": [person]}))
        note = data.draw(rows(NOTES, parents={PEOPLE: [person]}))
        item = data.draw(rows(ITEMS, parents={"order": [order]}))
        with untouched(engine) as connection:
            for name, row in (("offices", office), ("people", person), ("order", order), ("notes", note)):
                connection.execute(insert(METADATA.tables[name]), row)
            connection.execute(insert(ITEMS), item)
        assert "doubled" not in order, "the database computes it"
        assert "id" not in item, "the database counts it, and takes no other"
        assert (order["office_id"], order["person_id"]) in {(3, 7), (None, None)} | {(3, None), (None, 7)}

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Dialect .* does .*not.* support Decimal")
        insert_one()


def test_a_row_shrinks_to_defaults_nulls_and_simplest_values() -> None:
    """What is not needed to make a point is not in the way."""
    row = find(rows(ORDERS), lambda row: row["no"] > 10, settings=STEADY)
    assert (row["kind"], row["low"], row["colour"], row["title"], row["no"]) == ("buy", None, Colour.RED, "0", 11)
    assert row["high"] == Decimal("5.50")


CHECKS: list[tuple[Any, str, Any, Any]] = [
    (Integer, "x IN (3, 1, 2)", {1, 2, 3}, None),
    (Integer, "x >= 10 AND x < 13", {10, 11, 12}, None),
    (Integer, "11 >= x AND 10 <= x", {10, 11}, None),
    (Integer, "x BETWEEN -1 AND 1", {-1, 0, 1}, None),
    (Integer, "(x > 4 AND x < 6) OR x = 9", {5, 9}, None),
    (Integer, "x % 2 = 0 AND x BETWEEN 0 AND 4", {0, 2, 4}, None),
    (Integer, "abs(x) <= 1", {-1, 0, 1}, None),
    (Integer, "NOT (x < 0) AND x <= 2", {0, 1, 2}, None),
    (Integer, "CASE WHEN x < 0 THEN FALSE ELSE x < 2 END", {0, 1}, None),
    (Integer, "coalesce(x, 9) = 7", {7}, None),
    (Numeric(3, 1), "x > 0 AND x <= 0.3", {Decimal("0.1"), Decimal("0.2"), Decimal("0.3")}, None),
    (String(9), "x = ANY (ARRAY['a'::character varying, 'b'::character varying]::text[])", {"a", "b"}, None),
    (String(9), "(x)::text = 'a'::text OR x = 'b'", {"a", "b"}, None),
    (String(9), "`x` <> '' AND [x] IN ('', 'a')", {"a"}, None),
    (String(9), "length(x) = 2", None, r"(?s)..\Z"),
    (String(9), "char_length(trim(x)) >= 1 AND length(x) <= 3", None, r"(?s)\s*\S.*"),
    (String(9), "x LIKE 'AB_-%'", None, r"(?s)AB.-.*"),
    (String(9), "x NOT LIKE '% %' AND x NOT ILIKE 'x%'", None, r"[^ xX][^ ]*\Z|\Z"),
    (String(9), "x ~ '^[A-Z]{3}$'", None, r"[A-Z]{3}\Z"),
    (String(9), "x GLOB 'A*'", None, r"A"),
    (String(9), "lower(x) = x AND length(x) > 1", None, r"[^A-Z]{2,}\Z"),
    (Date, "x >= '2024-01-01' AND x < DATE '2024-01-03'", {date(2024, 1, 1), date(2024, 1, 2)}, None),
    (Date, "x <= CURRENT_DATE", None, None),
    (SmallInteger, "x IN (1, 2, 70000, 1.5)", {1, 2}, None),
    (Boolean, "x IN (1)", {True}, None),
    (Float, "x > 1 AND x < 1.0000000000000004", {1.0000000000000002}, None),
    (REAL, "x BETWEEN 0.5 AND 0.50000001", {0.5}, None),
    (Numeric(4, 1, asdecimal=False), "x >= 0.1 AND x <= 0.2", {0.1, 0.2}, None),
    (Numeric(40, 20), "x > 0 AND x < 0.00000000000000000002", {Decimal("1E-20")}, None),
    (Enum(Colour, name="c"), "x = 'BLUE'", {Colour.BLUE}, None),
    (DateTime, "x > '2024-01-01' AND x <= '2024-01-01 00:00:00.000001'", {datetime(2024, 1, 1, 0, 0, 0, 1)}, None),
]


@pytest.mark.parametrize(("kind", "check", "values", "pattern"), CHECKS, ids=[check[1] for check in CHECKS])
def test_a_check_is_kept(kind: Any, check: str, values: set[Any] | None, pattern: str | None) -> None:
    """Every value is one that the condition allows, however it is written; small sets are drawn whole."""
    seen = set()

    @STEADY
    @given(rows(table(Column("x", kind, nullable=False), CheckConstraint(text(check)))))
    def collect(row: dict[str, Any]) -> None:
        seen.add(row["x"])

    collect()
    assert seen
    assert values is None or seen == values
    assert pattern is None or all(re.match(pattern, value) for value in seen), seen


def test_a_check_that_stands_with_its_column_is_kept() -> None:
    """In a Table's column and in a mapped class's, where SQLAlchemy keeps it with the column, not with the table."""

    class Base(DeclarativeBase):
        pass

    class Lease(Base):
        __tablename__ = "leases"
        id: Mapped[int] = mapped_column(primary_key=True)
        kind: Mapped[str] = mapped_column(String(9), CheckConstraint("kind IN ('tsa', 'buy')"))

    made = table(Column("kind", String(9), CheckConstraint("kind IN ('tsa', 'buy')"), nullable=False))
    for source in (made, Lease):
        kinds = set()

        @STEADY
        @given(rows(source))
        def collect(row: dict[str, Any]) -> None:
            kinds.add(row["kind"])  # noqa: B023  # called in its own turn of the loop

        collect()
        assert kinds == {"tsa", "buy"}


def test_checks_across_columns_are_kept() -> None:
    """What one column holds limits the others, whichever is drawn first."""
    made = table(
        Column("low", Integer, nullable=False),
        Column("high", Integer, nullable=False),
        Column("kind", String(3), nullable=False),
        Column("months", Integer),
        CheckConstraint("low <= high AND high - low < 3"),
        CheckConstraint("high <= 100 AND low >= 0"),
        CheckConstraint("kind IN ('tsa', 'buy')"),
        CheckConstraint("(kind = 'tsa' AND months IS NOT NULL) OR (kind <> 'tsa' AND months IS NULL)"),
        CheckConstraint(column("months") > 5),
    )
    kinds = set()

    @STEADY
    @given(rows(made))
    def holds(row: dict[str, Any]) -> None:
        assert 0 <= row["low"] <= row["high"] <= 100
        assert (row["kind"] == "tsa") is (row["months"] is not None)
        assert row["months"] is None or row["months"] > 5
        kinds.add(row["kind"])

    holds()
    assert kinds == {"tsa", "buy"}


def test_columns_can_be_given() -> None:
    """A strategy or a value decides on its column, also against a check on that column alone."""
    made = table(Column("deal_type", String(20)), Column("n", Integer), CheckConstraint("deal_type IN ('a', 'b')"))
    found = find(rows(made, deal_type="merger", n=st.integers(5, 6)), lambda row: row["n"] == 6, settings=STEADY)
    assert found == {"id": 1, "deal_type": "merger", "n": 6}
    valid = find(rows(made, deal_type=deal_types(types=["b"])), lambda row: True, settings=STEADY)
    assert valid["deal_type"] == "b"
    with pytest.raises(ConfigError, match=r"table t has no column 'deal_typ'. Did you mean \"deal_type\"\?"):
        rows(made, deal_typ=None)
    with pytest.raises(SourceError, match="neither a SQLAlchemy Table nor a declarative class"):
        rows("deals")


def test_a_row_without_parents_points_nowhere_where_it_may() -> None:
    """A nullable foreign key is NULL; another has a key that may or may not be there."""
    row = find(rows(PEOPLE), lambda row: True, settings=STEADY)
    assert row == {"id": 1, "office_id": 0, "boss_id": None, "email": "@.com"}
    assert find(rows(OFFICES), lambda row: True, settings=STEADY)["head_id"] is None


def test_a_check_that_is_not_understood_is_told() -> None:
    """Rows are drawn without it, with a warning that names it; a column that is given is its own answer."""
    made = table(Column("name", String(9), nullable=False), CheckConstraint("json_valid(name)"))
    with pytest.warns(UnreadCheckWarning, match=r"table t: CHECK \(json_valid\(name\)\) is not enforced"):
        rows(made)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows(made, name="{}")
    for check, reason in (("nam > 1", "nam is no column of t"), ("no sql (", "it is not SQL that is understood")):
        with pytest.warns(UnreadCheckWarning, match=reason):
            rows(table(Column("name", String(9)), CheckConstraint(check)))


class Point(UserDefinedType[Any]):
    """A type that nobody knows values of."""

    def get_col_spec(self, **options: Any) -> str:
        return "POINT"


class Trimmed(TypeDecorator[str]):
    """A text by another name."""

    impl = String(4)
    cache_ok = True


def test_types_of_others() -> None:
    """A decorated type is what it decorates; an unknown one is NULL, left to its default, or asked for."""
    row = find(rows(table(Column("x", Trimmed, nullable=False))), lambda row: len(row["x"]) > 3, settings=STEADY)
    assert row["x"] == "0000"
    assert find(rows(table(Column("x", Point))), lambda row: True, settings=STEADY)["x"] is None
    left_out = table(Column("x", Point, nullable=False, server_default=text("'(0,0)'")))
    assert find(rows(left_out), lambda row: True, settings=STEADY) == {"id": 1}
    with pytest.raises(ConfigError, match=r"t.x is of type POINT, of which no values are known: give a strategy"):
        find(rows(table(Column("x", Point, nullable=False))), lambda row: True, settings=STEADY)


def test_postgresql_types(postgresql: str) -> None:
    """Arrays, JSONB, addresses, bytes, ranges left out: PostgreSQL takes what is made up for its own types."""
    metadata = MetaData()
    made = Table(
        "own",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("tags", ARRAY(String(5)), nullable=False),
        Column("grid", ARRAY(Integer, dimensions=2), nullable=False),
        Column("facts", pg.JSONB, nullable=False),
        Column("host", pg.INET, nullable=False),
        Column("net", pg.CIDR, nullable=False),
        Column("card", pg.MACADDR, nullable=False),
        Column("seal", pg.BYTEA, nullable=False),
        Column("lasts", pg.INTERVAL, nullable=False),
        Column("since", pg.TIMESTAMP(timezone=True), nullable=False),
        Column("at", pg.TIME(timezone=True), nullable=False),
        Column("level", pg.ENUM("low", "high", name="level"), nullable=False),
        Column("real", pg.REAL, nullable=False),
        Column("months", pg.DOMAIN("months", Integer, check="VALUE BETWEEN 6 AND 24", not_null=True)),
        Column("word", String(9), CheckConstraint("word NOT IN ('a', 'b') AND trim(word) <> ''"), nullable=False),
        Column("span", pg.INT4RANGE),
    )
    engine = create_engine(postgresql)
    metadata.create_all(engine)
    reflected = Table("own", MetaData(), autoload_with=engine)  # conditions as PostgreSQL writes them

    for source in (made, reflected):

        @STEADY
        @given(st.lists(rows(source), min_size=3, max_size=9, unique_by=lambda row: row["id"]))
        def insert_all(found: list[dict[str, Any]]) -> None:
            with engine.connect() as connection:
                connection.execute(insert(source), found)  # noqa: B023  # called in its own turn of the loop

        insert_all()
    engine.dispose()
