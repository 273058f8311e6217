"""Values that travel through a cluster unopened, to the process that uses them."""

from __future__ import annotations

import pickle
from typing import Any

__all__ = ["Sealed"]


class Sealed:
    """A value that unpickles as bytes until it is opened.

    A cluster's scheduler unpickles what it hands on, and has none of the user's modules: it needs but this one.
    What cannot be pickled plainly is left to whoever pickles the whole; Dask's way knows closures, too.
    """

    __slots__ = ("_packed", "_value")

    def __init__(self, value: Any) -> None:
        self._value = value
        self._packed: bytes | None = None

    def open(self) -> Any:
        """Return the value."""
        return self._value if self._packed is None else pickle.loads(self._packed)  # noqa: S301  # packed by ourselves

    def __reduce__(self) -> tuple[Any, ...]:
        if self._packed is not None:
            return _packed, (self._packed,)
        try:
            return _packed, (pickle.dumps(self._value),)
        except Exception:  # any class may raise what it likes
            return Sealed, (self._value,)


def _packed(data: bytes) -> Sealed:
    sealed = Sealed(None)
    sealed._packed = data
    return sealed
