"""Whether the database refuses what it ought to: tried on a real row, in a transaction that is rolled back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, column, select, table, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from pytest_dealsnap.config import DealsConfig
from pytest_dealsnap.deals.table_names import place_of
from pytest_dealsnap.deals.types import DealTypes

__all__ = ["TypeProbes", "accepts_null", "probe_types"]

STRANGERS = ("no such type", "")


@dataclass(frozen=True, slots=True)
class TypeProbes:
    """What the type column took when it was tried: invalid types (``None`` is NULL), and valid ones refused.

    ``tried`` is false where there was no row to try it on. ``folded`` are the words that were taken because
    the column's collation holds them equal to a valid type.
    """

    accepted: tuple[str | None, ...]
    refused: tuple[str, ...]
    tried: bool = True
    folded: tuple[str, ...] = ()


def probe_types(connection: Connection, deals: DealsConfig) -> TypeProbes:
    """Try NULL, strangers and every valid type on one deal; the transaction is rolled back."""
    types = DealTypes.of(deals)
    invalid: list[str | None] = [None, *(word for word in STRANGERS if word not in types.valid)]
    invalid += [word for word in (types.valid[0].upper(), *types.aliases) if word not in types.valid]
    key = _some_key(connection, deals)
    if key is None:
        return TypeProbes((), (), tried=False)
    taken = [word for word in dict.fromkeys(invalid) if _takes(connection, deals, key, deals.type, word)]
    # Where a stranger is taken too, no constraint is there, and the collation has nothing to do with it.
    folded = tuple(
        word
        for word in taken
        if word and STRANGERS[0] not in taken and _takes(connection, deals, key, deals.type, word, types.valid)
    )
    accepted = tuple(word for word in taken if word not in folded)
    refused = tuple(word for word in types.valid if not _takes(connection, deals, key, deals.type, word))
    return TypeProbes(accepted, refused, folded=folded)


def accepts_null(connection: Connection, deals: DealsConfig, name: str) -> bool:
    """Whether some deal's column *name* may be set to NULL; the transaction is rolled back."""
    key = _some_key(connection, deals)
    return key is not None and _takes(connection, deals, key, name, None)


def _some_key(connection: Connection, deals: DealsConfig) -> object | None:
    source = _table(deals, [deals.id])
    key: object | None = connection.scalar(select(source.c[deals.id]).where(source.c[deals.id].is_not(None)).limit(1))
    return key


def _takes(
    connection: Connection, deals: DealsConfig, key: object, name: str, value: str | None, among: Sequence[str] = ()
) -> bool:
    """Return whether the column takes *value*, and then, where *among* is given, holds it equal to one of these."""
    source = _table(deals, list(dict.fromkeys([deals.id, name])))
    attempt = connection.begin_nested() if connection.in_transaction() else connection.begin()
    try:
        connection.execute(update(source).where(source.c[deals.id] == key).values({name: value}))
        if among:
            equal = select(source.c[name]).where(source.c[deals.id] == key, source.c[name].in_(among))
            return connection.execute(equal).first() is not None
    except IntegrityError:
        return False
    except DBAPIError:  # an enumerated type refuses a stranger as bad input, a trigger by an error of its own
        return False
    finally:
        attempt.rollback()
    return True


def _table(deals: DealsConfig, columns: Sequence[str]):  # type: ignore[no-untyped-def]  # SQLAlchemy's TableClause
    schema, name = place_of(deals.table)
    return table(name, *map(column, columns), schema=schema)
