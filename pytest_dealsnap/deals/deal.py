"""A deal, and the reference to one that a run keeps for each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from pytest_dealsnap.errors import ColumnError, DealsnapError

__all__ = ["Deal", "DealRef", "LazyFields", "StoredRow", "Unreadable", "id_order", "id_text"]


@dataclass(frozen=True, slots=True)
class DealRef:
    """What is read of every deal while collecting: id and stored type, nothing else.

    ``key`` is the id as the database gave it, ``id`` its text. ``stored_type`` is the column's value
    as text, ``deal_type`` what it counts as. ``copies`` is above 1 for an id that is not unique.
    """

    key: Any
    id: str
    stored_type: str | None
    deal_type: str
    copies: int = 1


@dataclass(frozen=True, slots=True)
class Deal:
    """One row of the deals table, as a reasoner, a rule or a test sees it.

    ``id`` is the id as the database gave it (an int, a string, a UUID); ``fields`` are all columns
    of the row, read when first asked for.
    """

    id: Any
    name: str | None
    deal_type: str
    stored_type: str | None
    fields: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def key(self) -> str:
        """The id as text, which names the deal in snapshots and reports."""
        return id_text(self.id)

    def __getitem__(self, column: str) -> Any:
        """Return the row's value in *column*."""
        return self.fields[column]

    def as_type(self, deal_type: str, *, column: str = "") -> Deal:
        """Return the same deal as one of another type, also in the *column* that holds it."""

        def fields() -> Mapping[str, Any]:
            stored = self.fields.stored() if isinstance(self.fields, LazyFields) else self.fields
            return {**stored, column: deal_type} if column else stored

        return replace(self, deal_type=deal_type, stored_type=deal_type, fields=LazyFields(fields, base=self.fields))


@dataclass(frozen=True, slots=True)
class StoredRow:
    """One row as an audit sees it: also one that has no id, or that ``deals.where`` leaves out."""

    key: Any
    name: str | None
    stored_type: str | None
    is_deal: bool = True


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands in a row for a value that the driver cannot hand over."""

    reason: str


class LazyFields(Mapping[str, Any]):
    """A row's columns, loaded once when first asked for; pickled as what they hold.

    A column whose value is :class:`Unreadable` raises :class:`ColumnError` for whoever asks for it.
    ``failed`` keeps what went wrong as they were loaded: the reasoner that asked may have swallowed it.
    """

    def __init__(self, load: Callable[[], Mapping[str, Any]], *, base: Mapping[str, Any] | None = None) -> None:
        self._load: Callable[[], Mapping[str, Any]] | None = load
        self._loaded: Mapping[str, Any] = {}
        self._base = base  # the columns that these are made from
        self.failed: DealsnapError | None = None

    def _values(self) -> Mapping[str, Any]:
        if self._load is not None:
            try:
                self._loaded = self._load()
            except DealsnapError as error:
                self._remember(error)
                raise
            self._load = None
        return self._loaded

    def stored(self) -> Mapping[str, Any]:
        """Return the columns, with the marks of those that cannot be read."""
        return self._values()

    def __getitem__(self, column: str) -> Any:
        value = self._values()[column]
        if type(value) is Unreadable:
            error = ColumnError(f'column "{column}" of this deal cannot be read: {value.reason}')
            self._remember(error)
            raise error
        return value

    def _remember(self, error: DealsnapError) -> None:
        self.failed = error
        if isinstance(self._base, LazyFields):
            self._base._remember(error)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values())

    def __len__(self) -> int:
        return len(self._values())

    def __reduce__(self) -> tuple[Callable[[dict[str, Any]], Mapping[str, Any]], tuple[dict[str, Any]]]:
        return _unpickled, (dict(self._values()),)


def _unpickled(values: dict[str, Any]) -> Mapping[str, Any]:
    return LazyFields(lambda: values) if any(type(value) is Unreadable for value in values.values()) else values


def id_text(key: Any) -> str:
    """Return the text of a deal id: ``12``, ``acme-1``, a UUID with hyphens, bytes in hexadecimal.

    Raises :class:`TypeError` for a value that cannot identify a deal.
    """
    if isinstance(key, str):
        return key
    if isinstance(key, bool) or key is None:
        raise TypeError(f"{key!r} cannot identify a deal")
    if isinstance(key, (bytes, bytearray, memoryview)):
        return bytes(key).hex()
    if isinstance(key, Decimal) and key == key.to_integral_value():
        return str(int(key))
    if isinstance(key, (int, float, Decimal, UUID)):
        return str(key)
    raise TypeError(f"{type(key).__name__} cannot identify a deal: {key!r}")


def id_order(deal_id: str) -> tuple[int, int, str]:
    """Order ids: whole numbers by value and before texts, the same on every machine and collation."""
    return (0, int(deal_id), deal_id) if _WHOLE_NUMBER.fullmatch(deal_id) else (1, 0, deal_id)


_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,400}")
