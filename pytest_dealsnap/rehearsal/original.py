"""The original database as it was when the rehearsal began, and the proof at its end that it was only read.

A SQLite file is proved by the checksum of its bytes. Where those differ, and on a server, every row is held
against the copy as that was before anything was done to it; or, where the user made the copy, against the
original's own rows of the beginning. Rows are streamed, and their digests kept in files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.database import open_read_only, parse_url
from pytest_dealsnap.deals.dialects import dialect_of
from pytest_dealsnap.errors import SourceError
from pytest_dealsnap.rehearsal.row_digests import RowChanges, RowDigests
from pytest_dealsnap.rehearsal.schema import Schema, read_schema
from pytest_dealsnap.rehearsal.states import State
from pytest_dealsnap.rehearsal.timeline import Entry
from pytest_dealsnap.text import plural, printable

__all__ = ["Original"]

T = TypeVar("T")
BYTES_AT_A_TIME = 1 << 20


@dataclass(frozen=True, slots=True)
class Original:
    """What the database was; ``schema`` is ``None`` where it cannot be read, ``checksum`` on a server.

    ``in_use`` says that somebody else is connected, as far as a server tells. ``rows`` are those of the
    beginning, where no copy of dealsnap's holds them and no pooler is in between.
    """

    config: Config
    schema: Schema | None
    checksum: str | None
    in_use: bool
    rows: RowDigests | None = None

    @classmethod
    def look(cls, config: Config, rows: Path | None = None) -> Original:
        """Look at the database of *config*, read-only; digest its rows into the file *rows*, where one is named."""

        def question(connection: Connection) -> tuple[Schema, bool, RowDigests | None]:
            schema = read_schema(connection)
            # Through a pooler the long transaction would keep one of its few sessions from the application.
            unread = rows is None or dialect_of(connection.dialect.name).pooled(connection)
            digests = None if unread or rows is None else RowDigests.take(connection, schema, rows)
            return schema, _in_use(connection), digests

        seen = _read(config, question)
        schema, in_use, digests = seen if seen is not None else (None, False, None)  # copying it says why
        return cls(config, schema, _checksum(config), in_use, digests)

    def check(self, entry: Entry, start: State | None, folder: Path) -> None:
        """Hold it against what it is now; *start* is the copy as it was made, where dealsnap made it.

        Digests of its rows go into *folder*.
        """
        now = Original.look(self.config)
        rows = self.rows if start is None else start.rows
        if self.schema is None or now.schema is None:
            entry.headline = "could not be looked at again"
            return
        lines = self.schema.differences(now.schema)
        if self.schema.revisions != now.schema.revisions:
            before, after = (", ".join(seen.revisions) or "none" for seen in (self.schema, now.schema))
            lines.append(f"revision {before} → {after}")
        if lines:
            self._tell_schema(entry, lines)
        elif self.checksum is not None and self.checksum == now.checksum:
            entry.headline = f"unchanged to the byte, SHA-256 {self.checksum[:16]}…"
            entry.lines.append(f"SHA-256 before and after: {self.checksum}")
        elif rows is None:
            entry.headline = "its schema is what it was; its rows were not compared"
        else:
            schema = self.schema if start is None else start.schema
            self._check_rows(entry, rows, schema, folder, in_use=self.in_use or now.in_use)

    def _tell_schema(self, entry: Entry, lines: list[str]) -> None:
        entry.find(
            "original_changed",
            "the ORIGINAL database's schema changed during the rehearsal",
            weight="corrupts",
            evidence=[printable(line) for line in lines],
            advice=f"make the upgrade read its database from {self.config.rehearsal.database_env}, which names the "
            "scratch copy; look at once at what happened to the original",
        )

    def _check_rows(self, entry: Entry, before: RowDigests, schema: Schema, folder: Path, *, in_use: bool) -> None:
        def question(connection: Connection) -> RowChanges:
            return before.compare(RowDigests.take(connection, schema, folder / "original.rows", before.keys))

        changes = _read(self.config, question)
        if changes is None:
            entry.headline = "could not be looked at again"
            return
        if not changes.tables:
            entry.headline = f"{plural(changes.rows, 'row')} and the schema are what they were"
            return
        env = self.config.rehearsal.database_env
        entry.find(
            "original_changed",
            "the ORIGINAL database's rows changed during the rehearsal: by "
            + ("whoever else is connected to it, or by a step" if in_use else "a step, or by somebody else"),
            weight="note" if in_use else "unfinished",
            evidence=_lines(changes),
            advice=f"make every command read its database from {env}, which names the scratch copy; if others "
            "write to the original, rehearse on a copy of it that nobody uses: --database URL",
        )


def _read(config: Config, question: Callable[[Connection], T]) -> T | None:
    """Return what *question* finds in the database, opened read-only; ``None`` where that cannot be done."""
    assert config.database is not None
    try:
        place = config.place("database")
        engine = open_read_only(config.database, folder=config.database_folder, place=place, trust=config.trust_source)
        try:
            with engine.connect() as connection:
                return question(connection)
        finally:
            engine.dispose()
    except (SourceError, SQLAlchemyError):
        return None


def _in_use(connection: Connection) -> bool:
    question = dialect_of(connection.dialect.name).others
    return bool(question) and bool(connection.scalar(text(question)))


def _checksum(config: Config) -> str | None:
    """Return the SHA-256 of the files that the database is; ``None`` for one that no file's bytes prove."""
    assert config.database is not None
    place = config.place("database")
    url = parse_url(config.database, place)
    digest = hashlib.sha256()
    try:
        files = dialect_of(url.get_backend_name()).checked_files(url, config.database_folder, place)
        for path in files:
            with path.open("rb") as file:
                while block := file.read(BYTES_AT_A_TIME):
                    digest.update(block)
    except (SourceError, OSError):
        return None
    return digest.hexdigest() if files else None


def _lines(changes: RowChanges) -> list[str]:
    lines = []
    for table in changes.tables:
        name = printable(table.name)
        if table.lost:
            lines.append(f"{name}: {plural(table.lost, 'row')} gone")
        if table.added:
            lines.append(f"{name}: {plural(table.added, 'row')} more")
        lines += [f"{name}.{printable(c)}: other values in {plural(n, 'row')}" for c, n in table.changed.items()]
    return lines
