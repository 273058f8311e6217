"""The traits of a run's deals, read when it has ended: only where something was found to be explained.

A deal's traits are the columns of its row, and the single values of its output as the baseline has it
(what it was before the change). A gate in which every deal matched reads nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any
from uuid import UUID

from pytest_dealsnap.baseline.acceptance import Look
from pytest_dealsnap.baseline.codec import Snapshot
from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.causes.features import OUTPUT, FeatureCounter, feature_text, worth_explaining
from pytest_dealsnap.errors import SnapshotError, SourceError
from pytest_dealsnap.judging.paths import show_path
from pytest_dealsnap.model.cause import Features
from pytest_dealsnap.model.results import DealResult
from pytest_dealsnap.secrets import redact

__all__ = ["Rows", "collect_features", "looking_up"]

# Given ids, the columns of each of their rows, in any order; ids without a row are left out.
Rows = Callable[[Sequence[str]], Iterable[tuple[str, Mapping[str, Any]]]]
DEEPEST = 3
# An object with more keys is a table of the user's own names, not a part of the output's form.
MOST_KEYS = 40
_SECRET = re.compile(r"passw|pwd|secret|token|api[_-]?key|access[_-]?key|credential|hash|salt|private", re.IGNORECASE)


def collect_features(
    results: Sequence[DealResult], snapshots: DealSnapshots, rows: Rows | None, *, always: bool = False
) -> Features | None:
    """Return the traits of the compared deals among *results*; ``None`` where too few findings ask for them.

    *always* is for a shard, whose deals may be those that the findings of another one do not have.
    """
    if not always and not worth_explaining(results):
        return None
    counter = FeatureCounter()
    compared = [result for result in results if result.compared and result.status != "new"]
    for result, own in _with_rows(compared, rows):
        traits = {**own, **_recorded_traits(result.id, snapshots)}
        counter.add(result.id, result.deal_type, traits, affected=bool(result.findings))
    return counter.traits()


def looking_up(recorded: Callable[[], Snapshot | None], row: Callable[[], Mapping[str, Any]]) -> Look:
    """Return what tells a deal's fields by name: columns of its *row*, ``output.PATH`` of its *recorded* output.

    Both are read when first asked for: few deals have findings, and fewer a ledger entry that names a field.
    """
    outputs: dict[str, str | None] | None = None
    columns: dict[str, str | None] | None = None

    def look(field: str) -> str | None:
        nonlocal outputs, columns
        if field.startswith(OUTPUT):
            if outputs is None:
                snapshot = recorded()
                outputs = {} if snapshot is None else output_features(snapshot)
            if field in outputs:
                return outputs[field]
        if columns is None:
            columns = row_features(row())
        return columns.get(field)

    return look


BATCH = 500


def _with_rows(
    results: Sequence[DealResult], rows: Rows | None
) -> Iterator[tuple[DealResult, Mapping[str, str | None]]]:
    """Yield each result with its row's traits, reading rows in batches; a source that fails has none."""
    for start in range(0, len(results), BATCH):
        batch = results[start : start + BATCH]
        found: dict[str, Mapping[str, str | None]] = {}
        if rows is not None:
            try:
                found = {deal_id: row_features(fields) for deal_id, fields in rows([result.id for result in batch])}
            except SourceError:  # the deals are judged; that their rows can no longer be read costs an explanation
                rows = None
        for result in batch:
            yield result, found.get(result.id, {})


def _recorded_traits(deal_id: str, snapshots: DealSnapshots) -> Mapping[str, str | None]:
    try:
        data = snapshots.recall(deal_id)
        return {} if data is None else output_features(snapshots.decode(deal_id, data))
    except SnapshotError:
        return {}


def row_features(fields: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the traits of a row: its columns' values as JSON texts, without any that look like secrets."""
    # A database's names may be of a kind of text of their own, which JSON is not written from.
    return {str.__str__(name): _trait(_plain(value)) for name, value in fields.items() if not _is_secret(name)}


def output_features(snapshot: Snapshot) -> dict[str, str | None]:
    """Return the traits of a recorded output: its single values, and how long its lists are."""
    output = snapshot.output if snapshot.output is not None else snapshot.metrics
    return dict(_leaves(output or {}, ()))


def _leaves(value: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, str | None]]:
    for key, item in value.items():
        if _is_secret(key):
            continue
        inner = (*path, key)
        if isinstance(item, dict):
            if len(inner) < DEEPEST and len(item) <= MOST_KEYS:
                yield from _leaves(item, inner)
        elif isinstance(item, list):
            yield f"{OUTPUT}length({_shown(inner)})", feature_text(len(item))
        else:
            yield OUTPUT + _shown(inner), _trait(item)


@lru_cache(maxsize=4096)
def _shown(path: tuple[str, ...]) -> str:
    return show_path(path)


@lru_cache(maxsize=4096)
def _is_secret(name: str) -> bool:
    return _SECRET.search(name) is not None


def _trait(value: Any) -> str | None:
    text = feature_text(value)
    could_be_secret = text is not None and isinstance(value, str) and (":" in value or "=" in value)
    return None if could_be_secret and redact(value) != value else text


def _plain(value: Any) -> Any:
    """Return a column's value as one of JSON's; anything else makes its field useless as a trait."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return int(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return str(value) if isinstance(value, (UUID, Decimal)) else value
