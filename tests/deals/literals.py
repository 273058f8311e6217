"""Values of every column type as SQL literals, hostile ones above all; and what the server's text of one says."""

from __future__ import annotations

import ipaddress
import json
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from pytest_dealsnap.deals.exact_values import exact_json

__all__ = ["MARIADB_KINDS", "PG_KINDS", "Kind", "same"]

Says = Callable[[str], Any]


@dataclass(frozen=True)
class Kind:
    """A column's type, literals of it, an ordinary one, and how the server's text of a value is read."""

    type: str
    literals: st.SearchStrategy[str]
    ordinary: str
    says: Says = field(default=lambda text: text)
    may_be_text: bool = False  # psycopg2 knows no multirange
    select: str = "{}"  # what the server is asked for, where its own text is not exact


def quoted(text: str) -> str:
    """Return an SQL literal of PostgreSQL's."""
    return "'" + text.replace("'", "''") + "'"


def escaped(text: str) -> str:
    """Return an SQL literal of MariaDB's."""
    return quoted(text.replace("\\", "\\\\"))


def _or_text(read: Says) -> Says:
    """Return a reader that keeps the text where Python has no such value."""

    def says(text: str) -> Any:
        try:
            return read(text)
        except (ValueError, OverflowError):
            return text

    return says


def same(one: Any, other: Any) -> bool:
    """Whether two values are one, of one kind: a NaN is itself, -0.0 is not 0.0, 1.50 is not 1.5."""
    if type(one).__name__.startswith(("IPv4", "IPv6")):
        return bool(ipaddress.ip_interface(str(one)) == ipaddress.ip_interface(other))
    one, other = _plain(one), _plain(other)
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (float, Decimal)):
        return str(one) == str(other)
    if isinstance(one, time):
        return (one.replace(tzinfo=None), one.utcoffset()) == (other.replace(tzinfo=None), other.utcoffset())
    return bool(one == other)


def _plain(value: Any) -> Any:
    """Return what drivers and SQLAlchemy have classes for as one kind of value."""
    if hasattr(value, "lower") and hasattr(value, "upper") and not isinstance(value, (str, bytes)):
        if getattr(value, "empty", False) or getattr(value, "isempty", False) or getattr(value, "is_empty", False):
            return ("range", "empty")
        return ("range", value.bounds, _plain(value.lower), _plain(value.upper))
    name = type(value).__name__
    if name == "UUID":
        return str(value)
    if isinstance(value, datetime):
        return value if value.tzinfo is None else ("instant", value - datetime(1970, 1, 1, tzinfo=UTC))
    if isinstance(value, str):
        return str(value)  # SQLAlchemy has a class for texts of bits
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


# PostgreSQL


def _pg_interval(text: str) -> Any:
    found = re.fullmatch(r"(?:([+-]?\d+) days? ?)?(?:([+-]?)(\d+):(\d\d):(\d\d(?:\.\d+)?))?", text)
    if found is None or not text:
        raise ValueError(text)
    days, sign, hours, minutes, seconds = found.groups()
    clock = 0
    if hours is not None:
        clock = (int(hours) * 3600 + int(minutes) * 60) * 10**6 + int(Decimal(seconds) * 10**6)
    return timedelta(days=int(days or 0)) + timedelta(microseconds=-clock if sign == "-" else clock)


def _items(text: str, closing: str) -> Iterator[str | None]:
    """Yield the parts of an array or a range between commas; ``None`` for what is not quoted and empty or NULL."""
    part, quotes, depth, was_quoted, place = "", False, 0, False, 0
    while place < len(text):
        letter = text[place]
        if letter == "\\" and depth == 0:
            place += 1
            part += text[place]
        elif letter == '"' and depth == 0:
            if quotes and text[place + 1 : place + 2] == '"':
                part += '"'
                place += 1
            else:
                quotes, was_quoted = not quotes, True
        elif letter == '"':
            quotes = not quotes
            part += letter
        elif quotes:
            if letter == "\\":
                part += letter
                place += 1
                letter = text[place]
            part += letter
        elif letter == "," and depth == 0:
            yield part if was_quoted or part not in ("", "NULL") else None
            part, was_quoted = "", False
        else:
            depth += ((letter == "{") - (letter == "}")) if closing == "}" else 0
            part += letter
        place += 1
    yield part if was_quoted or part not in ("", "NULL") else None


def _array(one: Says) -> Says:
    def says(text: str) -> Any:
        inner = re.sub(r"\A(\[[-\d:]+\])+=", "", text)[1:-1]
        if not inner:
            return []
        return [
            None if item is None else says(item) if item.startswith("{") and inner.startswith("{") else one(item)
            for item in _items(inner, "}")
        ]

    return says


