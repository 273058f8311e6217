"""The questions of a review, and what their answers mean."""

from __future__ import annotations

from datetime import UTC, date, datetime

from pytest_dealsnap.cli.decisions import parse_day
from pytest_dealsnap.cli.terminal import ask, say
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.text import printable

__all__ = ["HELP", "KEYS", "QUESTION", "ask_day", "letter_of"]

HELP = """\
  s  see it in full              b  accept into the baseline: the deals' new outputs
  d  deals: go through them now  l  accept into the ledger: an exception, with a reason and an end
  k  skip it for now             r  reject it, with a note
  p  previous item               a  apply the last decision to the rest of this cause
  j  jump to another item        /  search titles, ids and names
  u  undo the last decision      q  quit; what was decided is kept, and review goes on from there"""
QUESTION = "[s]ee [d]eals [b]aseline [l]edger [r]eject s[k]ip [p]revious [j]ump [/]search [a]pply [u]ndo [q]uit [?]"
KEYS = "s,d,b,l,r,k,p,j,/,a,u,q,?"
WORDS = {
    "see": "s",
    "deals": "d",
    "baseline": "b",
    "ledger": "l",
    "reject": "r",
    "skip": "k",
    "previous": "p",
    "back": "p",
    "jump": "j",
    "search": "/",
    "apply": "a",
    "undo": "u",
    "quit": "q",
    "help": "?",
}


def letter_of(answer: str) -> str:
    """Return the letter of *answer*, which is one, or its word."""
    text = answer.strip().lower()
    return WORDS.get(text, text[:1])


def ask_day() -> date | None:
    """Ask for the last day until it is one, or none."""
    while True:
        try:
            day = parse_day(ask("expires, YYYY-MM-DD (optional)"), "expires")
        except ConfigError as error:
            say(printable(str(error)))
            continue
        if day is None or day >= datetime.now(UTC).date():
            return day
        say(f"expires {day.isoformat()}: that day is over, so the entry would never count")
