"""Deals pinned with the values that were accepted: inline for a few, for many in a file beside the ledger.

An accepted value stands in the baseline's place for the metric's own rule. A changed output, of which a
report holds no values, is pinned by the digest of all its changed paths and values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_dealsnap.errors import LedgerError
from pytest_dealsnap.judging.rules import Rule
from pytest_dealsnap.judging.values import in_words, same
from pytest_dealsnap.model.results import Finding, Kind
from pytest_dealsnap.reasoning.canonical import dumps, loads

__all__ = ["INLINE", "PINS", "pins_file", "read_pins", "shows"]

# The folder of the files, beside the ledger.
PINS = "accepted"
# More deals than that stand in a file.
INLINE = 10
FORMAT = 1


def shows(finding: Finding, value: Any, rule: Rule | None) -> bool:
    """Whether *finding*'s deal shows the accepted *value*, or one that *rule*, its metric's own, allows beside it.

    A rule that does not hold for an unchanged value (``ratio 1.5..3.0``) and one of the user's own ask
    for the value itself.
    """
    if finding.count is not None or finding.kind is Kind.OUTPUT:
        return bool(finding.digest) and finding.digest == value
    if same(in_words(finding.current), in_words(value)):
        return True
    if (
        rule is None
        or finding.kind is not Kind.METRIC
        or rule.custom
        or not rule.holds_when_unchanged
        or not rule.gates
    ):
        return False
    return rule.holds(value, finding.current, None) is True


def pins_file(metric: str, values: Mapping[str, Any]) -> tuple[str, bytes]:
    """Return the name, relative to the ledger's folder, and the bytes of the file that holds *values* by deal."""
    data = f"{dumps({'format': FORMAT, 'metric': metric, 'values': dict(values)})}\n".encode()
    return f"{PINS}/{hashlib.sha256(data).hexdigest()[:16]}.json", data


def read_pins(name: str, metric: str, folder: Path, pending: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the accepted values of the file *name*, by deal; *pending* holds files that are yet to be written.

    The file's name is the digest of what it holds, however that is laid out. Raises :class:`LedgerError` for a file
    that is absent, edited, of another metric, or outside *folder*.
    """
    parts = Path(name).parts
    if len(parts) != 2 or parts[0] != PINS or not name.endswith(".json") or ".." in parts:
        raise LedgerError(f'values = "{name}" must be a file in {PINS}/ beside the ledger')
    path = folder / name
    try:
        document = loads((pending[name] if name in pending else path.read_bytes()).decode("utf-8"))
    except FileNotFoundError:
        raise LedgerError(f"{path} does not exist: the accepted values are lost. Accept the deals again") from None
    except (OSError, ValueError, RecursionError) as error:
        raise LedgerError(f"{path} cannot be read: {error}") from None
    if (
        not isinstance(document, dict)
        or document.get("format") != FORMAT
        or not isinstance(document.get("values"), dict)
    ):
        raise LedgerError(f"{path} is no file of accepted values of format {FORMAT}")
    if document.get("metric") != metric:
        raise LedgerError(f"{path} is of the metric {document.get('metric')!r}, and the entry of {metric!r}")
    if pins_file(metric, document["values"])[0] != name:
        raise LedgerError(
            f"{path} is not as it was accepted: its name is the digest of its values. Restore it from git, or accept "
            "the deals again"
        )
    return dict(document["values"])
