"""Where a starter configuration goes: into ``pyproject.toml`` beside all else, or ``dealsnap.toml`` of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_dealsnap.baseline.files import write_atomic
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.toml_text import parse_toml

__all__ = ["check_place", "choose_file", "with_starter", "write_starter"]

NAMES = ("pyproject.toml", "dealsnap.toml")


def choose_file(output: str | None, cwd: Path) -> Path:
    """Return the file to write: *output*, else the nearest configuration file, else ``dealsnap.toml`` here.

    A new ``pyproject.toml`` would mean something to pip too, so none is made unasked.
    """
    if output is not None:
        path = cwd / output
        if path.name not in NAMES:
            raise ConfigError(f"--output {output}: must be pyproject.toml, dealsnap.toml, or - for standard output")
        return path
    for folder in (cwd, *cwd.parents):
        for name in NAMES:
            if (folder / name).is_file():
                return folder / name
    return cwd / "dealsnap.toml"


def check_place(path: Path, *, force: bool) -> str:
    """Return what *path* holds now; raises :class:`ConfigError` where a configuration stands in the way."""
    other = path.with_name(NAMES[1 - NAMES.index(path.name)])
    if other.is_file() and _configured(other.name, _document(other, other.read_bytes())):
        raise ConfigError(f"{other} configures dealsnap already, and both would be one too many: --output {other.name}")
    if not path.is_file():
        return ""
    data = path.read_bytes()
    if _configured(path.name, _document(path, data)) and not force:
        raise ConfigError(f"{path} configures dealsnap already: --force replaces that, --output - shows the new one")
    return data.decode("utf-8")


def with_starter(path: Path, before: str, starter: str) -> str:
    """Return the file's new text: *starter* after all that *before* holds of others, which stays byte for byte.

    Raises :class:`ConfigError` for a file whose form leaves no room for it.
    """
    if path.name == "dealsnap.toml":
        return starter
    newline = "\r\n" if "\r\n" in before else "\n"
    kept = "".join(_without_ours(before))
    if kept and not kept.endswith("\n"):
        kept += newline
    gap = "" if not kept or kept.endswith(newline * 2) else newline
    text = kept + gap + starter.replace("\n", newline)
    if not _keeps_the_rest(before, text):
        raise ConfigError(
            f"{path}: [tool.dealsnap] can neither be added nor replaced there without touching the rest, as its tables "
            "are written. Use --output dealsnap.toml, or --output - and put it in by hand"
        )
    return text


def write_starter(path: Path, text: str) -> None:
    """Write *text* to *path*, whole or not at all; a link stays a link, and permissions stay as they are."""
    target = path.resolve()
    try:
        mode = target.stat().st_mode if target.exists() else None
        write_atomic(str(target), text.encode("utf-8"))
        if mode is not None:
            target.chmod(mode)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {type(error).__name__}: {error.strerror}") from None


def _document(path: Path, data: bytes) -> dict[str, Any]:
    try:
        return parse_toml(data.decode("utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from None


def _configured(name: str, document: dict[str, Any]) -> bool:
    tool = document.get("tool")
    return (isinstance(tool, dict) and "dealsnap" in tool) or (name == "dealsnap.toml" and bool(document))


def _keeps_the_rest(before: str, after: str) -> bool:
    """Whether *after* is valid and, beside our table, says what *before* said."""
    try:
        old, new = parse_toml(before), parse_toml(after)
    except ValueError:
        return False
    ours = new.get("tool", {}).pop("dealsnap", None)
    for document in (old, new):
        tool = document.get("tool")
        if isinstance(tool, dict):
            tool.pop("dealsnap", None)
            if not tool:
                del document["tool"]
    return ours is not None and old == new


_HEADER = re.compile(r"\s*\[\[?\s*(?P<name>[^\]]+?)\s*\]")
_OURS = re.compile(r"""(tool|"tool"|'tool')\s*\.\s*(dealsnap|"dealsnap"|'dealsnap')\s*(\.|$)""")


def _without_ours(text: str) -> Iterator[str]:
    """Yield the lines that stand under no header of ours, with the comment above such a header left out."""
    pending: list[str] = []  # comments and blank lines that may belong to the next header
    ours = False
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        header = _HEADER.match(line)
        if header is not None and _is_whole(lines[:number]):
            was_ours, ours = ours, _OURS.match(header["name"]) is not None
            own = _comment_above(pending)
            if not was_ours:
                yield from pending[: len(pending) - len(own)]
            if not ours:
                yield from own
                yield line
            pending = []
        elif not ours and line.strip() and not line.lstrip().startswith("#"):
            yield from pending
            yield line
            pending = []
        else:
            pending.append(line)
    if not ours:
        yield from pending


def _is_whole(lines: list[str]) -> bool:
    """Whether what follows *lines* is not inside of a text or a list that they began."""
    try:
        parse_toml("".join(lines))
    except ValueError:
        return False
    return True


def _comment_above(pending: list[str]) -> list[str]:
    """Return the end of *pending* below its last blank line: the comment that belongs to the next header."""
    for index in range(len(pending), 0, -1):
        if not pending[index - 1].strip():
            return pending[index:]
    return pending
