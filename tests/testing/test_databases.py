"""Whole databases: every row is taken by a real database, and every foreign key points somewhere."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    Column,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    create_engine,
    func,
    insert,
    select,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from pytest_dealsnap.errors import ConfigError, SourceError
from pytest_dealsnap.testing import Database, databases, deal_types
from tests.testing.schemas import LOOPS, METADATA, OFFICES, PEOPLE, engine_of, untouched

STEADY = settings(
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    max_examples=60,
    phases=(Phase.generate, Phase.shrink),
)


@pytest.mark.slow
def test_thousands_of_rows_are_taken(engine: Engine) -> None:
    """SQLite with foreign keys on, and PostgreSQL, take every database as it is, all constraints in force."""
    inserted: Counter[str] = Counter()

    @settings(STEADY, max_examples=100)
    @given(databases(METADATA, max_rows=12))
    def insert_all(database: Database) -> None:
        with untouched(engine) as connection:
            database.insert_into(connection)
            for name, rows in database.rows.items():
                table = METADATA.tables[name]
                assert connection.scalar(select(func.count()).select_from(table)) == len(rows)
                inserted[name] += len(rows)

    insert_all()
    assert inserted.total() > 1_000
    assert set(inserted) == set(METADATA.tables)
    assert min(inserted.values()) > 20, inserted


@STEADY
@given(databases(METADATA, max_rows={"people": 6, "offices": 2}))
def test_rows_fit_together(database: Database) -> None:
    """Parents stand before children, every key is there, circles and links to oneself included."""
    offices = {row["id"]: row for row in database[OFFICES]}
    people = {row["id"]: row for row in database["people"]}
    assert len(people) == len(database[PEOPLE])
    assert len(people) <= 6
    assert len(offices) <= 2
    assert all(row["office_id"] in offices for row in people.values())
    assert all(
        row["boss_id"] is None or (row["boss_id"] in people and row["boss_id"] != row["id"]) for row in people.values()
    )
    assert all(row["head_id"] is None or row["head_id"] in people for row in offices.values())
    loops = {row["id"] for row in database[LOOPS]}
    assert {row["next_id"] for row in database[LOOPS]} == loops, "a unique key that is never NULL"
    assert list(database.rows).index("offices") < list(database.rows).index("people")


def test_a_circle_is_closed() -> None:
    """A nullable key that points to a later table is not left empty for good."""
    found = find(
        databases(METADATA), lambda database: any(row["head_id"] for row in database[OFFICES]), settings=STEADY
    )
    heads = {row["head_id"] for row in found[OFFICES]} - {None}
    assert heads <= {row["id"] for row in found[PEOPLE]}


def test_databases_shrink_to_the_rows_that_matter() -> None:
    """Of whatever is not needed there is nothing, and of a needed row the simplest values."""
    metadata = MetaData()
    Table("idle", metadata, Column("id", Integer, primary_key=True))
    code = Column("code", String(3), nullable=False, unique=True)
    Table("parents", metadata, Column("id", Integer, primary_key=True), code)
    link: Column[int] = Column("parent", ForeignKey("parents.id"), nullable=False)
    Table("children", metadata, Column("id", Integer, primary_key=True), link)
    found = find(databases(metadata), lambda database: len(database["children"]) == 2, settings=STEADY)
    assert found.rows == {
        "idle": [],
        "parents": [{"id": 1, "code": ""}],
        "children": [{"id": 1, "parent": 1}, {"id": 2, "parent": 1}],
    }


class Base(DeclarativeBase):
    """A declarative schema, in which the tables of a circle cannot be empty on either side."""


class Deal(Base):
    """A deal with its current version, checked when the transaction ends."""

    __tablename__ = "deals"
    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(
        ForeignKey("versions.id", deferrable=True, initially="DEFERRED", use_alter=True, name="current")
    )
    deal_type: Mapped[str | None] = mapped_column(String(50))


class Version(Base):
    """A version of a deal."""

    __tablename__ = "versions"
    id: Mapped[int] = mapped_column(primary_key=True)
    deal_id: Mapped[int] = mapped_column(ForeignKey("deals.id"))


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_deferred_circles_and_declarative_classes(kind: str, request: pytest.FixtureRequest) -> None:
    """Two tables that must point to each other are filled where one key is deferred; rows= decides on columns."""
    url = "sqlite://" if kind == "sqlite" else str(request.getfixturevalue("postgresql"))
    made = databases(Base, rows={Deal: {"deal_type": deal_types()}})
    found = find(made, lambda database: len(database[Deal]) > 1, settings=STEADY)
    assert {row["deal_type"] for row in found[Deal]} == {"acquisition"}
    with engine_of(url) as engine:
        Base.metadata.create_all(engine)
        with Session(engine) as session:
            found.insert_into(session)
            session.commit()
            deals = session.scalars(select(Deal).order_by(Deal.id)).all()
            assert [deal.id for deal in deals] == [row["id"] for row in found[Deal]]
            session.add(Deal(version_id=deals[0].version_id))
            session.commit()  # the sequence has moved on


def test_what_cannot_be_filled_stays_empty() -> None:
    """Two tables that must point to each other at once can hold no row, and get none."""
    metadata = MetaData()
    Table("a", metadata, Column("id", Integer, primary_key=True), Column("b", ForeignKey("b.id"), nullable=False))
    Table("b", metadata, Column("id", Integer, primary_key=True), Column("a", ForeignKey("a.id"), nullable=False))
    Table("c", metadata, Column("id", Integer, primary_key=True), Column("a", ForeignKey("a.id")))

    @STEADY
    @given(databases(metadata))
    def holds(database: Database) -> None:
        assert (database["a"], database["b"]) == ([], [])
        assert all(row["a"] is None for row in database["c"])

    holds()


def test_a_circle_of_one_to_one_has_no_loose_ends() -> None:
    """Where two tables need each other one to one, a row without a partner goes, and what pointed to it."""
    metadata = MetaData()
    other = ForeignKey("b.id", deferrable=True, initially="DEFERRED", use_alter=True, name="other")
    Table("a", metadata, Column("id", Integer, primary_key=True), Column("b", other, nullable=False, unique=True))
    Table("b", metadata, Column("id", Integer, primary_key=True), Column("a", ForeignKey("a.id"), nullable=False))
    filled: list[int] = []

    @STEADY
    @given(databases(metadata))
    def holds(database: Database) -> None:
        keys = {name: {row["id"] for row in database[name]} for name in ("a", "b")}
        assert {row["b"] for row in database["a"]} <= keys["b"]
        assert {row["a"] for row in database["b"]} <= keys["a"]
        filled.append(len(database["b"]))

    holds()
    assert max(filled) > 1


def test_nulls_that_count_as_alike_are_alone() -> None:
    """A unique key with NULLS NOT DISTINCT has one row with a NULL, another as many as there are."""
    for alike in (True, False):
        metadata = MetaData()
        code: Column[int] = Column("code", Integer)
        unique = UniqueConstraint("code", postgresql_nulls_not_distinct=alike)
        Table("t", metadata, Column("id", Integer, primary_key=True), code, unique)
        nulls: list[int] = []

        @STEADY
        @given(databases(metadata))
        def count(database: Database) -> None:
            nulls.append(sum(row["code"] is None for row in database["t"]))  # noqa: B023  # called in its own turn

        count()
        assert (max(nulls) == 1) is alike


def test_a_database_is_committed_into_an_engine() -> None:
    """``insert_into(engine)`` is one transaction; a Connection's is the caller's."""
    metadata = MetaData()
    names = Table("names", metadata, Column("id", Integer, primary_key=True), Column("name", String(9), nullable=False))
    found = find(databases(metadata, rows={names: {"name": "same"}}), lambda d: len(d[names]) == 2, settings=STEADY)
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    found.insert_into(engine)
    with engine.connect() as connection:
        assert connection.execute(select(names.c.name)).scalars().all() == ["same", "same"]
        connection.execute(insert(names).values(name="next"))
        connection.rollback()
    engine.dispose()
    with pytest.raises(SourceError, match="into an Engine, a Connection or a Session, not into 'sqlite://'"):
        found.insert_into("sqlite://")
    assert repr(found) == "Database(rows={'names': [{'id': 1, 'name': 'same'}, {'id': 2, 'name': 'same'}]})"


def test_wrong_names_are_told() -> None:
    """A table or column that there is not is an error that names the nearest."""
    with pytest.raises(ConfigError, match=r"no table 'poeple'. Did you mean \"people\"\? There are: .*offices"):
        databases(METADATA, max_rows={"poeple": 1})
    with pytest.raises(ConfigError, match=r"table people has no column 'emial'. Did you mean \"email\"\?"):
        databases(METADATA, rows={"people": {"emial": st.none()}})
    with pytest.raises(SourceError, match="neither a SQLAlchemy MetaData nor a declarative base"):
        databases("deals")