def _range(one: Says) -> Says:
    def says(text: str) -> Any:
        if text == "empty":
            return ("range", "empty")
        lower, upper = _items(text[1:-1], ")")
        bounds = (None if bound is None else _plain(one(bound)) for bound in (lower, upper))
        return ("range", text[0] + text[-1], *bounds)

    return says


def _multirange(one: Says) -> Says:
    inside = _range(one)

    def says(text: str) -> Any:
        return [inside(found) for found in re.findall(r'[\[(](?:"[^"]*"|[^"\])])*[\])]', text)]

    return says


def _hstore(text: str) -> Any:
    found = re.findall(r'"((?:[^"\\]|\\.)*)"=>(?:NULL|"((?:[^"\\]|\\.)*)")(, |\Z)', text, re.DOTALL)
    nulls = re.findall(r'"(?:[^"\\]|\\.)*"=>(NULL)?', text, re.DOTALL)
    plain = re.compile(r"\\(.)", re.DOTALL)
    return {
        plain.sub(r"\1", key): None if null else plain.sub(r"\1", value)
        for (key, value, _), null in zip(found, nulls, strict=True)
    }


HOSTILE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.sampled_from(
    [
        "NULL",
        "",
        " ",
        "\\",
        '"',
        "'",
        "{}",
        "a,b",
        "\\N",
        "%s",
        ":x",
        "\u202e",
        "\ufeff",
        "e\u0301",
        "😀",
        "\r\n\t",
        "x ",
    ]
)
WHOLE_64 = st.integers(-(2**63), 2**63 - 1)
DATES_PG = (
    st.dates().map(str)
    | st.sampled_from(["infinity", "-infinity", "0001-01-01", "4713-01-01 BC", "5874897-12-31", "9999-12-31"])
    | st.integers(1, 4712).map("{:04}-02-01 BC".format)
    | st.integers(10_000, 5_874_896).map("{}-02-01".format)
)
STAMPS_PG = (
    st.datetimes().map(str)
    | st.sampled_from(["infinity", "-infinity", "0001-01-01", "4713-01-01 BC", "294276-12-31 23:59:59.999999"])
    | st.integers(1, 4712).map("{:04}-02-01 12:00:00.5 BC".format)
    | st.integers(10_000, 294_275).map("{}-02-01 00:00:00.000001".format)
)
OFFSETS = st.sampled_from(["+00", "+02", "-11:30", "+05:53:28", "-15:59:59", "+15:59:59"])
# Away from the ends of what Python has, which an offset would cross.
ZONED_PG = st.tuples(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31)).map(str), OFFSETS).map("".join) | STAMPS_PG
CLOCK = st.times().map(str) | st.sampled_from(["24:00:00", "00:00:00", "23:59:59.999999"])
INTERVALS = st.builds(
    "{} mons {} days {} microseconds".format,
    st.just(0) | st.integers(-(2**31), 2**31 - 1),
    st.just(0) | st.integers(-40, 40) | st.integers(-(2**31), 2**31 - 1),
    st.just(0) | st.integers(-(10**11), 10**11) | st.integers(-(10**18), 10**18),
)
NUMBERS = st.decimals(allow_nan=True, allow_infinity=False).map(
    lambda number: "NaN" if number.is_nan() else str(number)
)
NUMERIC = NUMBERS.filter(lambda text: abs(int(text.partition("E")[2] or 0)) < 10_000) | st.sampled_from(
    ["NaN", "Infinity", "-Infinity", "1e5000", "1e-5000", "0.00", "-0", "1.50", "1e20"]
)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | HOSTILE,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(HOSTILE, inside, max_size=3),
    max_leaves=6,
).map(json.dumps)
HARD_JSONS = st.sampled_from(
    ["1e400", "[0.12345678901234567890, 1e-400]", '{"a": 12345678901234567890123}', "-0.0", '"\\ud83d\\ude00"', "null"]
)
DEEP_JSONS = st.sampled_from(["[" * 2_000 + "]" * 2_000, "1" * 5_000])  # Python reads neither
BITS = st.text("01", min_size=3, max_size=3)


def _as_array(items: st.SearchStrategy[str], cast: str) -> st.SearchStrategy[str]:
    flat = st.lists(st.just("NULL") | items.map(quoted), max_size=4).map(", ".join)
    nested = st.lists(items.map(quoted), min_size=2, max_size=2).map(lambda pair: f"[{pair[0]}], [{pair[1]}]")
    return (flat | nested).map(lambda inner: f"ARRAY[{inner}]::{cast}[]")


