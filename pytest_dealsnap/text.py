"""Words and lines for people: counts, lists, tables, and characters that a terminal or its encoding can show.

Only the standard library is used here, so that every other room may import it.
"""

from __future__ import annotations

import codecs
import os
import re
import shlex
import unicodedata
from collections.abc import Collection, Iterable, Sequence

__all__ = [
    "ERRORS",
    "agree",
    "cut",
    "for_encoding",
    "listed",
    "plural",
    "printable",
    "shell_quoted",
    "some",
    "some_ids",
    "table",
]

# C0, DEL and C1 controls, line separators, bidirectional overrides, lone surrogates.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Return *text* safe for a terminal line: controls and text-direction overrides are escaped.

    The mapping is one to one (a backslash becomes two), so two different ids never look the same.

    >>> printable("a\x1b[31mb\\")
    'a\\x1b[31mb\\\\'
    """
    return _UNPRINTABLE.sub(_escape, text.replace("\\", "\\\\"))


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def shell_quoted(word: str, *, windows: bool = os.name == "nt") -> str:
    r"""Return *word* as one word of a command line, for a POSIX shell or for Windows's cmd.exe.

    cmd.exe knows no single quotes. It expands ``%NAME%`` even between double quotes, which nothing prevents.

    Args:
        word: What a program is to get as one argument.
        windows: Whether cmd.exe reads the line.

    >>> shell_quoted("deal 1", windows=False), shell_quoted("deal 1", windows=True)
    ("'deal 1'", '"deal 1"')
    """
    if not windows:
        return shlex.quote(word)
    if re.fullmatch(r"[\w@+=:,./\\-]+", word, re.ASCII):
        return word
    # As the C runtime reads an argument: backslashes count only before a quote.
    doubled = re.sub(r'(\\*)("|$)', lambda match: match[1] * 2 + ('\\"' if match[2] else ""), word)
    return f'"{doubled}"'


# --- counts and lists


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """Return ``1 deal`` or ``1,234 deals``."""
    return f"{count:,} {agree(count, noun, nouns or noun + 's')}"


def agree(count: int, one: str, many: str) -> str:
    """Return the word that goes with *count*: *one* with 1, such as ``is``, else *many*, such as ``are``."""
    return one if count == 1 else many


def listed(names: Sequence[str]) -> str:
    """Return ``a, b and c``."""
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else "".join(names)


def some(items: Collection[str], most: int) -> str:
    """Return the first *most* of *items*, and how many more there are: ``a, b and 3 more``."""
    more = len(items) - most
    return ", ".join(list(items)[:most]) + (f" and {more:,} more" if more > 0 else "")


def some_ids(ids: Sequence[str], width: int) -> str:
    """Return the first of *ids*, whole ones, as many as fit in about *width* characters and at least one."""
    shown, room = 0, width
    for deal_id in ids:
        room -= len(deal_id) + 2
        if shown and room < 0:
            break
        shown += 1
    text = ", ".join(cut(deal_id, width) for deal_id in ids[:shown])
    return f"{text}, …" if shown < len(ids) else text


def cut(text: str, width: int) -> str:
    """Return *text* in at most *width* characters, marked where it was cut."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


# --- tables


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()) -> list[str]:
    """Return the lines of a table with a ruled header; columns in *right* are set flush right."""
    cells = [list(header), *map(list, rows)]
    widths = [max(_columns(row[column]) for row in cells) for column in range(len(header))]

    def line(row: Sequence[str]) -> str:
        gaps = [" " * (width - _columns(cell)) for cell, width in zip(row, widths, strict=True)]
        parts = [gap + cell if i in right else cell + gap for i, (cell, gap) in enumerate(zip(row, gaps, strict=True))]
        return "  ".join(parts).rstrip()

    return [line(cells[0]), "  ".join("─" * width for width in widths), *map(line, cells[1:])]


def _columns(text: str) -> int:
    """Return how many columns of a terminal *text* takes: a wide character (CJK) takes two, a combining one none."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) != 0 for character in text)


# --- a terminal or file whose encoding lacks lines and arrows

# The name under which a stream may ask for it, as by ``sys.stdout.reconfigure(errors=ERRORS)``.
ERRORS = "dealsnap_ascii"
_ASCII = {
    "─": "-",
    "│": "|",
    "…": "...",
    "→": "->",
    "←": "<-",
    "·": "-",
    "≤": "<=",
    "≥": ">=",
    "\N{MINUS SIGN}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{EN DASH}": "-",
    "\N{NO-BREAK SPACE}": " ",
}


def for_encoding(text: str, encoding: str | None) -> str:
    r"""Return *text* with what *encoding* cannot write drawn in ASCII or escaped; ``None`` stands for UTF-8.

    >>> for_encoding("cost ─── 1 → 2 Größe €", "latin-1")
    'cost --- 1 -> 2 Größe \\u20ac'
    """
    name = encoding or "utf-8"
    return text.encode(name, ERRORS).decode(name)


def _drawn(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    shown = (_ASCII.get(one) or one.encode("ascii", "backslashreplace").decode() for one in lacking)
    return "".join(shown), error.end


codecs.register_error(ERRORS, _drawn)
