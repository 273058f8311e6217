"""Record that a change is not right: the gate stays red, and review shows who said so and why."""

from __future__ import annotations

import argparse

from pytest_dealsnap.cli.accept import add_targets
from pytest_dealsnap.cli.chosen import choose
from pytest_dealsnap.cli.decisions import Decisions
from pytest_dealsnap.cli.output import project_config, read_judged
from pytest_dealsnap.cli.proposals import apply_all
from pytest_dealsnap.cli.terminal import reviewer, say
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.model.kept_files import Decision
from pytest_dealsnap.text import plural, printable

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_targets(parser)
    parser.add_argument("--note", default="", metavar="TEXT", help="why the change is wrong")
    parser.add_argument("--who", metavar="NAME", help="the reviewer's name (default: git's user.name)")


def run(options: argparse.Namespace) -> int:
    """Write the rejections beside the report; nothing of the baseline or the ledger is touched."""
    if not (options.cause or options.deal or options.type):
        raise ConfigError("what is rejected? Give --cause ID, --deal ID or --type TYPE")
    finished = read_judged(options.report)
    chosen = choose(finished, causes=options.cause, deals=options.deal, types=options.type)
    config = project_config()
    who = reviewer(options.who, config.root)
    deals = [*chosen.deals, *(r for r in finished.results if r.deal_type in chosen.types and r.gating)]
    made = [Decision(decision="reject", cause=cause.id, note=options.note, who=who) for cause in chosen.causes]
    made += [Decision(decision="reject", deal=result.id, note=options.note, who=who) for result in deals]
    decisions = Decisions(options.report, finished)
    apply_all(config.snapshots, [lambda changes: decisions.stage(changes, made)])
    say(f"rejected: {printable(cause.title)} ({plural(len(cause.deals), 'deal')})" for cause in chosen.causes)
    say(f"rejected: deal {printable(result.id)}" for result in deals)
    say(f"recorded in {printable(str(decisions.path))}; the gate stays red until the change is fixed")
    return 0
