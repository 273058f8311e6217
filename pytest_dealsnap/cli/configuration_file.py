"""Settings written into the configuration file that is there, whose comments and other keys stay."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomlkit

from pytest_dealsnap.cli.starter_file import write_starter
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.judging.volatile import drop_line
from pytest_dealsnap.toml_text import parse_toml

__all__ = ["set_drop"]


def set_drop(root: Path, paths: Sequence[str]) -> Path:
    """Set ``output.drop`` to *paths* in the configuration file of the folder *root*, and return the file.

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
        ours: Any = document["tool"]["dealsnap"] if inside else document
        if "output" not in ours:
            ours["output"] = tomlkit.table()
        ours["output"]["drop"] = list(paths)
        after = tomlkit.dumps(document)
        if not _only_drop(before, parse_toml(after), inside=inside):
            raise ConfigError(
                f"{path}: output.drop cannot be set without touching the rest. Write {drop_line(paths)} there"
            )
        write_starter(path, after)
        return path
    raise ConfigError(f"no configuration file in {root} to write to. Set output.drop: {json.dumps(list(paths))}")


def _only_drop(before: dict[str, Any], after: dict[str, Any], *, inside: bool) -> bool:
    """Whether the documents are the same but for ``output.drop``."""
    for document in (before, after):
        ours = document["tool"]["dealsnap"] if inside else document
        ours.setdefault("output", {}).pop("drop", None)
    return before == after
