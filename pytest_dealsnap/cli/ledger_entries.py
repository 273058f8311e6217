"""What would be written into the ledger as a standing range or type: as narrow as it can be told."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from pytest_dealsnap.baseline.made_for import made_for
from pytest_dealsnap.causes.list_items import items_gone_and_come
from pytest_dealsnap.errors import DealsnapError
from pytest_dealsnap.judging.templates import path_form
from pytest_dealsnap.judging.values import exact, is_number, same
from pytest_dealsnap.model.cause import Cause
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.results import DealResult, Finding, Kind

__all__ = [
    "Entry",
    "NotAcceptableError",
    "Terms",
    "check_acceptable",
    "check_decidable",
    "standing_cause",
    "standing_type",
    "writable",
]

Entry = dict[str, Any]
# A range of percent is widened to so many digits, so that a last digit does not decide.
DIGITS = 3
# Percentage points: what a reported change is rounded by.
NOISE = Decimal("1e-6")


class NotAcceptableError(DealsnapError):
    """Something that no entry of the ledger can take; the text says what to do instead."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which terms something is accepted."""

    reason: str
    who: str
    ticket: str | None = None
    expires: date | None = None

    def added_to(self, entry: Entry) -> Entry:
        """Return *entry* with the terms at its end."""
        terms = {"reason": self.reason, "who": self.who, "ticket": self.ticket, "expires": self.expires}
        return {**entry, **{key: value for key, value in terms.items() if value is not None}}


def standing_cause(cause: Cause, results: Iterable[DealResult], terms: Terms, *, by_type: bool) -> Entry:
    """Return the entry that takes *cause* as far as it moved: in its deals, or, *by_type*, in all deals of its types.

    Raises :class:`NotAcceptableError` for a cause that cannot be told narrowly enough.
    """
    own = {
        result.id: finding
        for result in results
        for finding in result.findings
        if finding.metric == cause.metric and finding.issue == cause.issue
    }
    condition = _cause_condition(cause, list(own.values()))
    deals = list(cause.deals)
    made = {"made_for": made_for(cause.title, [own[deal] for deal in deals if deal in own])}
    if by_type:
        entry: Entry = {"cause": cause.id, "type": _one_or_all(cause.deal_types), "metric": cause.metric}
        return terms.added_to({**entry, **condition, "seen": deals, **made})
    return terms.added_to({"cause": cause.id, "deals": deals, "metric": cause.metric, **condition, **made})


