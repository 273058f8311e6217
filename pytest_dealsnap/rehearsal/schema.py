"""The schema as reflected, and which of the wanted parts of it are not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, column, inspect, select, table, text

from pytest_dealsnap.deals.dialects import dialect_of
from pytest_dealsnap.deals.table_names import place_of, shown_place

__all__ = ["CONSTRAINTS", "Schema", "TableShape", "missing_parts", "read_schema", "said"]

VERSION_COLUMNS = frozenset({"version_num"})  # Alembic's table, whatever version_table calls it
CONSTRAINTS = {"checks": "CHECK", "uniques": "UNIQUE", "foreign_keys": "FOREIGN KEY", "indexes": "index"}


@dataclass(frozen=True, slots=True)
class TableShape:
    """One table: columns with type and nullability, key, and constraints as comparable texts."""

    columns: Mapping[str, tuple[str, bool]]
    key: tuple[str, ...]
    checks: tuple[tuple[str, str], ...]
    uniques: tuple[tuple[str, tuple[str, ...]], ...]
    foreign_keys: tuple[tuple[str, tuple[str, ...], str], ...]
    indexes: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Schema:
    """Every table of a database by its name (``schema.table`` outside of the default schema), and the revision.

    ``others`` are views and triggers, by kind and name. ``version_tables`` counts the tables that hold revisions: the
    schema of several applications has several.
    """

    tables: Mapping[str, TableShape]
    revisions: tuple[str, ...]
    others: frozenset[tuple[str, str]] = frozenset()
    version_tables: int = 0

    def name_of(self, table: str, *, folds_case: bool) -> str:
        """Return the name by which *table* is in ``tables``, such as ``deals`` for ``public.deals``; else *table*.

        *folds_case* says that the database does not tell ``Deals`` from ``deals``, as SQLite does not.
        """
        bare = shown_place(None, place_of(table)[1])  # a schema that no reflected name has in front is the default one
        for wanted in (table, bare):
            for name in self.tables:
                if name == wanted or (folds_case and name.casefold() == wanted.casefold()):
                    return name
        return table

    def differences(self, other: Schema) -> list[str]:
        """Return in words what *other* has otherwise."""
        lines = [f"table {name} is new" for name in sorted(other.tables.keys() - self.tables.keys())]
        lines += [f"table {name} is gone" for name in sorted(self.tables.keys() - other.tables.keys())]
        for name in sorted(self.tables.keys() & other.tables.keys()):
            lines += [f"{name}: {line}" for line in _shape_differences(self.tables[name], other.tables[name])]
        lines += [f"{kind} {name} is new" for kind, name in sorted(other.others - self.others)]
        lines += [f"{kind} {name} is gone" for kind, name in sorted(self.others - other.others)]
        return lines


def read_schema(connection: Connection) -> Schema:
    """Reflect every table of every schema that is not the system's; the revision table is not among them."""
    inspector = inspect(connection)
    known = dialect_of(connection.dialect.name)
    schemas: list[str | None] = [None, *known.other_schemas(inspector)]
    found = {
        (schema, name): _shape(inspector, name, schema)
        for schema in schemas
        for name in inspector.get_table_names(schema=schema)
    }
    revisions: list[str] = []
    tables: dict[str, TableShape] = {}
    version_tables = 0
    for (schema, name), shape in found.items():
        if shape.columns.keys() == VERSION_COLUMNS:
            versions = table(name, column("version_num"), schema=schema)
            version_tables += 1
            revisions += map(str, connection.scalars(select(versions.c.version_num)).all())
        else:
            tables[shown_place(schema, name)] = shape
    others = {
        ("view", shown_place(schema, name)) for schema in schemas for name in inspector.get_view_names(schema=schema)
    }
    if known.triggers:
        others |= {("trigger", str(name)) for name in connection.scalars(text(known.triggers))}
    return Schema(tables, tuple(sorted(revisions)), frozenset(others), version_tables)


def _shape(inspector: Any, name: str, schema: str | None) -> TableShape:
    columns = {
        column["name"]: (_type_name(column["type"]), bool(column["nullable"]))
        for column in inspector.get_columns(name, schema=schema)
    }
    return TableShape(
        columns,
        tuple(inspector.get_pk_constraint(name, schema=schema).get("constrained_columns") or ()),
        tuple(sorted((c["name"] or "", c["sqltext"]) for c in inspector.get_check_constraints(name, schema=schema))),
        tuple(
            sorted(
                (c["name"] or "", tuple(c["column_names"]))
                for c in inspector.get_unique_constraints(name, schema=schema)
            )
        ),
        tuple(
            sorted(
                (c["name"] or "", tuple(c["constrained_columns"]), c["referred_table"])
                for c in inspector.get_foreign_keys(name, schema=schema)
            )
        ),
        tuple(
            sorted(
                (c["name"] or "", tuple(map(str, c["column_names"])))
                for c in inspector.get_indexes(name, schema=schema)
            )
        ),
    )


