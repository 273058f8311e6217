"""Outputs that are suspiciously alike: a reasoner that reads an empty database gives every deal the same answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_dealsnap.model.results import BLANK

__all__ = ["Likeness"]

_SELF = "\0the deal itself"


class Likeness:
    """Marks each output of one process, until the outputs are seen to differ.

    *encode* turns a canonical value into bytes. After the first two outputs that differ, a call costs a look at
    the metrics alone.
    """

    def __init__(self, encode: Callable[[Any], bytes]) -> None:
        self._encode = encode
        self._first: str | None = None
        self._varied = False

    def __call__(self, names: Sequence[Any], metrics: Mapping[str, Any], output: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the marks of one output: ``BLANK`` where every metric is zero, empty or absent, and its digest.

        *names* are the deal's id, name and types: an output that repeats them differs by nothing else. There is no
        digest once outputs of this process have differed.
        """
        marks = (BLANK,) if metrics and not any(map(_says_something, metrics.values())) else ()
        if self._varied:
            return marks
        texts = frozenset(str(name) for name in names if name is not None)
        digest = hashlib.sha256(self._encode(_anonymous(output, texts))).hexdigest()
        if self._first is None:
            self._first = digest
        self._varied = digest != self._first
        return (*marks, digest)


def _says_something(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_says_something, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(_says_something, value))
    return bool(value)


def _anonymous(value: Any, names: frozenset[str], key: str = "") -> Any:
    """Return *value* with one placeholder for every text that names the deal, and for its id where a key says so."""
    if isinstance(value, Mapping):
        return {name: _anonymous(part, names, name) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_anonymous(part, names, key) for part in value]
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool) and "id" in key.lower()):
        return _SELF if str(value) in names else value
    return value
