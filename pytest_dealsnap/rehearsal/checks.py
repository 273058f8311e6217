"""From what was seen of the migrated database to problems: rows, types, constraints, revision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from pytest_dealsnap.config import DealsConfig
from pytest_dealsnap.deals.deal import id_order
from pytest_dealsnap.deals.table_names import place_of
from pytest_dealsnap.deals.types import DealTypes
from pytest_dealsnap.rehearsal.constraint_probe import TypeProbes
from pytest_dealsnap.rehearsal.row_digests import RowChanges, TableChanges
from pytest_dealsnap.rehearsal.schema import Schema, missing_parts
from pytest_dealsnap.rehearsal.timeline import Entry
from pytest_dealsnap.reporting.audit_facts import show_stored
from pytest_dealsnap.text import agree, plural, printable

__all__ = [
    "check_constraints",
    "check_declared",
    "check_lost_parts",
    "check_restored",
    "check_rows",
    "check_types",
    "expected_backfill",
]

SHOWN = 5
# Django; Rails and others; Flyway; yoyo-migrations.
TOOL_TABLES = frozenset(
    {
        "django_migrations", "schema_migrations", "flyway_schema_history",
        "_yoyo_migration", "_yoyo_log", "_yoyo_version", "yoyo_lock",
    }
)  # fmt: skip
StoredTypes = Mapping[str, str | None]


def check_rows(entry: Entry, changes: RowChanges, deals: DealsConfig, may_change: Sequence[str] = ()) -> None:
    """No row lost, none added twice, no column touched but the deal type's and those of *may_change*."""
    for table in changes.tables:
        name = printable(table.name)
        if _is_a_tools(table.name):
            entry.lines.append(f"{name} records what was migrated")
            continue
        if table.lost:
            what = f"table {name} is gone with its {plural(table.lost, 'row')}" if table.gone else (
                f"{plural(table.lost, 'row')} of {name} {agree(table.lost, 'is', 'are')} lost"
            )  # fmt: skip
            entry.find(
                "rows_lost", what, weight="corrupts", evidence=_keys("lost", table.lost_keys, table.lost),
                advice="the upgrade must keep every row: find the DELETE, or the join that leaves them out",
            )  # fmt: skip
        if table.added:
            _check_added(entry, table, name, is_deals=table.name == deals.table)
        for column, count in table.changed.items():
            if not (column == deals.type and (table.name == deals.table or deals.source is not None)):
                _check_changed(entry, table, column, count, may_change)
        declared = {column for column in table.gone_columns if _declared(table.name, column, may_change)}
        entry.lines += [f"{name}.{printable(column)} is gone, as may_change allows" for column in sorted(declared)]
        if undeclared := [column for column in table.gone_columns if column not in declared]:
            columns = ", ".join(map(printable, undeclared))
            entry.find(
                "columns_lost", f"{name} lost the column {columns} with its values", weight="corrupts",
                advice="drop a column in a later release, once nothing needs it for a rollback",
            )  # fmt: skip


def _is_a_tools(table: str) -> bool:
    """Return whether a migration tool keeps its own book in *table*; a way back may be one more entry there."""
    return place_of(table)[1] in TOOL_TABLES


def _check_changed(entry: Entry, table: TableChanges, column: str, count: int, may_change: Sequence[str]) -> None:
    """Report a column whose values changed; whether that corrupts anything is for the downgrade to show."""
    name = f"{printable(table.name)}.{printable(column)}"
    evidence = _keys("changed", (table.changed_keys or {}).get(column, ()), count)
    if _declared(table.name, column, may_change):
        entry.lines.append(f"{name} changed in {plural(count, 'row')}, as may_change allows")
        return
    entry.find(
        "columns_changed",
        f"changed beyond the deal type: {name} in {plural(count, 'row')}",
        evidence=evidence,
        advice=f'if it is meant: rehearsal.may_change = ["{name}"]; else find the UPDATE, type change or trigger',
    )


def _declared(table: str, column: str, may_change: Sequence[str]) -> bool:
    return any(fnmatchcase(f"{table}.{column}", pattern) for pattern in may_change)


def check_declared(entry: Entry, schema: Schema, may_change: Sequence[str]) -> None:
    """Report the patterns of *may_change* that name no column of *schema*, the database before the upgrade."""
    columns = [f"{table}.{column}" for table, shape in schema.tables.items() for column in shape.columns]
    for pattern in may_change:
        if not any(fnmatchcase(column, pattern) for column in columns):
            entry.find(
                "may_change_unknown", f'rehearsal.may_change: "{printable(pattern)}" names no column', weight="note",
                advice='write table.column as the database spells them, such as "deals.note"; * stands for any',
            )  # fmt: skip


