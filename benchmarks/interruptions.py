"""Paid runs that are interrupted: kills at every call, and random interleavings of calls under one budget.

``python -m benchmarks.interruptions`` writes ``benchmarks/INTERRUPTIONS.md``. A kill is SIGKILL amid the k-th call of a
whole run of pytest; the same command then goes on. An interleaving is a random order of calls that begin, end at a
known or an unknown cost, or are lost, by up to four users of one account on the disk (without its syncs, which change
nothing but the time).
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from pytest_dealsnap.errors import BudgetStopError
from pytest_dealsnap.reasoning.spending import Budget, SpendFile
from tests.fork import run_module
from tests.plugin.project import BASE_ARGUMENTS, clean_environment

__all__ = ["DEALS", "Killed", "interleave", "killed_at", "paid_project"]

DEALS = 30
INTERLEAVINGS = 10_000
WORKERS = (1, 8)
SETTINGS = """
database = "sqlite:///deals.db"
reasoner = "agent:run"
[calls]
cost = "usd"
"""
# The k-th call kills its process. Every sixth deal is dearer than it was, so that there is something to find.
AGENT = """
import os
import signal
import time


def run(deal):
    with open("begun.txt", "a") as file:
        file.write("x\\n")
    if len(open("begun.txt").read().splitlines()) == int(os.environ.get("KILLED_AT", 0)):
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.001)
    dearer = os.environ.get("DEARER") == "yes" and int(deal.id) % 6 == 0
    return {"cost_estimate": {"total_cost": 1000 + int(deal.id) + 100 * dearer}, "synergies": [], "usd": 0.5}
