"""Check configuration, database, reasoner, flag and migration tool, and say what to fix; nothing is written."""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_dealsnap.cli.migration_tools import recognize
from pytest_dealsnap.cli.output import project_config
from pytest_dealsnap.cli.terminal import say
from pytest_dealsnap.config import Config
from pytest_dealsnap.errors import DealsnapError
from pytest_dealsnap.secrets import redact
from pytest_dealsnap.text import printable

if TYPE_CHECKING:
    from pytest_dealsnap.rehearsal.checkup import Checkup
    from pytest_dealsnap.rehearsal.rollout import Rollout

__all__ = ["Finding", "add_arguments", "run"]

MARKS = {"ok": "ok  ", "note": "note", "mend": "FIX "}
SEARCHED = 2_000  # Python files in which the flag is looked for
_NOT_THE_PROJECTS = {"site-packages", "node_modules", ".git", ".venv", "venv", "build", "dist"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check came to: ``ok``, a ``note``, or something to ``mend``, and how."""

    check: str
    state: str
    text: str
    advice: tuple[str, ...] = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--no-copy", action="store_true", help="skip the checks that need a scratch copy of the database"
    )
    parser.add_argument(
        "--timeout", type=float, default=60.0, metavar="SECONDS", help="time limit of one step (default: 60)"
    )


def run(options: argparse.Namespace) -> int:
    """Go through the checks, print each, and return 1 where something is to be mended."""
    findings = []
    for finding in _checks(options.timeout, copies=not options.no_copy):
        findings.append(finding)
        say(printable(redact(f"{MARKS[finding.state]}  {finding.check}: {finding.text}")))
        say(printable(redact(f"      {line}")) for line in finding.advice)
    mend = sum(finding.state == "mend" for finding in findings)
    say("all is well: pytest --dealsnap-update, then dealsnap rehearse" if not mend else f"{mend} to fix")
    return 1 if mend else 0


def _checks(timeout: float, *, copies: bool) -> Iterator[Finding]:
    try:
        config = project_config()
    except DealsnapError as error:
        yield Finding("configuration", "mend", str(error), ("dealsnap init URL writes one that works",))
        return
    yield Finding("configuration", "ok", str(config.root))
    if config.database is None and config.deals.source is None:
        yield Finding("database", "mend", "none is configured", ("set database in [tool.dealsnap]: dealsnap init URL",))
        return
    database = _database(config)
    yield from database
    rollout, found = _migration(config)
    yield found
    yield _flag(config)
    if config.database is None or any(finding.state == "mend" for finding in database):
        yield Finding("reasoner", "note", "not tried: it takes the database")
    elif not copies:
        yield Finding("reasoner", "note", "not tried: --no-copy")
    else:
        yield from _on_a_copy(config, rollout, timeout)


def _database(config: Config) -> list[Finding]:
    """Open the database, and count the deals, in the way in which a run does."""
    from pytest_dealsnap.deals.database import check_enforced, parse_url
    from pytest_dealsnap.deals.open_source import open_source

    place = config.place("database")
    found = []
    try:
        if config.database is not None:
            check_enforced(parse_url(config.database, place), place, trust=config.trust_source)
            trusted = config.trust_source
            text = "trust_source: its user must have no right to write" if trusted else "the database refuses writes"
            found.append(Finding("write protection", "note" if trusted else "ok", text))
        source = open_source(config)
        try:
            count = sum(1 for _ in source.refs())
        finally:
            source.close()
    except DealsnapError as error:
        return [*found, Finding("database", "mend", str(error), _driver(str(error)))]
    if not count:
        return [*found, Finding("database", "mend", "it has no deal", ("look at deals.table and deals.where",))]
    return [*found, Finding("database", "ok", f"{count:,} deals")]


def _driver(message: str) -> tuple[str, ...]:
    if "is not installed" not in message:
        return ()
    return ("pip install pytest-dealsnap[postgresql] or pytest-dealsnap[mysql], or the driver that the URL names",)


def _migration(config: Config) -> tuple[Rollout | None, Finding]:
    """Say what migrates, and whether it is there."""
    from pytest_dealsnap.rehearsal.rollout import Rollout

    name = "migration tool"
    try:
        rollout = Rollout.of(config)
    except DealsnapError as error:
        return None, Finding(name, "mend", str(error), _recognized(config))
    if not rollout.migrates:
        return rollout, Finding(name, "note", "none: the flag alone is rehearsed", _recognized(config))
    if rollout.by_alembic:
        if importlib.util.find_spec("alembic") is None:
            return rollout, Finding(name, "mend", "Alembic is not installed", ("pip install alembic",))
        return rollout, Finding(name, "ok", f"Alembic, {rollout.named}")
    missing = [program for program in map(_program, _commands(rollout)) if program and not _is_there(program, config)]
    if missing:
        lines = (f"install it, or give its path in rehearsal.upgrade and downgrade: {missing[0]}",)
        return rollout, Finding(name, "mend", f"{missing[0]} is not in PATH", lines)
    back = "" if rollout.can_return else "; rehearsal.downgrade names no way back"
    return rollout, Finding(name, "note" if back else "ok", f"{rollout.upgrade}{back}")


def _commands(rollout: Rollout) -> list[str]:
    return [command for command in (rollout.upgrade, rollout.downgrade) if command]


def _program(command: str) -> str | None:
    """Return the program that a shell *command* begins with; ``None`` where only the shell knows."""
    words = [word for word in command.split() if "=" not in word]
    return words[0] if words and re.fullmatch(r"[\w./+-]+", words[0]) else None


def _is_there(program: str, config: Config) -> bool:
    return shutil.which(program) is not None or (config.root / program).exists()


def _recognized(config: Config) -> tuple[str, ...]:
    tool = recognize(config.root, config.database or "")
    if tool is None:
        return ()
    settings = [f'{key} = "{value}"' for key, value in tool.settings.items()]
    return (f"this looks like {tool.name}; in [tool.dealsnap.rehearsal]:", *settings)


def _flag(config: Config) -> Finding:
    flag = config.rehearsal.flag
    if flag is None:
        return Finding("flag", "note", "rehearsal.flag names none: the migration alone is rehearsed")
    for number, path in enumerate(_python_files(config.root)):
        if number >= SEARCHED:
            return Finding("flag", "note", f"{flag} was not found in the first {SEARCHED:,} Python files")
        if flag in path.read_text(encoding="utf-8", errors="replace"):
            return Finding("flag", "ok", f"{flag}, named in {path.relative_to(config.root)}")
    advice = ("is it spelled so, or read by a library? dealsnap rehearse shows whether it changes an answer",)
    return Finding("flag", "mend", f"no Python file of the project names {flag}", advice)


def _python_files(root: Path) -> Iterator[Path]:
    for folder, below, names in os.walk(root):
        below[:] = [name for name in below if name not in _NOT_THE_PROJECTS and not name.startswith(".")]
        yield from (Path(folder) / name for name in names if name.endswith(".py"))


def _on_a_copy(config: Config, rollout: Rollout | None, timeout: float) -> Iterator[Finding]:
    """Run on a scratch copy what a rehearsal begins with."""
    from pytest_dealsnap.rehearsal.checkup import check_up
    from pytest_dealsnap.rehearsal.steps import OriginalReachedError

    try:
        found = check_up(config, rollout, timeout=timeout)
    except OriginalReachedError as error:
        yield Finding("preflight", "mend", error.title, (*error.evidence, error.advice))
        return
    except DealsnapError as error:
        yield Finding("preflight", "mend", str(error))
        return
    yield _reasoner(found)
    yield from _preflight(found, config, rollout)


def _reasoner(found: Checkup) -> Finding:
    deal, done = found.deal, found.reasoner
    if deal is None:
        return Finding(
            "reasoner", "mend", f"no deal was reasoned: pytest --dealsnap-update {done.ending()}", done.tail(8)
        )
    if deal.error is not None:
        return Finding("reasoner", "mend", f"deal {deal.deal_id}: {deal.error}")
    empty = [name for name, value in (deal.metrics or {}).items() if value is None]
    lines = (f"no value for the metrics {', '.join(empty)}: do their paths fit the output?",) if empty else ()
    return Finding("reasoner", "note" if empty else "ok", f"deal {deal.deal_id} in {done.seconds:,.1f} s", lines)


def _preflight(found: Checkup, config: Config, rollout: Rollout | None) -> Iterator[Finding]:
    for name, done in found.steps.items():
        if done is not found.reasoner and not done.ok:
            yield Finding("preflight", "mend", f"{name} {done.ending()}", done.tail(6))
    if found.reached:
        text = f"{' and '.join(found.reached)} opened the copy, nothing the original ({found.means})"
        yield Finding("preflight", "ok", text)
        return
    variable = config.rehearsal.database_env
    needed = rollout is not None and rollout.migrates
    text = f"{' and '.join(found.steps)} opened no database that the guard can see"
    advice = (
        f"the application has to read {variable}, or the variable that rehearsal.database_env names;",
        "or name a command that reads the database in rehearsal.check",
    )
    yield Finding("preflight", "mend" if needed else "note", text, advice)
