"""Go through a gate's findings, by cause and by deal: see, accept or reject each; stop at any time and go on later."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pytest_dealsnap.baseline.journal import Change, Changes
from pytest_dealsnap.cli.chosen import Chosen
from pytest_dealsnap.cli.decisions import Decisions
from pytest_dealsnap.cli.key_input import has_colors, has_keys, page, read_key, screen
from pytest_dealsnap.cli.ledger_entries import Terms, check_decidable
from pytest_dealsnap.cli.output import project_config, read_judged
from pytest_dealsnap.cli.proposals import (
    Proposal,
    apply_all,
    propose_baseline,
    propose_ledger,
    take_back,
)
from pytest_dealsnap.cli.review_items import Item, open_items, target
from pytest_dealsnap.cli.review_questions import HELP, KEYS, QUESTION, ask_day, letter_of
from pytest_dealsnap.cli.review_text import decided_text, item_details, item_lines, usable_commands
from pytest_dealsnap.cli.terminal import ask, confirm, has_terminal, reviewer, say
from pytest_dealsnap.cli.word_diff import Colors
from pytest_dealsnap.config import Config
from pytest_dealsnap.errors import DealsnapError
from pytest_dealsnap.model.cause import Cause
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.kept_files import Decision
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import AFFECTED, DealResult
from pytest_dealsnap.text import cut, plural, printable

__all__ = ["add_arguments", "run"]

# More titles and decisions than that are counted.
LISTED = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("report", type=Path, metavar="REPORT.json", help="the JSON report of a gate")
    parser.add_argument("--who", metavar="NAME", help="the reviewer's name (default: git's user.name)")
    parser.add_argument("--words", action="store_true", help="answer with words and Enter, not with single keys")


def run(options: argparse.Namespace) -> int:
    """Review at a terminal, else list the commands that would work; 1 while something is undecided or rejected."""
    finished = read_judged(options.report)
    decisions = Decisions(options.report, finished)
    config = project_config()
    if not has_terminal():
        waiting = open_items(config, finished, decisions)
        say(usable_commands(finished, options.report, decisions, waiting))
        return 1 if waiting or _rejected(decisions) else 0
    review = Review(config, finished, decisions, options.who, keys=has_keys() and not options.words)
    review.go()
    left = open_items(config, finished, decisions)
    say(
        f"{plural(len(left), 'item')} left to decide: {printable(f'dealsnap review {options.report}')}"
        if left
        else _end(decisions)
    )
    return 1 if left or _rejected(decisions) else 0


def _end(decisions: Decisions) -> str:
    rejected = len(_rejected(decisions))
    if rejected:
        return f"all is decided; {plural(rejected, 'rejection')} keep the gate red until the change is fixed"
    return "all is decided: gate again, and commit snapshots/"


def _rejected(decisions: Decisions) -> list[Decision]:
    return [decision for decision in decisions.all() if decision.decision == "reject"]


@dataclass(frozen=True, slots=True)
class _Done:
    """What was done last, and which files it changed."""

    items: tuple[Item, ...]
    changes: tuple[Change, ...]


class Review:
    """One sitting of a reviewer."""

    def __init__(
        self, config: Config, finished: FinishedRun, decisions: Decisions, who: str | None, *, keys: bool
    ) -> None:
        self._config = config
        self._finished = finished
        self._decisions = decisions
        self._who = who
        self._results = {result.id: result for result in finished.results}
        self._waiting: list[Item] = open_items(config, finished, decisions)
        self._done: list[_Done] = []
        self._skipped: set[tuple[str, str]] = set()
        self._keys = keys
        self._colors = Colors(has_colors())
        self._shown: list[Item] = []
        self._origin: dict[str, str] = {}
        self._last: Decision | None = None

    def go(self) -> None:
        """Ask about one item after another, until all are decided or skipped, or the person quits, also by Ctrl-C."""
        say([f"{plural(len(self._waiting), 'item')} to decide", HELP] if self._waiting else "nothing to decide")
        for decision in self._decisions.all():
            say(f"decided before: {decided_text(decision, self._finished)}")
        while self._waiting or self._find_more():
            item = self._waiting[0]
            if not self._shown or self._shown[-1] != item:
                self._shown.append(item)
            self._show(item)
            try:
                if not self._decide(item):
                    return
            except (EOFError, KeyboardInterrupt):
                say()
                return
            except DealsnapError as error:
                say(printable(str(error)))

    def _show(self, item: Item) -> None:
        width = screen()[0] if self._keys else None
        left = len(self._waiting)
        lines = item_lines(item, self._finished, self._decisions, left=left, results=self._results, width=width)
        if width is not None:
            lines = [self._colors.bold(cut(lines[0], width)), *(cut(line, width) for line in lines[1:])]
        say(["", *lines])

    def _find_more(self) -> bool:
        """Take up what the decisions on causes have left to be decided deal by deal; what was skipped waits."""
        found = open_items(self._config, self._finished, self._decisions)
        self._waiting = [item for item in found if target(item) not in self._skipped]
        return bool(self._waiting)

    def _decide(self, item: Item) -> bool:
        """Ask what to do with *item*; false to quit."""
        letter = read_key(f"[{KEYS}]? ").lower() if self._keys else letter_of(ask(QUESTION))
        if letter == "q":
            return False
        actions: dict[str, Callable[[Item], None]] = {
            "s": self._see,
            "d": self._into_deals,
            "b": self._into_baseline,
            "l": self._into_ledger,
            "r": self._reject,
            "k": self._skip,
            "p": self._previous,
            "j": self._jump,
            "/": self._search,
            "a": self._apply_last,
            "u": self._undo,
        }
        action = actions.get(letter)
        if action is None:
            say(HELP)
        else:
            action(item)
        return True

    def _see(self, item: Item) -> None:
        page(item_details(item, self._results, self._colors, screen()[0]))

    def _bring(self, item: Item) -> None:
        """Have *item* asked next; one that was skipped comes back."""
        if item in self._waiting:
            self._waiting.remove(item)
        self._skipped.discard(target(item))
        self._waiting.insert(0, item)

    def _previous(self, item: Item) -> None:
        earlier = [one for one in self._shown if one != item and self._decisions.of(*target(one)) is None]
        if not earlier:
            say("there is no earlier item that is undecided; u takes the last decision back")
            return
        while self._shown and self._shown[-1] != earlier[-1]:
            self._shown.pop()
        self._bring(earlier[-1])

    def _jump(self, item: Item) -> None:
        titles = [one.title if isinstance(one, Cause) else f"deal {one.id}" for one in self._waiting]
        width = screen()[0]
        say(cut(f"  {number}  {printable(title)}", width) for number, title in enumerate(titles[:LISTED], start=1))
        if len(titles) > LISTED:
            say(f"  and {len(titles) - LISTED:,} more")
        number = ask("to which number")
        if number.isdecimal() and 1 <= int(number) <= len(titles):
            self._bring(self._waiting[int(number) - 1])
        elif number:
            say(f"{printable(number)}: must be a number from 1 to {len(titles)}")

    def _search(self, item: Item) -> None:
        wanted = ask("search").casefold()
        others = [one for one in self._waiting if one is not item]
        found = next((one for one in others if wanted and self._matches(one, wanted)), None)
        if found is None:
            say("nothing else matches")
        else:
            self._bring(found)

    def _matches(self, item: Item, wanted: str) -> bool:
        texts = [item.title, item.id] if isinstance(item, Cause) else []
        deals = [self._results[deal] for deal in item.deals] if isinstance(item, Cause) else [item]
        return any(wanted in (text or "").casefold() for one in deals for text in (*texts, one.id, one.name))

    def _skip(self, item: Item) -> None:
        self._waiting.remove(item)
        self._skipped.add(target(item))

    def _into_deals(self, item: Item) -> None:
        if not isinstance(item, Cause):
            say("this is a deal; s shows it in full")
            return
        own = [self._results[deal] for deal in item.deals]
        open_deals = [r for r in own if r.status in AFFECTED and self._decisions.of("deal", r.id) is None]
        there = {target(one) for one in self._waiting}
        self._waiting[:1] = [one for one in open_deals if target(one) not in there]
        self._origin |= {one.id: item.id for one in open_deals}

    def _rest(self, item: Item) -> list[DealResult]:
        """Return *item* and what else waits of the cause whose deals are gone through."""
        cause = self._origin.get(item.id)
        same = [one for one in self._waiting if isinstance(one, DealResult) and self._origin.get(one.id) == cause]
        return same if cause is not None and isinstance(item, DealResult) else []

    def _apply_last(self, item: Item) -> None:
        """Decide on the rest of a cause's deals as on the one before."""
        rest, last = self._rest(item), self._last
        if not rest or last is None:
            say("a decides on the rest of a cause as on the deal before: go through its deals by d, and decide on one")
            return
        if last.decision == "reject":
            if confirm(f"reject {plural(len(rest), 'deal')} with the note {printable(last.note)!r}?"):
                self._keep(rest, last, [])
            return
        chosen, terms = Chosen(deals=tuple(rest)), Terms(last.reason, last.who, last.ticket, last.expires)
        if last.into == "ledger":
            proposal = propose_ledger(self._config, self._finished, chosen, terms)
        else:
            before = self._decisions.into_baseline()
            proposal = propose_baseline(self._config, self._finished, chosen, taken_before=before)
        self._take(rest, proposal, terms, last.into or "baseline")

    def _into_baseline(self, item: Item) -> None:
        check_decidable(self._finished, *target(item))
        before = self._decisions.into_baseline()
        proposal = propose_baseline(self._config, self._finished, _chosen(item), taken_before=before)
        self._take([item], proposal, Terms("", ""), "baseline")

    def _into_ledger(self, item: Item) -> None:
        check_decidable(self._finished, *target(item))
        who = reviewer(self._who, self._config.root)
        reason = ask("reason")
        if not reason:
            say("an exception needs a reason: nothing was done")
            return
        ticket = ask("ticket (optional)") or None
        terms = Terms(reason, who, ticket, ask_day())
        self._take([item], propose_ledger(self._config, self._finished, _chosen(item), terms), terms, "ledger")

    def _take(self, items: Sequence[Item], proposal: Proposal, terms: Terms, into: str) -> None:
        """Show what would change, ask, and do it."""
        page([*proposal.lines, *proposal.refusals])
        if not proposal.count or not confirm("do this?"):
            say("nothing was taken")
            return
        kind, name = target(items[0])
        values = {"reason": terms.reason, "who": terms.who, "ticket": terms.ticket, "expires": terms.expires}
        decision = Decision(decision="accept", **{kind: name}, into=into, **values)  # type: ignore[arg-type]  # by name
        self._keep(items, decision, [proposal.stage])

    def _reject(self, item: Item) -> None:
        kind, name = target(item)
        who, note = reviewer(self._who, self._config.root), ask("note (optional)")
        decision = Decision(decision="reject", **{kind: name}, note=note, who=who)  # type: ignore[arg-type]  # by name
        self._keep([item], decision, [])

    def _keep(self, items: Sequence[Item], decision: Decision, stages: Sequence[Callable[[Changes], None]]) -> None:
        """Do what was decided and keep the decision on each of *items*, all or nothing."""
        made = [replace(decision, **{"cause": None, "deal": None, kind: name}) for kind, name in map(target, items)]
        keep = partial(self._decisions.stage, decisions=made)
        done = apply_all(self._config.snapshots, [*stages, keep])
        targets = {target(item) for item in items}
        self._waiting = [one for one in self._waiting if target(one) not in targets]
        self._done.append(_Done(tuple(items), done))
        self._last = decision
        say(decided_text(one, self._finished) for one in made[:LISTED])
        if len(made) > LISTED:
            say(f"and {len(made) - LISTED:,} more")

    def _undo(self, item: Item) -> None:
        if not self._done:
            say("nothing was decided in this sitting; what was before, git can take back")
            return
        done = self._done[-1]
        take_back(self._config.snapshots, done.changes)
        self._decisions.reload()
        self._done.pop()
        self._waiting[:0] = done.items
        say("undone")


def _chosen(item: Item) -> Chosen:
    return Chosen(causes=(item,)) if isinstance(item, Cause) else Chosen(deals=(item,))
