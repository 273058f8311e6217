"""Paths into an output: ``generated_at``, ``synergies[].id``, ``"odd name".*[0]``.

The language is the part of JMESPath that only selects: names, quoted names, ``*``, ``[]`` or
``[*]`` and ``[3]``. It serves ``output.drop`` and the question which differences a metric covers.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from pytest_dealsnap.errors import ConfigError

__all__ = ["EVERY", "PathPattern", "parse_path", "show_path"]


class _Every:
    """A step that stands for every key or every index."""

    def __repr__(self) -> str:
        return "*"


EVERY = _Every()
Step = str | int | _Every
_STEP = re.compile(
    r"""(?P<dot>\.)?(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<star>\*))"""
    r"""|\[(?P<index>-?\d+|\*)?\]"""
)


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A parsed path; ``steps`` are keys, indices, or ``EVERY``."""

    text: str
    steps: tuple[Step, ...]

    def covers(self, path: tuple[str | int, ...]) -> bool:
        """Whether the value at *path* is, or lies inside, what this pattern selects."""
        if len(path) < len(self.steps):
            return False
        return all(step is EVERY or step == actual for step, actual in zip(self.steps, path, strict=False))

    def remove_from(self, value: Any) -> Any:
        """Return *value* without what this pattern selects; containers on the way are copied."""
        return _without(value, self.steps)


def parse_path(text: str, *, place: str = "path") -> PathPattern:
    """Parse *text*; raises :class:`ConfigError` naming *place* where it is no selecting path."""
    steps = _steps(text)
    if not steps:
        raise ConfigError(f'{place}: {text!r} is no path. Valid are names, quoted names, "*", "[]", "[*]" and "[0]"')
    return PathPattern(text, tuple(steps))


def selecting_path(text: str) -> PathPattern | None:
    """Return the pattern of a JMESPath expression that only selects, else ``None``."""
    steps = _steps(text)
    return PathPattern(text, tuple(steps)) if steps else None


def _steps(text: str) -> list[Step]:
    """Return the steps of *text*, or none where it is something else than a path."""
    steps: list[Step] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            return []
        bracket = match.group().startswith("[")
        if not bracket and (match["dot"] is None) != (not steps):
            return []
        if match["name"] is not None:
            steps.append(match["name"])
        elif match["quoted"] is not None:
            try:
                steps.append(json.loads(match["quoted"]))
            except ValueError:  # an escape that JSON does not know
                return []
        elif match["star"] or match["index"] in (None, "*"):
            steps.append(EVERY)
        else:
            steps.append(int(match["index"]))
        position = match.end()
    return steps


def _without(value: Any, steps: tuple[Step, ...]) -> Any:
    step, rest = steps[0], steps[1:]
    if isinstance(value, dict) and not isinstance(step, int):
        hit = (lambda key: True) if isinstance(step, _Every) else (lambda key: key == step)
        if not rest:
            return {key: item for key, item in value.items() if not hit(key)}
        return {key: _without(item, rest) if hit(key) else item for key, item in value.items()}
    if isinstance(value, list) and not isinstance(step, str):
        chosen = set(range(len(value)) if isinstance(step, _Every) else [step if step >= 0 else len(value) + step])
        if not rest:
            return [item for index, item in enumerate(value) if index not in chosen]
        return [_without(item, rest) if index in chosen else item for index, item in enumerate(value)]
    return value


def show_path(path: tuple[str | int, ...]) -> str:
    """Return *path* as a user would write it: ``synergies[0].type``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", step)
            text += ("." if text else "") + (step if plain else json.dumps(step, ensure_ascii=False))
    return text
