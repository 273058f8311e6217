"""What stands for the changed paths of an output: all their forms, and one digest of paths and values.

A finding shows a few paths only. Whether something was accepted before is asked of all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from pytest_dealsnap.judging.differences import ABSENT
from pytest_dealsnap.judging.paths import show_path
from pytest_dealsnap.judging.templates import path_form
from pytest_dealsnap.judging.values import exact, is_nan, is_number
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import Finding

__all__ = ["with_evidence", "with_forms"]

MOST_FORMS = 500
DIGITS = 32


def with_forms(finding: Finding, leaves: Sequence[tuple[Any, Any, Any]]) -> Finding:
    """Return *finding*, which fails nothing, with the forms of all *leaves* where it does not show every path."""
    return (
        replace(finding, forms=_forms(path for path, _, _ in leaves)) if len(leaves) > len(finding.paths) else finding
    )


def with_evidence(finding: Finding, leaves: Sequence[tuple[Any, Any, Any]]) -> Finding:
    """Return *finding* with the forms and the digest of *leaves*, which make it gate: paths with both their values."""
    return replace(finding, forms=_forms(path for path, _, _ in leaves), digest=_digest(leaves))


def _forms(paths: Iterable[tuple[str | int, ...]]) -> tuple[str, ...] | None:
    """Return each path once but for places in lists; ``None`` where there are too many to be carried."""
    masked: dict[tuple[object, ...], tuple[str | int, ...]] = {}
    for path in paths:
        masked.setdefault(tuple(None if isinstance(step, int) else step for step in path), path)
        if len(masked) > MOST_FORMS:
            return None
    return tuple(sorted({path_form(show_path(path)) for path in masked.values()}))


def _digest(leaves: Iterable[tuple[Any, Any, Any]]) -> str:
    found = hashlib.sha256()
    for path, _, after in leaves:
        found.update(repr((path, "absent" if after is ABSENT else _plain(after))).encode("utf-8", "surrogatepass"))
    return found.hexdigest()[:DIGITS]


def _digits(number: Decimal) -> tuple[object, ...]:
    """Return sign, digits and exponent, the same for 5, 5.0 and 50E-1, without any rounding."""
    if not number.is_finite():
        return (str(number),)
    sign, digits, exponent = number.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    kept = text.rstrip("0")
    return (sign, kept, int(exponent) + len(text) - len(kept)) if kept else (0, "", 0)


def _plain(value: Any) -> Any:
    """Return a stand-in whose ``repr`` is the same for the same value, in every process."""
    if isinstance(value, dict):
        return ("object", [(key, _plain(value[key])) for key in sorted(value)])
    if isinstance(value, list):
        return ("array", [_plain(item) for item in value])
    if is_number(value):
        if is_nan(value):
            return ("nan",)
        return ("number", *_digits(exact(value)))
    return (type(value).__name__, value)
