"""What every database offers dealsnap; by itself, the answer for a database of which nothing is known."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from sqlalchemy import ColumnElement, Connection, Inspector, Table, cast
from sqlalchemy import Dialect as SQLAlchemyDialect
from sqlalchemy.engine import URL
from sqlalchemy.types import LargeBinary, TypeEngine

from pytest_dealsnap.deals.dialects.postgresql_values import prepare_driver, unprepared

__all__ = ["Dialect"]


class Dialect:
    """A kind of database.

    ``names`` are SQLAlchemy's names of it. ``begin`` are the statements that make the transaction read-only
    which has just begun: they hold for that transaction alone, because a pooler hands the session to others.
    ``reads`` are the first words of the statements that are sent at all, where the transaction refuses too little.
    ``freezing`` says who fixes the state of a run: one transaction whose snapshot others join (``shared``), or that of
    the questions themselves (``own``). ``is_not_true`` says that ``x IS NOT TRUE`` is SQL, ``deferring`` is the
    statement that has foreign keys checked at the end of the transaction. ``sqlglot`` is SQLGlot's name of its SQL.
    ``django_engines`` are the last parts of Django's names of it, ``django_drivers`` the modules that Django uses, each
    with SQLAlchemy's name of that driver.

    Of a rehearsal: ``copying`` says by what a scratch copy is made: ``backup`` of a file, a ``database`` of the same
    server, or a ``dump``. ``ddl_commits`` says that each change of the schema commits what was done before it.
    ``folds_case`` says that ``Deals`` and ``deals`` are one table. ``locks`` asks for the locks that are held, as
    rows of process, schema, relation and mode, but for the sessions whose name is like ``:ours``; ``lock_modes`` are
    those that are reported, the strongest last. ``waits`` asks for the sessions that wait for a lock, as rows of
    process, statement and what is waited for; ``failed`` for statements of sessions whose transaction has failed, but
    for the sessions whose name is like ``:ours``. ``giving_up`` are the statements by which a transaction waits for a
    lock only briefly. ``triggers`` asks for the names of triggers, ``others`` for the number of other clients.
    """

    names: ClassVar[tuple[str, ...]] = ()
    begin: ClassVar[tuple[str, ...]] = ()
    reads: ClassVar[tuple[str, ...]] = ()
    confirms: ClassVar[bool] = False
    freezing: ClassVar[Literal["shared", "own", ""]] = ""
    after_question: ClassVar[tuple[str, ...]] = ()
    is_not_true: ClassVar[bool] = False
    deferring: ClassVar[str] = ""
    sqlglot: ClassVar[str] = ""
    django_engines: ClassVar[tuple[str, ...]] = ()
    django_drivers: ClassVar[Mapping[str, str]] = {}
    is_file: ClassVar[bool] = False
    default_port: ClassVar[int | None] = None
    copying: ClassVar[Literal["backup", "database", "dump", ""]] = ""
    ddl_commits: ClassVar[bool] = False
    folds_case: ClassVar[bool] = False
    locks: ClassVar[str] = ""
    lock_modes: ClassVar[tuple[str, ...]] = ()
    waits: ClassVar[str] = ""
    failed: ClassVar[str] = ""
    giving_up: ClassVar[tuple[str, ...]] = ()
    triggers: ClassVar[str] = ""
    others: ClassVar[str] = ""

    def unenforced(self, url: URL) -> str | None:
        """Return why the database cannot be kept from writing to *url*; ``None`` where it can be."""
        return f"dealsnap knows no way to make {url.get_backend_name()} refuse a write"

    def read_only(self, url: URL, folder: Path, place: str) -> tuple[URL, Mapping[str, Any]]:
        """Return the URL to open, and the driver's arguments, so that nothing can be written.

        A relative path is relative to *folder*. Raises ``SourceError`` naming *place* where there is no file.
        """
        return url, {}

    def arguments(self, url: URL, application: str) -> dict[str, Any]:
        """Return the driver's arguments for a connection that may write, named *application* where the server shows it.

        It prepares no statement: an unknown database may be reached by PostgreSQL's drivers, and through a pooler.
        """
        return unprepared(url)

    def tool_variables(self, url: URL, values: Mapping[str, str]) -> dict[str, str]:
        """Return what the database's own tools read of *url* from the environment; *values* are its placeholders."""
        return {}

    def on_connect(self, driver_connection: Any) -> None:
        """Prepare a connection that nobody shares; a connection to a server stays as it is."""

    def file_of(self, url: URL, folder: Path) -> Path | None:
        """Return the file that *url* names; ``None`` for a server."""
        return None

    def checked_files(self, url: URL, folder: Path, place: str) -> tuple[Path, ...]:
        """Return the files whose bytes prove that the database is what it was; none where only its rows can.

        Raises ``SourceError`` naming *place* where there is no file.
        """
        return ()

    def path_in(self, url: URL) -> str:
        """Return the path of a file as *url* writes it; ``""`` for a server, a URI, and what is no file."""
        return ""

    def absolute(self, url: URL, folder: Path) -> URL:
        """Return *url* with the path of its file, where it names one, made absolute; it is relative to *folder*."""
        path = self.path_in(url)
        return url.set(database=str((folder / path).absolute())) if path else url

    def in_memory(self, url: URL) -> bool:
        """Whether *url* names a database that is nowhere but in the memory of the process that opens it."""
        return False

    def advice(self, error: Exception, url: URL, folder: Path) -> str:
        """Return what to do about a driver's *error* at *url*, as sentences that follow its text; ``""`` for nothing.

        A relative path is relative to *folder*.
        """
        return ""

    def identity(self, connection: Connection) -> Hashable | None:
        """Return what the server says of which database this is; ``None`` where it says nothing of use.

        Two connections to one database get equal values, by whichever host name, port, socket or pooler.
        """
        return None

    def may_be_same(self, one: Hashable, other: Hashable) -> bool:
        """Whether two identities may be of one database; they surely are where nothing ``confirms`` it."""
        return one == other

    def confirm(self, first: Connection, second: Connection) -> bool:
        """Whether two open connections lead to one server, which is asked where ``confirms`` says so."""
        return True

    def pooled(self, connection: Connection) -> bool:
        """Whether a pooler stands before the server, whose sessions it hands from client to client."""
        return False

    def changes(self, connection: Connection) -> int | None:
        """Return a number that is another one once anybody else has changed the database; ``None`` for none.

        Numbers of one connection can be compared, outside of a state that is held.
        """
        return None

    def seconds_to_freeze(self, connection: Connection, seconds: float) -> float:
        """Return how many of *seconds* a transaction may stay open and hamper nobody; 0 where it may not."""
        return seconds

    def lock_question(self, connection: Connection) -> str:
        """Return the statement that asks for the locks, of those that the server behind *connection* can answer."""
        return self.locks

    def wait_question(self, connection: Connection) -> str:
        """Return the statement that asks who waits for a lock, as far as the user of *connection* may ask."""
        return self.waits

    def hold(self, connection: Connection) -> None:
        """Fix the state that *connection*'s transaction sees, where ``freezing`` is ``own``.

        ``after_question`` gives back the locks of a question, and keeps the state.
        """

    def export(self, connection: Connection) -> str:
        """Fix the state that *connection*'s transaction sees, and return its name, where it is ``shared``."""
        raise NotImplementedError

    def join(self, connection: Connection, shared: str) -> None:
        """Let *connection*'s transaction, which has just begun, see the state named *shared*."""

    def prepare_values(self, driver_connection: Any, driver: str, loads: Callable[[Any], Any]) -> None:
        """Have a connection of *driver*, as SQLAlchemy names it, read values exactly, and JSON by *loads*.

        An unknown database may be read by one of PostgreSQL's drivers, as CockroachDB is.
        """
        prepare_driver(driver_connection, driver, loads)

    def changes_values(self, column_type: TypeEngine[Any], dialect: SQLAlchemyDialect) -> bool:
        """Whether a column of that declared type may hold a value that reading it by its type would change."""
        return False

    def exact_column(self, column: ColumnElement[Any], dialect: SQLAlchemyDialect) -> ColumnElement[Any]:
        """Return *column*, to be read as its type says, and as it is stored where its type would change the value."""
        return column

    def text_bytes(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return a text *column* as the bytes that the database holds."""
        return cast(column, LargeBinary)

    def other_schemas(self, inspector: Inspector) -> list[str]:
        """Return the user's schemas beside the default one, where a table is looked for too."""
        return []

    def view_names(self, inspector: Inspector, schema: str | None) -> Collection[str]:
        """Return the names of the views of *schema*, materialized ones among them."""
        return inspector.get_view_names(schema=schema)

    def nulls_alike(self, constraint: Any) -> bool:
        """Whether an SQLAlchemy unique *constraint*, or index, takes two NULLs for equal."""
        return False

    def domain_of(self, column_type: TypeEngine[Any]) -> Any | None:
        """Return *column_type* where it is a domain, with a ``check`` and whether it is ``not_null``."""
        return None

    def with_given_identities(self, statement: str) -> str:
        """Return an INSERT that gives columns which are always generated the values that it says."""
        return statement

    def move_sequence_on(self, connection: Connection, table: Table, numbers: Iterable[Any]) -> None:
        """Let the next row of the application's have a number after all of *numbers*, which made-up rows have."""
