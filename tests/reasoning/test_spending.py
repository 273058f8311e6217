"""Money: no call begins beyond the budget, what was spent is what is told, and a damaged account is refused."""

from __future__ import annotations

import math
import os
import threading
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pytest_dealsnap.errors import BudgetStopError, StoreError
from pytest_dealsnap.reasoning.spending import Account, Budget, SpendFile, amount_of


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (1, Decimal(1)),
        (0.1, Decimal("0.1")),
        (Decimal("0.10"), Decimal("0.10")),
        (0, Decimal(0)),
        (None, None),
        (True, None),
        ("1", None),
        (-0.01, None),
        (math.nan, None),
        (math.inf, None),
    ],
)
def test_a_cost_is_a_number_that_is_not_negative(value: Any, amount: Decimal | None) -> None:
    """Anything else is not known, and counts as the reserve."""
    assert amount_of(value) == amount


def test_calls_are_counted_across_processes(tmp_path: Path) -> None:
    """Two files of one path are one account; calls of a dead process are lost, and counted as the reserve."""
    budget = Budget(Decimal(10), Decimal(3))
    one, two = (SpendFile(tmp_path / "spend.jsonl", budget, "USD") for _ in range(2))
    first = one.begin("a")
    second = two.begin("b")
    one.begin("c")
    with pytest.raises(BudgetStopError, match=r"the budget of 10 USD .* 3 held back for each call under way"):
        two.begin("d")
    two.end(first, "a", seconds=1.5, amount=Decimal("0.5"))
    one.end(second, "b", seconds=1.5, amount=None)
    assert one.lose() == 1
    account = two.account()
    assert account.spent(budget) == Decimal("6.5")
    assert (account.begun, account.ended, account.unknown, account.lost) == (3, 2, 1, 1)
    assert account.seconds == 3


def test_the_reserve_is_the_dearest_seen(tmp_path: Path) -> None:
    """Before any was seen it is the start."""
    budget = Budget(Decimal(10), start=Decimal(4))
    spend = SpendFile(tmp_path / "spend.jsonl", budget, "USD")
    assert spend.account().reserve(budget) == 4
    spend.end(spend.begin("a"), "a", seconds=1, amount=Decimal(2))
    spend.end(spend.begin("b"), "b", seconds=1, amount=Decimal(1))
    assert spend.account().reserve(budget) == 2


def test_without_a_budget_anything_goes(tmp_path: Path) -> None:
    """It is counted all the same."""
    spend = SpendFile(tmp_path / "spend.jsonl", Budget(), "USD")
    for number in range(5):
        spend.end(spend.begin(str(number)), str(number), seconds=0, amount=Decimal(100))
    assert spend.account().known == 500


def test_a_line_that_is_half_written_is_not_there_yet(tmp_path: Path) -> None:
    """And a damaged one is an error: what was spent is not known."""
    path = tmp_path / "spend.jsonl"
    spend = SpendFile(path, Budget(), "USD")
    spend.begin("a")
    with path.open("ab") as file:
        file.write(b'{"what": "be')
    assert SpendFile(path, Budget(), "USD").account().begun == 1
    with path.open("ab") as file:
        file.write(b"\n")
    with pytest.raises(StoreError, match="was edited or damaged"):
        SpendFile(path, Budget(), "USD").account()


def test_threads_share_a_budget(tmp_path: Path) -> None:
    """Of twenty that begin at once, no more begin than the budget allows."""
    spend = SpendFile(tmp_path / "spend.jsonl", Budget(Decimal(7), Decimal(1)), "USD")
    begun, stopped = list[str](), list[str]()

    def one(number: int) -> None:
        try:
            begun.append(spend.begin(str(number)))
        except BudgetStopError:
            stopped.append(str(number))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(begun), len(stopped)) == (7, 13)


