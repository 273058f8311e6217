"""Text for a terminal or file whose encoding lacks lines and arrows: drawn in ASCII, other characters escaped."""

from __future__ import annotations

import codecs

__all__ = ["ERRORS", "for_encoding"]

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
