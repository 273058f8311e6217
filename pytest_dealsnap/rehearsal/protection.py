"""What protects the original while a step runs: orders for the guard, its files, and its notes afterwards."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from pytest_dealsnap.deals.dialects import unprepared
from pytest_dealsnap.rehearsal import guard, guard_drivers, guard_errors, guard_targets
from pytest_dealsnap.rehearsal.clients import OWN_CLIENTS
from pytest_dealsnap.rehearsal.guard import ALIAS, ORDERS
from pytest_dealsnap.rehearsal.guard_targets import FILES, IDENTITY, Target

__all__ = ["CLIENTS", "Notes", "protect", "read_notes", "target_of"]

# Command lines that are held back by a program of the same name, which comes first in PATH.
CLIENTS = ("psql", "mariadb", "mysql", "sqlite3", "duckdb")
# As the guard names databases: a target is compared in interpreters that have no pytest_dealsnap.deals.dialects.
_DEFAULT_PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306}

# Python imports a module of this name as it starts; one of the user's own still has its turn, in its place. A Python
# older than 3.9 cannot run the guard: it is only watched.
SITE = f"""\
import os, sys
_here = os.path.dirname(os.path.abspath(__file__))
try:
    if sys.version_info >= (3, 9):
        from {ALIAS}.guard import guard_original
        guard_original()
finally:
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != _here]
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
_spec = PathFinder.find_spec("sitecustomize", sys.path)
if _spec is not None and _spec.loader is not None:
    _own = module_from_spec(_spec)
    sys.modules["sitecustomize"] = _own
    _spec.loader.exec_module(_own)
"""
CLIENT = """\
#!/bin/sh
exec {python} -I -m pytest_dealsnap.rehearsal.clients {name} "$@"
"""


@dataclass(frozen=True, slots=True)
class Notes:
    """What the guard noted in one step: by whom which database was opened, and which Pythons were guarded.

    ``errors`` are what the database refused, in the order in which it did.
    """

    met: frozenset[tuple[str, str, str]] = frozenset()
    guarded: frozenset[int] = frozenset()
    errors: tuple[str, ...] = ()

    @property
    def original(self) -> tuple[str, ...]:
        """The drivers, or programs, by which the original was asked for."""
        return tuple(sorted({driver for found, driver, _ in self.met if found == "original"}))

    @property
    def copy(self) -> tuple[str, ...]:
        """The drivers, or programs, by which the user's own code opened the scratch copy."""
        return tuple(sorted({driver for found, driver, who in self.met if found == "copy" and who == "user"}))


def protect(folder: Path, original: str, copy: str, record: Path) -> dict[str, str]:
    """Write the guard's files into *folder*, and return what a step's environment needs for it."""
    _write(folder)
    orders = {"original": target_of(original), "copy": target_of(copy), "record": str(record)}
    paths = {name: os.environ.get(name) for name in ("PATH", "PYTHONPATH")}
    return {
        ORDERS: json.dumps(orders),
        OWN_CLIENTS: str(folder / "bin"),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(folder / "site"), paths["PYTHONPATH"]])),
        "PATH": os.pathsep.join(filter(None, [str(folder / "bin"), paths["PATH"]])),
    }


def read_notes(record: Path) -> Notes:
    """Return what the guard noted in *record*."""
    lines = [json.loads(line) for line in _lines(record)]
    met = frozenset((line[1], line[2], line[3]) for line in lines if len(line) == 4)
    errors = tuple(line[2] for line in lines if line[1] == "error")
    return Notes(met, frozenset(line[0] for line in lines if line[1] == "guarded"), errors)


def _lines(record: Path) -> Iterator[str]:
    if record.exists():
        yield from record.read_text(encoding="utf-8").splitlines()


def target_of(text: str) -> Target:
    """Return the database at the URL *text*, with what its server says of it where it can be asked."""
    url = make_url(text)
    kind = url.get_backend_name()
    if kind in FILES:
        return Target(kind, database=guard_targets.file_of(url.database or ""))
    host = url.host or _query(url, "unix_socket") or _query(url, "host")
    port = url.port or (int(found) if (found := _query(url, "port")).isdecimal() else _DEFAULT_PORTS.get(kind, 0))
    named = "mysql" if kind == "mariadb" else kind
    return Target(named, host, port, url.database or "", _identity(url, named))


def _query(url: URL, name: str) -> str:
    value = url.query.get(name, "")
    return value if isinstance(value, str) else ",".join(value)


def _identity(url: URL, kind: str) -> str | None:
    if kind not in IDENTITY:
        return None
    engine = create_engine(url, poolclass=NullPool, connect_args=unprepared(url))
    try:
        with engine.connect() as connection:
            found = connection.exec_driver_sql(IDENTITY[kind]).scalar()
    except SQLAlchemyError:  # the address decides alone
        return None
    finally:
        engine.dispose()
    return None if found is None else str(found)


def _write(folder: Path) -> None:
    package = folder / "site" / ALIAS
    if package.exists():
        return
    package.mkdir(parents=True)
    for module in (guard, guard_drivers, guard_errors, guard_targets):
        source = Path(str(module.__file__))
        text = source.read_text(encoding="utf-8").replace("from pytest_dealsnap.rehearsal.", f"from {ALIAS}.")
        (package / source.name).write_text(text, encoding="utf-8")
    (package / "__init__.py").touch()
    (folder / "site" / "sitecustomize.py").write_text(SITE, encoding="utf-8")
    (folder / "bin").mkdir()
    for name in filter(shutil.which, CLIENTS):
        client = folder / "bin" / name
        client.write_text(CLIENT.format(python=f"'{sys.executable}'", name=name), encoding="utf-8")
        client.chmod(0o755)
