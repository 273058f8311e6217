"""The differences of a deal as a person reads them: old and new values, long texts word by word."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from pytest_dealsnap.causes.list_items import ANOTHER_ORDER
from pytest_dealsnap.model.results import DealResult
from pytest_dealsnap.reporting.wording import show_value
from pytest_dealsnap.text import cut, plural, printable

__all__ = ["Colors", "difference_lines", "word_diff"]

_WORD = re.compile(r"\s+|\w+|[^\w\s]")
# Equal stretches that are longer are folded; as many words stay at each end.
FOLDED, KEPT = 40, 12
# Longer texts would take seconds to compare word by word.
MOST_WORDS = 6_000


@dataclass(frozen=True, slots=True)
class Colors:
    """How what is gone and what has come is marked: by colour, or by git's ``[-…-]`` and ``{+…+}``."""

    on: bool

    def gone(self, text: str) -> str:
        """Return *text* as gone."""
        return f"\x1b[31;9m{text}\x1b[0m" if self.on else f"[-{text}-]"

    def come(self, text: str) -> str:
        """Return *text* as new."""
        return f"\x1b[32;4m{text}\x1b[0m" if self.on else f"{{+{text}+}}"

    def bold(self, text: str) -> str:
        """Return *text* in bold."""
        return f"\x1b[1m{text}\x1b[0m" if self.on else text


def word_diff(before: str, after: str, colors: Colors) -> str:
    """Return *after* with the words of *before* that it lacks; long equal stretches are folded, and counted."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    if len(old) > MOST_WORDS or len(new) > MOST_WORDS:
        return f"{colors.gone(cut(printable(before), 400))} {colors.come(cut(printable(after), 400))}"
    parts = []
    for tag, first, last, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            parts.append(_folded(old[first:last]))
            continue
        if first < last:
            parts.append(colors.gone(printable("".join(old[first:last]))))
        if start < end:
            parts.append(colors.come(printable("".join(new[start:end]))))
    return "".join(parts)


def _folded(words: list[str]) -> str:
    if len(words) <= FOLDED:
        return printable("".join(words))
    hidden = sum(not word.isspace() for word in words[KEPT:-KEPT])
    ends = printable("".join(words[:KEPT])), printable("".join(words[-KEPT:]))
    return f"{ends[0]} … {plural(hidden, 'equal word')} … {ends[1]}"


def difference_lines(result: DealResult, colors: Colors, width: int) -> Iterator[str]:
    """Yield the differences of *result*'s output that the report keeps, in lines of about *width* columns."""
    details = result.details
    if details is None or not details.differences:
        return
    yield ""
    yield f"{plural(details.total, 'difference')} in the output:"
    for one in details.differences:
        yield colors.bold(f"  {printable(one.path)}")
        if one.move == "changed" and isinstance(one.baseline, str) and isinstance(one.current, str):
            yield from _wrapped(word_diff(one.baseline, one.current, colors), colors, width)
            continue
        if one.move == "reordered":
            yield f"    {ANOTHER_ORDER}"
        if one.move != "added":
            yield f"    {colors.gone(show_value(one.baseline, max(width - 8, 20)))}"
        if one.move != "removed":
            yield f"    {colors.come(show_value(one.current, max(width - 8, 20)))}"
    more = details.total - len(details.differences)
    if more > 0:
        yield f"  … and {more:,} more"


def _wrapped(text: str, colors: Colors, width: int) -> list[str]:
    """Return *text* in lines; with colours the terminal wraps it, which knows that they take no room."""
    if colors.on:
        return [f"    {text}"]
    return textwrap.wrap(text, max(width, 20), initial_indent="    ", subsequent_indent="    ", break_long_words=False)
