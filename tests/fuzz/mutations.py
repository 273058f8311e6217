"""Files that somebody damaged: by a byte, by a line, or by a value of another kind."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

__all__ = ["TOML_VALUES", "bytes_mutated", "document_mutated", "lines_mutated"]

BYTES = st.sampled_from(
    [b"\x00", b"\xff", b"{", b"}", b"[", b"]", b'"', b"\\", b"-", b"9", b"e", b"\n", b" ", b"\xed\xa0"]
)
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**400, 1e308, float("nan"), float("inf"), "", "\x00\x1b[31m", "x" * 5_000, "2027-13-45",
    [], {}, [[]], {"": None}, [None], {"a": {"b": []}}, "acquisition", "matched", "proceed", "\ud800",
)  # fmt: skip
TOML_VALUES = (
    '""', "0", "-1", "9" * 5_000, "1e400", "1e999999999999999999999", "nan", "inf", "true", "[]", "{}", '[""]', "[1]",
    "[" * 3_000, "{ a = " * 3_000, "2027-01-31", "2027-13-45", '"\\u0000\\u001b[31m"', "'x", '"""', "0x" + "f" * 5_000,
    "{ path = 1 }", "[[[[]]]]", '"postgresql://ana:hunter2hunter2@db/x"',
)  # fmt: skip


@st.composite
def bytes_mutated(draw: st.DrawFn, data: bytes) -> bytes:
    """Return *data* cut off, or with a few bytes replaced, inserted, removed or doubled."""
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, max(len(data) - 1, 0)))
        kind = draw(st.sampled_from(["cut", "put", "insert", "remove", "double"]))
        size = draw(st.integers(1, 12))
        if kind == "cut":
            data = data[:place]
        elif kind == "put":
            data = data[:place] + draw(BYTES) + data[place + 1 :]
        elif kind == "insert":
            data = data[:place] + draw(BYTES) * size + data[place:]
        elif kind == "remove":
            data = data[:place] + data[place + size :]
        else:
            data = data[: place + size] + data[place:]
    return data


def _places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: list[tuple[Any, ...]] = [path] if path else []
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in items:
        inner += _places(value, (*path, key))
    return inner


@st.composite
def document_mutated(draw: st.DrawFn, document: Any) -> Any:
    """Return the JSON *document* with a few values replaced by some of another kind, removed or doubled."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 2))):
        places = _places(document)
        if not places:
            break
        *path, last = draw(st.sampled_from(places))
        holder = document
        for step in path:
            holder = holder[step]
        kind = draw(st.sampled_from(["value", "remove", "double"]))
        if kind == "value":
            holder[last] = copy.deepcopy(draw(st.sampled_from(VALUES)))
        elif kind == "remove":
            del holder[last]
        elif isinstance(holder, list):
            holder.append(copy.deepcopy(holder[last]))
        else:
            holder[f"{last}x"] = holder[last]
    return document


@st.composite
def lines_mutated(draw: st.DrawFn, text: str) -> str:
    """Return TOML *text* with a line removed or doubled, a key renamed, or a value of another kind."""
    lines = text.splitlines()
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.integers(0, len(lines) - 1))
        kind = draw(st.sampled_from(["value", "value", "remove", "double", "key"]))
        key, equals, _ = lines[place].partition(" = ")
        if kind == "value" and equals:
            lines[place] = f"{key} = {draw(st.sampled_from(TOML_VALUES))}"
        elif kind == "key" and equals:
            odd = draw(st.sampled_from(['""', '"\\u001b[31m"', '"*"', "x", '"postgresql://ana:hunter2hunter2@db/x"']))
            lines[place] = lines[place].replace(key, odd, 1)
        elif kind == "double":
            lines.insert(place, lines[place])
        elif len(lines) > 1:
            del lines[place]
    return "\n".join(lines) + "\n"
