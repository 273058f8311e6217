"""Every type of column of SQLite, PostgreSQL and MariaDB, by every driver: carried exactly, or its column's error."""

from __future__ import annotations

import importlib
import pickle
import sqlite3
import warnings
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.errors import ColumnError, SourceError
from tests.deals.conftest import Fill, Open

POSTGRESQL = ("psycopg", "psycopg2", "pg8000")
MARIADB = ("pymysql", "mysqldb", "mariadbconnector", "mysqlconnector")
_MODULES = {
    "mysqldb": "MySQLdb",
    "mariadbconnector": "mariadb",
    "mysqlconnector": "mysql.connector",
}


def by(url: str, driver: str) -> str:
    """Return *url* by another driver; skip where that is not installed."""
    module = _MODULES.get(driver, driver)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the driver's own source
            importlib.import_module(module)
    except ImportError:
        pytest.skip(f"the driver {module} is not installed here")
    backend = url.split("://", 1)[0].split("+")[0]
    backend = "mariadb" if driver == "mariadbconnector" else backend
    rest = url.split("://", 1)[1]
    if driver == "pg8000" and "?host=" in rest:  # it takes the socket itself, not its folder
        rest = rest.replace("?host=", "?unix_sock=") + "/.s.PGSQL.5432"
    return f"{backend}+{driver}://{rest}"


def only_deal(opened: Open, url: str) -> Deal:
    """Return the one deal there is."""
    source = opened(url, 'name = ""\ntype = ""')
    (ref,) = source.refs()
    return source.fetch(ref)


# type, literal, value in Python
PG_VALUES: list[tuple[str, str, Any]] = [
    ("boolean", "true", True),
    ("smallint", "-32768", -32768),
    ("bigint", "9223372036854775807", 2**63 - 1),
    ("numeric", "'0.000000000001'", Decimal("0.000000000001")),
    ("numeric(60,30)", "'123456789012345678901234567890.123456789012345678901234567890'",
     Decimal("123456789012345678901234567890.123456789012345678901234567890")),
    ("numeric", "'NaN'", Decimal("NaN")),
    ("numeric", "'Infinity'", Decimal("Infinity")),
    ("real", "0.1", 0.1),
    ("double precision", "1e-12", 1e-12),
    ("double precision", "'0.30000000000000004'", 0.30000000000000004),
    ("double precision", "'-Infinity'", float("-inf")),
    ("text", "'é漢\\x01'", "é漢\\x01"),
    ("char(4)", "'ab'", "ab  "),
    ("bytea", "'\\x00ff'", b"\x00\xff"),
    ("uuid", "'00000000-0000-0000-0000-000000000005'", "00000000-0000-0000-0000-000000000005"),
    ("date", "'2027-01-31'", date(2027, 1, 31)),
    ("date", "'infinity'", "infinity"),
    ("date", "'-infinity'", "-infinity"),
    ("date", "'0044-03-15 BC'", "0044-03-15 BC"),
    ("date", "'12027-01-31'", "12027-01-31"),
    ("date", "'9999-12-31'", date(9999, 12, 31)),
    ("timestamp", "'2027-01-31 01:02:03.000004'", datetime(2027, 1, 31, 1, 2, 3, 4)),
    ("timestamp", "'infinity'", "infinity"),
    ("timestamp", "'0044-03-15 12:00 BC'", "0044-03-15 12:00:00 BC"),
    ("timestamp", "'12027-01-31 01:02:03'", "12027-01-31 01:02:03"),
    ("timestamptz", "'2027-01-31 01:02:03+02'", datetime(2027, 1, 30, 23, 2, 3, tzinfo=UTC)),
    ("timestamptz", "'-infinity'", "-infinity"),
    ("time", "'23:59:59.999999'", time(23, 59, 59, 999999)),
    ("time", "'24:00:00'", "24:00:00"),
    ("timetz", "'01:02:03+02'", time(1, 2, 3, tzinfo=timezone(timedelta(hours=2)))),
    ("interval", "'1 day 2 hours'", timedelta(days=1, hours=2)),
    ("interval", "'1 month'", "1 mon"),
    ("interval", "'2 years 3 mons -4 days 00:00:05'", "2 years 3 mons -4 days +00:00:05"),
    ("interval", "'-01:30:00'", timedelta(minutes=-90)),
    ("interval", "'-00:00:01.5'", timedelta(seconds=-1.5)),
    ("interval", "'1 day -00:00:01'", timedelta(days=1, seconds=-1)),
    ("money", "'1234.5'", "$1,234.50"),
    ("bit(3)", "B'101'", "101"),
    ("jsonb", "'{\"a\": 0.12345678901234567890, \"b\": 1.5}'", {"a": Decimal("0.12345678901234567890"), "b": 1.5}),
    ("json", "'[1e400]'", [Decimal("1E+400")]),
    ("integer[]", "'{1,NULL,3}'", [1, None, 3]),
    ("date[]", "'{2027-01-31,infinity}'", [date(2027, 1, 31), "infinity"]),
    ("interval[]", "'{1 mon,1 day}'", ["1 mon", timedelta(days=1)]),
    ("inet", "'10.0.0.1'", "10.0.0.1"),
    ("inet", "'10.1.2.3/8'", "10.1.2.3/8"),
    ("jsonb[]", "ARRAY['[\"x\"]', '{\"a\": 1}', '\"text\"', NULL]::jsonb[]", [["x"], {"a": 1}, "text", None]),
]  # fmt: skip