def _type_name(kind: Any) -> str:
    try:
        return str(kind)
    except Exception:  # a type that this dialect cannot write, such as NullType
        return type(kind).__name__


def _shape_differences(old: TableShape, new: TableShape) -> list[str]:
    lines = [f"column {name} is new" for name in new.columns if name not in old.columns]
    lines += [f"column {name} is gone" for name in old.columns if name not in new.columns]
    for name in old.columns.keys() & new.columns.keys():
        (type_before, null_before), (type_after, null_after) = old.columns[name], new.columns[name]
        if type_before != type_after:
            lines.append(f"column {name} was {type_before} and is {type_after}")
        if null_before != null_after:
            lines.append(f"column {name} {'may be NULL now' if null_after else 'is NOT NULL now'}")
    if old.key != new.key:
        lines.append(f"the primary key was ({', '.join(old.key)}) and is ({', '.join(new.key)})")
    for what, noun in CONSTRAINTS.items():
        before, after = set(getattr(old, what)), set(getattr(new, what))
        lines += [f"{noun} {said(part)} is new" for part in sorted(after - before, key=str)]
        lines += [f"{noun} {said(part)} is gone" for part in sorted(before - after, key=str)]
    return sorted(lines)


def said(part: tuple[Any, ...]) -> str:
    """Return a constraint or index in words."""
    name, *rest = part
    said = ", ".join(", ".join(r) if isinstance(r, tuple) else str(r) for r in rest)
    return f"{name or 'without a name'} ({said})"


def missing_parts(asked: Iterable[Mapping[str, Any]], schema: Schema) -> list[str]:
    """Return in words what Alembic's operations were asked for and *schema* does not have.

    The last word counts: what a later operation dropped or renamed again is not looked for.
    """
    wanted: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for note in asked:
        if note["kind"] == "statement":
            continue
        table = shown_place(note.get("schema"), str(note["table"]))
        key = (table, note["kind"], str(note["name"] or note.get("condition") or note.get("columns")))
        if note["kind"] == "constraint":
            wanted = {k: v for k, v in wanted.items() if not (k[0] == table and k[2] == note["name"])}
        elif note.get("dropped") or note.get("renamed"):
            wanted = {
                k: v for k, v in wanted.items() if not (k[0] == table and (note["kind"] == "table" or k[2] == key[2]))
            }
        elif note["kind"] != "nullable" or note.get("wanted") is not None:
            wanted[key] = note
    return [line for (table, _, _), note in wanted.items() if (line := _absent(table, note, schema.tables.get(table)))]


def _absent(table: str, note: Mapping[str, Any], shape: TableShape | None) -> str | None:
    kind, name = note["kind"], note["name"]
    if kind == "table":
        return None if shape is not None else f"table {table} is not there"
    if shape is None:
        return None  # dropped or renamed by other means; what became of its rows is another check
    if kind == "column":
        return None if name in shape.columns else f"{table}: column {name} is not there"
    if kind == "nullable":
        if name not in shape.columns or shape.columns[name][1] == note["wanted"]:
            return None
        return f"{table}: {name} is {'NOT NULL' if note['wanted'] else 'not NOT NULL'}"
    if kind == "check":
        names = [check for check, _ in shape.checks]
        # A naming convention puts more in front of the name that the migration gives.
        there = any(check == name or check.endswith(f"_{name}") for check in names) if name else bool(names)
        return None if there else f"{table}: CHECK {name or 'without a name'} ({note['condition']}) is not there"
    parts: Sequence[tuple[Any, ...]] = shape.uniques + shape.indexes if kind == "unique" else shape.foreign_keys
    there = any(part[0] == name if name else list(part[1]) == note["columns"] for part in parts)
    # SQLite reflects a named constraint without its name where the table was written otherwise.
    there = there or any(list(part[1]) == note["columns"] for part in parts)
    return None if there else f"{table}: {kind.upper()} {name or ''} ({', '.join(note['columns'])}) is not there"