def _check_added(entry: Entry, table: TableChanges, name: str, *, is_deals: bool) -> None:
    evidence = _keys("added", table.added_keys, table.added)
    if table.copied:
        title = f"{plural(table.copied, 'row')} of {name} {agree(table.copied, 'is', 'are')} duplicated"
        advice = "rows that say the same under another key: look for an INSERT … SELECT that ran twice"
        entry.find("rows_duplicated", title, weight="corrupts", evidence=evidence, advice=advice)
    elif is_deals:
        title = f"{plural(table.added, 'row')} of {name} {agree(table.added, 'was', 'were')} added"
        entry.find("rows_added", title, evidence=evidence, advice="a migration should not make deals")
    else:
        entry.find("rows_added", f"{plural(table.added, 'row')} of {name} added", weight="note", evidence=evidence)


def _keys(what: str, keys: Sequence[str], count: int) -> list[str]:
    if not keys:
        return []
    more = f" and {count - len(keys):,} more" if count > len(keys) else ""
    return [f"{what}: {', '.join(printable(key) for key in keys)}{more}"]


def check_types(entry: Entry, before: StoredTypes, after: StoredTypes, deals: DealsConfig, *, meant: bool) -> int:
    """The backfill makes every type valid, as the default says, and leaves valid ones alone; return how many changed.

    *meant* says whether the upgrade was to see to the types at all; if not, what it leaves is only noted.
    """
    types = DealTypes.of(deals)
    common = sorted(before.keys() & after.keys(), key=id_order)
    changed = [deal_id for deal_id in common if before[deal_id] != after[deal_id]]
    other = [deal_id for deal_id in changed if types.effective(after[deal_id]) != types.effective(before[deal_id])]
    spoilt = [deal_id for deal_id in other if types.recognizes(before[deal_id])]
    elsewhere = [i for i in other if not types.recognizes(before[i]) and types.recognizes(after[i])]
    invalid = sorted((i for i, stored in after.items() if not types.recognizes(stored)), key=id_order)

    aliased = [i for i in common if after[i] == before[i] and after[i] in types.aliases and after[i] not in types.valid]

    def moves(ids: Sequence[str]) -> list[str]:
        return _first(ids, [f"{show_stored(before.get(i))} → {show_stored(after[i])}" for i in ids[:SHOWN]])

    def left(ids: Sequence[str]) -> list[str]:
        return _first(ids, [show_stored(after[i]) for i in ids[:SHOWN]])

    if spoilt:
        entry.find(
            "types_changed", f"{plural(len(spoilt), 'valid deal type')} changed", weight="corrupts",
            evidence=moves(spoilt), deals=spoilt,
            advice="the backfill may touch NULL, blank and unknown types only: look at its WHERE",
        )  # fmt: skip
    if elsewhere:
        entry.find(
            "backfill_elsewhere",
            f"the backfill gave {plural(len(elsewhere), 'deal')} another type than they count as",
            evidence=moves(elsewhere), deals=elsewhere,
            advice=f'they counted as "{deals.default_type}" (deals.default_type): backfill them with that',
        )  # fmt: skip
    if invalid:
        entry.find(
            "types_invalid",
            f"{plural(len(invalid), 'deal')} {agree(len(invalid), 'has', 'have')} no valid type after the upgrade",
            weight="fails" if meant else "note",
            evidence=left(invalid), deals=invalid,
            advice="widen the backfill's WHERE: NULL, blank, other spellings, rows that are soft-deleted",
        )  # fmt: skip
    if aliased and meant:
        entry.find(
            "aliases_left",
            f"{plural(len(aliased), 'row')} that the audit named {agree(len(aliased), 'keeps', 'keep')} an alias",
            weight="note", evidence=left(aliased), deals=aliased,
            advice="let the backfill write the type that the alias stands for; or take it out of deals.aliases",
        )  # fmt: skip
    return len(changed)


def expected_backfill(before: StoredTypes, deals: DealsConfig) -> int:
    """Return how many rows the audit names: those whose stored type is not the type that they count as."""
    types = DealTypes.of(deals)
    return sum(types.effective(stored) != stored for stored in before.values())


