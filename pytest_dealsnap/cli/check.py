"""Check the baseline: each snapshot whole, canonical, without conflict markers, its metrics as its output says."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pytest_dealsnap.baseline.codec import encode
from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.baseline.layout import id_of
from pytest_dealsnap.baseline.ledger import read_ledger
from pytest_dealsnap.baseline.manifest import listed_ids, read_manifest
from pytest_dealsnap.baseline.recording import Recorder
from pytest_dealsnap.baseline.snapshot_consistency import Consistency
from pytest_dealsnap.cli.output import project_config
from pytest_dealsnap.cli.terminal import say
from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.deal import id_order
from pytest_dealsnap.errors import BaselineError, DealsnapError, LedgerError, SnapshotError
from pytest_dealsnap.text import plural, printable

__all__ = ["add_arguments", "run"]

SHOWN = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="check only these files of the baseline (default: all)",
    )


def run(options: argparse.Namespace) -> int:
    """List what is wrong with the baseline; 1 where something is."""
    config = project_config()
    snapshots = DealSnapshots(config.snapshots)
    named = [path.absolute() for path in options.files]
    ids = _ids_of(named, snapshots) if named else snapshots.ids()
    if not named and not ids:
        raise BaselineError(f"no baseline in {config.snapshots}: there is nothing to check")
    problems = list(_problems(config, snapshots, sorted(ids, key=id_order), whole=not named))
    say(printable(problem) for problem in problems[:SHOWN])
    if len(problems) > SHOWN:
        say(f"and {len(problems) - SHOWN:,} more")
    checked = plural(len(ids), "snapshot")
    say(f"{checked} checked: {plural(len(problems), 'problem')}" if problems else f"{checked} checked: no problem")
    return 1 if problems else 0


def _ids_of(paths: Sequence[Path], snapshots: DealSnapshots) -> set[str]:
    """Return the deals whose snapshots *paths* are; the baseline's other files are checked anyway."""
    folder = snapshots.folder.absolute()
    inside = [path.relative_to(folder).as_posix() for path in paths if path.is_relative_to(folder) and path.exists()]
    return {deal_id for deal_id in map(id_of, inside) if deal_id is not None}


def _problems(config: Config, snapshots: DealSnapshots, ids: Sequence[str], *, whole: bool) -> Iterator[str]:
    today = datetime.now(UTC).date()
    try:
        listed = listed_ids(read_manifest(config.snapshots))
        read_ledger(config.snapshots, today=today, types=config.deals.types)
        consistency = Consistency(snapshots, Recorder(config).metrics, drops=bool(config.output.drop))
    except (BaselineError, LedgerError) as error:
        yield str(error)
        return
    if whole:
        for deal_id in sorted(listed - set(ids), key=id_order):
            yield f"the manifest lists deal {deal_id}, and {snapshots.path(deal_id)} is not there. Restore it from git"
        for name in snapshots.strangers():
            yield f"{snapshots.folder / name} is no deal's snapshot. Move it out of the folder"
    for deal_id in ids:
        try:
            _check(deal_id, snapshots, consistency)
        except DealsnapError as error:
            yield str(error)


def _check(deal_id: str, snapshots: DealSnapshots, consistency: Consistency) -> None:
    data = snapshots.recall(deal_id)
    path = snapshots.path(deal_id)
    if data is None:
        raise SnapshotError(f"the snapshot {path} leads nowhere. Restore it from git")
    snapshot = snapshots.decode(deal_id, data)
    if encode(snapshot) != data:
        raise SnapshotError(
            f"the snapshot {path} is not as dealsnap writes it (keys in order, two spaces, one newline at the end). "
            f'Restore it from git, or capture the deal again: pytest --dealsnap-update --dealsnap-id "{deal_id}"'
        )
    consistency.checked(snapshot)
