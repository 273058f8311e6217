"""Delete the snapshots of deals that the database no longer has; without --yes, list them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.baseline.journal import Changes, commit, writing
from pytest_dealsnap.baseline.listing import relist
from pytest_dealsnap.baseline.manifest import listed_ids, read_manifest
from pytest_dealsnap.cli.output import project_config
from pytest_dealsnap.cli.terminal import say
from pytest_dealsnap.deals.deal import id_order
from pytest_dealsnap.deals.open_source import open_source
from pytest_dealsnap.errors import BaselineError, SnapshotError, SourceError
from pytest_dealsnap.text import cut, plural, printable

__all__ = ["add_arguments", "run"]

SHOWN = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--yes", action="store_true", help="delete the listed snapshots")


def run(options: argparse.Namespace) -> int:
    """List the orphans, or delete them; 1 where there are some that stay."""
    config = project_config()
    snapshots = DealSnapshots(config.snapshots)
    recorded = snapshots.ids()
    if not recorded:
        raise BaselineError(f"no baseline in {config.snapshots}: there is nothing to prune")
    source = open_source(config)
    try:
        there, description = {ref.id for ref in source.refs()}, source.description
    finally:
        source.close()
    if not there:
        where = f" where {config.deals.where}" if config.deals.where else ""
        raise SourceError(
            f"{description} has no deals{where}: that would prune the whole baseline. Is it the right one?"
        )
    orphans = sorted((recorded | listed_ids(read_manifest(config.snapshots))) - there, key=id_order)
    if not orphans:
        say(f"nothing to prune: all {plural(len(recorded), 'snapshot')} are of deals in {description}")
        return 0
    say(f"{plural(len(orphans), 'snapshot')} of {len(recorded):,} without a deal in {description}:")
    say(f"  deal {_title(snapshots, deal_id)}" for deal_id in orphans[:SHOWN])
    if len(orphans) > SHOWN:
        say(f"  and {len(orphans) - SHOWN:,} more")
    if not options.yes:
        say("nothing was deleted: dealsnap prune --yes deletes them")
        return 1
    _delete(config.snapshots, snapshots, orphans)
    say(f"deleted {plural(len(orphans), 'snapshot')}; git still has them")
    return 0


def _title(snapshots: DealSnapshots, deal_id: str) -> str:
    """Return the deal as its snapshot names it; a bad snapshot can be pruned as well."""
    shown = printable(deal_id)
    try:
        recorded = snapshots.decode(deal_id, snapshots.recall(deal_id) or b"")
    except SnapshotError:
        return shown
    name = f" {cut(printable(recorded.deal_name), 60)}" if recorded.deal_name else ""
    return f"{shown}{name} ({printable(recorded.deal_type)})"


def _delete(folder: Path, snapshots: DealSnapshots, orphans: Sequence[str]) -> None:
    """Delete the snapshots of *orphans* and their lines in the manifest's list, all or none."""
    paths = [Path(snapshots.path(deal_id)) for deal_id in orphans]
    with writing(folder):
        changes = Changes()
        for path in paths:
            changes.write(path, None)
        relist(changes, folder, removed=orphans)
        commit(folder, changes.all())
        for path in paths:
            if path.is_symlink():  # to nowhere: there were no bytes to journal
                path.unlink()
