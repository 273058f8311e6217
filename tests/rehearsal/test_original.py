"""The original is only read, and that is proved: by its bytes, or row by row."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from pytest_dealsnap.rehearsal.original import Original
from pytest_dealsnap.rehearsal.states import State
from pytest_dealsnap.rehearsal.timeline import Entry
from tests.rehearsal.sample_project import Firm, run_statements

CHANGE = "UPDATE engagements SET fee = 7 WHERE ref = 'E-01'"


def looked_at(firm: Firm, between: Callable[[], object], *, own_copy: bool = False) -> Entry:
    """Return what is told of the original after something happened to it."""
    config, entry = firm.config(), Entry("original", "the original database")
    original = Original.look(config, Path(mkdtemp(dir=firm.folder)) / "before.rows" if own_copy else None)
    start = State.take(firm.url, config.deals, firm.folder / f"{uuid4()}.rows")
    between()
    original.check(entry, None if own_copy else start, Path(mkdtemp(dir=firm.folder)))
    return entry


def test_an_untouched_file_is_proved_by_its_checksum(tmp_path: Path) -> None:
    """The whole checksum is in the phase's lines."""
    entry = looked_at(Firm.found(tmp_path), lambda: None)
    assert entry.problems == []
    assert entry.headline.startswith("unchanged to the byte, SHA-256 ")
    [line] = entry.lines
    assert len(line.rpartition(" ")[2]) == 64


def test_changed_rows_of_the_original_are_never_passed_over(tmp_path: Path) -> None:
    """A command that went round the copy may leave the schema as it was."""
    firm = Firm.found(tmp_path)
    [problem] = looked_at(firm, lambda: run_statements(firm.url, CHANGE, "DELETE FROM notes WHERE id = 1")).problems
    assert (problem.code, problem.weight) == ("original_changed", "unfinished")
    assert problem.evidence == ("engagements.fee: other values in 1 row", "notes: 1 row gone")
    assert "FIRM_DB" in problem.advice


def test_a_changed_schema_of_the_original_is_corruption(tmp_path: Path) -> None:
    """The upgrade went to the original, which is told with what it did there."""
    firm = Firm.found(tmp_path)
    statements = ("ALTER TABLE notes ADD COLUMN more TEXT", "UPDATE alembic_version SET version_num = 'r2'")
    [problem] = looked_at(firm, lambda: run_statements(firm.url, *statements)).problems
    assert problem.weight == "corrupts"
    assert problem.evidence == ("notes: column more is new", "revision r1 → r2")


def test_other_bytes_of_the_same_rows_are_no_change(tmp_path: Path) -> None:
    """A file that was tidied up, or whose write-ahead log was taken in, holds what it held."""
    firm = Firm.found(tmp_path)

    def tidy() -> None:
        with closing(sqlite3.connect(tmp_path / "firm.db")) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("VACUUM")

    entry = looked_at(firm, tidy)
    assert entry.problems == []
    assert entry.headline == "14 rows and the schema are what they were"


def test_beside_a_copy_of_the_users_own_the_originals_rows_are_compared(tmp_path: Path) -> None:
    """The copy may have been made a week ago: the original is held against itself."""
    firm = Firm.found(tmp_path)
    [problem] = looked_at(firm, lambda: run_statements(firm.url, CHANGE), own_copy=True).problems
    assert problem.evidence == ("engagements.fee: other values in 1 row",)


MARIADB = (
    "CREATE TABLE engagements (ref VARCHAR(10) PRIMARY KEY, fee DECIMAL(10, 2), at DATETIME)",
    "INSERT INTO engagements SELECT CONCAT('E-', seq), seq, '2026-01-01' FROM seq_1_to_2500",
    "CREATE TABLE notes (body TEXT)",
    "INSERT INTO notes VALUES ('same'), ('same'), (NULL)",
)


@pytest.mark.parametrize("change", [None, "UPDATE engagements SET fee = 7 WHERE ref = 'E-2400'"])
def test_the_originals_rows_are_compared_on_mariadb(mariadb: str, tmp_path: Path, change: str | None) -> None:
    """In windows, not skipped: also a table without a key, of which equal rows are counted."""
    run_statements(mariadb, *MARIADB)
    config = replace(Firm.found(tmp_path).config(), database=mariadb)
    original, entry = Original.look(config, tmp_path / "before.rows"), Entry("original", "the original database")
    if change is not None:
        run_statements(mariadb, change, "DELETE FROM notes WHERE body = 'same' LIMIT 1")
    original.check(entry, None, tmp_path)
    if change is None:
        assert entry.headline == "2,503 rows and the schema are what they were"
        assert entry.problems == []
    else:
        [problem] = entry.problems
        assert problem.evidence == ("engagements.fee: other values in 1 row", "notes: 1 row gone")
        assert problem.weight == "unfinished"


def test_an_original_that_is_gone_is_no_proof(tmp_path: Path) -> None:
    """Said, not passed as unchanged."""
    entry = looked_at(Firm.found(tmp_path), (tmp_path / "firm.db").unlink)
    assert entry.headline == "could not be looked at again"


def test_a_servers_rows_are_held_against_the_copy(tmp_path: Path, postgresql: str) -> None:
    """Where others are connected they may well have written, so that it is a note."""
    firm = Firm.found(tmp_path, postgresql)
    assert looked_at(firm, lambda: None).headline == "14 rows and the schema are what they were"
    engine = create_engine(postgresql, poolclass=NullPool)
    with engine.connect():
        [problem] = looked_at(firm, lambda: run_statements(postgresql, CHANGE)).problems
    engine.dispose()
    assert problem.weight == "note"
    assert problem.evidence == ("engagements.fee: other values in 1 row",)
