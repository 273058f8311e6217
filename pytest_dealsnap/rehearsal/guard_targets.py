"""Which database somebody asks for: the original, the scratch copy, or another one.

This module and :mod:`guard`, :mod:`guard_drivers` import the standard library only. A rehearsal copies them beside
its ``sitecustomize``, so that they also guard a Python of another virtual environment, from Python 3.9 on. So they
keep names of databases of their own, beside :mod:`pytest_dealsnap.deals.dialects`, which is not there.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote

__all__ = [
    "FILES",
    "IDENTITY",
    "Asked",
    "Target",
    "addresses_of",
    "ask_for",
    "file_of",
    "judge_identity",
    "mysql_target",
    "pg_target",
    "plain_address",
]

Asked = Literal["original", "copy", "other", "unknown"]
FILES = ("sqlite", "duckdb")
# What a server says of the database that a connection is in: two names of one database give the same text.
IDENTITY = {
    "postgresql": "SELECT (SELECT system_identifier FROM pg_control_system())::text || '/' || oid::text "
    "FROM pg_database WHERE datname = current_database()",
    "mysql": "SELECT CONCAT_WS('|', @@hostname, @@port, @@datadir, DATABASE())",
}
LOOPBACK = "loopback"


class Target(NamedTuple):
    """A database: ``kind`` is SQLAlchemy's backend name; ``host`` may be the folder or path of a Unix socket.

    ``database`` is a name, or the path of a file. ``identity`` is the server's answer to :data:`IDENTITY`.
    """

    kind: str
    host: str = ""
    port: int = 0
    database: str = ""
    identity: str | None = None


def ask_for(asked: Target, original: Target, copy: Target) -> Asked:
    """Return which database *asked* is by its address; ``unknown`` has to be asked of the server."""
    if asked.kind != original.kind:
        return "copy" if asked.kind == copy.kind and _same(asked, copy) else "other"
    if _same(asked, original):
        return "original"
    if asked.kind == copy.kind and _same(asked, copy):
        return "copy"
    return "other" if asked.kind in FILES else "unknown"


def judge_identity(seen: str | None, asked: Target, original: Target, copy: Target) -> Asked:
    """Return which database it is by the server's answer, or by its name where the server gave none."""
    if seen is None or original.identity is None:
        return "original" if asked.database == original.database else "other"
    if seen == original.identity:
        return "original"
    return "copy" if seen == copy.identity else "other"


def _same(one: Target, other: Target) -> bool:
    if one.kind in FILES:
        return _same_file(one.database, other.database)
    if one.database != other.database:
        return False
    sockets = [target.host == "" or target.host.startswith(("/", "@")) for target in (one, other)]
    if all(sockets):
        return one.port == other.port and os.path.realpath(one.host) == os.path.realpath(other.host)
    if any(sockets):
        return False
    return one.port == other.port and bool(addresses_of(one.host) & addresses_of(other.host))


def _same_file(one: str, other: str) -> bool:
    if not one or not other or ":memory:" in (one, other):
        return False
    if os.path.realpath(one) == os.path.realpath(other):
        return True
    try:
        return Path(one).samefile(other)  # a hard link
    except OSError:
        return False


def addresses_of(host: str) -> set[str]:
    """Return the addresses of every host in *host*, which may be libpq's list."""
    found = set()
    for name in host.lower().split(","):
        found.add(name)
        try:
            texts = {str(entry[4][0]) for entry in socket.getaddrinfo(name, None)}
        except OSError:
            texts = set()
        for text in texts:
            found.add(plain_address(text))
    return found


def plain_address(text: str) -> str:
    """Return one spelling of an IP address; every loopback is one."""
    address: Any = ipaddress.ip_address(text.partition("%")[0])
    address = getattr(address, "ipv4_mapped", None) or address
    return LOOPBACK if address.is_loopback else str(address)


def pg_target(given: Mapping[str, Any]) -> Target:
    """Return what libpq, and the drivers that follow it, make of parameters and environment."""
    env = os.environ
    host = given.get("hostaddr") or given.get("host") or env.get("PGHOSTADDR") or env.get("PGHOST") or ""
    if isinstance(host, (list, tuple)):
        host = ",".join(map(str, host))
    user = given.get("user") or env.get("PGUSER") or env.get("USER") or ""
    database = given.get("dbname") or given.get("database") or env.get("PGDATABASE") or user
    port = given.get("port") or env.get("PGPORT") or 5432
    if isinstance(port, (list, tuple)):
        port = port[0]
    return Target("postgresql", _text(host), _port(port, 5432), _text(database))


def mysql_target(given: Mapping[str, Any]) -> Target:
    """Return what MySQL's and MariaDB's drivers make of parameters and environment."""
    path = given.get("unix_socket")
    host = path or given.get("host") or "localhost"
    port = given.get("port") or os.environ.get("MYSQL_TCP_PORT") or 3306
    database = given.get("database") or given.get("db") or ""
    return Target("mysql", _text(host), 3306 if path else _port(port, 3306), _text(database))


def file_of(database: Any) -> str:
    """Return the path of a SQLite or DuckDB file as a driver is given it, ``""`` for what is no file."""
    text = os.fsdecode(database) if isinstance(database, (str, bytes, os.PathLike)) else ""
    if text.startswith("file:"):
        text = unquote(text.removeprefix("file:").partition("?")[0])
        if text.startswith("//"):
            text = "/" + text.lstrip("/").partition("/")[2] if not text.startswith("///") else text[2:]
    return os.path.realpath(Path(text)) if text and text != ":memory:" else ""


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _port(value: Any, default: int) -> int:
    first = _text(value).partition(",")[0].strip()
    return int(first) if first.isdecimal() else default
