"""Adding entries to the ledger, as a person would write them, and leaving what stands there as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import Array, Float, Item, Trivia

from pytest_dealsnap.baseline.files import leads_nowhere, write_atomic
from pytest_dealsnap.baseline.journal import Changes
from pytest_dealsnap.baseline.ledger import LEDGER, parse_ledger
from pytest_dealsnap.errors import LedgerError
from pytest_dealsnap.text import printable
from pytest_dealsnap.toml_text import parse_toml

__all__ = ["add_entries", "entry_text", "ledger_bytes", "ledger_text", "twin"]

# More ids than that stand in lines of so many.
IDS_IN_A_LINE = 10
# Under which terms something is taken, and what for; the rest of an entry says what.
UTC_DAY = "the last day on which it counts, in UTC"
TERMS = ("made_for", "reason", "who", "ticket", "expires")


def entry_text(entry: Mapping[str, Any], *, comments: Sequence[str] = ()) -> str:
    """Return one entry as TOML, its keys in the given order, under *comments* for whoever reads it."""
    table = tomlkit.table()
    for comment in comments:
        table.add(tomlkit.comment(printable(comment)))
    for key, value in entry.items():
        if value is not None:
            table.add(key, _item(value).comment(UTC_DAY) if key == "expires" else _item(value))
    entries = tomlkit.aot()
    entries.append(table)
    document = tomlkit.document()
    document.add("accepted", entries)
    return tomlkit.dumps(document).strip() + "\n"


def _item(value: Any) -> Item:
    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        for key, inner in value.items():
            table.add(key, _item(inner))
        return table
    if isinstance(value, (list, tuple)):
        return _array(list(value))
    if isinstance(value, Decimal):
        # Digit for digit; a binary number need not hold them all.
        return Float(float(value), Trivia(), str(value) if value.is_finite() else str(float(value)))
    if isinstance(value, float):
        return tomlkit.float_(repr(value))
    if isinstance(value, date):
        return tomlkit.date(value.isoformat())
    item: Item = tomlkit.item(value)
    return item


def _array(values: Sequence[Any]) -> Array:
    array = tomlkit.array()
    if len(values) <= IDS_IN_A_LINE:
        array.extend(map(_item, values))
        return array
    for start in range(0, len(values), IDS_IN_A_LINE):
        array.add_line(*map(_item, values[start : start + IDS_IN_A_LINE]), indent="  ")
    array.add_line(indent="")
    return array


def ledger_bytes(snapshots: Path) -> bytes | None:
    """Return the ledger's file as it is, ``None`` where there is none."""
    try:
        return (snapshots / LEDGER).read_bytes()
    except FileNotFoundError:
        if leads_nowhere(snapshots / LEDGER):
            raise LedgerError(f"{snapshots / LEDGER} cannot be read: it is a link to nothing") from None
        return None
    except OSError as error:
        raise LedgerError(f"{snapshots / LEDGER} cannot be read: {error.strerror or error}") from None


def ledger_text(snapshots: Path) -> str:
    """Return the ledger's text, empty where there is none; raises :class:`LedgerError` for what is no text."""
    try:
        return (ledger_bytes(snapshots) or b"").decode("utf-8")
    except UnicodeDecodeError as error:
        raise LedgerError(f"{snapshots / LEDGER} cannot be read: {error}") from None


def twin(ledger: str, entry: str, *, today: date) -> int | None:
    """Return the number of the live entry in the text *ledger* that takes just what *entry* takes, if there is one."""
    [new] = _tables(entry)
    for number, table in enumerate(_tables(ledger), start=1):
        expires = table.get("expires")
        live = type(expires) is not date or expires >= today
        if live and _what(table) == _what(new):
            return number
    return None


def _tables(text: str) -> list[dict[str, Any]]:
    try:
        tables = parse_toml(text, parse_float=Decimal).get("accepted", [])
    except ValueError:
        return []  # told by whoever parses the ledger
    return [table for table in tables if isinstance(table, dict)] if isinstance(tables, list) else []


def _what(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key not in TERMS}


def add_entries(
    snapshots: Path,
    texts: Sequence[str],
    *,
    today: date,
    types: Sequence[str],
    files: Mapping[str, bytes] | None = None,
    changes: Changes | None = None,
) -> bytes:
    """Add the entries *texts* at the end of the ledger, whole or not at all, and return the file's new bytes.

    The *files* that they name, relative to the folder, are written before: a ledger never names one that is not there.

    What stands in the file stays as it is, to the byte. Raises :class:`LedgerError` for a ledger that
    is bad already, and writes nothing then. With *changes*, the file is written with those.
    """
    path = snapshots / LEDGER
    staged = Changes() if changes is None else changes
    try:
        text = (staged.read(path) or b"").decode("utf-8")
    except UnicodeDecodeError as error:
        raise LedgerError(f"{path} cannot be read: {error}") from None
    newline = "\r\n" if "\r\n" in text else "\n"
    waiting = staged.below(snapshots)  # an entry that was added just before may name one of these
    parse_ledger(text, path, today=today, types=types, pending=waiting)
    added = "\n".join(texts).replace("\n", newline)
    gap = "" if not text else newline if text.endswith("\n") else 2 * newline
    whole = f"{text}{gap}{added}"
    parse_ledger(whole, path, today=today, types=types, pending={**waiting, **(files or {})})
    data = whole.encode()
    for name, content in (files or {}).items():
        staged.write(snapshots / name, content)
        if changes is None:
            write_atomic(str(snapshots / name), content)
    staged.write(path, data)
    if changes is None:
        write_atomic(str(path), data)
    return data
