"""Paths of an output whose values look volatile: times, ids and hashes that differ in every run."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from pytest_dealsnap.judging.templates import path_form
from pytest_dealsnap.model.results import DealResult

__all__ = ["drop_line", "volatile_name", "volatile_paths", "volatile_value"]

# Fewer deals than that show no habit.
FEWEST = 3
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NAMES = frozenset(("at", "time", "timestamp", "uuid", "guid", "id", "ids", "hash", "sha", "md5", "digest", "checksum"))
_NAMES |= frozenset(("token", "nonce", "etag", "elapsed", "duration", "seconds", "ms", "latency", "trace", "session"))
_NAMES |= frozenset(("request", "seed", "random", "now"))
_VALUE = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?"
    r"|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
    r"|(?=[0-9a-f]*\d)[0-9a-f]{12,}"
)


def volatile_name(path: str) -> bool:
    """Whether the last key of a shown *path* is called like a time, an id or a hash.

    >>> [volatile_name(path) for path in ("meta.generatedAt", "runs[].id", "valid")]
    [True, True, False]
    """
    last = path_form(path).removesuffix("[]").rpartition(".")[2]
    return any(word.lower() in _NAMES for word in _WORDS.findall(last))


def volatile_value(baseline: Any, current: Any) -> bool:
    """Whether both values are a time of day, a UUID or a hash."""
    return all(isinstance(value, str) and _VALUE.fullmatch(value) is not None for value in (baseline, current))


def volatile_paths(results: Iterable[DealResult]) -> tuple[tuple[str, ...], int, int]:
    """Return the volatile-looking paths at which more than half of the compared deals changed.

    Returns:
        The paths without places in lists, the number of deals that changed at the commonest, and the number of deals
        that were compared.
    """
    compared = 0
    changed: Counter[str] = Counter()
    by_value: set[str] = set()
    for result in results:
        if not result.compared or result.error is not None or result.status in ("missing", "new"):
            continue
        compared += 1
        forms = {path_form(path) for finding in result.findings for path in finding.forms or finding.paths}
        for one in result.details.differences if result.details is not None else ():
            forms.add(path_form(one.path))
            if one.move == "changed" and volatile_value(one.baseline, one.current):
                by_value.add(path_form(one.path))
        changed.update(forms)
    if compared < FEWEST:
        return (), 0, compared
    found = {
        path: count
        for path, count in changed.items()
        if 2 * count > compared and (path in by_value or volatile_name(path))
    }
    return tuple(sorted(found)), max(found.values(), default=0), compared


def drop_line(paths: Sequence[str]) -> str:
    """Return the line of the configuration that keeps *paths* out of the snapshots."""
    return f"drop = [{', '.join(json.dumps(path, ensure_ascii=False) for path in paths)}]"
