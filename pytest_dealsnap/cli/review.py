"""Go through what a gate found, by cause and then by deal: see, accept, reject; quit and go on another time."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pytest_dealsnap.baseline.journal import Change, Changes
from pytest_dealsnap.cli.chosen import Chosen
from pytest_dealsnap.cli.decisions import Decision, Decisions, parse_day
from pytest_dealsnap.cli.ledger_entries import Terms
from pytest_dealsnap.cli.output import project_config, read_judged
from pytest_dealsnap.cli.proposals import (
    Proposal,
    apply_all,
    left_to_deals,
    propose_baseline,
    propose_ledger,
    take_back,
)
from pytest_dealsnap.cli.review_text import decided_text, item_details, item_lines, usable_commands
from pytest_dealsnap.cli.terminal import ask, confirm, has_terminal, reviewer, say
from pytest_dealsnap.config import Config
from pytest_dealsnap.errors import DealsnapError, printable
from pytest_dealsnap.model.cause import Cause
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.results import AFFECTED, DealResult
from pytest_dealsnap.reporting.wording import plural

__all__ = ["add_arguments", "run"]

HELP = """\
  s  see it in full              b  accept into the baseline: the deals' new outputs
  d  go through its deals now    l  accept into the ledger: an exception, with a reason and an end
  k  skip it for now             r  reject it, with a note
  u  undo the last decision      q  quit; what was decided is kept, and review goes on from there"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("report", type=Path, metavar="REPORT.json", help="the JSON report of a gate")
    parser.add_argument("--who", metavar="NAME", help="who decides (default: git's user.name)")


def run(options: argparse.Namespace) -> int:
    """Review at a terminal, else list the commands that would work; 1 while something is undecided or rejected."""
    finished = read_judged(options.report)
    decisions = Decisions(options.report, finished)
    config = project_config()
    if not has_terminal():
        open_items = _open_items(config, finished, decisions)
        say(usable_commands(finished, options.report, decisions, open_items))
        return 1 if open_items or _rejected(decisions) else 0
    review = Review(config, finished, decisions, options.who)
    review.go()
    left = _open_items(config, finished, decisions)
    say(
        f"{plural(len(left), 'item')} left to decide: {printable(f'dealsnap review {options.report}')}"
        if left
        else _end(decisions)
    )
    return 1 if left or _rejected(decisions) else 0


def _end(decisions: Decisions) -> str:
    rejected = len(_rejected(decisions))
    if rejected:
        return f"all is decided; {plural(rejected, 'rejection')} keep the gate red until the change is mended"
    return "all is decided: gate again, and commit snapshots/"


def _rejected(decisions: Decisions) -> list[Decision]:
    return [decision for decision in decisions.all() if decision.decision == "reject"]


Item = Cause | DealResult


def _open_items(config: Config, finished: FinishedRun, decisions: Decisions) -> list[Item]:
    """Return what is not decided yet: causes that fail deals, then failed deals that no decided cause settles."""
    failed = {result.id: result for result in finished.results if result.status in AFFECTED}
    undecided = {deal_id for deal_id in failed if decisions.of("deal", deal_id) is None}
    causes = [cause for cause in finished.causes if cause.gates and undecided.intersection(cause.deals)]
    told = {deal_id for cause in causes for deal_id in cause.deals}
    taken = [cause for cause in causes if _into(decisions, cause) == "ledger"]
    left = {result.id for result in left_to_deals(config, finished, taken)} if taken else set()
    settled = told - left | {deal_id for cause in causes if _is_rejected(decisions, cause) for deal_id in cause.deals}
    open_causes = [cause for cause in causes if decisions.of("cause", cause.id) is None]
    waiting = {deal_id for cause in open_causes for deal_id in cause.deals}
    alone = [failed[i] for i in failed if i in undecided and (i not in told or i not in settled | waiting)]
    return [*open_causes, *alone]


def _is_rejected(decisions: Decisions, cause: Cause) -> bool:
    decision = decisions.of("cause", cause.id)
    return decision is not None and decision.decision == "reject"


def _into(decisions: Decisions, cause: Cause) -> str | None:
    decision = decisions.of("cause", cause.id)
    return decision.into if decision is not None and decision.decision == "accept" else None


@dataclass(frozen=True, slots=True)
class _Done:
    """What was done last, and which files it changed."""

    item: Item
    changes: tuple[Change, ...]


