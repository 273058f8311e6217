"""A snapshot as text: encode, decode, and every way in which a file can be wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_dealsnap.errors import SnapshotError
from pytest_dealsnap.judging.judge import Reasoned
from pytest_dealsnap.model.results import Failure
from pytest_dealsnap.reasoning.canonical import dumps, loads
from pytest_dealsnap.reasoning.quick_json import quick_size, quick_text, written_as
from pytest_dealsnap.secrets import redact

__all__ = ["Snapshot", "decode", "encode", "is_encoded"]

_WAY_OUT = 'Restore it from git, or capture the deal again: pytest --dealsnap-update --dealsnap-id "{}"'
_FACTS = frozenset({"deal_id", "deal_name", "deal_type", "stored_type"})
_BODIES = (_FACTS | {"metrics", "output"}, _FACTS | {"metrics"}, _FACTS | {"error"})


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is recorded of one deal: its facts, and metrics with output, or an error."""

    deal_id: str
    deal_name: str | None
    deal_type: str
    stored_type: str | None
    metrics: Mapping[str, Any] | None = None
    output: Mapping[str, Any] | None = None
    error: Failure | None = None

    def reasoned(self) -> Reasoned:
        """Return the side of a comparison that this snapshot is."""
        return Reasoned(self.deal_type, self.stored_type, self.metrics, self.output, self.error)


def encode(snapshot: Snapshot) -> bytes:
    """Return *snapshot*'s file: canonical JSON in UTF-8, sorted keys, two-space indent, a final newline."""
    document = _document(snapshot)
    return quick_text(document) or f"{dumps(document)}\n".encode()


def is_encoded(snapshot: Snapshot, data: bytes) -> bool:
    """Whether *data* is *snapshot*'s file, byte for byte; may say no where :func:`encode` must tell."""
    return written_as(_document(snapshot), data)


def encoded_size(snapshot: Snapshot) -> int | None:
    """Return the size of *snapshot*'s file in bytes, right within a factor of two, where that is quickly told."""
    return quick_size(_document(snapshot))


def _document(snapshot: Snapshot) -> dict[str, Any]:
    document: dict[str, Any] = {
        "deal_id": snapshot.deal_id,
        "deal_name": snapshot.deal_name,
        "deal_type": snapshot.deal_type,
        "stored_type": snapshot.stored_type,
    }
    if snapshot.error is not None:
        document["error"] = {"type": snapshot.error.type, "message": snapshot.error.message}
    else:
        document["metrics"] = dict(snapshot.metrics or {})
        if snapshot.output is not None:
            document["output"] = dict(snapshot.output)
    return document


def decode(data: bytes | str, *, deal_id: str, path: str) -> Snapshot:
    """Read a snapshot file's *data*.

    Raises :class:`SnapshotError`, naming *path* and the way out, for a file that is empty,
    truncated, of another deal or of a format that this version does not know.
    """

    def bad(what: str) -> SnapshotError:
        return SnapshotError(f"the snapshot {path} {what}. {_WAY_OUT.format(deal_id)}")

    if not data.strip():
        raise bad("is empty")
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        document = loads(text)
    except UnicodeDecodeError:
        raise bad("is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        marker = "<<<<<<<" in data if isinstance(data, str) else b"<<<<<<<" in data
        conflict = " (it holds the markers of a merge conflict)" if marker else ""
        raise bad(f"is truncated or no JSON{conflict}: {error}") from None
    problem = _problem(document)
    if problem:
        raise bad(problem)
    if document["deal_id"] != deal_id:
        raise bad(f"is of another deal: it says {document['deal_id']!r} where {deal_id!r} belongs")
    failure = document.get("error")
    return Snapshot(
        deal_id=deal_id,
        deal_name=document["deal_name"],
        deal_type=document["deal_type"],
        stored_type=document["stored_type"],
        metrics=document.get("metrics"),
        output=document.get("output"),
        error=Failure(failure["type"], redact(failure["message"])) if failure else None,
    )


def _problem(document: Any) -> str | None:
    """Return what is wrong with the shape of a decoded file, or ``None``."""
    unknown = "is of a format that this version of pytest-dealsnap does not know"
    if not isinstance(document, dict):
        return f"{unknown}: it holds a {type(document).__name__}, not an object"
    keys = set(document)
    if keys not in _BODIES:
        extra, lacking = sorted(keys - set().union(*_BODIES)), sorted(_FACTS - keys)
        detail = f"unknown keys {extra}" if extra else f"missing keys {lacking or ['metrics or error']}"
        return f"{unknown}: {detail}"
    kinds: dict[str, Any] = {
        "deal_id": str,
        "deal_name": (str, type(None)),
        "deal_type": str,
        "stored_type": (str, type(None)),
    }
    kinds |= {"metrics": dict, "output": dict, "error": dict}
    for key, value in document.items():
        if not isinstance(value, kinds[key]):
            return f"{unknown}: {key} is {value!r}"
    error = document.get("error")
    if error is not None and not (
        set(error) == {"type", "message"} and all(isinstance(part, str) for part in error.values())
    ):
        return f"{unknown}: error is {error!r}"
    return None
