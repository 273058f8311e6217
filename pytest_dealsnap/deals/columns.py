"""A table as plain facts: what each column holds, and what the database insists on.

Everything that is read of SQLAlchemy's own objects is read here, so that whoever makes up rows need not
know them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CheckConstraint, Column, Computed, Identity, MetaData, Table
from sqlalchemy.schema import ColumnDefault, DefaultClause

from pytest_dealsnap.deals.check_constraints import Check, read_check
from pytest_dealsnap.deals.conditions import UnreadConditionError
from pytest_dealsnap.deals.dialects import domain_of
from pytest_dealsnap.deals.unique_keys import read_unique
from pytest_dealsnap.deals.value_kinds import ValueKind, kind_of
from pytest_dealsnap.errors import SourceError

__all__ = ["ColumnFacts", "ForeignKeyFacts", "TableFacts", "UniqueFacts", "read_metadata", "read_table"]

NO_DEFAULT: Any = object()


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """One column: ``key`` names it in a row, ``name`` in the database.

    ``generated``: the database makes the value, and refuses one that is given. ``counted``: a key that
    numbers the rows. ``default`` is a plain default value, or ``NO_DEFAULT``; ``optional`` says that
    some default stands behind a value that is not given.
    """

    key: str
    name: str
    kind: ValueKind
    nullable: bool
    generated: bool = False
    always_identity: bool = False
    counted: bool = False
    default: Any = NO_DEFAULT
    optional: bool = False

    @property
    def has_default(self) -> bool:
        """Whether a plain default value is known."""
        return self.default is not NO_DEFAULT


@dataclass(frozen=True, slots=True)
class ForeignKeyFacts:
    """Columns that repeat the key of a row in table ``target``; both sides by key, in one order."""

    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    deferrable: bool = False


@dataclass(frozen=True, slots=True)
class UniqueFacts:
    """Columns that no two rows have alike; rows with a NULL among them are, unless ``nulls_alike``."""

    columns: tuple[str, ...]
    nulls_alike: bool = False


@dataclass(frozen=True, slots=True)
class TableFacts:
    """A table. ``unread`` are the texts of CHECK constraints that are not understood, with the reason.

    ``unkept`` are the unique indexes over expressions that no columns stand for.
    """

    name: str
    columns: tuple[ColumnFacts, ...]
    primary_key: tuple[str, ...]
    unique: tuple[UniqueFacts, ...]
    foreign_keys: tuple[ForeignKeyFacts, ...]
    checks: tuple[Check, ...]
    unread: tuple[tuple[str, str], ...]
    unkept: tuple[str, ...] = ()

    def column(self, key: str) -> ColumnFacts:
        """Return the column that rows hold under *key*."""
        return next(column for column in self.columns if column.key == key)


def read_table(source: Any) -> TableFacts:
    """Return the facts of *source*, a Table or a declarative class; raises :class:`SourceError` for anything else."""
    table = getattr(source, "__table__", source)
    if not isinstance(table, Table):
        raise SourceError(f"{source!r} is neither a SQLAlchemy Table nor a declarative class")
    checks, unread = _checks(table)
    unique, unkept = read_unique(table)
    return TableFacts(
        name=table.fullname,
        columns=tuple(_column(column) for column in table.columns),
        primary_key=tuple(column.key for column in table.primary_key.columns),
        unique=tuple(UniqueFacts(*one) for one in unique),
        foreign_keys=tuple(_foreign_keys(table)),
        checks=checks,
        unread=unread,
        unkept=unkept,
    )


def read_metadata(source: Any) -> dict[str, TableFacts]:
    """Return the facts of every table of *source*, a MetaData or a declarative base, by name."""
    metadata = getattr(source, "metadata", source)
    if not isinstance(metadata, MetaData):
        raise SourceError(f"{source!r} is neither a SQLAlchemy MetaData nor a declarative base")
    return {table.fullname: read_table(table) for table in metadata.tables.values()}


def _column(column: Column[Any]) -> ColumnFacts:
    domain = domain_of(column.type)
    identity = column.identity if isinstance(column.identity, Identity) else None
    counts = column.table is not None and column is column.table.autoincrement_column
    return ColumnFacts(
        key=column.key,
        name=column.name,
        kind=kind_of(column.type),
        nullable=bool(column.nullable) and not (domain is not None and domain.not_null),
        generated=isinstance(column.server_default, Computed),
        always_identity=identity is not None and bool(identity.always),
        counted=counts or identity is not None,
        default=_default(column),
        optional=column.default is not None or column.server_default is not None or counts,
    )


def _default(column: Column[Any]) -> Any:
    """Return the default value, where it is a plain one that fits the column's kind."""
    default = column.default
    if isinstance(default, ColumnDefault) and default.is_scalar:
        return default.arg
    server: Any = column.server_default
    if isinstance(server, DefaultClause) and isinstance(server.arg, str):
        if kind_of(column.type).name == "text":
            return server.arg
        if kind_of(column.type).name == "integer" and server.arg.lstrip("-").isdigit():
            return int(server.arg)
    return NO_DEFAULT


def _foreign_keys(table: Table) -> Iterator[ForeignKeyFacts]:
    constraints = table.foreign_key_constraints
    for constraint in sorted(constraints, key=lambda constraint: list(constraint.column_keys)):
        targets = [element.column for element in constraint.elements]
        yield ForeignKeyFacts(
            tuple(element.parent.key for element in constraint.elements),
            targets[0].table.fullname,
            tuple(target.key for target in targets),
            bool(constraint.deferrable or constraint.initially),
        )


def _checks(table: Table) -> tuple[tuple[Check, ...], tuple[tuple[str, str], ...]]:
    checks: list[Check] = []
    unread: list[tuple[str, str]] = []
    for text, names in sorted(_check_texts(table), key=str):
        try:
            check = read_check(text)
        except UnreadConditionError as error:
            unread.append((text, str(error)))
            continue
        strangers = [name for name in check.columns if name not in names.values()]
        if strangers and all(name.lower() in names for name in strangers):
            # Unquoted names are written in any case.
            check = check.renamed({name: names[name.lower()] for name in strangers})
            strangers = []
        if strangers:
            unread.append((text, f"{strangers[0]} is no column of {table.fullname}"))
        else:
            checks.append(check)
    return tuple(checks), tuple(unread)


def _check_texts(table: Table) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the SQL of the checks, the columns' own and their domains' among them, and what its names stand for.

    A check that belongs to an Enum or Boolean is known by the type.
    """
    names = {column.name.lower(): column.name for column in table.columns}
    for constraint in (*table.constraints, *(one for column in table.columns for one in column.constraints)):
        if isinstance(constraint, CheckConstraint) and not getattr(constraint, "_type_bound", False):
            yield _sql(constraint.sqltext), names
    for column in table.columns:
        domain = domain_of(column.type)
        if domain is not None and domain.check is not None:
            yield _sql(domain.check), {"value": column.name}


def _sql(condition: Any) -> str:
    return str(condition.compile(compile_kwargs={"literal_binds": True}))
