"""``accepted.toml``: deviations that a person has taken, with a reason and, where due, an end.

::

    [[accepted]]
    deals = ["12", "14"]           # or: type = "carveout", or: cause = "f6deda3633d5"
    metric = "cost_total"
    range = [1200000, 1400000]     # or: value = 1310000, or: change_percent = [11.9, 12.1], …
                                   # in place of deals and a condition: values = {"12" = 1310000}, or a file's name
    reason = "twelve months of TSA on a unit of nine applications"
    who = "Ana Ruiz"
    made_for = { deals = 2, pattern = "cost_total +12.0% · carveout", baseline = 2400000, current = 2688000 }
                                   # optional: what it was when it was accepted; a gate says where it became more
    ticket = "DD-142"              # optional
    expires = 2027-01-31           # optional, the last day on which it counts, in UTC
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from pytest_dealsnap.baseline.acceptance import Acceptance, Look, read_entry
from pytest_dealsnap.baseline.combined_entries import stacked
from pytest_dealsnap.baseline.files import leads_nowhere
from pytest_dealsnap.errors import LedgerError
from pytest_dealsnap.judging.policy import Policy
from pytest_dealsnap.judging.rules import Rule
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import DealResult, Finding, Kind
from pytest_dealsnap.toml_text import parse_toml

__all__ = ["LEDGER", "Acceptance", "Ledger", "parse_ledger", "read_ledger"]

LEDGER = "accepted.toml"


@dataclass(frozen=True, slots=True)
class Ledger:
    """All entries, and the day on which they are asked.

    *policy* has the rules in which an accepted value stands in the baseline's place; without it, only the value
    itself is accepted.
    """

    entries: tuple[Acceptance, ...]
    today: date
    policy: Policy | None = None

    def judged_by(self, policy: Policy) -> Ledger:
        """Return the ledger whose accepted values are judged by the rules of *policy*."""
        return replace(self, policy=policy)

    def _rule(self, result: DealResult, finding: Finding) -> Rule | None:
        return None if self.policy is None else self.policy[result.deal_type].rules.get(finding.metric)

    def against_baseline(self) -> Ledger:
        """Return the entries that a gate asks: those of a matrix run are none of its business."""
        return replace(self, entries=tuple(e for e in self.entries if not e.between_types))

    def between_types(self) -> Ledger:
        """Return the entries that a matrix run asks, whose metric names a type or two."""
        return replace(self, entries=tuple(e for e in self.entries if e.between_types))

    def apply(self, result: DealResult, look: Look | None = None) -> tuple[DealResult, tuple[int, ...]]:
        """Return *result*, ``accepted`` where live entries cover all that gates, and which entries matched.

        *look* tells the deal's fields, and is asked only by an entry that names one.
        """
        if result.status != "regressed" or result.corrupt:
            return result, ()
        used: list[int] = []
        left = False
        for finding in result.gating:
            rule = self._rule(result, finding)
            taking = [i for i, entry in enumerate(self.entries) if entry.covers(result, finding, look, rule)]
            if not any(not self.entries[i].expired(self.today) for i in taking):
                pair = stacked(self._live(), result, finding, look)
                left = left or pair is None
                taking += pair or ()
            used += taking
        if left:
            return result, tuple(used)
        if any(_is_recovery(finding) for finding in result.findings):
            reason = "it failed in the baseline, and nobody has approved an output"
            findings = tuple(replace(finding, gates=False) for finding in result.findings)
            return replace(result.with_status("new", reason=reason), compared=False, findings=findings), tuple(used)
        reasons = dict.fromkeys(self.entries[i].reason for i in used if not self.entries[i].expired(self.today))
        return result.with_status("accepted", reason="; ".join(reasons)), tuple(used)

    def uncovered(self, result: DealResult, look: Look | None = None) -> tuple[Finding, ...]:
        """Return the gating findings of *result* that no live entry covers, nor two on top of each other."""
        live = self._live()
        alone = (
            f
            for f in result.gating
            if not any(entry.covers(result, f, look, self._rule(result, f)) for _, entry in live)
        )
        return tuple(finding for finding in alone if stacked(live, result, finding, look) is None)

    def _live(self) -> list[tuple[int, Acceptance]]:
        return [(number, entry) for number, entry in enumerate(self.entries) if not entry.expired(self.today)]

    def expired(self) -> tuple[Acceptance, ...]:
        """Return the entries that count no longer."""
        return tuple(entry for entry in self.entries if entry.expired(self.today))

    def stale(self, used: Iterable[int]) -> tuple[Acceptance, ...]:
        """Return the live entries that matched nothing, given which ones did."""
        matched = set(used)
        return tuple(e for i, e in enumerate(self.entries) if i not in matched and not e.expired(self.today))


def _is_recovery(finding: Finding) -> bool:
    """Whether the deal failed in the baseline and has an output now: no entry of the ledger approves that."""
    return finding.kind is Kind.OUTPUT and finding.count is None and not finding.gates and finding.current is None


def read_ledger(snapshots: Path, *, today: date, types: Iterable[str] = ()) -> Ledger:
    """Read the ledger below *snapshots*; an absent one is empty.

    Raises :class:`LedgerError` that names the entry and what is wrong with it.
    """
    path = snapshots / LEDGER
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if leads_nowhere(path):
            raise LedgerError(f"{path} cannot be read: it is a link to nothing. Restore it from git") from None
        return Ledger((), today)
    except OSError as error:
        raise LedgerError(f"{path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise LedgerError(f"{path} cannot be read: {error}") from None
    return parse_ledger(text, path, today=today, types=types)


def parse_ledger(
    text: str, path: Path, *, today: date, types: Iterable[str] = (), pending: Mapping[str, bytes] | None = None
) -> Ledger:
    """Return the ledger that *text* is, which stands, or will stand, at *path*, with *pending* files beside it.

    Raises :class:`LedgerError` that names the entry and what is wrong with it.
    """
    try:
        document = parse_toml(text, parse_float=Decimal)
    except ValueError as error:
        marked = any(line.startswith("<<<<<<< ") for line in text.splitlines())
        hint = " (it holds the markers of a merge conflict; the entries of both sides belong in it)" if marked else ""
        raise LedgerError(f"{path} cannot be read: {error}{hint}") from None
    unknown = [key for key in document if key != "accepted"]
    tables = document.get("accepted", [])
    if unknown or not isinstance(tables, list):
        raise LedgerError(f"{path}: expected [[accepted]] entries only, found {', '.join(unknown) or 'accepted = …'}")
    valid = list(types)
    entries = (
        read_entry(table, f"{path}, entry {number}", valid, folder=path.parent, pending=pending)
        for number, table in enumerate(tables, start=1)
    )
    return Ledger(tuple(entries), today)
