"""The page on review: the ledger entry that it shows is one, its tables and commands are the program's."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from pytest_dealsnap.baseline.acceptance import CONDITIONS
from pytest_dealsnap.baseline.ledger import parse_ledger
from pytest_dealsnap.cli import COMMANDS
from tests.docs.pages import page

CHAPTER = page("how-to/review").split("## Taking a change or refusing it")[1]


def test_the_ledger_entry_is_one_that_is_read() -> None:
    """What a reader copies is an entry."""
    [block] = re.findall(r"```toml\n(.*?)```", CHAPTER, re.DOTALL)
    [entry] = parse_ledger(block, Path("README.md"), today=date(2027, 1, 1)).entries
    assert (entry.cause, entry.condition, entry.ticket) == ("550a701e44d2", "change_amount", "DD-142")


def test_every_condition_is_described() -> None:
    """The table has every condition that an entry may have, and no other."""
    table = CHAPTER.split("| condition | the metric |")[1].split("\n\n")[0]
    assert set(re.findall(r"`(\w+) = ", table)) == set(CONDITIONS)


def test_the_commands_exist() -> None:
    """Every command of the chapter is one of the program's."""
    named = set(re.findall(r"^\$ dealsnap (\w+)", CHAPTER, re.MULTILINE))
    assert named == {"review", "accept", "reject", "prune"}
    assert named <= set(COMMANDS)
