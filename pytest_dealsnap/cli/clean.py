"""Remove what killed commands left: half-written files, scratch databases, running steps; without --yes, list it."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_dealsnap.cli.output import project_config
from pytest_dealsnap.cli.terminal import say
from pytest_dealsnap.config import Config
from pytest_dealsnap.rehearsal.leftovers import Leftover, local_leftovers, remove_local
from pytest_dealsnap.secrets import redact
from pytest_dealsnap.text import plural, printable

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--yes", action="store_true", help="remove what is listed")
    parser.add_argument(
        "folder", nargs="*", type=Path, metavar="FOLDER", help="also clean these folders, where reports were written"
    )


def run(options: argparse.Namespace) -> int:
    """List what is left, or remove it; 1 where something stays."""
    config = project_config(tell=False)
    left = local_leftovers([config.snapshots], deep=True)
    left += [one for one in local_leftovers([config.root, Path.cwd(), *options.folder], deep=False) if one not in left]
    databases, strangers = _databases(config)
    if not left and not databases:
        say([*strangers, "nothing is left of a killed command"])
        return 0
    say(f"killed commands left {plural(len(left) + len(databases), 'item')}:")
    say(f"  {one.kind} {printable(one.name)}: {printable(redact(one.what))}" for one in [*left, *databases])
    say(strangers)
    if not options.yes:
        say("nothing was removed: dealsnap clean --yes removes them")
        return 1
    for one in left:
        remove_local(one)
    for one in databases:
        _drop(config, one)
    say(f"removed {plural(len(left) + len(databases), 'item')}")
    return 0


def _is_server(config: Config) -> bool:
    # Whether rehearsals make databases there. By its text: deals/dialects/ would load SQLAlchemy, which takes longer
    # than all the rest where files are cleaned.
    return (config.database or "").startswith(("postgresql", "mysql", "mariadb"))


def _databases(config: Config) -> tuple[list[Leftover], list[str]]:
    """Return the scratch databases of dead rehearsals, and lines on those whose rehearsal cannot be seen from here."""
    if not _is_server(config):
        return [], []
    from pytest_dealsnap.rehearsal.scratch_databases import scratch_databases  # SQLAlchemy: for servers alone

    dead, unseen = scratch_databases(str(config.database), place=config.place("database"))
    return [Leftover("database", name, "a rehearsal's scratch copy") for name in dead], [
        f"database {name} stays: {why}" for name, why in unseen.items()
    ]


def _drop(config: Config, one: Leftover) -> None:
    from pytest_dealsnap.rehearsal.scratch_databases import drop_scratch

    drop_scratch(str(config.database), one.name, place=config.place("database"))
