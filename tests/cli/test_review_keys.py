"""``dealsnap review`` by single keys, at a real terminal of 80 columns and 24 lines."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest

from pytest_dealsnap.cli.decisions import Decisions
from pytest_dealsnap.cli.review_text import item_lines
from pytest_dealsnap.cli.word_diff import Colors, difference_lines, word_diff
from pytest_dealsnap.model.details import Details, Difference
from pytest_dealsnap.model.results import Failure
from pytest_dealsnap.text import table
from tests.cli.reviewing import Contracts
from tests.cli.test_accept import CRASH, EMEA
from tests.cli.test_review import kept
from tests.reporting.runs import finding, finished, result


class Keys:
    """A review that is driven key by key."""

    def __init__(self, folder: Path, *arguments: str, columns: int, lines: int, **environment: str) -> None:
        self._process: Any = pexpect.spawn(
            sys.executable,
            ["-m", "pytest_dealsnap", "review", "report.json", "--who", "Ana", *arguments],
            cwd=str(folder),
            env={"PATH": "/usr/bin:/bin", "TERM": "xterm", "PAGER": "cat", "HOME": str(folder), **environment},
            encoding="utf-8",
            timeout=60,
            dimensions=(lines, columns),
        )

    def shown(self) -> str:
        """Return what stands above the next question for a key."""
        self._process.expect(re.escape("[s,d,b,l,r,k,p,j,/,a,u,q,?]? "))
        return str(self._process.before).replace("\r\n", "\n")

    def press(self, key: str) -> str:
        """Press *key*, and return what is shown until the next one is asked for."""
        self._process.send(key)
        return self.shown()

    def answer(self, question: str, answer: str) -> None:
        """Type *answer* when *question* is asked."""
        self._process.expect(re.escape(question))
        self._process.sendline(answer)

    def start(self, key: str) -> None:
        """Press a *key* that asks something else."""
        self._process.send(key)

    def end(self, key: str) -> int:
        """Press *key*, and return the exit status."""
        self._process.send(key)
        self._process.expect(pexpect.EOF)
        self._process.close()
        return int(self._process.exitstatus)


@pytest.mark.slow
def test_a_review_by_keys(contracts: Contracts) -> None:
    """One sitting: see, search, jump, back, deals, the rest of a cause, undo, help; Ctrl-D quits."""
    keys = Keys(contracts.folder, columns=80, lines=24, NO_COLOR="1")
    first = keys.shown()
    title = next(line for line in first.splitlines() if " left)" in line)
    assert "\x1b[" not in first
    assert max(map(len, first.splitlines())) <= 110
    keys.start("/")
    keys.answer("search: ", "zerodivision")
    assert CRASH[:40] in keys.shown()
    assert title in keys.press("p"), "back to the item before"
    keys.start("j")
    keys.answer("to which number: ", "99")
    assert "99: must be a number from 1 to " in keys.shown()
    keys.start("/")
    keys.answer("search: ", "zerodivision")
    keys.shown()
    assert "a decides on the rest of a cause" in keys.press("a")
    assert "cannot be accepted; fix the error" in keys.press("b")
    assert "deal k20 " in keys.press("d")
    seen = keys.press("s")
    assert "in price" in seen
    assert seen.index("in price") < seen.rindex("ZeroDivisionError: no items in 'k20'", 0, seen.rindex("deal k20")), (
        "the error is at its end"
    )
    assert "raise ZeroDivisionError(" in seen, "the line of the reasoner that raised"
    keys.start("r")
    keys.answer("note (optional): ", "a bug")
    assert "deal k44 " in keys.shown()
    keys.start("a")
    keys.answer("reject 2 deals with the note 'a bug'? [y/N]: ", "y")
    shown = keys.shown()
    assert "rejected: deal k44" in shown
    assert "rejected: deal k8" in shown
    assert set(kept(contracts)) == {"k20", "k44", "k8"}
    assert "undone" in keys.press("u")
    assert set(kept(contracts)) == {"k20"}
    assert "apply the last decision to the rest of this cause" in keys.press("?")
    assert keys.press("\x1b[A"), "an arrow is no answer, and harms nothing"
    assert keys.end("\x04") == 1


@pytest.mark.slow
def test_a_wide_terminal_has_colours_and_a_pager(contracts: Contracts) -> None:
    """At 120 by 40 titles are bold, and what is longer than the screen goes through the pager."""
    pager = contracts.folder / "pager.sh"
    pager.write_text(f"#!/bin/sh\necho PAGED\nexec {shutil.which('cat')}\n", encoding="utf-8")
    pager.chmod(0o755)
    keys = Keys(contracts.folder, columns=120, lines=40, PAGER=str(pager))
    first = keys.shown()
    assert "\x1b[1m" in first
    assert "PAGED" in keys.press("s")
    assert keys.end("q") == 1
    words = Keys(contracts.folder, "--words", columns=120, lines=40)
    words.answer("[q]uit [?]: ", "skip")
    words.answer("[q]uit [?]: ", "back")
    words.answer("[q]uit [?]: ", "search")
    words.answer("search: ", EMEA)
    words.answer("[q]uit [?]: ", "quit")
    assert words.end("") == 1


def test_texts_are_compared_word_by_word() -> None:
    """What is equal for long is folded and counted; without colours git's marks stand in their place."""
    same = " ".join(f"w{n}" for n in range(100))
    assert word_diff("save 10 a year", "save 12 a year", Colors(on=False)) == "save [-10-]{+12+} a year"
    assert word_diff("a", "b", Colors(on=True)) == "\x1b[31;9ma\x1b[0m\x1b[32;4mb\x1b[0m"
    folded = word_diff(f"{same} old", f"{same} new", Colors(on=False))
    assert "… 88 equal words …" in folded
    assert folded.endswith("[-old-]{+new+}")
    long = word_diff("x " * 4000, "y " * 4000, Colors(on=False))
    assert len(long) < 1000


