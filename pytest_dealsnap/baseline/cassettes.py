"""The recorded calls of each deal: ``calls/<deal>.jsonl`` of a baseline, a line about the file and one for each call.

The first line holds the number of calls and the digest of all others, so that a file that was cut or edited is
noticed. A file is written whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from pytest_dealsnap.baseline.files import write_atomic
from pytest_dealsnap.baseline.layout import SUFFIX, relative_path
from pytest_dealsnap.errors import CassetteError
from pytest_dealsnap.reasoning.replay_tape import RecordedCall

__all__ = ["CALLS_FOLDER", "Cassettes"]

CALLS_FOLDER = "calls"
FORMAT = 1


class Cassettes:
    """The ``calls/`` folder of a baseline."""

    def __init__(self, snapshots: Path) -> None:
        self.folder = snapshots / CALLS_FOLDER

    def path(self, deal_id: str) -> Path:
        """Return where the calls of a deal are."""
        return self.folder / f"{relative_path(deal_id).removesuffix(SUFFIX)}.jsonl"

    def read(self, deal_id: str) -> tuple[RecordedCall, ...] | None:
        """Return the recorded calls of a deal; ``None`` where none were recorded.

        Raises :class:`CassetteError` for a file that is truncated, edited or of another deal.
        """
        path = self.path(deal_id)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CassetteError(f"{path} cannot be read: {error.strerror or error}") from None
        try:
            return _decoded(data, deal_id)
        except _BadCassetteError as error:
            raise CassetteError(
                f"the recorded calls {path} {error}. Restore the file from git, capture the deal again, or gate with "
                "--dealsnap-replay off"
            ) from None

    def write(self, deal_id: str, calls: Sequence[RecordedCall]) -> None:
        """Record the calls of a deal; one that made none has no file, and one of the same answers keeps its file."""
        path = self.path(deal_id)
        if not calls:
            path.unlink(missing_ok=True)
            return
        data = _encoded(deal_id, calls)
        if _untimed(self._before(deal_id)) != _untimed(_decoded(data, deal_id)):
            write_atomic(str(path), data)

    def _before(self, deal_id: str) -> tuple[RecordedCall, ...]:
        try:
            return self.read(deal_id) or ()
        except CassetteError:  # it is written anew
            return ()


class _BadCassetteError(Exception):
    """What is wrong with a file, as the rest of a sentence."""


def _untimed(calls: Sequence[RecordedCall]) -> list[RecordedCall]:
    return [replace(call, seconds=0.0) for call in calls]


def _encoded(deal_id: str, calls: Sequence[RecordedCall]) -> bytes:
    lines = "".join(f"{_line(_document(call))}\n" for call in calls).encode()
    head = {"format": FORMAT, "deal": deal_id, "calls": len(calls), "sha256": _digest(lines)}
    return f"{_line(head)}\n".encode() + lines


def _document(call: RecordedCall) -> dict[str, Any]:
    return {
        "key": call.key,
        "index": call.index,
        "call": call.call,
        "request": call.request,
        "response": call.response,
        "cost": None if call.cost is None else str(call.cost),
        "seconds": round(call.seconds, 3),
    }


def _line(document: dict[str, Any]) -> str:
    """Return one line. Keys keep their order: a reasoner may go through an answer's as they come.

    A Decimal of a request, which is only shown, is written as text.
    """
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=str)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a character
        text = json.dumps(document, separators=(",", ":"), default=str)
    return text


def _digest(lines: bytes) -> str:
    return hashlib.sha256(lines).hexdigest()


def _decoded(data: bytes, deal_id: str) -> tuple[RecordedCall, ...]:
    first, _, lines = data.replace(b"\r\n", b"\n").partition(b"\n")
    head = _parsed(first)
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise _BadCassetteError("are truncated, or of a format that this version does not know")
    if head.get("deal") != deal_id:
        raise _BadCassetteError(f"are of deal {head.get('deal')!r}, not of {deal_id!r}")
    if head.get("sha256") != _digest(lines):
        count = lines.count(b"\n")
        what = f"are truncated: {count} of {head.get('calls')} calls" if count != head.get("calls") else "were edited"
        raise _BadCassetteError(what)
    return tuple(_calls(lines))


def _calls(lines: bytes) -> Iterator[RecordedCall]:
    for line in lines.splitlines():
        plain = _parsed(line)
        plain["cost"] = None if plain["cost"] is None else Decimal(plain["cost"])
        yield RecordedCall(**plain)


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None
