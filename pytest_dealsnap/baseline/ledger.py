"""``accepted.toml``: deviations that a person has taken, with a reason and, where due, an end.

::

    [[accepted]]
    deals = ["12", "14"]           # or: type = "carveout"
    metric = "cost_total"
    range = [1200000, 1400000]     # or: value = 1310000
    reason = "twelve months of TSA on a unit of nine applications"
    who = "Ana Ruiz"
    ticket = "DD-142"              # optional
    expires = 2027-01-31           # optional, the last day on which it counts
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from pytest_dealsnap.errors import LedgerError, OutputError, did_you_mean
from pytest_dealsnap.judging.findings import DealResult, Finding
from pytest_dealsnap.judging.values import exact, is_number, is_present, same
from pytest_dealsnap.reasoning.canonical import canonical

__all__ = ["LEDGER", "Acceptance", "Ledger", "read_ledger"]

LEDGER = "accepted.toml"
_KEYS = ("deals", "type", "metric", "value", "range", "reason", "who", "ticket", "expires")
# Not deviations of a value, but a deal that could not be judged: no entry can make that green.
_NEVER = ("reasoning_failed", "missing_from_database")


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One entry: whose (``deals`` or ``type``), which ``metric``, and the value or range it may have now."""

    place: str
    metric: str
    reason: str
    who: str
    deals: frozenset[str] = frozenset()
    type: str | None = None
    value: Any = None
    low: Decimal | None = None
    high: Decimal | None = None
    ticket: str | None = None
    expires: date | None = None

    def expired(self, today: date) -> bool:
        """Whether the entry's last day is over."""
        return self.expires is not None and today > self.expires

    def covers(self, result: DealResult, finding: Finding) -> bool:
        """Whether the entry accepts *finding*'s current value in *result*'s deal."""
        if finding.metric != self.metric or finding.issue in _NEVER:
            return False
        if not (result.id in self.deals or result.deal_type == self.type):
            return False
        if self.low is None or self.high is None:
            return same(finding.current, self.value)
        current = finding.current
        return is_number(current) and is_present(current) and self.low <= exact(current) <= self.high


@dataclass(frozen=True, slots=True)
class Ledger:
    """All entries, and the day on which they are asked."""

    entries: tuple[Acceptance, ...]
    today: date

    def apply(self, result: DealResult) -> tuple[DealResult, tuple[int, ...]]:
        """Return *result*, ``accepted`` where live entries cover all that gates, and which entries matched."""
        if result.status != "regressed" or result.corrupt:
            return result, ()
        used: list[int] = []
        for finding in result.gating:
            covering = [i for i, entry in enumerate(self.entries) if entry.covers(result, finding)]
            used += covering
            if not any(not self.entries[i].expired(self.today) for i in covering):
                return result, tuple(used)
        reasons = dict.fromkeys(self.entries[i].reason for i in used if not self.entries[i].expired(self.today))
        return result.with_status("accepted", reason="; ".join(reasons)), tuple(used)

    def expired(self) -> tuple[Acceptance, ...]:
        """Return the entries that count no longer."""
        return tuple(entry for entry in self.entries if entry.expired(self.today))

    def stale(self, used: Iterable[int]) -> tuple[Acceptance, ...]:
        """Return the live entries that matched nothing, given which ones did."""
        matched = set(used)
        return tuple(e for i, e in enumerate(self.entries) if i not in matched and not e.expired(self.today))


def read_ledger(snapshots: Path, *, today: date, types: Iterable[str] = ()) -> Ledger:
    """Read the ledger below *snapshots*; an absent one is empty.

    Raises :class:`LedgerError` that names the entry and what is wrong with it.
    """
    path = snapshots / LEDGER
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except FileNotFoundError:
        return Ledger((), today)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LedgerError(f"{path} cannot be read: {error}") from None
    unknown = [key for key in document if key != "accepted"]
    tables = document.get("accepted", [])
    if unknown or not isinstance(tables, list):
        raise LedgerError(f"{path}: expected [[accepted]] entries only, found {', '.join(unknown) or 'accepted = …'}")
    entries = (_entry(table, f"{path}, entry {number}", types) for number, table in enumerate(tables, start=1))
    return Ledger(tuple(entries), today)


def _entry(table: Any, place: str, types: Iterable[str]) -> Acceptance:
    def need(condition: bool, what: str) -> None:
        if not condition:
            raise LedgerError(f"{place}: {what}")

    need(isinstance(table, dict), "must be a table")
    for key in table:
        need(key in _KEYS, f"unknown key {key!r}.{did_you_mean(key, _KEYS)} Valid: {', '.join(_KEYS)}")
    for key in ("metric", "reason", "who"):
        need(isinstance(table.get(key), str) and bool(table[key].strip()), f"{key} is needed, a text")
    need(("deals" in table) != ("type" in table), 'one of deals = ["12"] and type = "carveout" is needed')
    deals = table.get("deals", [])
    need(isinstance(deals, list) and all(type(d) in (str, int) for d in deals), "deals must be a list of ids")
    valid = list(types)
    need("type" not in table or not valid or table["type"] in valid, f"type must be one of {', '.join(valid)}")
    need(("value" in table) != ("range" in table), "one of value and range is needed")
    low, high = _range(table, need)
    expires = table.get("expires")
    need(expires is None or type(expires) is date, "expires must be a date, such as 2027-01-31")
    need(isinstance(table.get("ticket", ""), str), "ticket must be a text")
    try:
        value = canonical(table.get("value"))
    except OutputError as error:  # a time of day: no output holds one
        raise LedgerError(f"{place}: value: {error}") from None
    return Acceptance(
        place=place,
        metric=table["metric"],
        reason=table["reason"],
        who=table["who"],
        deals=frozenset(str(deal) for deal in deals),
        type=table.get("type"),
        value=value,
        low=low,
        high=high,
        ticket=table.get("ticket"),
        expires=expires,
    )


def _range(table: Mapping[str, Any], need: Any) -> tuple[Decimal | None, Decimal | None]:
    bounds = table.get("range")
    if bounds is None:
        return None, None
    need(
        isinstance(bounds, list) and len(bounds) == 2 and all(is_number(b) and is_present(b) for b in bounds),
        "range must be [lowest, highest]",
    )
    low, high = exact(bounds[0]), exact(bounds[1])
    need(low <= high, f"the range is empty, {low} is above {high}")
    return low, high
