"""The captures of a rehearsal against each other: which deals differ, in which lines, and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_dealsnap.baseline.codec import Snapshot
from pytest_dealsnap.baseline.extension import DealSnapshots
from pytest_dealsnap.deals.deal import id_order
from pytest_dealsnap.errors import SnapshotError
from pytest_dealsnap.judging.differences import changed_leaves
from pytest_dealsnap.judging.paths import show_path
from pytest_dealsnap.model.rehearsals import Attributed, Origin
from pytest_dealsnap.reporting.wording import show_both
from pytest_dealsnap.text import plural, printable

__all__ = ["Difference", "attribute", "common_lines", "differences", "example_lines"]

LINES_OF_A_DEAL = 3
DEALS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Difference:
    """One deal whose answer differs: the changed leaves as ``(path, before, after)``."""

    id: str
    name: str | None
    deal_type: str
    leaves: tuple[tuple[str, Any, Any], ...]


def differences(before: DealSnapshots, after: DealSnapshots) -> Iterator[Difference]:
    """Yield the deals that both captures have and whose answers differ; stored types are not answers."""
    for deal_id in sorted(before.ids() & after.ids(), key=id_order):
        old_data, new_data = before.recall(deal_id), after.recall(deal_id)
        if old_data == new_data:
            continue
        try:
            old, new = before.decode(deal_id, old_data or b""), after.decode(deal_id, new_data or b"")
        except SnapshotError as error:
            yield Difference(deal_id, None, "", (("snapshot", None, str(error)),))
            continue
        if leaves := _leaves(old, new):
            yield Difference(deal_id, new.deal_name, old.deal_type, leaves)


def _leaves(old: Snapshot, new: Snapshot) -> tuple[tuple[str, Any, Any], ...]:
    if old.error is not None or new.error is not None:
        shown = (str(old.error) if old.error else "an answer", str(new.error) if new.error else "an answer")
        return () if shown[0] == shown[1] else (("error", *shown),)
    whole = old.output is not None and new.output is not None
    sides = (old.output, new.output) if whole else (old.metrics, new.metrics)
    return tuple((show_path(path), a, b) for path, a, b in changed_leaves(dict(sides[0] or {}), dict(sides[1] or {})))


def common_lines(found: Iterable[Difference], limit: int = 12) -> list[str]:
    """Return the lines that changed, with indexes left out, each with how many deals it changed in; errors first."""
    counts: Counter[str] = Counter()
    for difference in found:
        counts.update({re.sub(r"\[\d+\]", "[]", path) for path, _, _ in difference.leaves})
    ordered = sorted(counts.items(), key=lambda item: (item[0] != "error", -item[1], item[0]))
    more = len(ordered) - limit
    shown = [f"{printable(path)}: in {plural(count, 'deal')}" for path, count in ordered[:limit]]
    return [*shown, f"… and {plural(more, 'more line')}"] if more > 0 else shown


def example_lines(found: Iterable[Difference], limit: int = DEALS_SHOWN) -> list[str]:
    """Return the first deals that differ, with their first changed lines."""
    listed = list(found)
    lines = []
    for difference in listed[:limit]:
        name = f" {printable(difference.name)[:40]}" if difference.name else ""
        moves = []
        for path, before, after in difference.leaves[:LINES_OF_A_DEAL]:
            old, new = show_both(before, after)
            moves.append(f"{printable(path)} {old} → {new}")
        more = len(difference.leaves) - LINES_OF_A_DEAL
        rest = f", and {plural(more, 'more line')}" if more > 0 else ""
        lines.append(f"deal {printable(difference.id)}{name} ({difference.deal_type}): {'; '.join(moves)}{rest}")
    if len(listed) > limit:
        lines.append(f"… and {plural(len(listed) - limit, 'more deal')}")
    return lines


def attribute(captures: Mapping[tuple[str, str], DealSnapshots], regressed: Iterable[str]) -> tuple[Attributed, ...]:
    """Put every changed deal down to the data, the code, or both.

    *captures* holds the runs by ``(schema, flag)``: ``("before", "off")`` and so on. It is the code where
    the flag makes a difference on either schema, the data where the schema does under either flag. A
    corner that is absent, or errored though start and end have answers, says nothing: new code may need
    the new schema.
    """
    start, end = ("before", "off"), ("after", "on")
    failing = set(regressed)
    moved: dict[Origin, list[dict[str, Difference]]] = {"data": [], "code": []}
    for kind, one, other in _pairs():
        if one not in captures or other not in captures:
            continue
        moved[kind].append({d.id: d for d in differences(captures[one], captures[other])})
    attributed = []
    for difference in differences(captures[start], captures[end]):
        whole = not _is_error(difference)
        data, code = (any(_counts(ids.get(difference.id), whole) for ids in moved[kind]) for kind in ("data", "code"))
        origin: Origin = "both" if data == code else "data" if data else "code"
        paths = tuple(path for path, _, _ in difference.leaves[:10])
        attributed.append(
            Attributed(difference.id, difference.name, difference.deal_type, origin, difference.id in failing, paths)
        )
    return tuple(attributed)


def _pairs() -> Iterator[tuple[Origin, tuple[str, str], tuple[str, str]]]:
    for flag in ("off", "on"):
        yield "data", ("before", flag), ("after", flag)
    for schema in ("before", "after"):
        yield "code", (schema, "off"), (schema, "on")


def _counts(difference: Difference | None, both_ends_answered: bool) -> bool:
    return difference is not None and not (both_ends_answered and _is_error(difference))


def _is_error(difference: Difference) -> bool:
    return difference.leaves[0][0] == "error"
