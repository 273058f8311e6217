"""Stands in the place of a database's command line in a rehearsal: refuses the original, else lets the program run.

``python -m pytest_dealsnap.rehearsal.clients NAME ARGUMENTS`` reads the arguments as the program NAME does, as far as
they say which database is meant, and becomes the program.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from pytest_dealsnap.rehearsal.guard import ORDERS, Guard, OriginalDatabaseError
from pytest_dealsnap.rehearsal.guard_targets import IDENTITY, Target, file_of, mysql_target, pg_target

__all__ = ["OWN_CLIENTS", "main", "targets_of", "uses_schema"]

OWN_CLIENTS = "_DEALSNAP_REHEARSAL_CLIENTS"
LONGEST_PATH = 4_096
READ = 1 << 20  # of a script on standard input
_PSQL = {"-h": "host", "--host": "host", "-p": "port", "--port": "port", "-d": "dbname", "--dbname": "dbname",
         "-U": "user", "--username": "user"}  # fmt: skip
_PSQL_OTHERS = ("-c", "-f", "-F", "-L", "-o", "-P", "-R", "-T", "-v", "--command", "--file", "--field-separator",
                "--log-file", "--output", "--pset", "--record-separator", "--table-attr", "--set", "--variable",
                "--csv-fieldsep")  # fmt: skip
_MYSQL = {"-h": "host", "--host": "host", "-P": "port", "--port": "port", "-D": "database", "--database": "database",
          "-S": "unix_socket", "--socket": "unix_socket"}  # fmt: skip
_MYSQL_OTHERS = ("-e", "--execute", "-u", "--user", "--default-character-set", "--delimiter", "--init-command")
_WORDS = re.compile(r"""[^\s'"`;()]+""")
_FILE_COMMANDS = {"sqlite3": "sqlite", "duckdb": "duckdb"}


def main(name: str, arguments: Sequence[str]) -> None:
    """Become the program *name*, unless it would open the original."""
    guard = Guard(json.loads(os.environ[ORDERS]))
    own = Path(os.environ[OWN_CLIENTS])
    others = [path for path in os.environ["PATH"].split(os.pathsep) if Path(path) != own]
    program = shutil.which(name, path=os.pathsep.join(others))
    if program is None:
        sys.exit(f"{name}: no such program in PATH")
    try:
        for target in targets_of(name, [*_defaults(name, program), *arguments], guard.original):
            if guard.before(name, target) == "unknown":
                guard.after(name, target, _probed(name, program, arguments), lambda: None)
    except OriginalDatabaseError as error:
        sys.exit(f"{name}: {error}")
    os.execv(program, [name, *arguments])  # noqa: S606  # what the user's step asked for


def _defaults(name: str, program: str) -> list[str]:
    """Return the arguments that MySQL's and MariaDB's programs take from their option files."""
    if name not in ("mariadb", "mysql"):
        return []
    said = _said([program, "--print-defaults"]).splitlines()
    return said[-1].split() if said else []


def _probed(name: str, program: str, arguments: Sequence[str]) -> str | None:
    """Return what the server says of the database that ``psql`` would be connected to."""
    if name != "psql":
        return None
    given, rest = _options(arguments, _PSQL, _PSQL_OTHERS)
    flags = [f"--{key}={value}" for key, value in {**given, "username": given.pop("user", "")}.items() if value]
    return _said([program, "-XAtqw", *flags, "-c", IDENTITY["postgresql"], *rest]).strip() or None


def _said(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)  # noqa: S603
    return done.stdout if done.returncode == 0 else ""


def targets_of(name: str, arguments: Sequence[str], original: Target) -> Iterator[Target]:
    """Yield every database that *arguments*, and a script on standard input, have the program *name* open."""
    if kind := _FILE_COMMANDS.get(name):
        for text in _texts(arguments):
            for word in (text, *_WORDS.findall(text)):
                if len(word) < LONGEST_PATH and "\0" not in word:
                    yield Target(kind, database=file_of(word))
    elif name == "psql":
        given, rest = _options(arguments, _PSQL, _PSQL_OTHERS)
        for key, value in zip(("dbname", "user"), rest, strict=False):
            given.setdefault(key, value)
        yield pg_target(_conninfo(given))
        for text in _texts(arguments):
            for found in re.finditer(r"\\c(?:onnect)?\s+([^\s\\]+)", text):
                yield pg_target(_conninfo({**_conninfo(given), "dbname": found[1].strip("'\"")}))
    else:
        given, rest = _options(arguments, _MYSQL, _MYSQL_OTHERS)
        if rest:
            given.setdefault("database", rest[0])
        if "MYSQL_HOST" in os.environ:
            given.setdefault("host", os.environ["MYSQL_HOST"])
        yield mysql_target(given)
        for text in _texts(arguments):
            if uses_schema(text, original.database):
                yield mysql_target({**given, "database": original.database})


def uses_schema(script: str, database: str) -> bool:
    """Whether an SQL text uses the schema *database*, or names a table in it; a column's table may have its name."""
    name = rf"`?{re.escape(database)}`?"
    table = r"from|join|update|into|table|exists|truncate|references|view|ignore"
    return bool(
        re.search(
            rf"(?i)\buse\s+{name}(?!\w)|\b(?:{table})\s+{name}\s*\.|(?<![\w.`]){name}\s*\.\s*`?\w+`?\s*\.", script
        )
    )


def _options(
    arguments: Sequence[str], wanted: Mapping[str, str], others: Sequence[str]
) -> tuple[dict[str, str], list[str]]:
    """Return the options in *wanted* under their meaning, and what stands alone."""
    given: dict[str, str] = {}
    rest = []
    left = iter(arguments)
    for argument in left:
        name, equals, value = argument.partition("=")
        short = argument[:2]
        if argument.startswith("--") and len(argument) > 2:
            if name in wanted:
                given[wanted[name]] = value if equals else next(left, "")
            elif name in others and not equals:
                next(left, None)
        elif argument.startswith("-") and len(argument) > 1:
            if short in wanted:
                given[wanted[short]] = argument[2:] or next(left, "")
            elif argument in others:
                next(left, None)
        else:
            rest.append(argument)
    return given, rest


def _conninfo(given: Mapping[str, str]) -> dict[str, str]:
    """Return libpq's parameters, of which ``dbname`` may hold all."""
    text = given.get("dbname", "")
    if "://" in text:
        parts = urlsplit(text)
        host, _, port = parts.netloc.rpartition("@")[2].partition(":")
        found = {"host": unquote(host), "port": port, "user": unquote(parts.username or "")}
        found["dbname"] = unquote(parts.path[1:])
        found.update(parse_qsl(parts.query))
    elif "=" in text:
        found = {key: value.strip("'") for key, value in re.findall(r"(\w+)\s*=\s*('[^']*'|\S+)", text)}
    else:
        return dict(given)
    return {**given, "dbname": "", **{key: value for key, value in found.items() if value}}


def _texts(arguments: Sequence[str]) -> Iterator[str]:
    """Yield every text that may hold statements: arguments, standard input, and the scripts that these name."""
    texts = (*arguments, _script())
    yield from texts
    for text in texts:
        for word in _WORDS.findall(text.replace("=", " ")):
            if word.endswith(".sql") and len(word) < LONGEST_PATH:
                for path in (Path(word), Path(word.removeprefix("-f"))):
                    if path.is_file():
                        yield path.read_bytes()[:READ].decode("utf-8", "replace")


def _script() -> str:
    """Return a script that comes from a file on standard input, and leave it to be read."""
    try:
        if stat.S_ISREG(os.fstat(0).st_mode):
            return os.pread(0, READ, os.lseek(0, 0, os.SEEK_CUR)).decode("utf-8", "replace")
    except OSError:
        return ""
    return ""


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
