"""Look at the database and write a commented starter configuration."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_dealsnap.callables import import_object
from pytest_dealsnap.cli.migration_tools import MigrationTool, recognize
from pytest_dealsnap.cli.output import add_trust_argument
from pytest_dealsnap.cli.starter_file import check_place, choose_file, with_starter, write_starter
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.settings import SETTINGS, checked
from pytest_dealsnap.text import printable

if TYPE_CHECKING:
    from pytest_dealsnap.deals.discovery import Discovery

__all__ = ["add_arguments", "run"]

VARIABLE = "DEALSNAP_DATABASE"
_SQLITE = b"SQLite format 3\x00"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "url",
        nargs="?",
        metavar="URL",
        help=f"SQLAlchemy URL of the database; it is only read (default: {VARIABLE})",
    )
    parser.add_argument(
        "--table", metavar="T", help="the table or view that holds the deals; needed where several could"
    )
    parser.add_argument(
        "--reasoner", metavar="MODULE:CALLABLE", help="the callable that computes a deal's output; it is imported"
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        help="pyproject.toml, dealsnap.toml, or - for standard output (default: the one that exists)",
    )
    add_trust_argument(parser)
    parser.add_argument("--force", action="store_true", help="replace an existing [tool.dealsnap]")


def run(options: argparse.Namespace) -> int:
    """Write the starter configuration, say what was found and what to do next."""
    # SQLAlchemy is imported by the commands that read a database, and by no other.
    from pytest_dealsnap.reporting.starter_config import ProjectFacts, found_lines, starter_config

    cwd = Path.cwd()
    if options.reasoner:
        import_object(options.reasoner, root=cwd, place="--reasoner")
    url, place = _url(options.url, cwd)
    shown_only = options.output == "-"
    path = cwd / "dealsnap.toml" if shown_only else choose_file(options.output, cwd)
    before = "" if shown_only else check_place(path, force=options.force)
    trust = _trusts(given=options.trust_source)
    found = _discover(url, place, options.table, cwd, trust=trust)
    tool = recognize(path.parent, url) or MigrationTool("")
    written = _relative_to(path.parent, url, cwd)
    around = ProjectFacts(written, trust, options.reasoner, tool.settings, tool.remarks)
    starter = starter_config(found, around)
    if shown_only:
        sys.stdout.write(starter)
        return 0
    write_starter(path, with_starter(path, before, starter))
    shown = path.relative_to(cwd) if path.is_relative_to(cwd) else path
    steps = _next_steps(found, f"{shown}", options.reasoner, before=bool(before))
    for line in (*found_lines(found), *_tool_lines(tool), *steps):
        print(line)  # noqa: T201  # what a command line is for
    return 0


def _url(given: str | None, cwd: Path) -> tuple[str, str]:
    """Return the URL and where it is from."""
    if given:
        return given, "URL"
    if os.environ.get(VARIABLE):
        return os.environ[VARIABLE], VARIABLE
    files = [path for path in sorted(cwd.glob("*")) if path.is_file() and _is_sqlite(path)]
    hint = f", such as sqlite:///{printable(files[0].name)}, which is here" if files else " (any SQLAlchemy URL)"
    if os.environ.get("DATABASE_URL"):
        hint = '; DATABASE_URL is set, so perhaps: dealsnap init "$DATABASE_URL"'
    raise ConfigError(f"no database: give its URL or set {VARIABLE}{hint}")


def _trusts(*, given: bool | None) -> bool:
    """Whether a database is to be read that cannot be kept from writing, by the flag or the environment."""
    setting = next(setting for setting in SETTINGS if setting.name == "trust_source")
    told = os.environ.get(setting.environment)
    if given is None and told:
        return bool(checked(setting, told, setting.environment))
    return bool(given)


def _is_sqlite(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False


def _discover(url: str, place: str, table: str | None, cwd: Path, *, trust: bool) -> Discovery:
    """Look at the database; where several tables may hold the deals, ask a person who can answer."""
    from pytest_dealsnap.deals.discovery import SeveralTablesError, discover

    try:
        return discover(url, folder=cwd, table=table, place=place, trust=trust)
    except SeveralTablesError as error:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise
        return discover(url, folder=cwd, table=_ask(error.names), place=place, trust=trust)


def _ask(names: Sequence[str]) -> str:
    for number, name in enumerate(names, start=1):
        print(f"{number:>3}  {printable(name)}")  # noqa: T201
    answer = input("Which of them holds the deals? Its number: ").strip()
    if not answer.isdecimal() or not 1 <= int(answer) <= len(names):
        raise ConfigError(f"{printable(answer)!r} is no number from 1 to {len(names)}")
    return names[int(answer) - 1]


def _relative_to(folder: Path, url: str, cwd: Path) -> str:
    """Return *url* as the file in *folder* writes it: the path of a file below it is relative to it."""
    from pytest_dealsnap.deals.database import parse_url
    from pytest_dealsnap.deals.dialects import dialect_of

    parsed = parse_url(url, "database")
    scheme, separator, rest = url.partition(":///")
    if not separator or not dialect_of(parsed.get_backend_name()).path_in(parsed):
        return url
    name, question, query = rest.partition("?")
    absolute = (cwd / name).absolute()
    written = os.path.relpath(absolute, folder) if not Path(name).is_absolute() or _below(absolute, folder) else name
    return f"{scheme}:///{Path(written).as_posix()}{question}{query}"


def _below(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder.absolute())


def _tool_lines(tool: MigrationTool) -> list[str]:
    if not tool.name:
        return []
    settings = ", ".join(f'{key} = "{printable(value)}"' for key, value in tool.settings.items())
    return [f"migrations: {tool.name} ({settings})"]


def _next_steps(found: Discovery, shown: str, reasoner: str | None, *, before: bool) -> list[str]:
    variable = f"{VARIABLE}=…  " if found.secret else ""
    lines = [f"{'added [tool.dealsnap] to' if before else 'wrote'} {printable(shown)}"]
    if found.secret:
        lines.append(f"the URL holds a secret, so it was not written: set {VARIABLE} in the environment")
    return [
        *lines,
        "next:",
        f"  read {printable(shown)}: {'' if reasoner else 'name your reasoner, and '}choose what is judged",
        f"  {variable}dealsnap doctor            # check all of it, in seconds",
        f"  {variable}pytest --dealsnap-update   # record every deal's output, before the change",
        f"  {variable}pytest --dealsnap          # judge every deal's output, after it",
    ]
