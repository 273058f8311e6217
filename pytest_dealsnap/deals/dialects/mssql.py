"""SQL Server: it has no read-only transactions, so that a read is only as safe as its login.

Not tested against a server: what is asked here follows the documentation.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from pytest_dealsnap.deals.dialects.base import Dialect

__all__ = ["SQLServer"]

_IDENTITY = text(
    "SELECT CAST(SERVERPROPERTY('ServerName') AS nvarchar(256)), DB_ID(), "
    "(SELECT CONVERT(varchar(33), create_date, 126) FROM sys.databases WHERE database_id = DB_ID())"
)


class SQLServer(Dialect):
    """A database of SQL Server."""

    names: ClassVar = ("mssql",)
    sqlglot: ClassVar = "tsql"

    def unenforced(self, url: URL) -> str | None:
        return (
            "SQL Server has no read-only transactions, and ApplicationIntent=ReadOnly only chooses a replica: "
            "the primary still takes writes. Let the login have db_datareader alone"
        )

    def identity(self, connection: Connection) -> Hashable | None:
        return tuple(connection.execute(_IDENTITY).one())