def test_a_killed_process_leaves_whole_lines(tmp_path: Path) -> None:
    """What it had begun counts, and its lock dies with it."""
    path = tmp_path / "spend.jsonl"
    if (child := os.fork()) == 0:
        spend = SpendFile(path, Budget(), "USD")
        spend.begin("a")
        spend.begin("b")
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    spend = SpendFile(path, Budget(), "USD")
    assert spend.lose() == 2
    spend.begin("c")
    assert (spend.account().begun, spend.account().lost) == (3, 2)


class Spending(RuleBasedStateMachine):
    """Calls that begin, end, are lost, or whose process is killed, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.budget = Budget(Decimal(100), start=Decimal(5))
        self.account = Account()
        self.under_way: list[str] = []
        self.known = Decimal(0)
        self.number = 0

    @rule()
    def begin(self) -> None:
        allowed = self.account.allows(self.budget)
        reserve = self.account.reserve(self.budget)
        committed = self.account.spent(self.budget) + reserve * (len(self.under_way) + 1)
        assert allowed == (committed <= 100)
        if allowed:
            self.number += 1
            self.under_way.append(str(self.number))
            self.account.take({"what": "begun", "call": str(self.number), "deal": "d"})

    @precondition(lambda self: self.under_way)
    @rule(amount=st.none() | st.decimals(0, 30, places=2), pick=st.integers(0))
    def end(self, amount: Decimal | None, pick: int) -> None:
        call = self.under_way.pop(pick % len(self.under_way))
        self.known += amount or 0
        told = None if amount is None else str(amount)
        self.account.take({"what": "ended", "call": call, "deal": "d", "seconds": 1, "amount": told})

    @precondition(lambda self: self.under_way)
    @rule()
    def kill(self) -> None:
        for call in self.under_way:
            self.account.take({"what": "lost", "call": call, "deal": "d"})
        self.under_way.clear()

    @rule()
    def told_twice(self) -> None:
        self.account.take({"what": "ended", "call": "nobody's", "deal": "d", "seconds": 1, "amount": "9"})

    @invariant()
    def what_is_told_is_what_was_spent(self) -> None:
        account = self.account
        assert account.known == self.known
        assert sorted(account.under_way) == sorted(self.under_way)
        assert account.begun == account.ended + account.lost + len(account.under_way)


TestSpending = Spending.TestCase
TestSpending.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@pytest.mark.parametrize("seed", range(200))
def test_fixed_costs_never_go_beyond_the_budget(seed: int) -> None:
    """Where the reserve is what a call costs at most, the money itself stays below the budget."""
    random = Random(seed)
    budget, account, under_way = Budget(Decimal(50), Decimal(8)), Account(), list[str]()
    for number in range(60):
        if under_way and random.random() < 0.5:
            call = under_way.pop(random.randrange(len(under_way)))
            amount = random.choice([None, str(random.randint(0, 8))])
            account.take({"what": "ended", "call": call, "deal": "d", "seconds": 1, "amount": amount})
        elif account.allows(budget):
            under_way.append(str(number))
            account.take({"what": "begun", "call": str(number), "deal": "d"})
        assert account.spent(budget) + 8 * len(under_way) <= 50


def test_another_account_counts_in_the_budget(tmp_path: Path) -> None:
    """What the old code spent is told once, however often the run is resumed."""
    for amount in ("1.5", "1.5", "2"):
        SpendFile(tmp_path / "spend.jsonl", Budget(Decimal(3), Decimal(1)), "USD").charge(Decimal(amount), 2)
    spend = SpendFile(tmp_path / "spend.jsonl", Budget(Decimal(3), Decimal(1)), "USD")
    assert spend.account().spent(spend.budget) == Decimal(2)
    assert spend.account().beside_calls == 2
    spend.begin("d1")
    with pytest.raises(BudgetStopError, match="allows no further call"):
        spend.begin("d2")
    assert len((tmp_path / "spend.jsonl").read_text().splitlines()) == 3
