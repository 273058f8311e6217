"""The source protocol, and deals from the user's own code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

from pytest_dealsnap.callables import import_object
from pytest_dealsnap.config import Config, DealsConfig
from pytest_dealsnap.deals.deal import Deal, DealRef, StoredRow, id_order, id_text
from pytest_dealsnap.deals.type_audit import TypeConstraints
from pytest_dealsnap.deals.types import DealTypes
from pytest_dealsnap.errors import DealNotFoundError, SourceError, did_you_mean
from pytest_dealsnap.secrets import redact

__all__ = ["CallableSource", "DealSource", "unique_refs"]


class DealSource(Protocol):
    """Where a run gets its deals."""

    @property
    def description(self) -> str:
        """What the source is, without secrets: a database URL, or ``module:callable``."""

    @property
    def facts(self) -> Mapping[str, str | None]:
        """What the manifest remembers of the source: ``dialect`` and ``alembic_revision``."""

    def refs(self, ids: Sequence[str] | None = None) -> list[DealRef]:
        """Return a reference to every deal, or to those in *ids*, ordered by id."""

    def fetch(self, ref: DealRef) -> Deal:
        """Return the deal's row; raises :class:`DealNotFoundError` where it has gone."""

    def fetch_many(self, refs: Sequence[DealRef]) -> list[Deal | DealNotFoundError]:
        """Return the rows of several deals; an error for one that has gone or changed its type."""

    def freeze(self) -> None:
        """Let all reads see one state of the source, as long as that hampers nobody and may last."""

    @property
    def shared_state(self) -> str | None:
        """What names that state for another process; ``None`` where it cannot be shared."""

    def follow(self, shared: str | None) -> None:
        """Let all reads see the state that another process has ``shared_state``; or else a state of their own."""

    def moved(self, ref: DealRef) -> DealNotFoundError | None:
        """Return how the deal has gone or changed its type meanwhile, whatever state the reads see."""

    def fields_of(self, refs: Sequence[DealRef]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield id and short values of the rows of *refs* that are still there, in no order.

        Id, name and type are left out, and what no two deals can be said to share, such as bytes.
        """

    def stored_rows(self) -> Iterator[StoredRow]:
        """Yield every row there is, in no order, holding few at a time."""

    @property
    def ids_unique(self) -> bool:
        """Whether it is certain, without reading them, that no two rows share an id."""

    def type_constraints(self) -> TypeConstraints | None:
        """Return what the database insists on of a deal's type; ``None`` where that cannot be known."""

    def close(self) -> None:
        """Let go of connections."""


def unique_refs(refs: Iterable[DealRef]) -> list[DealRef]:
    """Return *refs* in id order, one for each id; ``copies`` counts the rows that share it."""
    ordered = sorted(refs, key=lambda ref: id_order(ref.id))
    copies = Counter(ref.id for ref in ordered)
    seen: set[str] = set()
    unique = []
    for ref in ordered:
        if ref.id not in seen:
            seen.add(ref.id)
            unique.append(replace(ref, copies=copies[ref.id]) if copies[ref.id] > 1 else ref)
    return unique


class CallableSource:
    """Deals from ``deals.source``: a callable without parameters that returns an iterable of records.

    A record is a mapping or an object; its id, name and type stand under the names that
    ``deals.id``, ``deals.name`` and ``deals.type`` give.
    """

    def __init__(self, config: Config) -> None:
        self._spec = str(config.deals.source)
        self._deals = config.deals
        self._types = DealTypes.of(config.deals)
        self._load = import_object(self._spec, root=Path(config.root), place=config.place("deals.source"))
        self._records: dict[str, Any] | None = None
        self._refs: list[DealRef] = []

    @property
    def description(self) -> str:
        return self._spec

    @property
    def facts(self) -> Mapping[str, str | None]:
        return {"dialect": None, "alembic_revision": None}

    def refs(self, ids: Sequence[str] | None = None) -> list[DealRef]:
        self._all()
        return [ref for ref in self._refs if ids is None or ref.id in ids]

    def fetch(self, ref: DealRef) -> Deal:
        record = self._all().get(ref.id)
        if record is None:
            raise self._gone(ref)
        name = _value(record, self._deals.name) if self._deals.name else None
        return Deal(ref.key, None if name is None else str(name), ref.deal_type, ref.stored_type, _fields(record))

    def fetch_many(self, refs: Sequence[DealRef]) -> list[Deal | DealNotFoundError]:
        records = self._all()
        return [self.fetch(ref) if ref.id in records else self._gone(ref) for ref in refs]

    def freeze(self) -> None:
        """Nothing to do: the records are read once."""

    @property
    def shared_state(self) -> str | None:
        return None

    def follow(self, shared: str | None) -> None:
        """Nothing to do, likewise."""

    def moved(self, ref: DealRef) -> DealNotFoundError | None:
        return None if ref.id in self._all() else self._gone(ref)

    def _gone(self, ref: DealRef) -> DealNotFoundError:
        return DealNotFoundError(f"deal {ref.id} is not in {self._spec} any more")

    def fields_of(self, refs: Sequence[DealRef]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        records, own = self._all(), set(columns_of(self._deals).values())
        for ref in refs:
            if ref.id in records:
                yield ref.id, {name: value for name, value in _fields(records[ref.id]).items() if name not in own}

    def stored_rows(self) -> Iterator[StoredRow]:
        for number, record in enumerate(self._loaded()):
            self._check_fields(number, record)
            name = _value(record, self._deals.name) if self._deals.name else None
            stored = _value(record, self._deals.type) if self._deals.type else None
            yield StoredRow(_value(record, self._deals.id), None if name is None else str(name), stored_text(stored))

    @property
    def ids_unique(self) -> bool:
        return False

    def type_constraints(self) -> TypeConstraints | None:
        return None

    def close(self) -> None:
        """Nothing is held open."""

    def _loaded(self) -> Iterator[Any]:
        try:
            records = self._load()
            if isinstance(records, Iterable):
                yield from records
                return
        except Exception as error:
            raise SourceError(
                f"deals.source = {self._spec!r} raised {type(error).__name__}: {redact(str(error))}"
            ) from error
        what = "nothing (None)" if records is None else type(records).__name__
        raise SourceError(f"deals.source = {self._spec!r} returned {what}; it must return an iterable of records")

    def _all(self) -> dict[str, Any]:
        if self._records is None:
            records = list(self._loaded())
            refs = [self._ref(number, record) for number, record in enumerate(records)]
            self._records = {ref.id: record for ref, record in zip(refs, records, strict=True)}
            self._refs = unique_refs(refs)
        return self._records

    def _ref(self, number: int, record: Any) -> DealRef:
        self._check_fields(number, record)
        stored = _value(record, self._deals.type) if self._deals.type else None
        return make_ref(_value(record, self._deals.id), stored, self._types, f"record {number} of {self._spec}")

    def _check_fields(self, number: int, record: Any) -> None:
        for column in filter(None, (self._deals.id, self._deals.name, self._deals.type)):
            if not _has(record, column):
                names = list(record) if isinstance(record, Mapping) else dir(record)
                raise SourceError(
                    f"deals.source = {self._spec!r}: record {number} has no {column!r}."
                    f"{did_you_mean(column, map(str, names))} Name its fields in deals.id, deals.name, deals.type"
                )


def make_ref(key: Any, stored: Any, types: DealTypes, where: str) -> DealRef:
    """Return the reference of one row; raises :class:`SourceError` for an id that identifies nothing."""
    try:
        text = id_text(key)
    except TypeError as error:
        raise SourceError(f"{where}: {error}; every deal needs an id of its own") from None
    stored_type = stored_text(stored)
    return DealRef(key, text, stored_type, types.effective(stored_type))


def stored_text(stored: Any) -> str | None:
    """Return a stored type as text."""
    if isinstance(stored, Enum):  # whose own text may be "DealType.CARVEOUT"
        stored = stored.value
    return None if stored is None else str(stored)


def _fields(record: Any) -> Mapping[str, Any]:
    """Return the fields of a mapping or an object, also of one that keeps them in slots or is a tuple."""
    if isinstance(record, Mapping):
        return record
    if hasattr(record, "__dict__"):
        return dict(vars(record))
    slots = [slot for base in type(record).__mro__ for slot in getattr(base, "__slots__", ())]
    return {name: getattr(record, name) for name in getattr(record, "_fields", slots) if hasattr(record, name)}


def _has(record: Any, column: str) -> bool:
    return column in record if isinstance(record, Mapping) else hasattr(record, column)


def _value(record: Any, column: str) -> Any:
    return record[column] if isinstance(record, Mapping) else getattr(record, column)


def columns_of(deals: DealsConfig) -> dict[str, str]:
    """Return the configured columns by role, without those that the user said there are none of."""
    roles = {"id": deals.id, "name": deals.name, "type": deals.type}
    return {role: column for role, column in roles.items() if column}
