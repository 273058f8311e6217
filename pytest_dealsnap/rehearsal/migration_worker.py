"""Run in a process of its own: Alembic, or the user's callable, on the scratch copy.

``python -m pytest_dealsnap.rehearsal.migration_worker FILE`` reads its orders from FILE, a JSON object, and writes its
findings into it. What Alembic's operations were *asked* to do is noted as they are called, so that it can
be held against what the database then has: a migration that swallows an error asked, and got nothing.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytest_dealsnap.rehearsal import guarded  # noqa: F401  # first: nothing of the user's may be imported unguarded

__all__ = ["SCRATCH", "main"]

SCRATCH = "_DEALSNAP_REHEARSAL_SCRATCH"


def main(file: Path) -> None:
    """Carry out the orders in *file*, and add what was noted; an exception is the user's to be seen."""
    orders = json.loads(file.read_text(encoding="utf-8"))
    notes: dict[str, Any] = {}
    try:
        _ACTIONS[orders["action"]](orders, notes)
    finally:
        file.write_text(json.dumps({**orders, **notes}), encoding="utf-8")


def _call(orders: dict[str, Any], notes: dict[str, Any]) -> None:
    """Call the user's callable; one that takes a parameter is given the scratch copy's URL."""
    import inspect

    module, _, attribute = str(orders["target"]).partition(":")
    function: Any = importlib.import_module(module)
    for part in attribute.split("."):
        function = getattr(function, part)
    needed = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    function(*([os.environ[SCRATCH]] if needed else []))


def _alembic_config(orders: dict[str, Any]) -> Any:
    from alembic.config import CommandLine, Config

    path = str(orders["target"])
    config = Config(path, cmd_opts=CommandLine().parser.parse_args(["-c", path, "current"]))
    # For an env.py that reads its configuration; one that reads the environment finds the copy there.
    config.set_main_option("sqlalchemy.url", os.environ[SCRATCH].replace("%", "%%"))
    return config


def _upgrade(orders: dict[str, Any], notes: dict[str, Any]) -> None:
    from alembic import command

    asked: list[dict[str, Any]] = []
    notes["asked"] = asked
    _note_operations(asked)
    command.upgrade(_alembic_config(orders), str(orders["revision"]))


def _downgrade(orders: dict[str, Any], notes: dict[str, Any]) -> None:
    from alembic import command

    command.downgrade(_alembic_config(orders), str(orders["revision"]))


def _current(orders: dict[str, Any], notes: dict[str, Any]) -> None:
    from alembic import command

    command.current(_alembic_config(orders))


def _chain(orders: dict[str, Any], notes: dict[str, Any]) -> None:
    """Read the revision scripts, and note heads, bases, and everything that Alembic says of a broken chain."""
    from alembic.script import ScriptDirectory

    problems: list[str] = []
    notes.update(problems=problems, heads=[], bases=[], pending=[])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            scripts = ScriptDirectory.from_config(_alembic_config(orders))
            notes["heads"], notes["bases"] = sorted(set(scripts.get_heads())), sorted(set(scripts.get_bases()))
            current = [text for text in orders["current"] if text]
            if orders["shared"]:
                current = [revision for revision in current if _is_known(scripts, revision)]
            notes["known"] = current
            for revision in current:
                scripts.get_revision(revision)
            pending = scripts.iterate_revisions("heads", tuple(current) or "base")
            notes["pending"] = [
                [script.revision, script.doc or ""] for script in pending if script.revision not in current
            ]
        except Exception as error:  # Alembic's own, and whatever the user's scripts raise as they are loaded
            problems.append(f"{type(error).__name__}: {' '.join(str(error).split())}")
    # Alembic's warnings first: they say in words what an error, such as KeyError('a1'), does not.
    problems[:0] = [
        str(warning.message)
        for warning in caught
        if "evision" in str(warning.message) and not issubclass(warning.category, DeprecationWarning)
    ]


def _is_known(scripts: Any, revision: str) -> bool:
    from alembic.util import CommandError

    try:
        return scripts.get_revision(revision) is not None
    except CommandError:
        return False


_ACTIONS: dict[str, Callable[[dict[str, Any], dict[str, Any]], None]] = {
    "call": _call,
    "upgrade": _upgrade,
    "downgrade": _downgrade,
    "chain": _chain,
    "current": _current,
}


def _note_operations(asked: list[dict[str, Any]]) -> None:
    """Note every operation as it is asked for, before it can fail."""
    from alembic.operations.base import AbstractOperations

    invoke = AbstractOperations.invoke

    def noting(self: Any, operation: Any) -> Any:
        note = _note_of(operation, getattr(getattr(self, "impl", None), "table_name", None))
        if note:
            asked.append(note)
        return invoke(self, operation)

    AbstractOperations.invoke = noting  # type: ignore[method-assign]  # in this process, which ends with the upgrade


def _note_of(operation: Any, batch_table: str | None) -> dict[str, Any] | None:
    """Return what *operation* is to leave behind, of the kinds that can be looked for afterwards."""
    kind = type(operation).__name__
    table = getattr(operation, "table_name", None) or getattr(operation, "source_table", None) or batch_table
    note = {"table": table, "schema": getattr(operation, "schema", None), "name": None}
    name = getattr(operation, "constraint_name", None)
    if kind == "ExecuteSQLOp":
        return {**note, "kind": "statement", "text": str(operation.sqltext)[:2_000]}
    if kind == "AlterColumnOp":
        moved = {"renamed": getattr(operation, "modify_name", None)}
        wanted = getattr(operation, "modify_nullable", None)
        return {**note, **moved, "kind": "nullable", "name": operation.column_name, "wanted": wanted}
    if kind == "AddColumnOp":
        return {**note, "kind": "column", "name": operation.column.name}
    if kind == "DropColumnOp":
        return {**note, "kind": "column", "name": operation.column_name, "dropped": True}
    if kind == "CreateCheckConstraintOp":
        return {**note, "kind": "check", "name": _plain(name), "condition": str(operation.condition)}
    if kind == "CreateUniqueConstraintOp":
        return {
            **note,
            "kind": "unique",
            "name": _plain(name),
            "columns": [str(column) for column in operation.columns],
        }
    if kind == "CreateForeignKeyOp":
        return {**note, "kind": "foreign key", "name": _plain(name), "columns": list(operation.local_cols)}
    if kind == "DropConstraintOp":
        return {
            **note,
            "kind": "constraint",
            "name": _final(name),
            "of": getattr(operation, "constraint_type", None),
            "dropped": True,
        }
    if kind == "DropIndexOp":
        return {**note, "kind": "index", "name": _final(operation.index_name), "dropped": True}
    if kind == "CreateTableOp":
        return {**note, "kind": "table", "name": operation.table_name}
    if kind == "DropTableOp":
        return {**note, "kind": "table", "name": operation.table_name, "dropped": True}
    return None


def _final(name: Any) -> str | None:
    """Return the name of what is dropped: it is the database's own, also as ``op.f`` marks it."""
    return str(name) if isinstance(name, str) else None


def _plain(name: Any) -> str | None:
    return str(name) if isinstance(name, str) and type(name) is str else None  # a naming convention's is not known yet


if __name__ == "__main__":
    main(Path(sys.argv[1]))
