"""A copy of a SQLite database by its online backup: consistent also while others write, WAL included."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import URL

from pytest_dealsnap.deals.dialects.sqlite import sqlite_file
from pytest_dealsnap.errors import SourceError
from pytest_dealsnap.rehearsal.owners import mark

__all__ = ["copy_sqlite", "drop_sqlite", "new_file"]

PAGES_AT_A_TIME = 4_096  # so that Ctrl-C is answered while a large file is copied
SECONDS_FOR_A_LOCK = 60
WAL_MODE = b"\x02\x02"  # file format of a database in write-ahead mode, bytes 18 and 19


def new_file() -> Path:
    """Return the path of a database to be, in a temporary folder of its own that only this user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="dealsnap-scratch-"))
    mark(folder)
    return folder / "scratch.db"


def copy_sqlite(source: URL, target: Path, *, folder: Path, place: str) -> None:
    """Copy the file that *source* names to *target*; the source is opened read-only.

    Raises :class:`SourceError` where it cannot be read as a SQLite database.
    """
    path = sqlite_file(source, folder, place)
    try:
        if not _copied_at_rest(path, target):
            _backup(f"file:{quote(str(path))}?mode=ro", target)
    except (sqlite3.Error, OSError) as error:
        raise SourceError(f"{place}: {source.database} cannot be copied: {error}") from error


def _copied_at_rest(path: Path, target: Path) -> bool:
    """Whether a WAL database that nobody has open could be copied, without the files that opening it would leave."""
    wal = path.with_name(path.name + "-wal")
    with path.open("rb") as file:
        header = file.read(20)
    if header[18:20] != WAL_MODE or wal.exists():
        return False
    before = path.stat()
    _backup(f"file:{quote(str(path))}?immutable=1", target)
    after = path.stat()
    return not wal.exists() and (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size)


def _backup(uri: str, target: Path) -> None:
    with (
        closing(sqlite3.connect(uri, uri=True, timeout=SECONDS_FOR_A_LOCK)) as original,
        closing(sqlite3.connect(target)) as copy,
    ):
        original.execute("BEGIN")
        original.execute("SELECT count(*) FROM sqlite_master").fetchone()  # now the state to be copied is fixed
        original.backup(copy, pages=PAGES_AT_A_TIME)


def drop_sqlite(target: Path) -> str | None:
    """Remove *target* with its folder, and what a migration put beside it; return why that failed, if it did."""
    try:
        shutil.rmtree(target.parent)
    except OSError as error:
        return f"{type(error).__name__}: {error.strerror}"
    return None