def _one_or_all(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 else list(values)


def _cause_condition(cause: Cause, findings: Sequence[Finding]) -> Entry:
    check_acceptable(cause.kind, f"the cause {cause.id}")
    if cause.size is not None:
        return _size_condition(cause)
    if findings and all(finding.kind is Kind.LOST for finding in findings):
        return {"lost": True}
    if findings and all(finding.kind is Kind.OUTPUT for finding in findings):
        return {"paths": _all_forms(cause.title, findings)}
    shared = [condition for condition in (_items(findings), _value(findings)) if condition is not None]
    if shared:
        return shared[0]
    raise NotAcceptableError(
        f"{cause.title}: the new values have nothing in common that an entry could name. Take them into the baseline "
        "(--into baseline), or pin its deals: leave out --range and --for-type"
    )


def _all_forms(what: str, findings: Sequence[Finding]) -> list[str]:
    """Return every path at which *findings* changed, but for places in lists; refuse where not all are known."""
    forms: set[str] = set()
    for finding in findings:
        if finding.forms is None and (finding.count or 0) > len(finding.paths):
            raise NotAcceptableError(
                f"{what}: the report does not hold every path that changed. Take it into the baseline (--into baseline)"
            )
        forms.update(map(path_form, finding.paths) if finding.forms is None else finding.forms)
    return sorted(forms)


def check_acceptable(kind: Kind, what: str) -> None:
    """Raise :class:`NotAcceptableError` for a kind of finding that no entry can take; *what* has it."""
    if kind is Kind.FAILED:
        raise NotAcceptableError(f"{what}: a deal that could not be reasoned cannot be accepted; fix the error")
    if kind is Kind.GONE:
        raise NotAcceptableError(
            f"{what}: a deal that is gone cannot be accepted; if it was meant to go, drop its snapshot: dealsnap prune"
        )


_KINDS = {"errored": Kind.FAILED, "missing": Kind.GONE}


def check_decidable(run: FinishedRun, kind: str, name: str) -> None:
    """Raise :class:`NotAcceptableError` where the cause or the deal *name* of *run* has no output to accept."""
    if kind == "cause":
        for cause in run.causes:
            if cause.id == name:
                check_acceptable(cause.kind, f"the cause {name}")
    if kind == "deal":
        for result in run.results:
            if result.id == name:
                check_acceptable(_KINDS.get(result.status, Kind.METRIC), f"deal {name}")


def _size_condition(cause: Cause) -> Entry:
    size = cause.size
    assert size is not None
    if size.kind == "rounding" and size.value is not None and size.amount is not None:
        unit = exact(size.value)
        low, high = size.amount
        return {"change_amount": [Decimal(0) if low >= 0 else -unit, Decimal(0) if high <= 0 else unit]}
    if size.kind == "amount" or size.percent is None:
        assert size.amount is not None
        return {"change_amount": [_plain(bound) for bound in size.amount]}
    return {"change_percent": _widened(*size.percent, around=size.value if size.kind == "ratio" else None)}


def _plain(number: Decimal) -> int | Decimal:
    return int(number) if number == number.to_integral_value() and abs(number.adjusted()) < 18 else number


def _widened(low: float, high: float, *, around: float | None = None) -> list[Decimal]:
    """Return the range in a few digits, both ends moved outwards; to both sides of a ratio that it is *around*."""
    largest = max(abs(low), abs(high)) or 1.0
    step = Decimal(1).scaleb(math.floor(math.log10(largest)) + 1 - DIGITS)
    least, most, room = exact(low) - NOISE, exact(high) + NOISE, Decimal(0)
    if around is not None:
        least, most, room = min(least, exact(around)), max(most, exact(around)), step / 2
    bounds = [
        ((least - room) / step).to_integral_value(ROUND_FLOOR) * step,
        ((most + room) / step).to_integral_value(ROUND_CEILING) * step,
    ]
    return [Decimal(f"{bound:f}") for bound in bounds]


def _items(findings: Sequence[Finding]) -> Entry | None:
    """Return the items that all *findings* lost and gained, where all are lists and agree."""
    if not all(isinstance(f.baseline, list) and isinstance(f.current, list) for f in findings):
        return None
    changes = [items_gone_and_come(finding.baseline, finding.current) for finding in findings]
    if not changes or not all(same(list(change), list(changes[0])) for change in changes):
        return None
    sides = zip(("lost_items", "gained_items"), changes[0], strict=True)
    entry = {key: side for key, side in sides if side}
    return entry if entry and writable(list(entry.values())) else None


def _value(findings: Sequence[Finding]) -> Entry | None:
    """Return the value that all *findings* have now."""
    if not findings or not all(same(finding.current, findings[0].current) for finding in findings):
        return None
    value = findings[0].current
    return {"value": value} if value is not None and writable(value) else None


def writable(value: Any) -> bool:
    """Whether TOML has a way to write *value*: it has no null."""
    if isinstance(value, dict):
        return all(writable(item) for item in value.values())
    if isinstance(value, list):
        return all(writable(item) for item in value)
    return value is not None


def standing_type(kind: str, results: Sequence[DealResult], terms: Terms, *, by_type: bool) -> list[Entry]:
    """Return the entries that take what deals of one type failed by: a range of change for each metric.

    They are of these deals, or, *by_type*, of all deals of the type.
    """
    by_metric: dict[tuple[str, str], list[tuple[str, Finding]]] = {}
    for result in results:
        for finding in result.gating:
            check_acceptable(finding.kind, f"deal {result.id}")
            by_metric.setdefault((finding.metric, finding.issue), []).append((result.id, finding))
    entries = []
    for (metric, _), found in sorted(by_metric.items()):
        condition = _type_condition(kind, metric, [finding for _, finding in found])
        deals = [deal_id for deal_id, _ in found]
        made = {"made_for": made_for(f"{metric} · {kind}", [finding for _, finding in found])}
        if by_type:
            entries.append(terms.added_to({"type": kind, "metric": metric, **condition, "seen": deals, **made}))
        else:
            entries.append(terms.added_to({"deals": deals, "metric": metric, **condition, **made}))
    return entries


def _type_condition(kind: str, metric: str, findings: Sequence[Finding]) -> Mapping[str, Any]:
    if all(finding.kind is Kind.LOST for finding in findings):
        return {"lost": True}
    if all(finding.kind is Kind.OUTPUT for finding in findings):
        return {"paths": _all_forms(kind, findings)}
    percents = [finding.change_percent for finding in findings if finding.change_percent is not None]
    if len(percents) == len(findings):
        return {"change_percent": _widened(min(percents), max(percents))}
    if all(is_number(finding.baseline) and is_number(finding.current) for finding in findings):
        amounts = [exact(finding.current) - exact(finding.baseline) for finding in findings]
        return {"change_amount": [_plain(min(amounts)), _plain(max(amounts))]}
    condition = _items(findings) or _value(findings)
    if condition is None:
        raise NotAcceptableError(
            f"{kind}: the new values of {metric} have nothing in common that an entry could name. Take them into the "
            "baseline (--into baseline), or pin its deals: leave out --range and --for-type"
        )
    return condition
