"""Where the deals are kept: the running system's engine, and the embedded databases built for it.

A database is built in one of two states: `before` is the schema before the migration with its population,
`after` is that same database taken to the newest revision by the real migration.
"""

from __future__ import annotations

import functools
import io
import os
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TextIO

from sqlalchemy import Connection, Engine, Table, create_engine, func, insert, inspect, make_url, select
from sqlalchemy.pool import NullPool

from . import faults, population
from .faults import Fault
from .models import Base, Deal

State = Literal["before", "after"]

PACKAGE = Path(__file__).parent
VAR = PACKAGE / "var"
VARIABLE = "DATABASE_URL"
REVISION_BEFORE = "0001"

# Alembic keeps its context in module globals, so two threads must not migrate at once.
_migrating = threading.Lock()
_building = threading.Lock()


class DatabaseNotEmptyError(RuntimeError):
    """A population was asked for in a database that already holds deals."""


def url() -> str:
    """The running system's database: DATABASE_URL, else the embedded `after.db`, built if absent."""
    return os.environ.get(VARIABLE) or _sqlite_url(ensure("after", fault=_fault_of_databases()))


def web_url() -> str:
    """The web side's database: DATABASE_URL, else an embedded `web.db` of its own, where people may change deals."""
    if name := os.environ.get(VARIABLE):
        return name
    path = VAR / "web.db"
    with _building:
        if not path.exists():
            _build_file(path, "after", _fault_of_databases(), io.StringIO())
    return _sqlite_url(path)


def shown_url(database_url: str | None = None) -> str:
    """A URL, by default the running system's, without its password."""
    return make_url(database_url or url()).render_as_string(hide_password=True)


def engine() -> Engine:
    """The running system's engine, one for each URL."""
    return _engine(url())


def ensure(state: State, *, fault: str | None = None) -> Path:
    """The embedded SQLite database in that state, built if it is not there yet.

    Several processes may ask at once: each builds a temporary file and renames it when it is whole.
    """
    path = embedded_path(state, fault=fault)
    with _building:
        if not path.exists():
            _build_file(path, state, fault, io.StringIO())
    return path


def rebuild(state: State, *, fault: str | None = None, stdout: TextIO | None = None) -> Path:
    """The same, built anew in any case; what the migration says goes to `stdout`."""
    path = embedded_path(state, fault=fault)
    _build_file(path, state, fault, stdout or io.StringIO())
    return path


def embedded_path(state: State, *, fault: str | None = None) -> Path:
    """Where an embedded database lies; one whose migration had a fault is a file of its own."""
    suffix = f"-{_dropped_deal(fault)}" if fault and state == "after" else ""
    return VAR / f"{state}{suffix}.db"


def build(database_url: str, state: State, *, fault: str | None = None, stdout: TextIO | None = None) -> None:
    """Build a state in any database that holds no deals yet, else raise `DatabaseNotEmptyError`."""
    broken = {_dropped_deal(fault)} if fault else set()
    migrate(database_url, REVISION_BEFORE, stdout=stdout)
    with _short_lived_engine(database_url) as target, target.begin() as connection:
        _populate(connection)
    if state == "after":
        migrate(database_url, "head", broken=broken, stdout=stdout)


def fill_if_empty(database_url: str, stdout: TextIO | None = None) -> bool:
    """Build `after` in a database that has no deals table yet; whether it had none."""
    with _short_lived_engine(database_url) as candidate:
        if inspect(candidate).has_table(Deal.__tablename__):
            return False
    build(database_url, "after", fault=_fault_of_databases(), stdout=stdout)
    return True


def migrate(database_url: str, revision: str, *, broken: Iterable[Fault] = (), stdout: TextIO | None = None) -> None:
    """Take a database up to a revision, or down with `-1` or `base`."""
    from alembic import command  # what only reasons about deals starts twice as fast without
    from alembic.config import Config

    config = Config(PACKAGE / "alembic.ini", stdout=stdout or io.StringIO())
    config.attributes.update(url=database_url, broken=frozenset(broken))
    move = command.downgrade if revision == "base" or revision.startswith("-") else command.upgrade
    with _migrating:
        move(config, revision)


def _fault_of_databases() -> Fault | None:
    return Fault.DROPPED_DEAL if Fault.DROPPED_DEAL in faults.active() else None


def _dropped_deal(fault: str) -> Fault:
    if faults.parse_fault(fault) is not Fault.DROPPED_DEAL:
        raise ValueError(f"{fault!r} is a fault of the code; a database can only have {Fault.DROPPED_DEAL!r}")
    return Fault.DROPPED_DEAL


def _build_file(path: Path, state: State, fault: str | None, stdout: TextIO) -> None:
    path.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{path.stem}-", dir=path.parent) as folder:
        unfinished = Path(folder) / path.name
        build(_sqlite_url(unfinished), state, fault=fault, stdout=stdout)
        unfinished.replace(path)


def _populate(connection: Connection) -> None:
    if connection.scalar(select(func.count()).select_from(Deal)):
        raise DatabaseNotEmptyError(
            f"{connection.engine.url.render_as_string()} already holds deals; build into an empty database"
        )
    rows = population.generate()
    for name, table_rows in rows.items():
        connection.execute(insert(Base.metadata.tables[name]), table_rows)
        if connection.dialect.name == "postgresql":
            _move_sequence_on(connection, Base.metadata.tables[name])


def _move_sequence_on(connection: Connection, table: Table) -> None:
    sequence = func.pg_get_serial_sequence(table.name, "id")
    connection.execute(select(func.setval(sequence, select(func.max(table.c.id)).scalar_subquery())))


@functools.cache
def _engine(database_url: str) -> Engine:
    # A SQLite file may be replaced by a rebuilt one; a pool would go on reading the old.
    if make_url(database_url).get_backend_name() == "sqlite":
        return create_engine(database_url, poolclass=NullPool)
    return create_engine(database_url)


@contextmanager
def _short_lived_engine(database_url: str) -> Iterator[Engine]:
    target = create_engine(database_url, poolclass=NullPool)
    try:
        yield target
    finally:
        target.dispose()


def _sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"
