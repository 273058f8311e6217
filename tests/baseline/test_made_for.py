"""What an entry of the ledger was made for, and what a gate says once it is something else."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pytest_dealsnap.baseline.ledger import parse_ledger
from pytest_dealsnap.baseline.ledger_writing import entry_text
from pytest_dealsnap.baseline.made_for import MadeFor, made_for
from pytest_dealsnap.errors import LedgerError
from pytest_dealsnap.model.finished_run import LedgerFact
from pytest_dealsnap.reporting.ledger_facts import ledger_facts
from tests.reporting.runs import finding, finished, result

TODAY = date(2026, 3, 1)
ENTRY = {"metric": "cost_total", "values": {"1": 110, "2": 220.5}}
TERMS = {"reason": "agreed", "who": "Ana"}


def entry(made: object) -> str:
    """Return the text of an entry that pins two deals."""
    return entry_text({**ENTRY, "made_for": made, **TERMS})


def test_an_entry_says_for_how_many_deals_and_how_much_money_it_was_made() -> None:
    """Totals are exact, and only where the metric is a number in every deal."""
    costs = [finding("cost_total", 100, 110), finding("cost_total", 200, 220.5)]
    made = made_for("cost_total +10.0%", costs)
    assert made == {"deals": 2, "pattern": "cost_total +10.0%", "baseline": 300, "current": Decimal("330.5")}
    [read] = parse_ledger(entry(made), Path("accepted.toml"), today=TODAY).entries
    assert read.made_for == MadeFor(2, "cost_total +10.0%", Decimal(300), Decimal("330.5"))
    assert made_for("lost", [*costs, finding("cost_total", 5, None)]) == {"deals": 3, "pattern": "lost"}


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (5, "made_for must be a table"),
        ({"deals": 0}, "made_for.deals must be a number of deals"),
        ({"deals": 1, "money": 5}, "made_for has no key 'money'"),
        ({"deals": 1, "pattern": 5}, "made_for.pattern must be a text"),
        ({"deals": 1, "current": "x"}, "made_for.baseline and current must be numbers"),
    ],
)
def test_a_bad_one_is_refused_with_its_place(made: object, words: str) -> None:
    """As everything in the ledger is."""
    with pytest.raises(LedgerError, match=f"entry 1: {words}"):
        parse_ledger(entry(made), Path("accepted.toml"), today=TODAY)


def facts_of(first: float, second: float, *, made: object = None) -> tuple[LedgerFact, ...]:
    """Return the facts of an entry over two deals that cost *first* and *second* now."""
    table = made or {"deals": 2, "pattern": "cost_total +10.0%", "baseline": 300, "current": Decimal("330.5")}
    ledger = parse_ledger(entry(table), Path("accepted.toml"), today=TODAY)
    results = [
        result(number, "accepted", finding("cost_total", 100, cost)) for number, cost in (("1", first), ("2", second))
    ]
    return ledger_facts(ledger, {0: {"1", "2"}}, results)


def test_a_gate_says_when_an_entry_takes_other_money_than_when_it_was_made() -> None:
    """A rule may allow a later value beside the accepted one: the total tells."""
    drifted = finished([result("1")], ledger=facts_of(115, 220.5)).notes
    assert drifted == (
        "accepted.toml, entry 1 (agreed): cost_total of its 2 deals sums up to 335.5 now and to 330.5 when it was "
        "accepted: drifted; made for 2 deals of cost_total +10.0%",
    )
    assert finished([result("1")], ledger=facts_of(110, 220.5)).notes == ()
    assert finished([result("1")], ledger=facts_of(115, 220.5, made={"deals": 2, "pattern": ""})).notes == ()