def _first(ids: Sequence[str], words: Sequence[str]) -> list[str]:
    lines = [f"deal {printable(i)}: {text}" for i, text in zip(ids, words, strict=False)]
    return [*lines, f"… and {len(ids) - SHOWN:,} more"] if len(ids) > SHOWN else lines


def check_constraints(
    entry: Entry,
    schema: Schema,
    asked: Sequence[Mapping[str, Any]],
    probes: TypeProbes | None,
    *,
    meant: bool,
    recorded: bool,
    trouble: Sequence[str] = (),
) -> None:
    """Every constraint that was asked for is there, and an invalid row is refused."""
    if missing := missing_parts(asked, schema):
        lead = "the revision is recorded, but " if recorded else ""
        what = missing[0] if len(missing) == 1 else f"{len(missing):,} parts of the schema are not there"
        entry.find(
            "constraint_missing",
            f"{lead}{what}",
            evidence=[*missing, *trouble],
            advice="the migration asked for it and the database has not got it: look for an error that is caught; "
            "on SQLite a constraint takes op.batch_alter_table",
        )
    if probes is None:
        return
    if not probes.tried:
        entry.lines.append("no deal to try the constraints on")
    if probes.accepted:
        words = ", ".join(show_stored(word) for word in probes.accepted)
        entry.find(
            "invalid_types_accepted",
            f"the database still accepts invalid deal types ({words})",
            weight="fails" if meant else "note",
            evidence=["tried on one deal, in a transaction that was rolled back"],
            advice="add NOT NULL and a CHECK constraint on the deal type, and let the migration fail if it cannot",
        )
    if probes.folded:
        words = ", ".join(map(show_stored, probes.folded))
        entry.find(
            "types_fold", f"the column's collation holds {words} equal to a valid type", weight="note",
            evidence=["the constraint is there; code that compares exactly, as dealsnap does, takes these for invalid"],
            advice="a case-sensitive collation for the column (utf8mb4_bin in MySQL and MariaDB) refuses them",
        )  # fmt: skip
    if probes.refused:
        words = ", ".join(probes.refused)
        entry.find(
            "valid_types_refused", f"the database refuses valid deal types ({words})",
            advice="the CHECK constraint and deals.types do not name the same types",
        )  # fmt: skip


def check_lost_parts(entry: Entry, lost: Sequence[str], *, known: bool) -> None:
    """No constraint, index, trigger or view went by the way; *known* says that it is known what was to be dropped."""
    if lost:
        one = len(lost) == 1
        what = f"{lost[0]} is" if one else f"{len(lost):,} parts of the schema are"
        entry.find(
            "parts_lost",
            printable(f"{what} gone, and nothing asked to drop {'it' if one else 'them'}"),
            weight="fails" if known else "note",
            evidence=[printable(line) for line in lost[:20]],
            advice="Alembic's batch mode builds a SQLite table anew, without its triggers and older CHECKs: make them "
            "again at the end, or give them in table_args",
        )  # fmt: skip


def check_restored(entry: Entry, changes: RowChanges, schema_lines: Sequence[str]) -> None:
    """After the downgrade, rows and schema are what they were at the start."""
    lines = []
    schema_lines = [
        line for line in schema_lines if not _is_a_tools(line.removeprefix("table ").split(" ")[0].strip(":"))
    ]
    for table in changes.tables:
        if _is_a_tools(table.name):
            continue
        if table.gone or table.lost:
            lines.append(f"{printable(table.name)}: {plural(table.lost, 'row')} lost")
        if table.added:
            lines.append(f"{printable(table.name)}: {plural(table.added, 'row')} more")
        for column, count in table.changed.items():
            keys = ", ".join(printable(key) for key in (table.changed_keys or {}).get(column, ()))
            lines.append(
                f"{printable(table.name)}.{printable(column)}: other values in {plural(count, 'row')} ({keys})"
            )
        lines += [f"{printable(table.name)}: column {printable(column)} is gone" for column in table.gone_columns]
    if lines:
        entry.find(
            "downgrade_loses_data", "the downgrade does not restore every row", evidence=lines,
            advice="remember in the upgrade what it replaces, and put that back in the downgrade",
        )  # fmt: skip
    if schema_lines:
        entry.find(
            "downgrade_leaves_schema", "the downgrade does not restore the schema",
            evidence=[printable(line) for line in schema_lines],
            advice="undo in the downgrade everything that the upgrade did",
        )  # fmt: skip
