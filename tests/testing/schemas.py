"""A schema with everything that makes rows hard to make up, and the databases to put them into."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    CHAR,
    JSON,
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Connection,
    Date,
    DateTime,
    Engine,
    Enum,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    Time,
    UniqueConstraint,
    Uuid,
    create_engine,
    event,
    func,
)

__all__ = ["METADATA", "Colour", "empty", "engine_of", "untouched"]


class Colour(enum.Enum):
    """An enumeration whose names and values differ."""

    RED = "r"
    BLUE = "b"


METADATA = MetaData()
OFFICES = Table(
    "offices",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("code", CHAR(3), nullable=False, unique=True),
    Column("head_id", ForeignKey("people.id", use_alter=True, name="fk_head")),
    CheckConstraint("code = upper(code) AND length(code) = 3"),
)
PEOPLE = Table(
    "people",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("office_id", ForeignKey("offices.id"), nullable=False),
    Column("boss_id", ForeignKey("people.id")),
    Column("email", String(40), nullable=False),
    UniqueConstraint("office_id", "email"),
    UniqueConstraint("office_id", "id"),
    CheckConstraint("email LIKE '%@%.com'"),
    CheckConstraint("boss_id <> id"),
)
ORDERS = Table(
    "order",
    METADATA,
    Column("region", String(5), primary_key=True),
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(20), nullable=False, server_default="buy"),
    Column("colour", Enum(Colour, name="colour"), nullable=False),
    Column(
        "paint",
        Enum(Colour, values_callable=lambda e: [c.value for c in e], native_enum=False, create_constraint=True),
    ),
    Column("low", SmallInteger),
    Column("high", Numeric(10, 2), nullable=False),
    Column("share", Float, CheckConstraint("share >= 0 AND share <= 1")),
    Column("ratio", REAL),
    Column("signed_on", Date, nullable=False),
    Column("opened_at", DateTime, nullable=False),
    Column("closed_at", DateTime(timezone=True)),
    Column("at", Time, nullable=False),
    Column("lasts", Interval),
    Column("facts", JSON),
    Column("seal", LargeBinary(5)),
    Column("token", Uuid, nullable=False),
    Column("urgent", Boolean(create_constraint=True, name="urgent_is_a_flag"), nullable=False),
    Column("big", BigInteger),
    Column("title", Text, nullable=False),
    Column("doubled", Integer, Computed("low + low")),
    Column("office_id", Integer),
    Column("person_id", Integer),
    ForeignKeyConstraint(["office_id", "person_id"], ["people.office_id", "people.id"]),
    CheckConstraint("KIND in ('buy', 'sell')"),
    CheckConstraint("low >= 0 and low < high"),
    CheckConstraint("low IS NULL OR low < 100"),
    CheckConstraint("high between 5.5 and 70000"),
    CheckConstraint("signed_on <= '2024-05-05' AND opened_at > '1999-01-01'"),
    CheckConstraint("length(trim(title)) > 0"),
)
ITEMS = Table(
    "items",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), Identity(always=True), primary_key=True),
    Column("order_region", String(5), nullable=False),
    Column("order_no", Integer, nullable=False),
    Column("parent_id", ForeignKey("items.id")),
    ForeignKeyConstraint(["order_region", "order_no"], ["order.region", "order.no"]),
)
LOOPS = Table(
    "loops",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("next_id", ForeignKey("loops.id"), nullable=False, unique=True),
)
NOTES = Table(
    "notes",
    METADATA,
    Column("person_id", ForeignKey("people.id"), primary_key=True),
    Column("word", String(2), CheckConstraint("word NOT LIKE 'a%'"), nullable=False),
)
Index("notes_word", func.lower(NOTES.c.word), unique=True)


@contextmanager
def engine_of(url: str) -> Iterator[Engine]:
    """Lend an engine that insists on foreign keys."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def insist(connection: Any, record: object) -> None:
            connection.execute("PRAGMA foreign_keys = ON")

    yield engine
    engine.dispose()


@contextmanager
def untouched(engine: Engine) -> Iterator[Connection]:
    """Lend a connection whose work is checked to the end, and then undone."""
    with engine.connect() as connection, connection.begin() as work:
        yield connection
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
        else:
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = OFF")
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        work.rollback()


def empty(metadata: MetaData, engine: Engine) -> None:
    """Make the tables."""
    metadata.create_all(engine)
