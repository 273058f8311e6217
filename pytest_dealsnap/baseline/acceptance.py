"""One entry of the ledger: whose deviation it takes, of which metric, and how far that may go.

Which deals: ``deals``, ``type``, or ``cause``, the id under which a report names the change. A cause
covers many deals whose values differ, and each deal is judged before causes are known, so its entry says
of itself what it takes: how far the metric may have moved, of which types, with which field. ``cause`` is
the label that ties it to the report.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

from pytest_dealsnap.baseline.made_for import MadeFor, read_made_for
from pytest_dealsnap.baseline.pins import read_pins, shows
from pytest_dealsnap.causes.list_items import items_gone_and_come
from pytest_dealsnap.errors import LedgerError, OutputError, did_you_mean
from pytest_dealsnap.judging.matrix_rules import is_between_types
from pytest_dealsnap.judging.rules import Rule
from pytest_dealsnap.judging.templates import path_form, path_shape
from pytest_dealsnap.judging.values import exact, is_number, is_present, normal, same, working_context
from pytest_dealsnap.model.results import DealResult, Finding, Kind
from pytest_dealsnap.reasoning.canonical import canonical

__all__ = ["CONDITIONS", "Acceptance", "Look", "Range", "read_entry"]

# Given the name of a field, the JSON text of the deal's value there; None where it has none.
Look = Callable[[str], str | None]
Range = tuple[Decimal, Decimal]
# Paths to the letter but for places in lists; and, of entries with ``#`` for digits or ``*`` for a key, a pattern.
Paths = tuple[frozenset[str], re.Pattern[str] | None]

CONDITIONS = (
    "values",
    "value",
    "range",
    "change_percent",
    "change_amount",
    "lost",
    "lost_items",
    "gained_items",
    "paths",
)
_SELECTORS = ("deals", "type", "cause", "where")
_KEYS = (*_SELECTORS, "metric", *CONDITIONS, "seen", "made_for", "reason", "who", "ticket", "expires")
# Not deviations of a value, but a deal that could not be judged: no entry can make that green.
_NEVER = (Kind.FAILED, Kind.GONE)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One entry. Everything that it names must hold: its deals, types and fields, and one condition on the metric.

    ``deals`` and ``types`` are ``None`` where any will do; ``where`` maps a field to the JSON texts that
    it may have; ``condition`` is one of ``CONDITIONS`` (``items`` for two of them), ``taken`` what it allows.
    """

    place: str
    metric: str
    reason: str
    who: str
    condition: str
    taken: Any
    deals: frozenset[str] | None = None
    types: frozenset[str] | None = None
    cause: str | None = None
    where: tuple[tuple[str, frozenset[str]], ...] = ()
    ticket: str | None = None
    expires: date | None = None
    between_types: bool = False
    seen: frozenset[str] | None = None
    made_for: MadeFor | None = None

    def expired(self, today: date) -> bool:
        """Whether the entry's last day is over."""
        return self.expires is not None and today > self.expires

    def covers(self, result: DealResult, finding: Finding, look: Look | None = None, rule: Rule | None = None) -> bool:
        """Whether the entry accepts *finding* in *result*'s deal, whose fields *look* tells, by its metric's *rule*."""
        if not self._is_about(result, finding):
            return False
        if self.condition == "values":
            holds = shows(finding, self.taken[result.id], rule)
        else:
            holds = _HOLDS[self.condition](finding, self.taken)
        return holds and self._fits(look)  # fields are asked last: they may have to be read

    @property
    def accepted_deals(self) -> frozenset[str] | None:
        """The deals that were accepted, where the entry names them."""
        return self.deals if self.deals is not None else self.seen

    def concerns(self, result: DealResult, finding: Finding, look: Look | None = None) -> bool:
        """Whether the entry is about the metric of *finding* in *result*'s deal, however far that moved."""
        return self._is_about(result, finding) and self._fits(look)

    def _is_about(self, result: DealResult, finding: Finding) -> bool:
        if finding.metric != self.metric or finding.kind in _NEVER:
            return False
        if self.deals is not None and result.id not in self.deals:
            return False
        return self.types is None or result.deal_type in self.types

    def _fits(self, look: Look | None) -> bool:
        return all(look is not None and look(field) in texts for field, texts in self.where)


def _has_value(finding: Finding, value: Any) -> bool:
    return finding.kind is not Kind.OUTPUT and same(finding.current, value)


