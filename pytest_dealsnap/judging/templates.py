"""What is alike in texts that differ only in their particulars: messages of errors, paths into an output."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

__all__ = ["message_shape", "path_form", "path_shape", "path_shapes"]

LONGEST_SHAPE = 160
# A key that has more children than this is a table of names of the user's own, not a part of the output's form.
MOST_CHILDREN = 20

_QUOTED = r"""(?P<quoted>(?<!\w)(?:'[^'\n]*+'|"[^"\n]*+"|`[^`\n]*+`))"""
_UNQUOTED = re.compile(
    r"(?P<id>\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b|\b0x[0-9a-fA-F]++"
    r"|\b(?=[0-9a-f]*\d)[0-9a-f]{12,}+\b)"
    r"|(?P<number>(?<!\w)[-+]?\d[\d,._:]*+(?:[eE][-+]?\d++)?|\d++)"
)
_PARTICULAR = re.compile(f"{_QUOTED}|{_UNQUOTED.pattern}")
_MARKS = {"quoted": "'…'", "id": "<id>", "number": "#"}
_INDEX = re.compile(r'"(?:[^"\\]|\\.)*+"|\[\d+\]')
_STEP = re.compile(r'"(?:[^"\\]|\\.)*+"|\[\]|[^.\[\]"]++')


def message_shape(message: str, *names: str | None, quotes: bool = False) -> str:
    """Return *message* with its numbers, ids, quoted parts and *names* (a deal's id and name) masked.

    With *quotes*, what is quoted is kept, but for numbers and ids in it.

    >>> message_shape("no row 12 of 'assets' for deal Acme", "Acme")
    "no row # of '…' for deal <deal>"
    """
    text = " ".join(message[: 4 * LONGEST_SHAPE].split())
    for name in names:
        if name and len(name) > 1 and not name.isdigit():  # a number is masked in any case
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "<deal>", text)
    pattern = _UNQUOTED if quotes else _PARTICULAR
    masked = pattern.sub(lambda match: _MARKS[str(match.lastgroup)], text)
    return masked[:LONGEST_SHAPE]


def path_form(path: str) -> str:
    """Return a shown *path* without the places in lists; keys stay as they are.

    >>> path_form("synergies[12].by_year.y2027")
    'synergies[].by_year.y2027'
    """
    return _INDEX.sub(lambda match: match[0] if match[0].startswith('"') else "[]", path)


def path_shape(path: str) -> str:
    """Return a shown *path* with its list indices, and the digits of its keys, masked.

    >>> path_shape("synergies[12].by_year.y2027")
    'synergies[].by_year.y#'
    """
    return re.sub(r"\d+", "#", re.sub(r"\[\d+\]", "[]", path))


def path_shapes(paths: Iterable[str]) -> Mapping[str, str]:
    """Return each of *paths* without places in lists; ``*`` stands for the children of a key that has many."""
    shapes = {path: path_form(path) for path in paths}
    steps = {shape: tuple(_STEP.findall(shape)) for shape in set(shapes.values())}
    children: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for taken in steps.values():
        for depth, step in enumerate(taken):
            seen = children[taken[:depth]]
            if len(seen) <= MOST_CHILDREN:
                seen.add(step)
    wide = {prefix for prefix, seen in children.items() if len(seen) > MOST_CHILDREN}
    if not wide:
        return shapes
    general = {shape: _joined(taken, wide) for shape, taken in steps.items()}
    return {path: general[shape] for path, shape in shapes.items()}


def _joined(steps: tuple[str, ...], wide: set[tuple[str, ...]]) -> str:
    text = ""
    for depth, step in enumerate(steps):
        shown = "*" if steps[:depth] in wide else step
        text += shown if shown == "[]" or not text else f".{shown}"
    return text