def shown(value: Any) -> Any:
    """Return *value* so that equal ones are of one kind: an instant in UTC, a NaN as a word."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if isinstance(value, (float, Decimal)) and value != value:
        return "NaN"
    if type(value).__name__ in ("UUID", "IPv4Address", "IPv4Interface"):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [shown(item) for item in value]
    if isinstance(value, str):
        return str(value)  # SQLAlchemy has a class for texts of bits
    return bytes(value) if isinstance(value, memoryview) else value


def wrong_values(deal: Deal, expected: Iterable[Any]) -> list[str]:
    """Return what is not as expected, as lines that a person can read."""
    lines = []
    for place, value in enumerate(expected):
        try:
            found = shown(deal[f"c{place}"])
        except SourceError as error:
            found = error
        if found != shown(value) or type(found) is not type(shown(value)):
            lines.append(f"c{place}: {found!r}, not {value!r}")
    return lines


@pytest.mark.parametrize("driver", POSTGRESQL)
def test_every_postgresql_type_is_carried_exactly(fill: Fill, opened: Open, postgresql: str, driver: str) -> None:
    """Infinite dates, months, years before ours: as the server writes them, where Python has no such value."""
    columns = ", ".join(f"c{place} {kind}" for place, (kind, _, _) in enumerate(PG_VALUES))
    fill(
        by(postgresql, "psycopg"),
        "SET lc_monetary = 'C'",
        f"CREATE TABLE deals (id int PRIMARY KEY, {columns})",
        f"INSERT INTO deals VALUES (1, {', '.join(literal for _, literal, _ in PG_VALUES)})",
    )
    deal = only_deal(opened, by(postgresql, driver))
    assert wrong_values(deal, [value for _, _, value in PG_VALUES]) == []


MARIADB_VALUES: list[tuple[str, str, Any]] = [
    ("bool", "true", 1),
    ("tinyint unsigned", "255", 255),
    ("bigint unsigned", "18446744073709551615", 2**64 - 1),
    ("decimal(65,30)", "'12345678901234567890123456789012345.123456789012345678901234567890'",
     Decimal("12345678901234567890123456789012345.123456789012345678901234567890")),
    ("double", "1e-12", 1e-12),
    ("double", "0.1e0 + 0.2e0", 0.30000000000000004),
    ("double", "1.7976931348623157e308", 1.7976931348623157e308),
    ("real", "9e-12", 9e-12),
    ("float", "0.1", 0.1),
    ("float", "16777217.0", 16777216.0),
    ("float", "123456789", 123456790.0),
    ("date", "'2027-01-31'", date(2027, 1, 31)),
    ("date", "'0000-00-00'", "0000-00-00"),
    ("date", "'2027-00-00'", "2027-00-00"),
    ("datetime(6)", "'2027-01-31 01:02:03.000004'", datetime(2027, 1, 31, 1, 2, 3, 4)),
    ("datetime", "'0000-00-00 00:00:00'", "0000-00-00 00:00:00"),
    ("time", "'838:59:59'", "838:59:59"),
    ("time", "'-00:00:01'", "-00:00:01"),
    ("time(6)", "'23:59:59.999999'", time(23, 59, 59, 999999)),
    ("year", "2027", 2027),
    ("year", "'0000'", 0),
    ("bit(3)", "b'101'", 5),
    ("bit(64)", "b'1000000000000000000000000000000000000000000000000000000000000001'", 2**63 + 1),
    ("json", "'{\"a\": 0.12345678901234567890}'", '{"a": 0.12345678901234567890}'),
    ("varchar(20)", "'é漢'", "é漢"),
    ("char(4)", "'ab'", "ab"),
    ("varbinary(4)", "x'00ff'", b"\x00\xff"),
    ("longblob", "x'00ff'", b"\x00\xff"),
    ("enum('a','b')", "'b'", "b"),
    ("enum('a','b')", "''", ""),
    ("set('a','b')", "'a,b'", {"a", "b"}),
    ("datetime", "NULL", None),
]  # fmt: skip


@pytest.mark.parametrize("driver", MARIADB)
def test_every_mariadb_type_is_carried_exactly(fill: Fill, opened: Open, mariadb: str, driver: str) -> None:
    """No place of a DOUBLE is lost, no hour of a TIME, no zero date becomes NULL."""
    columns = ", ".join(f"c{place} {kind} NULL" for place, (kind, _, _) in enumerate(MARIADB_VALUES))
    fill(
        mariadb,
        "SET SESSION sql_mode = ''",
        f"CREATE TABLE deals (id int PRIMARY KEY, {columns})",
        f"INSERT INTO deals VALUES (1, {', '.join(literal for _, literal, _ in MARIADB_VALUES)})",
    )
    deal = only_deal(opened, by(mariadb, driver))
    assert wrong_values(deal, [value for _, _, value in MARIADB_VALUES]) == []


SQLITE_VALUES: list[tuple[str, Any, Any]] = [
    ("NUMERIC", 1e-12, Decimal("1E-12")),
    ("DECIMAL(10,2)", 0.125, Decimal("0.125")),
    ("DECIMAL(10,2)", 1.5, Decimal("1.50")),
    ("NUMERIC", 2**53 + 1, Decimal(2**53 + 1)),
    ("NUMERIC", "abc", "abc"),
    ("BOOLEAN", 5, 5),
    ("BOOLEAN", 1, True),
    ("BLOB", 5, 5),
    ("BLOB", b"\x00\xff", b"\x00\xff"),
    ("BLOB", "text", "text"),
    ("DATE", "2027-01-31", date(2027, 1, 31)),
    ("DATE", "2027-01-31 12:00:00", "2027-01-31 12:00:00"),
    ("DATE", 5, 5),
    ("DATETIME", "2027-01-31 01:02:03.000004", datetime(2027, 1, 31, 1, 2, 3, 4)),
    ("DATETIME", "2027-01-31 01:02:03.000000004", "2027-01-31 01:02:03.000000004"),
    ("TIME", "01:02:03.000000004", "01:02:03.000000004"),
    ("TIME", "01:02:03", time(1, 2, 3)),
    ("REAL", 0.1 + 0.2, 0.1 + 0.2),
    ("FLOAT", "x", "x"),
    ("INTEGER", 2**63 - 1, 2**63 - 1),
    ("INTEGER", 0.5, 0.5),
    ("TEXT", "é漢\x00", "é漢\x00"),
    ("TEXT", b"\xff", b"\xff"),
    ("JSON", '{"a": 0.12345678901234567890}', {"a": Decimal("0.12345678901234567890")}),
    ("JSON", "no json", "no json"),
    ("", None, None),
]


def in_sqlite(path: Path, values: list[tuple[str, Any]]) -> str:
    """Return the URL of a database with one deal that has these values under these declared types."""
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as connection:
        columns = "".join(f", c{place} {kind}" for place, (kind, _) in enumerate(values))
        connection.execute(f"CREATE TABLE deals (id INTEGER PRIMARY KEY{columns})")
        marks = ", ?" * len(values)
        connection.execute(f"INSERT INTO deals VALUES (1{marks})", [value for _, value in values])
    connection.close()
    return f"sqlite:///{path}"


def test_every_sqlite_value_is_carried_exactly(opened: Open, tmp_path: Path) -> None:
    """Whatever a column is declared as: a value of another kind is the value that is stored."""
    url = in_sqlite(tmp_path / "deals.db", [(kind, stored) for kind, stored, _ in SQLITE_VALUES])
    assert wrong_values(only_deal(opened, url), [value for _, _, value in SQLITE_VALUES]) == []


ANYTHING = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    | st.binary(max_size=6)
    | st.datetimes().map(str)
    | st.dates().map(str)
    | st.times().map(str)
)
DECLARED = ("", "TEXT", "INTEGER", "NUMERIC", "DECIMAL(10,2)", "REAL", "BLOB", "BOOLEAN", "DATE", "DATETIME", "TIME")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(values=st.lists(st.tuples(st.sampled_from(DECLARED), ANYTHING), min_size=1, max_size=8))
def test_no_sqlite_value_becomes_another(opened: Open, tmp_path: Path, values: list[tuple[str, Any]]) -> None:
    """What is read is what SQLite stored: the same number, the same text, or the time that the text says."""
    url = in_sqlite(tmp_path / "deals.db", values)
    with sqlite3.connect(tmp_path / "deals.db") as connection:
        _, *stored = connection.execute("SELECT * FROM deals").fetchone()
    connection.close()
    deal = only_deal(opened, url)
    for place, value in enumerate(stored):
        found = deal[f"c{place}"]
        if isinstance(found, (date, time)):
            assert type(found).fromisoformat(value) == found
        elif isinstance(value, float) and isinstance(found, Decimal):
            assert found == Decimal(repr(value))
        else:
            assert found == value


def broken_text(path: Path, *, name: bytes = b"Orion") -> str:
    """Return the URL of a database in which a text is not UTF-8."""
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE deals (id INTEGER PRIMARY KEY, name TEXT, deal_type TEXT, memo TEXT, amount INT)"
        )
        row = "INSERT INTO deals VALUES (?, CAST(? AS TEXT), 'carveout', CAST(? AS TEXT), 5)"
        connection.executemany(row, [(1, name, b"caf\xe9"), (2, b"Vega", b"fine")])
    connection.close()
    return f"sqlite:///{path}"


def test_a_value_that_cannot_be_read_costs_its_column_only(opened: Open, tmp_path: Path) -> None:
    """The error names the column; the others are read; it is told once; the next deal is there."""
    source = opened(broken_text(tmp_path / "deals.db"))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        first, second = source.fetch_many(source.refs())
        assert isinstance(first, Deal)
        assert isinstance(second, Deal)
        for deal in (first, pickle.loads(pickle.dumps(first)), first.as_type("acquisition", column="deal_type")):
            with pytest.raises(ColumnError, match='column "memo" of this deal cannot be read: the text is no UTF-8'):
                deal["memo"]
            assert deal["amount"] == 5
        assert second["memo"] == "fine"
    assert len(told) == 1
    assert 'column "memo" cannot be read in every deal' in str(told[0].message)


def test_a_name_that_cannot_be_decoded_is_shown_safely(opened: Open, tmp_path: Path) -> None:
    """The deal keeps its id and its type, and is there to be judged."""
    source = opened(broken_text(tmp_path / "deals.db", name=b"caf\xe9"))
    first, second = source.fetch_many(source.refs())
    assert isinstance(first, Deal)
    assert isinstance(second, Deal)
    assert (first.key, first.name, first.deal_type) == ("1", r"caf\xe9", "carveout")
    assert second.name == "Vega"
    assert [row.name for row in source.stored_rows()] == [r"caf\xe9", "Vega"]


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_a_name_of_a_database_without_an_encoding_is_shown_safely(opened: Open, postgresql: str, driver: str) -> None:
    """PostgreSQL's SQL_ASCII keeps whatever bytes it is given; one such name hides no other deal's."""
    owner = create_engine(by(postgresql, "psycopg"), isolation_level="AUTOCOMMIT")
    utf8 = "&client_encoding=utf8"
    with owner.connect() as connection:
        connection.exec_driver_sql("DROP DATABASE IF EXISTS old WITH (FORCE)")
        connection.exec_driver_sql(
            "CREATE DATABASE old ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
        )
    old = create_engine(by(postgresql, "psycopg").replace("/postgres?", "/old?") + utf8)
    with old.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE deals (id int PRIMARY KEY, name text, deal_type text, memo text)")
        broken = "convert_from('\\x636166e9', 'SQL_ASCII')"
        connection.exec_driver_sql(
            f"INSERT INTO deals VALUES (1, {broken}, 'carveout', {broken}), (2, 'Vega', 'carveout', 'fine')"
        )
    old.dispose()
    source = opened(by(postgresql, driver).replace("/postgres?", "/old?") + utf8)
    first, second = source.fetch_many(source.refs())
    assert isinstance(first, Deal)
    assert isinstance(second, Deal)
    assert (first.key, first.name, first.deal_type) == ("1", r"caf\xe9", "carveout")
    assert (second.name, second["memo"]) == ("Vega", "fine")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ColumnError, match='column "memo" of this deal'):
            first["memo"]
    source.close()
    owner.dispose()


@pytest.mark.parametrize("driver", POSTGRESQL)
def test_a_driver_that_refuses_a_value_is_not_left_out_of_step(
    fill: Fill, opened: Open, postgresql: str, driver: str
) -> None:
    """A range of infinite dates, which no driver reads: its column fails, or is exact; the next deal is whole."""
    fill(
        by(postgresql, "psycopg"),
        "CREATE TABLE deals (id int PRIMARY KEY, span daterange, spans tsrange, amount int)",
        "INSERT INTO deals VALUES (1, '[-infinity,infinity]', '[12027-01-31 00:00,infinity]', 5), "
        "(2, '[2027-01-01,2027-01-31)', NULL, 6)",
    )
    source = opened(by(postgresql, driver), 'name = ""\ntype = ""')
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for ref, amount in zip(source.refs(), (5, 6), strict=True):
            deal = source.fetch(ref)
            assert deal["amount"] == amount
            for column in ("span", "spans"):
                assert read_or_refused(deal, column) in EXPECTED[column, amount]


EXPECTED: dict[tuple[str, int], tuple[str, ...]] = {
    ("span", 5): ("[-infinity,infinity]", "refused"),
    ("span", 6): ("[2027-01-01,2027-01-31)",),
    ("spans", 5): ("[12027-01-31 00:00:00,infinity]", "refused"),
    ("spans", 6): ("None",),
}


def read_or_refused(deal: Deal, column: str) -> str:
    """Return a value as a text, or ``refused`` for one whose error names its column."""
    try:
        return str(deal[column])
    except ColumnError as error:
        return "refused" if f'column "{column}" of this deal' in str(error) else str(error)


@pytest.mark.parametrize("driver", ["asyncpg", "aiomysql"])
def test_an_asynchronous_driver_is_refused_with_a_sentence(
    opened: Open, request: pytest.FixtureRequest, driver: str
) -> None:
    """Deals are read one after another; the sentence names what to write instead."""
    url = by(request.getfixturevalue("postgresql" if driver == "asyncpg" else "mariadb"), driver)
    with pytest.raises(SourceError, match=rf'\+{driver}" is an asynchronous driver; name a synchronous one'):
        opened(url).refs()


@pytest.mark.parametrize("driver", MARIADB)
def test_a_type_that_is_none_of_its_words_hides_no_deal(fill: Fill, opened: Open, mariadb: str, driver: str) -> None:
    """An ENUM may hold '' where the server was not strict, and a name may be a date of zeros."""
    fill(
        mariadb,
        "SET SESSION sql_mode = ''",
        "CREATE TABLE deals (id int PRIMARY KEY, name date, deal_type enum('carveout', 'acquisition'), amount year)",
        "INSERT INTO deals VALUES (1, '0000-00-00', 'none', '0000'), (2, '2027-01-31', 'carveout', 2027)",
    )
    source = opened(by(mariadb, driver))
    refs = source.refs()
    assert [ref.stored_type for ref in refs] == ["", "carveout"]
    first, second = source.fetch_many(refs)
    assert isinstance(first, Deal)
    assert isinstance(second, Deal)
    assert (first.name, first["amount"], second.name, second["amount"]) == ("0000-00-00", 0, "2027-01-31", 2027)
    assert [row.stored_type for row in source.stored_rows()] == ["", "carveout"]
    assert [row.name for row in source.stored_rows()] == ["0000-00-00", "2027-01-31"]


def test_what_is_read_exactly_is_set_on_the_client_only(postgresql: str, opened: Open, fill: Fill) -> None:
    """No setting of the session changes; a pooler shares it with others."""
    fill(by(postgresql, "psycopg"), "CREATE TABLE deals (id int PRIMARY KEY)", "INSERT INTO deals VALUES (1)")
    source = opened(by(postgresql, "psycopg"), 'name = ""\ntype = ""')
    source.refs()
    engine = create_engine(by(postgresql, "psycopg"))
    with engine.connect() as fresh, source._link.asking() as connection:
        names = text("SELECT name, setting FROM pg_settings WHERE name IN ('DateStyle', 'IntervalStyle', 'TimeZone')")
        assert connection.execute(names).all() == fresh.execute(names).all()
    engine.dispose()
