"""What every database offers dealsnap; by itself, the answer for a database of which nothing is known."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from sqlalchemy import Connection
from sqlalchemy.engine import URL

__all__ = ["Dialect"]


class Dialect:
    """A kind of database.

    ``names`` are SQLAlchemy's names of it. ``begin`` are the statements that make the transaction read-only
    which has just begun: they hold for that transaction alone, because a pooler hands the session to others.
    ``reads`` are the first words of the statements that are sent at all, where the transaction refuses too little.
    """

    names: ClassVar[tuple[str, ...]] = ()
    begin: ClassVar[tuple[str, ...]] = ()
    reads: ClassVar[tuple[str, ...]] = ()
    confirms: ClassVar[bool] = False
    freezing: ClassVar[Literal["shared", "own", ""]] = ""
    after_question: ClassVar[tuple[str, ...]] = ()

    def unenforced(self, url: URL) -> str | None:
        """Return why the database cannot be kept from writing to *url*; ``None`` where it can be."""
        return f"dealsnap knows no way to make {url.get_backend_name()} refuse a write"

    def read_only(self, url: URL, folder: Path, place: str) -> tuple[URL, Mapping[str, Any]]:
        """Return the URL to open, and the driver's arguments, so that nothing can be written.

        A relative path is relative to *folder*. Raises ``SourceError`` naming *place* where there is no file.
        """
        return url, {}

    def on_connect(self, driver_connection: Any) -> None:
        """Prepare a connection that nobody shares; a connection to a server stays as it is."""

    def file_of(self, url: URL, folder: Path) -> Path | None:
        """Return the file that *url* names; ``None`` for a server."""
        return None

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

    def hold(self, connection: Connection) -> None:
        """Fix the state that *connection*'s transaction sees, where ``freezing`` is ``own``.

        ``after_question`` gives back the locks of a question, and keeps the state.
        """

    def export(self, connection: Connection) -> str:
        """Fix the state that *connection*'s transaction sees, and return its name, where it is ``shared``."""
        raise NotImplementedError

    def join(self, connection: Connection, shared: str) -> None:
        """Let *connection*'s transaction, which has just begun, see the state named *shared*."""