def _in_range(finding: Finding, bounds: Range) -> bool:
    current = finding.current
    return is_number(current) and is_present(current) and bounds[0] <= exact(current) <= bounds[1]


def _moved(finding: Finding, bounds: Range, *, percent: bool) -> bool:
    """Whether the number moved by so much, the bounds included, computed without binary rounding."""
    if not (is_number(finding.baseline) and is_number(finding.current)):
        return False
    before, after = exact(finding.baseline), exact(finding.current)
    if not (before.is_finite() and after.is_finite()) or (percent and not before):
        return False
    low, high = bounds
    with localcontext(working_context(before, after, *(bound for bound in bounds if bound.is_finite()))):
        moved = 100 * (after - before) if percent else after - before
        unit = abs(before) if percent else Decimal(1)
        return low * unit <= moved <= high * unit


def _is_lost(finding: Finding, lost: bool) -> bool:
    return lost and finding.kind is Kind.LOST


def _has_items(finding: Finding, items: tuple[Sequence[Any], Sequence[Any]]) -> bool:
    before, after = finding.baseline, finding.current
    if not (isinstance(before, list) and isinstance(after, list)):
        return False
    moved = items_gone_and_come(before, after)
    return all(
        Counter(map(normal, one)) == Counter(map(normal, other)) for one, other in zip(moved, items, strict=True)
    )


def _at_paths(finding: Finding, paths: Paths) -> bool:
    """Whether an output changed at no other paths; one whose paths are not all known is not known to."""
    if finding.count is None:
        return False
    forms = finding.forms
    if forms is None:
        if finding.count > len(finding.paths):
            return False
        forms = tuple(map(path_form, finding.paths))
    exactly, pattern = paths
    return all(form in exactly or (pattern is not None and pattern.fullmatch(path_shape(form))) for form in forms)


_HOLDS: dict[str, Callable[[Finding, Any], bool]] = {
    "value": _has_value,
    "range": _in_range,
    "change_percent": lambda finding, bounds: _moved(finding, bounds, percent=True),
    "change_amount": lambda finding, bounds: _moved(finding, bounds, percent=False),
    "lost": _is_lost,
    "items": _has_items,
    "paths": _at_paths,
}


def read_entry(
    table: Any, place: str, types: Iterable[str], *, folder: Path = Path(), pending: Mapping[str, bytes] | None = None
) -> Acceptance:
    """Return the entry that the TOML *table* is, of a ledger in *folder*; *pending* are files yet to be written there.

    Raises :class:`LedgerError` with *place* and what is wrong.
    """
    need = _Need(place)
    need(isinstance(table, dict), "must be a table")
    for key in table:
        need(key in _KEYS, f"unknown key {key!r}.{did_you_mean(key, _KEYS)} Valid: {', '.join(_KEYS)}")
    for key in ("metric", "reason", "who"):
        need(isinstance(table.get(key), str) and bool(table[key].strip()), f"{key} is needed, a text")
    for key in ("ticket", "cause"):
        need(isinstance(table.get(key, ""), str), f"{key} must be a text")
    if "cause" not in table and "values" not in table:
        one_of = 'one of deals = ["12"] and type = "carveout" is needed, or the cause = "…" of a report'
        need(("deals" in table) != ("type" in table), one_of)
    expires = table.get("expires")
    need(expires is None or type(expires) is date, "expires must be a date, such as 2027-01-31")
    valid = list(types)
    if "values" in table:
        need("deals" not in table, "values name the deals; deals beside them say it twice")
        need(not any(key in table for key in CONDITIONS if key != "values"), "values are a condition of their own")
        condition, taken = "values", _pins(table, need, folder, pending or {})
        deals: frozenset[str] | None = frozenset(taken)
    else:
        condition, taken = _condition(table, need)
        deals = _ids("deals", table, need)
    return Acceptance(
        place=place,
        metric=table["metric"],
        reason=table["reason"],
        who=table["who"],
        condition=condition,
        taken=taken,
        deals=deals,
        types=_types(table, need, valid),
        cause=table.get("cause"),
        where=_where(table.get("where", {}), need),
        ticket=table.get("ticket"),
        expires=expires,
        between_types=is_between_types(table["metric"], valid),
        seen=_ids("seen", table, need),
        made_for=read_made_for(table.get("made_for"), need),
    )


