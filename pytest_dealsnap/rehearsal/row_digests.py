"""Every row of a database as digests, column by column, so that two states can be held against each other.

Rows are streamed, and their digests kept in a file, so that the size of the database does not matter. A
value is digested by what it says, not by its Python type: 5, 5.0 and Decimal("5.00") are one.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, column, select, table

from pytest_dealsnap.deals.table_names import place_of
from pytest_dealsnap.rehearsal.schema import Schema

__all__ = ["RowChanges", "RowDigests", "TableChanges"]

ROWS_AT_A_TIME = 1_000
WIDTH = 8  # bytes of digest of one value
SHOWN = 5
# The n-th row of those that say the same, in a table without a key.
_NUMBERED = """
UPDATE row SET key = row.key || '#' || numbered.n FROM (
  SELECT rowid AS id, row_number() OVER (PARTITION BY key ORDER BY rowid) AS n FROM row WHERE tab = ?
) AS numbered WHERE row.rowid = numbered.id
"""
MOST_ZEROS = 400  # a float's whole number is written out like an int's, up to the largest float


@dataclass(frozen=True, slots=True)
class TableChanges:
    """What became of one table's rows; each list of keys holds the first few.

    ``changed`` maps a column to how many rows differ in it. ``copied`` counts the added rows that
    say the same as a row that was there. A table without a key is compared as a bag of rows.
    """

    name: str
    before: int
    after: int
    lost: int
    added: int
    copied: int
    changed: Mapping[str, int]
    lost_keys: tuple[str, ...] = ()
    added_keys: tuple[str, ...] = ()
    changed_keys: Mapping[str, tuple[str, ...]] | None = None
    gone_columns: tuple[str, ...] = ()
    gone: bool = False


@dataclass(frozen=True, slots=True)
class RowChanges:
    """What became of all rows: only tables where something did."""

    tables: tuple[TableChanges, ...]
    rows: int


class RowDigests:
    """The digests of one state of a database, in a file of their own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: dict[str, tuple[str, ...]] = {}
        self.keys: dict[str, tuple[str, ...]] = {}
        self.counts: dict[str, int] = {}

    @classmethod
    def take(
        cls, connection: Connection, schema: Schema, path: Path, keys: Mapping[str, tuple[str, ...]] | None = None
    ) -> RowDigests:
        """Digest every row of every table of *schema* into a new file at *path*.

        *keys* tell rows apart in place of the primary key, where a table (still) has their columns.
        """
        digests = cls(path)
        with sqlite3.connect(path, isolation_level=None) as store:
            store.execute("PRAGMA journal_mode = OFF")
            store.execute("PRAGMA synchronous = OFF")
            store.execute("BEGIN")
            store.execute("CREATE TABLE row (tab TEXT, key TEXT, body BLOB, digests BLOB)")
            for name, shape in schema.tables.items():
                own = (keys or {}).get(name)
                key = own if own is not None and set(own) <= shape.columns.keys() else shape.key
                digests.columns[name], digests.keys[name] = tuple(shape.columns), key
                rows = _rows(connection, name, tuple(shape.columns), key)
                store.executemany("INSERT INTO row VALUES (?, ?, ?, ?)", ((name, *row) for row in rows))
                if not key:
                    store.execute(_NUMBERED, (name,))
            store.execute("CREATE INDEX by_key ON row (tab, key)")
            store.execute("COMMIT")
            digests.counts = dict(store.execute("SELECT tab, count(*) FROM row GROUP BY tab").fetchall())
        store.close()
        return digests

    def compare(self, after: RowDigests) -> RowChanges:
        """Return what differs in *after*; new tables and new columns are no difference."""
        with sqlite3.connect(self.path) as store:
            store.execute("ATTACH ? AS later", (str(after.path),))
            tables = [_table_changes(store, self, after, name) for name in self.columns]
        store.close()
        return RowChanges(
            tuple(t for t in tables if t.lost or t.added or t.changed or t.gone_columns or t.gone),
            sum(self.counts.values()),
        )


