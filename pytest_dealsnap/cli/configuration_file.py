"""Settings written into the configuration file that is there, whose comments and other keys stay."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit

from pytest_dealsnap.cli.starter_file import write_starter
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.toml_text import parse_toml

__all__ = ["Line", "lines_text", "set_lines"]

# Where a value stands below [tool.dealsnap]: the tables' names, then the key's.
Line = tuple[str, ...]


def set_lines(root: Path, lines: Mapping[Line, Any]) -> Path:
    """Set *lines* in the configuration file of the folder *root*, and return the file.

    Raises :class:`ConfigError` where there is no such file, or where its tables leave no room.
    """
    for name in ("pyproject.toml", "dealsnap.toml"):
        path = root / name
        if not path.is_file():
            continue
        text = path.read_bytes().decode("utf-8")
        before = parse_toml(text)
        inside = "dealsnap" in before.get("tool", {})
        if not inside and name == "pyproject.toml":
            continue
        document = tomlkit.parse(text)
        for place, value in lines.items():
            _set(document, ("tool", "dealsnap", *place) if inside else place, value)
        after = tomlkit.dumps(document)
        wanted = copy.deepcopy(before)
        for place, value in lines.items():
            _set_plain(wanted, ("tool", "dealsnap", *place) if inside else place, value)
        if parse_toml(after) != wanted:
            raise ConfigError(f"{path} cannot be changed without touching the rest. Write there:\n{_shown(lines)}")
        write_starter(path, after)
        return path
    raise ConfigError(f"no configuration file in {root} to write to. Set:\n{_shown(lines)}")


def lines_text(lines: Mapping[Line, Any]) -> list[str]:
    """Return *lines* as a configuration file has them, table by table."""
    shown: list[str] = []
    tables = dict.fromkeys(place[:-1] for place in lines)
    for table in tables:
        shown.append(f"[{'.'.join(('tool', 'dealsnap', *map(_key, table)))}]")
        shown += [f"{_key(place[-1])} = {_value(value)}" for place, value in lines.items() if place[:-1] == table]
    return shown


def _shown(lines: Mapping[Line, Any]) -> str:
    return "\n".join(lines_text(lines))


def _key(key: str) -> str:
    bare = key.replace("_", "").replace("-", "")
    return key if bare.isascii() and bare.isalnum() else json.dumps(key, ensure_ascii=False)


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _set(document: Any, place: Line, value: Any) -> None:
    *tables, key = place
    for table in tables:
        if table not in document:
            document[table] = tomlkit.table()
        document = document[table]
    document[key] = value


def _set_plain(document: dict[str, Any], place: Line, value: Any) -> None:
    *tables, key = place
    for table in tables:
        document = document.setdefault(table, {})
    document[key] = value
