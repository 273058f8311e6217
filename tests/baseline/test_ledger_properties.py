"""The ledger by properties: bounds hold exactly, entries come back as written, order does not matter."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pytest_dealsnap.baseline.ledger import Ledger, parse_ledger
from pytest_dealsnap.model.results import DealResult, Finding

TODAY = date(2027, 1, 31)
TYPES = ("acquisition", "carveout", "divestiture")
money = st.decimals(-(10**12), 10**12, places=4, allow_nan=False)
# A string that JSON writes in ASCII is one that TOML reads alike.
words = st.text(st.characters(exclude_categories=["Cs"], max_codepoint=0xFFFF), max_size=12)


def parsed(*entries: str, today: date = TODAY) -> Ledger:
    """Return the ledger of those entries."""
    text = "".join(f'[[accepted]]\nmetric = "cost_total"\n{entry}\n' for entry in entries)
    return parse_ledger(text, Path("accepted.toml"), today=today, types=TYPES)


def entry(accepts: str, *, who: str = "Ana", reason: str = "known", deals: str = '["12"]') -> str:
    """Return one entry's lines."""
    return f"who = {json.dumps(who)}\nreason = {json.dumps(reason)}\ndeals = {deals}\n{accepts}"


def status(ledger: Ledger, current: Any, *, deal: str = "12") -> str:
    """Return what the ledger makes of a deal whose cost is *current* now."""
    finding = Finding("cost_total", "cost_changed", 1, current)
    return ledger.apply(DealResult(deal, None, "carveout", "carveout", "regressed", findings=(finding,)))[0].status


@given(low=money, width=st.decimals(0, 10**6, places=4), step=st.sampled_from([Decimal("1E-30"), Decimal("0.0001"), 7]))
def test_a_range_holds_at_its_bounds_and_not_beyond(low: Decimal, width: Decimal, step: Any) -> None:
    """Both ends are accepted, and the next value outside is not, however near."""
    high = low + width
    ledger = parsed(entry(f"range = [{low:f}, {high:f}]"))
    below, above = (_exactly(low, -step), _exactly(high, step))
    assert [status(ledger, value) for value in (low, high)] == ["accepted", "accepted"]
    assert [status(ledger, value) for value in (below, above)] == ["regressed", "regressed"]


def _exactly(value: Decimal, step: Any) -> Decimal:
    """Return a sum with all its digits."""
    scale = 40
    whole = int(value.scaleb(4)) * 10 ** (scale - 4) + int(Decimal(step).scaleb(scale, context=_WIDE))
    return Decimal((int(whole < 0), tuple(map(int, str(abs(whole)))), -scale))


_WIDE = Context(prec=80)


@given(value=money, other=money)
def test_a_value_accepts_itself_alone(value: Decimal, other: Decimal) -> None:
    """Whatever digits it is written with, and no other value."""
    ledger = parsed(entry(f"value = {value:f}"))
    assert status(ledger, value) == "accepted"
    assert status(ledger, other) == ("accepted" if other == value else "regressed")


@given(who=words.filter(str.strip), reason=words.filter(str.strip), deal=words.filter(bool))
def test_an_entry_comes_back_as_it_was_written(who: str, reason: str, deal: str) -> None:
    """Names, reasons and ids with quotes, markup and line ends included; the deal is that one alone."""
    ledger = parsed(entry("value = 5", who=who, reason=reason, deals=json.dumps([deal])))
    [one] = ledger.entries
    assert (one.who, one.reason) == (who, reason)
    assert status(ledger, 5, deal=deal) == "accepted"
    assert status(ledger, 5, deal=f"{deal}x") == "regressed"


@given(values=st.lists(st.integers(0, 9), min_size=1, max_size=5), current=st.integers(0, 9), data=st.data())
def test_the_order_of_entries_does_not_matter(values: list[int], current: int, data: st.DataObject) -> None:
    """Entries are alternatives, and the stale ones are those that matched nothing."""
    entries = [entry(f"value = {value}") for value in values]
    one, other = parsed(*entries), parsed(*data.draw(st.permutations(entries)))
    assert status(one, current) == status(other, current) == ("accepted" if current in values else "regressed")


@given(days=st.integers(-400, 400))
def test_an_entry_counts_through_its_last_day_and_no_longer(days: int) -> None:
    """On any day: accepted until its expiry, that day included."""
    expires = TODAY + timedelta(days=days)
    ledger = parsed(entry(f"value = 5\nexpires = {expires.isoformat()}"))
    assert status(ledger, 5) == ("accepted" if days >= 0 else "regressed")
    assert len(ledger.expired()) == (days < 0)
