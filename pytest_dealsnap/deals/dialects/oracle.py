"""Oracle: every transaction begins with ``SET TRANSACTION READ ONLY``.

Not tested against a server: what is asked here follows the documentation.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from pytest_dealsnap.deals.dialects.base import Dialect

__all__ = ["Oracle"]

_IDENTITY = text(
    "SELECT SYS_CONTEXT('USERENV', 'DB_UNIQUE_NAME'), SYS_CONTEXT('USERENV', 'CON_NAME'), "
    "SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA') FROM dual"
)


class Oracle(Dialect):
    """A schema of an Oracle database; its transaction is one consistent snapshot, too."""

    names: ClassVar = ("oracle",)
    ddl_commits: ClassVar = True
    begin: ClassVar = ("SET TRANSACTION READ ONLY",)

    def unenforced(self, url: URL) -> str | None:
        return None

    def identity(self, connection: Connection) -> Hashable | None:
        return tuple(connection.execute(_IDENTITY).one())