def _rows(
    connection: Connection, name: str, columns: Sequence[str], key: Sequence[str]
) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield key, digest of the rest, and digests by column of every row; values as the driver gives them."""
    schema, bare = place_of(name)
    source = table(bare, *map(column, columns), schema=schema)  # untyped: nothing is converted on the way
    statement = select(*source.columns).execution_options(yield_per=ROWS_AT_A_TIME)
    positions = [columns.index(part) for part in key]
    rest = [position for position in range(len(columns)) if position not in positions]
    with connection.execute(statement) as rows:
        for row in rows:
            digests = [digest(value) for value in row]
            body = _of(digests[position] for position in rest)
            if positions:
                shown = json.dumps([said(row[position]) for position in positions], ensure_ascii=False)
            else:  # a bag, whose equal rows are numbered in the file
                shown = body.hex()
            yield shown, body, b"".join(digests)


def _of(parts: Iterable[bytes]) -> bytes:
    return blake2b(b"".join(parts), digest_size=WIDTH).digest()


def digest(value: Any) -> bytes:
    """Return the digest of what *value* says."""
    try:
        return _remembered(value)
    except TypeError:  # a value that cannot be looked up, such as a JSON column's
        return _digest(value)


def _digest(value: Any) -> bytes:
    return blake2b(said(value).encode("utf-8", "surrogatepass"), digest_size=WIDTH).digest()


# Most columns hold few different values; typed, because True is 1 to a dict and so is Decimal("1").
_remembered = lru_cache(maxsize=20_000, typed=True)(_digest)


def said(value: Any) -> str:
    """Return *value* as a text that equal values share, whatever type a driver gives them."""
    kind = type(value)
    if kind is str:
        return f"s{value}"
    if kind is int:
        return f"n{value}"
    if value is None:
        return "-"
    if isinstance(value, (int, float, Decimal)):
        return _number(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"b{bytes(value).hex()}"
    if isinstance(value, datetime):
        return f"s{value.isoformat(' ')}"
    if isinstance(value, (date, time)):
        return f"s{value.isoformat()}"
    if isinstance(value, timedelta):
        return f"t{value.total_seconds()}"
    if isinstance(value, (dict, list)):
        return f"j{json.dumps(value, sort_keys=True, default=str)}"
    return f"s{value}"


def _number(value: int | float | Decimal) -> str:
    number = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        return f"n{number}"
    sign, digits, exponent = number.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    stripped = text.rstrip("0")
    power = int(exponent) + len(text) - len(stripped)
    if not stripped:
        return "n0"
    minus = "-" if sign else ""
    return f"n{minus}{stripped}{'0' * power}" if 0 <= power < MOST_ZEROS else f"n{minus}{stripped}E{power}"


def _table_changes(store: sqlite3.Connection, before: RowDigests, after: RowDigests, name: str) -> TableChanges:
    counts = (before.counts.get(name, 0), after.counts.get(name, 0))
    if name not in after.columns:
        return TableChanges(name, counts[0], 0, counts[0], 0, 0, {}, gone=True)
    gone = tuple(c for c in before.columns[name] if c not in after.columns[name])
    if before.keys[name] != after.keys[name] or (gone and not before.keys[name]):
        # Rows cannot be told apart any more by the old key: what is left to compare is their number.
        fewer, more = max(counts[0] - counts[1], 0), max(counts[1] - counts[0], 0)
        return TableChanges(name, *counts, fewer, more, 0, {}, gone_columns=gone)
    shown = SHOWN if before.keys[name] else 0  # a bag's rows have no names
    lost = _only_in(store, "main", "later", name, shown)
    added = _only_in(store, "later", "main", name, shown)
    copied = _copied(store, name) if added[0] and before.keys[name] else 0
    twice = max(_shared(store, "later", name) - _shared(store, "main", name), 0)  # where no key forbids it
    if not before.keys[name]:
        return TableChanges(name, *counts, lost[0], added[0], added[0], {}, gone_columns=gone)
    changed, keys = _changed(store, before.columns[name], after.columns[name], name)
    extra = (added[0] + twice, copied + twice)
    return TableChanges(name, *counts, lost[0], *extra, changed, lost[1], added[1], keys, gone)


def _copied(store: sqlite3.Connection, name: str) -> int:
    """Return how many added rows say the same as a row that was there."""
    store.execute("CREATE INDEX IF NOT EXISTS main.by_body ON row (tab, body)")
    question = (
        "SELECT count(*) FROM later.row AS n WHERE tab = ? "
        "AND NOT EXISTS (SELECT 1 FROM main.row AS o WHERE o.tab = n.tab AND o.key = n.key) "
        "AND EXISTS (SELECT 1 FROM main.row AS o WHERE o.tab = n.tab AND o.body = n.body)"
    )
    count: int = store.execute(question, (name,)).fetchone()[0]
    return count


def _shared(store: sqlite3.Connection, state: str, name: str) -> int:
    question = f"SELECT count(*) - count(DISTINCT key) FROM {state}.row WHERE tab = ?"  # noqa: S608  # the name is ours
    count: int = store.execute(question, (name,)).fetchone()[0]
    return count


def _only_in(store: sqlite3.Connection, here: str, there: str, name: str, shown: int) -> tuple[int, tuple[str, ...]]:
    """Return how many rows of *here* the other state has not, and the keys of the first of them."""
    question = (
        f"FROM {here}.row AS r WHERE tab = ? AND NOT EXISTS "  # noqa: S608  # the two names are ours
        f"(SELECT 1 FROM {there}.row AS o WHERE o.tab = r.tab AND o.key = r.key)"
    )
    count = store.execute(f"SELECT count(*) {question}", (name,)).fetchone()[0]
    first = store.execute(f"SELECT key {question} LIMIT {shown}", (name,)).fetchall() if count else []
    return count, tuple(show_key(key) for (key,) in first)


def _changed(
    store: sqlite3.Connection, before: Sequence[str], after: Sequence[str], name: str
) -> tuple[dict[str, int], dict[str, tuple[str, ...]]]:
    question = (
        "SELECT o.key, o.digests, n.digests FROM main.row AS o JOIN later.row AS n ON n.tab = o.tab AND n.key = o.key "
        "WHERE o.tab = ? AND o.digests <> n.digests"
    )
    places = [(c, before.index(c) * WIDTH, after.index(c) * WIDTH) for c in before if c in after]
    counts: dict[str, int] = {}
    keys: dict[str, tuple[str, ...]] = {}
    for key, old, new in store.execute(question, (name,)):
        for name_of, here, there in places:
            if old[here : here + WIDTH] != new[there : there + WIDTH]:
                counts[name_of] = counts.get(name_of, 0) + 1
                if len(keys.get(name_of, ())) < SHOWN:
                    keys[name_of] = (*keys.get(name_of, ()), show_key(key))
    return counts, keys


def show_key(key: str) -> str:
    """Return a row's key for a person: ``12``, or ``(12, 'a')``."""
    parts = [part[1:] for part in json.loads(key)]
    return parts[0] if len(parts) == 1 else f"({', '.join(parts)})"