def _as_range(bounds: st.SearchStrategy[str], name: str) -> st.SearchStrategy[str]:
    """Return literals in which the server itself puts the bounds in order."""
    element = {"int4range": "int", "int8range": "bigint", "numrange": "numeric", "daterange": "date",
               "tsrange": "timestamp", "tstzrange": "timestamptz"}[name]  # fmt: skip
    ends = st.sampled_from(["[]", "[)", "(]", "()"])

    def literal(one: str, other: str, kind: str) -> str:
        pair = f"{quoted(one)}::{element}, {quoted(other)}::{element}"
        return f"{name}(least({pair}), greatest({pair}), '{kind}')"

    def half(one: str, kind: str, below: bool) -> str:
        bound = f"{quoted(one)}::{element}"
        return f"{name}({'NULL' if below else bound}, {bound if below else 'NULL'}, '{kind}')"

    fixed = st.sampled_from([f"'empty'::{name}", f"'(,)'::{name}"])
    return st.builds(literal, bounds, bounds, ends) | st.builds(half, bounds, ends, st.booleans()) | fixed


def _as_multirange(ranges: st.SearchStrategy[str], name: str) -> st.SearchStrategy[str]:
    return st.lists(ranges, max_size=3).map(lambda found: f"{name}({', '.join(found)})")


def _pg(kind: str, literals: st.SearchStrategy[str], ordinary: str, says: Says = str) -> Kind:
    return Kind(kind, literals.map(lambda text: f"{quoted(text)}::{kind}"), f"{quoted(ordinary)}::{kind}", says)


SPAN_BOUNDS: dict[str, tuple[st.SearchStrategy[str], str, Says]] = {
    # The server counts up an inclusive end, which the greatest number has not.
    "int4": (st.integers(-(2**31), 2**31 - 2).map(str), "5", int),
    "int8": (st.integers(-(2**63), 2**63 - 2).map(str), "5", int),
    "num": (st.decimals(-(10**9), 10**9, places=4).map(str) | st.sampled_from(["Infinity", "NaN"]), "5", Decimal),
    "date": (DATES_PG.filter(lambda text: "5874897" not in text), "2027-01-31", _or_text(date.fromisoformat)),
    "ts": (STAMPS_PG, "2027-01-31", _or_text(datetime.fromisoformat)),
    "tstz": (ZONED_PG, "2027-01-31 00:00+00", _or_text(datetime.fromisoformat)),
}
ARRAYS: dict[str, tuple[st.SearchStrategy[str], Says]] = {
    "int": (st.integers(-(2**31), 2**31 - 1).map(str), int),
    "text": (HOSTILE, str),
    "numeric": (NUMERIC, Decimal),
    "float8": (st.floats().map(repr), float),
    "bool": (st.sampled_from(["true", "false"]), lambda text: text == "t"),
    "date": (DATES_PG, _or_text(date.fromisoformat)),
    "timestamp": (STAMPS_PG, _or_text(datetime.fromisoformat)),
    "timestamptz": (ZONED_PG, _or_text(datetime.fromisoformat)),
    "time": (CLOCK, _or_text(time.fromisoformat)),
    "interval": (INTERVALS, _or_text(_pg_interval)),
    "uuid": (st.uuids().map(str), str),
    "inet": (st.ip_addresses().map(str) | st.just("10.1.2.3/8"), str),
    "bytea": (st.binary(max_size=4).map(lambda data: "\\x" + data.hex()), lambda text: bytes.fromhex(text[2:])),
    "jsonb": (JSONS, exact_json),
    "mood": (st.sampled_from(["calm", "a,b", "it''s".replace("''", "'"), "{x}"]), str),
}


def _pg_arrays() -> Iterator[Kind]:
    for name, (items, says) in ARRAYS.items():
        yield Kind(f"{name}[]", _as_array(items, name), f"ARRAY[]::{name}[]", _array(says))


def _pg_ranges() -> Iterator[Kind]:
    for name, (bounds, bound, says) in SPAN_BOUNDS.items():
        ranges = _as_range(bounds, f"{name}range")
        ordinary = f"'[{bound},)'::{name}range"
        yield Kind(f"{name}range", ranges, ordinary, _range(says))
        several = f"{name}multirange"
        yield Kind(several, _as_multirange(ranges, several), f"{several}({ordinary})", _multirange(says), True)


