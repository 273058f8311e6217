"""Accept changes that a gate found, by cause, deal or type, into the baseline or the ledger; shows them first."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from pytest_dealsnap.cli.chosen import Chosen, choose
from pytest_dealsnap.cli.decisions import Decisions, parse_day, read_decisions
from pytest_dealsnap.cli.ledger_entries import NotAcceptableError, Terms, check_decidable
from pytest_dealsnap.cli.output import project_config, read_judged
from pytest_dealsnap.cli.proposals import Proposal, apply_all, propose_baseline, propose_ledger
from pytest_dealsnap.cli.review_text import decided_text
from pytest_dealsnap.cli.terminal import confirm, has_terminal, reviewer, say
from pytest_dealsnap.config import Config
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.kept_files import INTO, TARGETS, Decision
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.text import printable

__all__ = ["add_arguments", "add_targets", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_targets(parser)
    parser.add_argument("--decisions", type=Path, metavar="FILE", help="the decisions that the HTML report saved")
    parser.add_argument(
        "--into", choices=INTO, help="baseline: record the new outputs (default); ledger: add an exception"
    )
    terms = parser.add_argument_group("an exception in the ledger")
    how = terms.add_mutually_exclusive_group()
    how.add_argument(
        "--range", action="store_true", help="allow the size of the change in these deals, not its exact values"
    )
    how.add_argument(
        "--for-type",
        action="store_true",
        help="allow the size of the change in all deals of the same type, new ones too",
    )
    terms.add_argument("--reason", default="", metavar="TEXT", help="why the change is right (required)")
    terms.add_argument("--who", metavar="NAME", help="the reviewer's name (default: git's user.name)")
    terms.add_argument("--ticket", metavar="ID", help="the ticket that tracks the exception")
    terms.add_argument("--expires", metavar="YYYY-MM-DD", help="the last day on which the exception counts")
    parser.add_argument(
        "--yes", action="store_true", help="do not ask for confirmation; required where there is no terminal"
    )


def add_targets(parser: argparse.ArgumentParser) -> None:
    """Add the report, and the options that choose causes and deals in it."""
    parser.add_argument("report", type=Path, metavar="REPORT.json", help="the JSON report of a gate")
    parser.add_argument("--cause", action="append", default=[], metavar="ID", help="a cause (repeatable)")
    parser.add_argument("--deal", action="append", default=[], metavar="ID", help="a deal (repeatable)")
    parser.add_argument("--type", action="append", default=[], metavar="TYPE", help="all failed deals of a type")


def run(options: argparse.Namespace) -> int:
    """Show what would change, ask, and do it; 1 where something was refused or not confirmed."""
    finished = read_judged(options.report)
    config = project_config()
    decisions, impossible = _acceptable(finished, _decisions(options, finished, config))
    beside = Decisions(options.report, finished)
    proposals = _proposals(config, finished, decisions, beside.into_baseline(), _standing(options))
    rejected = [decision for decision in decisions if decision.decision == "reject"]
    for proposal in proposals:
        say(proposal.lines)
        say(proposal.refusals)
    say(f"not taken: {printable(why)}" for why in impossible)
    say(decided_text(decision, finished) for decision in rejected)
    changes = sum(proposal.count for proposal in proposals)
    refused = bool(impossible) or any(proposal.refused for proposal in proposals)
    if not changes and not rejected:
        say("nothing to take")
        return 1 if refused else 0
    if not (options.yes or (has_terminal() and confirm("do this?"))):
        say("nothing was taken: give --yes to do it" if not has_terminal() else "nothing was taken")
        return 1
    kept = [one for one in decisions if one.type is None]
    stages = [proposal.stage for proposal in proposals if proposal.count]
    apply_all(config.snapshots, [*stages, lambda changes: beside.stage(changes, kept)])
    say("done")
    return 1 if refused else 0


_FLAGS = {"range": "range", "type": "for-type"}


def _standing(options: argparse.Namespace) -> str:
    return "range" if options.range else "type" if options.for_type else ""


def _decisions(options: argparse.Namespace, finished: FinishedRun, config: Config) -> list[Decision]:
    """Return what the arguments, or the file that they name, decide."""
    given = bool(options.cause or options.deal or options.type)
    if given == bool(options.decisions):
        raise ConfigError("what is accepted? Give --cause ID, --deal ID or --type TYPE, or --decisions FILE alone")
    into = options.into or "baseline"
    if _standing(options):
        if options.deal:
            raise ConfigError(
                f"--{_FLAGS[_standing(options)]} belongs to --cause or --type: a deal is taken at its values"
            )
        if options.decisions is None and into == "baseline":
            raise ConfigError(
                f"--{_FLAGS[_standing(options)]} belongs to an exception in the ledger: add --into ledger"
            )
    terms = {name: getattr(options, name) for name in ("reason", "who", "ticket", "expires") if getattr(options, name)}
    if options.decisions is None:
        if terms and into == "baseline":
            raise ConfigError(f"--{next(iter(terms))} belongs to an exception in the ledger: add --into ledger")
        choose(finished, causes=options.cause, deals=options.deal, types=options.type)  # refuses what there is not
        made = [Decision(decision="accept", cause=name) for name in options.cause]
        made += [Decision(decision="accept", deal=name) for name in options.deal]
        if into == "baseline":
            failed = [r for r in finished.results if r.status == "regressed" and r.deal_type in options.type]
            made += [Decision(decision="accept", deal=result.id) for result in failed]
        else:
            made += [Decision(decision="accept", type=name) for name in options.type]
    else:
        made = read_decisions(options.decisions, finished)
    expires = parse_day(options.expires, "--expires")
    ledger = (options.into or "") == "ledger" or any(one.into == "ledger" for one in made)
    who = reviewer(options.who, config.root) if ledger else ""
    return [
        replace(
            one,
            into=(options.into or one.into or into) if one.decision == "accept" else None,
            reason=options.reason or one.reason or one.note,
            who=options.who or one.who or who,
            ticket=options.ticket or one.ticket,
            expires=expires or one.expires,
        )
        for one in made
    ]


def _acceptable(finished: FinishedRun, decisions: Sequence[Decision]) -> tuple[list[Decision], list[str]]:
    """Return the decisions that can be carried out, and why the others cannot: a crash or a gone deal has no output."""
    taken: list[Decision] = []
    refused: list[str] = []
    for one in decisions:
        try:
            if one.decision == "accept":
                check_decidable(finished, *one.target)
            taken.append(one)
        except NotAcceptableError as error:
            refused.append(str(error))
    return taken, refused


def _proposals(
    config: Config, finished: FinishedRun, decisions: Sequence[Decision], taken_before: Sequence[str], standing: str
) -> list[Proposal]:
    """Return one proposal for the baseline, and one for the ledger for each set of terms."""
    baseline = [one for one in decisions if one.decision == "accept" and one.into == "baseline"]
    proposals = []
    if baseline:
        chosen = _chosen(finished, baseline)
        proposals.append(propose_baseline(config, finished, chosen, taken_before=taken_before))
    by_terms: dict[Terms, list[Decision]] = {}
    for one in decisions:
        if one.decision == "accept" and one.into == "ledger":
            by_terms.setdefault(Terms(one.reason, one.who, one.ticket, one.expires), []).append(one)
    return [
        *proposals,
        *(
            propose_ledger(config, finished, _chosen(finished, group), terms, standing=standing)
            for terms, group in by_terms.items()
        ),
    ]


def _chosen(finished: FinishedRun, decisions: Sequence[Decision]) -> Chosen:
    names = {kind: [name for own, name in (one.target for one in decisions) if own == kind] for kind in TARGETS}
    return choose(finished, causes=names["cause"], deals=names["deal"], types=names["type"])