def test_the_differences_of_a_deal_are_listed() -> None:
    """Texts by words, other values on both sides, and how many more there are."""
    differences = (
        Difference("memo", "changed", "as signed", "as amended"),
        Difference("cost", "changed", 100, 112),
        Difference("risk", "removed", "fx", None),
        Difference("unit", "added", None, 5),
    )
    one = result("1", "regressed", details=Details((), differences, 9))
    assert list(difference_lines(one, Colors(on=False), 80)) == [
        "",
        "9 differences in the output:",
        "  memo",
        "    as [-signed-]{+amended+}",
        "  cost",
        "    [-100-]",
        "    {+112+}",
        "  risk",
        "    [-fx-]",
        "  unit",
        "    {+5+}",
        "  … and 5 more",
    ]
    assert list(difference_lines(result("2"), Colors(on=False), 80)) == []
    coloured = list(difference_lines(one, Colors(on=True), 80))
    assert coloured[3] == "    as \x1b[31;9msigned\x1b[0m\x1b[32;4mamended\x1b[0m"


def test_wide_characters_are_aligned() -> None:
    """A CJK character takes two columns of a terminal, a combining accent none."""
    rows = table(("name", "n"), [("株式会社", "1"), ("e\u0301", "2")])
    assert rows == ["name      n", "────────  ─", "株式会社  1", "e\u0301         2"]


def test_a_long_title_makes_room_for_how_many_deals_there_are() -> None:
    """What is cut is the title."""
    failed = finding("output", None, f"ValueError: {'no rate ' * 30}", issue="reasoning_failed")
    run = finished([result(str(n), "errored", failed, error=Failure("ValueError", "no rate " * 30)) for n in range(3)])
    (cause,) = run.causes
    results = {one.id: one for one in run.results}
    head = item_lines(cause, run, Decisions(Path("report.json"), run), left=7, results=results, width=80)[0]
    assert len(head) == 80
    assert head.endswith("…: 3 deals, 3 fail   (7 left)")