PG_KINDS: tuple[Kind, ...] = (
    _pg("boolean", st.sampled_from(["true", "false"]), "true", lambda text: text == "t"),
    _pg("smallint", st.integers(-(2**15), 2**15 - 1).map(str), "1", int),
    _pg("integer", st.integers(-(2**31), 2**31 - 1).map(str), "1", int),
    _pg("bigint", WHOLE_64.map(str), "1", int),
    _pg("oid", st.integers(0, 2**32 - 1).map(str), "1", int),
    _pg("numeric", NUMERIC, "1.50", Decimal),
    _pg("numeric(60,30)", st.decimals(-(10**29), 10**29, places=30).map("{:f}".format), "1.5", Decimal),
    _pg("real", st.floats(width=32).map(repr), "0.1", float),
    _pg("double precision", st.floats().map(repr), "0.1", float),
    _pg("text", HOSTILE, "Orion"),
    _pg("varchar(20)", HOSTILE, "Orion"),
    _pg("char(20)", HOSTILE, "Orion"),
    _pg("name", HOSTILE, "Orion"),
    _pg("bytea", st.binary(max_size=8).map(lambda data: "\\x" + data.hex()), "\\x00ff",
        lambda text: bytes.fromhex(text[2:])),
    _pg("uuid", st.uuids().map(str), "00000000-0000-0000-0000-000000000005"),
    _pg("date", DATES_PG, "2027-01-31", _or_text(date.fromisoformat)),
    _pg("timestamp", STAMPS_PG, "2027-01-31", _or_text(datetime.fromisoformat)),
    _pg("timestamptz", ZONED_PG, "2027-01-31 00:00+00", _or_text(datetime.fromisoformat)),
    _pg("timestamp(0)", st.datetimes().map(str), "2027-01-31", _or_text(datetime.fromisoformat)),
    _pg("time", CLOCK, "12:00", _or_text(time.fromisoformat)),
    _pg("timetz", st.tuples(CLOCK, OFFSETS).map("".join), "12:00+02", _or_text(time.fromisoformat)),
    _pg("interval", INTERVALS, "1 day", _or_text(_pg_interval)),
    _pg("money", WHOLE_64.map(lambda cents: f"{Decimal(cents) / 100:.2f}"), "5"),
    _pg("bit(3)", BITS, "101"),
    _pg("varbit", st.text("01", max_size=70), "101"),
    _pg("json", JSONS | HARD_JSONS | DEEP_JSONS, '{"a": 1}', exact_json),
    _pg("jsonb", JSONS | HARD_JSONS | DEEP_JSONS, '{"a": 1}', exact_json),
    _pg("inet", st.ip_addresses().map(str) | st.sampled_from(["10.1.2.3/8", "::ffff:1.2.3.4", "fe80::1/10"]),
        "10.0.0.1"),
    _pg("cidr", st.sampled_from(["10.0.0.0/8", "::/0", "0.0.0.0/0", "10.1.2.3/32"]), "10.0.0.0/8"),
    _pg("macaddr", st.integers(0, 2**48 - 1).map("{:012x}".format), "08002b010203"),
    _pg("mood", st.sampled_from(["calm", "a,b", "it's", "{x}"]), "calm"),
    _pg("price", NUMERIC, "1.50", Decimal),
    _pg("pair", st.tuples(st.integers(-9, 9), HOSTILE).map(lambda p: f'({p[0]},"{re.sub(chr(34), chr(39), p[1])}")'
                                                          .replace("\\", "\\\\")), "(1,x)"),
    _pg("hstore", st.dictionaries(HOSTILE, st.none() | HOSTILE, max_size=3).map(
        lambda pairs: ",".join(f"{json.dumps(k, ensure_ascii=False)}=>"
                               f"{'NULL' if v is None else json.dumps(v, ensure_ascii=False)}"
                               for k, v in pairs.items())), "a=>1", _hstore),
    *_pg_arrays(),
    *_pg_ranges(),
)  # fmt: skip


# MariaDB


def _single(text: str) -> float:
    """Return the shortest number that is this one in single precision."""
    number = float(text)
    for digits in range(6, 9):
        short = float(f"{number:.{digits}g}")
        if struct.unpack("f", struct.pack("f", short))[0] == number:
            return short
    return number


def _set(text: str) -> set[str]:
    return set(filter(None, text.split(",")))


def _my_time(text: str) -> Any:
    return time.fromisoformat(text)