class Review:
    """One sitting of a reviewer."""

    def __init__(self, config: Config, finished: FinishedRun, decisions: Decisions, who: str | None) -> None:
        self._config = config
        self._finished = finished
        self._decisions = decisions
        self._who = who
        self._results = {result.id: result for result in finished.results}
        self._waiting: list[Item] = _open_items(config, finished, decisions)
        self._done: list[_Done] = []
        self._skipped: set[tuple[str, str]] = set()

    def go(self) -> None:
        """Ask about one item after another, until all are decided or skipped, or the person quits, also by Ctrl-C."""
        say([f"{plural(len(self._waiting), 'item')} to decide", HELP] if self._waiting else "nothing to decide")
        for decision in self._decisions.all():
            say(f"decided before: {decided_text(decision, self._finished)}")
        while self._waiting or self._find_more():
            item = self._waiting[0]
            say(["", *item_lines(item, self._finished, self._decisions, left=len(self._waiting))])
            try:
                if not self._decide(item):
                    return
            except (EOFError, KeyboardInterrupt):
                say()
                return
            except DealsnapError as error:
                say(printable(str(error)))

    def _find_more(self) -> bool:
        """Take up what the decisions on causes have left to be decided deal by deal; what was skipped waits."""
        found = _open_items(self._config, self._finished, self._decisions)
        self._waiting = [item for item in found if _target(item) not in self._skipped]
        return bool(self._waiting)

    def _decide(self, item: Item) -> bool:
        """Ask what to do with *item*; false to quit."""
        letter = ask("[s]ee [d]eals [b]aseline [l]edger [r]eject s[k]ip [u]ndo [q]uit [?]").lower()[:1]
        if letter == "q":
            return False
        actions: dict[str, Callable[[Item], None]] = {
            "s": lambda it: say(item_details(it, self._results)),
            "d": self._into_deals,
            "b": self._into_baseline,
            "l": self._into_ledger,
            "r": self._reject,
            "k": self._skip,
            "u": self._undo,
        }
        action = actions.get(letter)
        if action is None:
            say(HELP)
        else:
            action(item)
        return True

    def _skip(self, item: Item) -> None:
        self._waiting.remove(item)
        self._skipped.add(_target(item))

    def _into_deals(self, item: Item) -> None:
        if not isinstance(item, Cause):
            say("this is a deal; s shows it in full")
            return
        own = [self._results[deal] for deal in item.deals]
        open_deals = [r for r in own if r.status in AFFECTED and self._decisions.of("deal", r.id) is None]
        self._waiting[:1] = [one for one in open_deals if one not in self._waiting]

    def _into_baseline(self, item: Item) -> None:
        before = self._decisions.into_baseline()
        proposal = propose_baseline(self._config, self._finished, _chosen(item), taken_before=before)
        self._take(item, proposal, Terms("", ""), "baseline")

    def _into_ledger(self, item: Item) -> None:
        who = reviewer(self._who, self._config.root)
        reason = ask("reason")
        if not reason:
            say("an exception needs a reason: nothing was done")
            return
        ticket = ask("ticket (optional)") or None
        expires = parse_day(ask("expires, YYYY-MM-DD (optional)"), "expires")
        terms = Terms(reason, who, ticket, expires)
        self._take(item, propose_ledger(self._config, self._finished, _chosen(item), terms), terms, "ledger")

    def _take(self, item: Item, proposal: Proposal, terms: Terms, into: str) -> None:
        """Show what would change, ask, and do it."""
        say(proposal.lines)
        say(proposal.refusals)
        if not proposal.count or not confirm("do this?"):
            say("nothing was taken")
            return
        kind, name = _target(item)
        values = {"reason": terms.reason, "who": terms.who, "ticket": terms.ticket, "expires": terms.expires}
        decision = Decision("accept", **{kind: name}, into=into, **values)  # type: ignore[arg-type]  # by name
        self._keep(item, decision, [proposal.stage])

    def _reject(self, item: Item) -> None:
        kind, name = _target(item)
        who, note = reviewer(self._who, self._config.root), ask("note (optional)")
        self._keep(item, Decision("reject", **{kind: name}, note=note, who=who), [])  # type: ignore[arg-type]  # by name

    def _keep(self, item: Item, decision: Decision, stages: Sequence[Callable[[Changes], None]]) -> None:
        """Do what was decided and keep the decision, both or neither."""
        keep = partial(self._decisions.stage, decisions=[decision])
        done = apply_all(self._config.snapshots, [*stages, keep])
        self._waiting.remove(item)
        self._done.append(_Done(item, done))
        say(decided_text(decision, self._finished))

    def _undo(self, item: Item) -> None:
        if not self._done:
            say("nothing was decided in this sitting; what was before, git can take back")
            return
        done = self._done[-1]
        take_back(self._config.snapshots, done.changes)
        self._decisions.reload()
        self._done.pop()
        self._waiting.insert(0, done.item)
        say("undone")


def _target(item: Item) -> tuple[str, str]:
    return ("cause", item.id) if isinstance(item, Cause) else ("deal", item.id)


def _chosen(item: Item) -> Chosen:
    return Chosen(causes=(item,)) if isinstance(item, Cause) else Chosen(deals=(item,))
