"""Two requests as the lines that differ: often that is the whole finding."""

from __future__ import annotations

from decimal import Decimal
from difflib import unified_diff
from typing import Any

from pytest_dealsnap.judging.paths import show_path

__all__ = ["request_difference"]

LINES_SHOWN = 20
WIDTH = 110
BEFORE = 30


def request_difference(recorded: dict[str, Any], current: dict[str, Any]) -> list[str]:
    """Return the lines of a difference of two requests, each with the path it stands at; bounded in both directions."""
    before, after = _lines(recorded, ()), _lines(current, ())
    lines = list(unified_diff(before, after, "recorded", "now", lineterm="", n=0))
    shown = [line for line in lines[2:] if not line.startswith("@@")]
    cut = [_cut(line, shown) for line in shown[:LINES_SHOWN]]
    more = len(shown) - len(cut)
    return [*cut, f"… and {more} more lines"] if more > 0 else cut


def _lines(value: Any, path: tuple[str | int, ...]) -> list[str]:
    if isinstance(value, dict) and value:
        return [line for key in sorted(value) for line in _lines(value[key], (*path, key))]
    if isinstance(value, list) and value:
        return [line for index, item in enumerate(value) for line in _lines(item, (*path, index))]
    text = str(value) if isinstance(value, (str, Decimal)) else repr(value)
    texts = text.splitlines() or ['""']
    return [f"{show_path(path)}: {text}" for text in texts]


def _cut(line: str, others: list[str]) -> str:
    """Return *line*, cut where it begins to differ from the line that stands for it on the other side."""
    if len(line) <= WIDTH:
        return line
    path = line[1:].partition(": ")[0]
    other = next((one for one in others if one[0] != line[0] and one[1:].startswith(f"{path}: ")), "")
    start = max(_alike(line[1:], other[1:]) - BEFORE, 0)
    head = f"{line[0]}{path}: …" if start > len(path) + 2 else line[0]
    text = line[1 + start :]
    return head + (text if len(text) <= WIDTH else f"{text[:WIDTH]}…")


def _alike(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    return next((index for index, both in enumerate(zip(one, other, strict=False)) if both[0] != both[1]), len(other))
