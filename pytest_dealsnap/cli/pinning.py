"""What would be written into the ledger to pin deals: each with the value that it shows now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pytest_dealsnap.baseline.ledger_writing import entry_text
from pytest_dealsnap.baseline.made_for import made_for
from pytest_dealsnap.baseline.pins import INLINE, pins_file
from pytest_dealsnap.cli.chosen import Chosen
from pytest_dealsnap.cli.ledger_entries import (
    Entry,
    NotAcceptableError,
    Terms,
    check_acceptable,
    standing_cause,
    standing_type,
    writable,
)
from pytest_dealsnap.model.cause import Cause
from pytest_dealsnap.model.finished_run import FinishedRun
from pytest_dealsnap.model.results import DealResult, Finding, Kind
from pytest_dealsnap.text import plural

__all__ = ["pin_cause", "pin_deals", "proposed_entries"]

LONGEST_INLINE = 200
Files = dict[str, bytes]


def pin_cause(cause: Cause, results: Iterable[DealResult], terms: Terms) -> tuple[Entry, Files]:
    """Return the entry that pins the deals which *cause* fails, and the file that it names, if it names one.

    Raises :class:`NotAcceptableError` for what no entry can take.
    """
    check_acceptable(cause.kind, f"the cause {cause.id}")
    found = [
        (result.id, finding)
        for result in results
        if not result.corrupt
        for finding in result.gating
        if finding.metric == cause.metric and finding.issue == cause.issue
    ]
    if not found:
        raise NotAcceptableError(f"{cause.title}: it fails no deal by itself, so there is nothing to accept")
    entry, files = _pinned(cause.title, cause.metric, found)
    made = made_for(cause.title, [finding for _, finding in found])
    return terms.added_to({"cause": cause.id, **entry, "made_for": made}), files


def pin_deals(results: Sequence[DealResult], terms: Terms) -> tuple[list[Entry], Files]:
    """Return the entries that pin all failing metrics of *results*, one a metric, and the files that they name."""
    by_metric: dict[tuple[str, str], list[tuple[str, Finding]]] = {}
    for result in results:
        if result.corrupt:
            raise NotAcceptableError(f"deal {result.id}: data corruption cannot be accepted: {result.corrupt}")
        for finding in result.gating:
            check_acceptable(finding.kind, f"deal {result.id}")
            by_metric.setdefault((finding.metric, finding.issue), []).append((result.id, finding))
    entries: list[Entry] = []
    files: Files = {}
    for (metric, _), found in sorted(by_metric.items()):
        entry, own = _pinned(f"deal {found[0][0]}", metric, found)
        made = made_for(metric, [finding for _, finding in found])
        entries.append(terms.added_to({**entry, "made_for": made}))
        files |= own
    return entries, files


def _pinned(what: str, metric: str, found: Sequence[tuple[str, Finding]]) -> tuple[Entry, Files]:
    if all(finding.kind is Kind.LOST for _, finding in found):
        return {"deals": [deal_id for deal_id, _ in found], "metric": metric, "lost": True}, {}
    values = {deal_id: _value(what, finding) for deal_id, finding in found}
    if len(values) <= INLINE and all(map(_is_short, values.values())):
        return {"metric": metric, "values": values}, {}
    name, data = pins_file(metric, values)
    return {"metric": metric, "values": name}, {name: data}


def _value(what: str, finding: Finding) -> Any:
    """Return what pins a deal; of a changed output that is a digest, because a report holds no whole outputs."""
    if finding.count is None and finding.kind is not Kind.OUTPUT:
        return finding.current
    if not finding.digest:
        raise NotAcceptableError(f"{what}: the report has no digest of its changed output. Run the gate again")
    return finding.digest


def _is_short(value: Any) -> bool:
    return writable(value) and len(repr(value)) <= LONGEST_INLINE


_WARNINGS = {
    "range": "standing range: it accepts any later value inside it, whatever the cause",
    "type": "standing, by type: it accepts any later change inside it, in any deal of the type, new ones too",
}


def proposed_entries(
    run: FinishedRun, chosen: Chosen, terms: Terms, standing: str
) -> tuple[list[str], Files, list[str]]:
    """Return the texts of the entries that take what is *chosen*, the files that they name, and what is refused.

    *standing* is empty where deals are pinned, ``range`` or ``type``.
    """
    texts: list[str] = []
    files: Files = {}
    refused: list[str] = []
    results = {result.id: result for result in run.results}

    def add(entries: Sequence[Entry], comment: str) -> None:
        lines = [comment, *([_WARNINGS[standing]] if standing else [])]
        texts.extend(entry_text(entry, comments=[line for line in lines if line]) for entry in entries)

    for cause in chosen.causes:
        own = [results[deal_id] for deal_id in cause.deals]
        try:
            if standing:
                entry = standing_cause(cause, own, terms, by_type=standing == "type")
            else:
                entry, new = pin_cause(cause, own, terms)
                files |= new
            add([entry], f"{cause.title}, {plural(len(cause.deals), 'deal')}")
        except NotAcceptableError as error:
            refused.append(str(error))
    groups = [([result], result.name or "") for result in chosen.deals]
    for kind in chosen.types:
        failed = [result for result in run.results if result.deal_type == kind and result.status == "regressed"]
        if standing:
            try:
                entries = standing_type(kind, failed, terms, by_type=standing == "type")
                add(entries, plural(len(failed), "deal"))
            except NotAcceptableError as error:
                refused.append(str(error))
        else:
            groups.append((failed, f"{kind}, {plural(len(failed), 'deal')}"))
    for group, comment in groups:
        try:
            if not any(result.gating for result in group):
                what = f"deal {group[0].id}" if len(group) == 1 else comment
                raise NotAcceptableError(f"{what}: nothing fails it, so there is nothing to accept")
            entries, new = pin_deals(group, terms)
            files |= new
            add(entries, comment)
        except NotAcceptableError as error:
            refused.append(str(error))
    return texts, files, refused
