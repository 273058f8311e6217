"""Keeps a step of the rehearsal away from the original database.

An application that does not read the variable that ``rehearsal.database_env`` names would migrate, or
reason over, the original: in silence. ``python`` processes that the rehearsal starts refuse to open
it instead. Where :data:`ORIGINAL` is set, importing ``pytest_dealsnap.rehearsal.guarded`` puts this up.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sqlalchemy import Engine, event
from sqlalchemy.engine import URL, make_url

__all__ = ["ORIGINAL", "OriginalDatabaseError", "guard_original"]

ORIGINAL = "_DEALSNAP_REHEARSAL_ORIGINAL"
_LOCAL = ("", "localhost", "127.0.0.1", "::1")


class OriginalDatabaseError(RuntimeError):
    """A step of the rehearsal asked for the original database."""

    def __init__(self) -> None:
        super().__init__(
            "dealsnap refused to open the original database in a rehearsal, which works on a scratch copy: the "
            "application does not read its database from the variable that rehearsal.database_env names"
        )


def guard_original(text: str) -> None:
    """Refuse, from now on in this process, every connection to the database at *text*."""
    original = make_url(text)
    if original.get_backend_name() == "sqlite":
        path = os.path.realpath(original.database or "")
        sys.addaudithook(lambda name, args: _refuse_file(name, args, path))
        return

    @event.listens_for(Engine, "do_connect")
    def refuse(dialect: Any, record: Any, arguments: list[Any], parameters: dict[str, Any]) -> None:
        if _is_same(parameters, original):
            raise OriginalDatabaseError


def _refuse_file(name: str, args: tuple[Any, ...], path: str) -> None:
    if name == "sqlite3.connect" and _file_of(args[0]) == path:
        raise OriginalDatabaseError


def _file_of(database: Any) -> str:
    text = os.fsdecode(database) if isinstance(database, (str, bytes, os.PathLike)) else ""
    if text.startswith("file:"):
        text = unquote(text.removeprefix("file:").partition("?")[0])
        if text.startswith("//"):
            text = "/" + text.lstrip("/").partition("/")[2] if not text.startswith("///") else text[2:]
    return os.path.realpath(Path(text)) if text else ""


def _is_same(parameters: dict[str, Any], original: URL) -> bool:
    database = parameters.get("dbname", parameters.get("database"))
    host = str(parameters.get("host") or "")
    other = str(original.host or original.query.get("host") or "")
    same_host = host == other or (host in _LOCAL and other in _LOCAL)
    port = int(original.port or 0)
    return database == original.database and same_host and int(parameters.get("port") or 0) in (port, 0)