DATES_MY = st.dates().map(str) | st.sampled_from(["0000-00-00", "2027-00-00", "2027-01-00", "9999-12-31", "0000-01-01"])
STAMPS_MY = st.datetimes().map(str) | st.sampled_from(
    ["0000-00-00 00:00:00", "2027-00-00 01:02:03.5", "9999-12-31 23:59:59.999999"]
)
CLOCK_MY = st.times().map(str) | st.builds(
    "{}{:02}:{:02}:{:02}.{:06}".format, st.sampled_from(["", "-"]), st.integers(0, 837), st.integers(0, 59),
    st.integers(0, 59), st.integers(0, 999_999),
) | st.sampled_from(["838:59:59", "-838:59:59", "-00:00:00.000001", "24:00:00"])  # fmt: skip


def _my(kind: str, literals: st.SearchStrategy[str], ordinary: str, says: Says = str, select: str = "{}") -> Kind:
    return Kind(kind, literals.map(escaped), escaped(ordinary), says, select=select)


def _whole(kind: str, bits: int) -> Iterator[Kind]:
    yield _my(kind, st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1).map(str), "1", int)
    yield _my(f"{kind} unsigned", st.integers(0, 2**bits - 1).map(str), "1", int)


def _bits(width: int) -> Kind:
    numbers = st.integers(0, 2**width - 1)
    return Kind(f"bit({width})", numbers.map(lambda number: f"b'{number:b}'"), "b'1'", int, select="{} + 0")


def _blob(kind: str, length: int) -> Kind:
    data = st.binary(max_size=length).map(lambda data: f"x'{data.hex()}'")
    return Kind(kind, data, "x'00ff'", bytes.fromhex, select="hex({})")


MARIADB_KINDS: tuple[Kind, ...] = (
    *_whole("tinyint", 8), *_whole("smallint", 16), *_whole("mediumint", 24), *_whole("int", 32),
    *_whole("bigint", 64),
    _my("bool", st.integers(0, 1).map(str), "1", int),
    _my("int(9) unsigned zerofill", st.integers(0, 2**32 - 1).map(str), "1", int),
    _my("decimal(65,30)", st.decimals(-(10**34), 10**34, places=30).map("{:f}".format), "1.5", Decimal),
    _my("decimal(10,2) unsigned", st.decimals(0, 10**7, places=2).map(str), "1.50", Decimal),
    _my("double", st.floats(allow_nan=False, allow_infinity=False).map(repr), "0.1", float),
    _my("double unsigned", st.floats(0, allow_nan=False, allow_infinity=False).map(repr), "0.1", float),
    _my("float", st.floats(width=32, allow_nan=False, allow_infinity=False).map(repr), "0.1", _single, "{} * 1e0"),
    _my("date", DATES_MY, "2027-01-31", _or_text(date.fromisoformat)),
    _my("datetime(6)", STAMPS_MY, "2027-01-31", _or_text(datetime.fromisoformat)),
    _my("datetime", STAMPS_MY, "2027-01-31", _or_text(datetime.fromisoformat)),
    _my("timestamp(6) null", st.datetimes(datetime(1971, 1, 1), datetime(2037, 12, 31)).map(str)
        | st.just("0000-00-00 00:00:00"), "2027-01-31", _or_text(datetime.fromisoformat)),
    _my("time(6)", CLOCK_MY, "12:00", _or_text(_my_time)),
    _my("time", CLOCK_MY, "12:00", _or_text(_my_time)),
    _my("year", st.integers(1901, 2155).map(str) | st.just("0000"), "2027", int),
    _bits(1), _bits(3), _bits(64),
    _my("char(20)", HOSTILE, "Orion"),
    _my("varchar(20)", HOSTILE, "Orion"),
    _my("varchar(20) character set latin1", HOSTILE, "Orion"),
    _my("varchar(20) collate utf8mb4_bin", HOSTILE, "Orion"),
    _my("text", HOSTILE, "Orion"), _my("longtext", HOSTILE, "Orion"),
    _blob("binary(8)", 8), _blob("varbinary(8)", 8), _blob("blob", 8), _blob("longblob", 8),
    _my("enum('a','it''s','','x y')", st.sampled_from(["a", "it's", "", "x y", "none of them"]), "a"),
    _my("set('a','b','c d')", st.lists(st.sampled_from(["a", "b", "c d"]), max_size=3).map(",".join), "a,b", _set),
    _my("json", JSONS | HARD_JSONS, '{"a": 1}'),
    _my("inet6", st.ip_addresses(v=6).map(str), "::1"),
    _my("uuid", st.uuids().map(str), "00000000-0000-0000-0000-000000000005"),
)  # fmt: skip