class _Need:
    """Raises an error that says where an entry stands."""

    def __init__(self, place: str) -> None:
        self.place = place

    def __call__(self, condition: bool, what: str) -> None:
        if not condition:
            raise LedgerError(f"{self.place}: {what}")


def _ids(key: str, table: Mapping[str, Any], need: _Need) -> frozenset[str] | None:
    deals = table.get(key)
    if deals is None:
        return None
    need(isinstance(deals, list) and all(type(d) in (str, int) for d in deals), f"{key} must be a list of ids")
    return frozenset(map(str, deals))


def _pins(table: Mapping[str, Any], need: _Need, folder: Path, pending: Mapping[str, bytes]) -> Mapping[str, Any]:
    """Return the accepted value of each deal, as the entry has them, or the file that it names."""
    values = table["values"]
    if isinstance(values, str):
        try:
            return read_pins(values, table["metric"], folder, pending)
        except LedgerError as error:
            raise LedgerError(f"{need.place}: {error}") from None
    need(isinstance(values, dict) and bool(values), 'values must be a table, such as values = { "12" = 1310000 }')
    return {deal_id: _canonical(value, need) for deal_id, value in values.items()}


def _types(table: Mapping[str, Any], need: _Need, valid: Sequence[str]) -> frozenset[str] | None:
    given = table.get("type")
    if given is None:
        return None
    names = [given] if isinstance(given, str) else given
    need(isinstance(names, list) and all(isinstance(name, str) for name in names), "type must be a type, or a list")
    for name in names if valid else ():
        need(name in valid, f"type {name!r} must be one of {', '.join(valid)}.{did_you_mean(name, valid)}")
    return frozenset(names)


def _where(given: Any, need: _Need) -> tuple[tuple[str, frozenset[str]], ...]:
    need(isinstance(given, dict), 'where must be a table, such as where = { region = "EMEA" }')
    fields = []
    for name, values in given.items():
        texts = [_trait(value) for value in (values if isinstance(values, list) else [values])]
        need(
            bool(texts) and None not in texts,
            f"where.{name} must be a text, a whole number, a date, true or false, or a list of them",
        )
        fields.append((name, frozenset(text for text in texts if text is not None)))
    return tuple(fields)


def _trait(value: Any) -> str | None:
    if isinstance(value, date):
        value = value.isoformat()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (str, int)) else None


def _condition(table: Mapping[str, Any], need: _Need) -> tuple[str, Any]:
    given = [key for key in CONDITIONS if key in table]
    items = [key for key in given if key.endswith("_items")]
    kinds = "value, range, change_percent, change_amount, lost, lost_items with gained_items, paths, and values"
    named = f"one of {kinds} is needed"
    need(len(given) - len(items) + bool(items) == 1, named)
    if items:
        sides = tuple(table.get(key, []) for key in ("lost_items", "gained_items"))
        need(all(isinstance(side, list) for side in sides), "lost_items and gained_items must be lists")
        return "items", tuple(_canonical(side, need) for side in sides)
    key = given[0]
    if key == "value":
        return key, _canonical(table[key], need)
    if key == "lost":
        need(table[key] is True, "lost must be true, or left out")
        return key, True
    if key == "paths":
        paths = table[key]
        need(isinstance(paths, list) and all(isinstance(path, str) for path in paths), "paths must be a list of texts")
        wide = [_path_pattern(path_shape(path)) for path in paths if "#" in path or "*" in path]
        return key, (frozenset(map(path_form, paths)), re.compile("|".join(wide)) if wide else None)
    return key, _range(key, table[key], need)


def _path_pattern(path: str) -> str:
    """Return the pattern of a path in which ``*`` stands for one key."""
    return r'(?:"(?:[^"\\]|\\.)*"|[^.\[\]"]+)'.join(map(re.escape, path.split("*")))


def _canonical(value: Any, need: _Need) -> Any:
    try:
        return canonical(value)
    except OutputError as error:  # a time of day: no output holds one
        raise LedgerError(f"{need.place}: value: {error}") from None


def _range(key: str, bounds: Any, need: _Need) -> Range:
    need(
        isinstance(bounds, list) and len(bounds) == 2 and all(is_number(b) and is_present(b) for b in bounds),
        f"{key} must be [lowest, highest]",
    )
    low, high = exact(bounds[0]), exact(bounds[1])
    need(low <= high, f"the {key} is empty, {low} is above {high}")
    return low, high