"""


@dataclass
class Killed:
    """What a run that was killed once, and went on, came to."""

    begun: int
    told: int
    lost: int
    report: dict[str, Any]
    first_code: int


def paid_project(folder: Path) -> None:
    """Write the project into *folder*, and capture its baseline."""
    connection = sqlite3.connect(folder / "deals.db")
    with connection:
        connection.execute("CREATE TABLE deals (id INTEGER PRIMARY KEY, name TEXT, deal_type TEXT)")
        connection.executemany("INSERT INTO deals VALUES (?, ?, 'acquisition')", [(n, f"D{n}") for n in range(DEALS)])
    connection.close()
    (folder / "dealsnap.toml").write_text(SETTINGS)
    (folder / "agent.py").write_text(AGENT)
    assert _run(folder, "--dealsnap-update") == 0


def _run(folder: Path, *arguments: str, **environment: str) -> int:
    words = (*BASE_ARGUMENTS, "-q", "-p", "no:cacheprovider", *arguments)
    return run_module("pytest", *words, folder=folder, environment=clean_environment(**environment)).code


def killed_at(folder: Path, k: int, workers: int) -> Killed:
    """Gate in *folder*, killed at the *k*-th call (0: not at all), and let the same command go on."""
    (folder / "begun.txt").unlink(missing_ok=True)
    (folder / "report.json").unlink(missing_ok=True)
    gate = ("--dealsnap", "--dealsnap-workers", str(workers), "--dealsnap-report", "json:report.json")
    code = 0
    if k:
        code = _run(folder, *gate, "--dealsnap-fresh", KILLED_AT=str(k), DEARER="yes")
    _run(folder, *gate, *(() if k else ("--dealsnap-fresh",)), DEARER="yes")
    report = json.loads((folder / "report.json").read_text())
    spending = report["run"]["spending"]
    begun = len((folder / "begun.txt").read_text().splitlines())
    return Killed(begun, spending["calls"], spending["lost"], _judged(report), code)


def _judged(report: dict[str, Any]) -> dict[str, Any]:
    """Return what a report says of the deals, without times, and without how often was paid for what."""
    own = ("seconds", "evidence", "asked")
    return {
        "deals": [{key: value for key, value in deal.items() if key not in own} for deal in report["deals"]],
        "causes": report["causes"],
        "counts": {key: value for key, value in report["summary"].items() if key != "evidence"},
        "verdict": (report["verdict"]["action"], report["verdict"]["reason"].partition(" (")[0]),
    }


@dataclass
class _Truth:
    """What an onlooker who sees every call knows."""

    known: Decimal = Decimal(0)
    uncertain: int = 0
    under_way: dict[str, int] = field(default_factory=dict)
    dearest: Decimal | None = None


def interleave(seed: int, folder: Path) -> tuple[int, int]:
    """Go through one random interleaving in *folder*; return how many calls were begun, and how many refused.

    Raises :class:`AssertionError` for a call that was begun beyond the budget, or refused within it, and for a spending
    that is told otherwise than it was.
    """
    random, path, truth = Random(seed), folder / f"{seed}.jsonl", _Truth()
    fixed = Decimal(random.randint(1, 9)) if random.random() < 0.5 else None
    budget = Budget(Decimal(random.randint(5, 80)), fixed, start=Decimal(random.randint(1, 9)))
    assert budget.limit is not None
    users = [SpendFile(path, budget, "USD") for _ in range(random.randint(1, 4))]
    begun = refused = 0
    with patch("os.fsync"):
        for step in range(random.randint(10, 40)):
            user, kind = random.randrange(len(users)), random.random()
            reserve = fixed if fixed is not None else budget.start if truth.dearest is None else truth.dearest
            own = [call for call, who in truth.under_way.items() if who == user]
            if kind < 0.5:
                wanted = truth.known + reserve * (truth.uncertain + len(truth.under_way) + 1)
                try:
                    truth.under_way[users[user].begin(str(step))] = user
                    begun += 1
                    assert wanted <= budget.limit, f"seed {seed}: a call begun beyond the budget"
                except BudgetStopError:
                    refused += 1
                    assert wanted > budget.limit, f"seed {seed}: a call refused within the budget"
            elif kind < 0.9 and own:
                call = random.choice(own)
                amount = None if random.random() < 0.2 else Decimal(random.randint(0, 900)) / 100
                del truth.under_way[call]
                users[user].end(call, "d", seconds=1.0, amount=amount)
                if amount is None:
                    truth.uncertain += 1
                else:
                    truth.known += amount
                    truth.dearest = amount if truth.dearest is None else max(truth.dearest, amount)
            elif own:  # its process was killed, and another one goes on
                users[user].lose(own)
                truth.uncertain += len(own)
                truth.under_way = {call: who for call, who in truth.under_way.items() if who != user}
                users[user] = SpendFile(path, budget, "USD")
    reserve = fixed if fixed is not None else budget.start if truth.dearest is None else truth.dearest
    told = SpendFile(path, budget, "USD").account()
    assert told.spent(budget) == truth.known + reserve * truth.uncertain, f"seed {seed}: told otherwise"
    assert (told.begun, len(told.under_way)) == (begun, len(truth.under_way))
    path.unlink(missing_ok=True)
    return begun, refused


def _kills(folder: Path) -> Iterator[str]:
    paid_project(folder)
    for workers in WORKERS:
        whole = killed_at(folder, 0, workers)
        assert whole.begun == whole.told == DEALS
        runs = [killed_at(folder, k, workers) for k in range(1, DEALS + 1)]
        killed = sum(run.first_code != 0 for run in runs)
        same = sum(run.report == whole.report for run in runs)
        truly = sum(run.begun <= run.told <= DEALS + workers for run in runs)
        most, lost = max(run.told for run in runs), max(run.lost for run in runs)
        assert (killed, same, truly) == (DEALS, DEALS, DEALS)
        yield f"| {workers} | {killed} | {most} | {DEALS + workers} | {lost} | {same} of {DEALS} |"


def main() -> None:
    """Run both, and write the table."""
    memory = Path("/dev/shm")  # where there is one
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        rows = list(_kills(Path(name)))
        started = time.monotonic()
        counts = [interleave(seed, Path(name)) for seed in range(INTERLEAVINGS)]
        seconds = time.monotonic() - started
    begun, refused = (sum(count[at] for count in counts) for at in (0, 1))
    table = f"""# Interrupted runs that cost money

`python -m benchmarks.interruptions`. A run of {DEALS} deals is killed (SIGKILL) amid its k-th call, for each k from 1
to {DEALS}; the same command goes on. "Equal" compares deals, findings, causes, counts and verdict with those of a run
that was not killed.

| workers | kills | calls begun at most | allowed (deals + workers) | lost at most | equal reports |
| --- | --- | --- | --- | --- | --- |
{chr(10).join(rows)}

{INTERLEAVINGS:,} random interleavings: one to four users share one account on the disk. Half of the runs have a fixed
reserve; the other half reserve the dearest call seen. {begun:,} calls were begun and {refused:,} refused. No call was
begun beyond the budget, and none was refused within it. In each run the account equals what the calls cost
({seconds:,.0f} s).
"""
    Path(__file__).with_name("INTERRUPTIONS.md").write_text(table, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
