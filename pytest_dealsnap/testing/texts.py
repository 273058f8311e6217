"""Texts that every database of UTF-8 takes, and those among them that programs stumble over."""

from __future__ import annotations

from hypothesis import strategies as st

__all__ = ["ASCII", "CHARACTERS", "HOSTILE_TEXTS", "hostile_texts", "texts"]

# No NUL and no lone surrogates: PostgreSQL refuses the first, UTF-8 has no form for the others.
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
ASCII = st.characters(min_codepoint=0x20, max_codepoint=0x7E)

HOSTILE_TEXTS = (
    " ",
    "  padded ",
    "NULL",
    "0",
    "O'Brien",
    'say "hi"',
    "back\\slash",
    "100 % {braces} $dollar",
    "two\nlines",
    "tab\there",
    "a,b;c|d",
    "<script>alert(1)</script>",
    "&amp;<b>&",
    "::error::deal",
    "Robert'); DROP TABLE deals;--",
    "=HYPERLINK(\"http://example.invalid\",\"x\")",
    "../../etc/passwd",
    "\x1b[31mred",
    "\u202egnirts",
    "zero\u200bwidth",
    "e\u0301 is not \u00e9",
    "🚀🥕",
    "👩‍👩‍👧",
    "東京精密工業株式会社",
    "شركة النور",
    "\u01c5 \u00df \u0131 \u0130 \u017f",
)  # fmt: skip


def hostile_texts(*, max_length: int | None = None) -> st.SearchStrategy[str]:
    """Texts with quotes, markup, control characters, other scripts; and one as long as may be."""
    fitting = [text for text in HOSTILE_TEXTS if max_length is None or len(text) <= max_length]
    longest = "x" * (255 if max_length is None else min(max_length, 4_000))
    return st.sampled_from([*fitting, longest])


def texts(*, min_length: int = 0, max_length: int | None = None) -> st.SearchStrategy[str]:
    """Any text of that length, hostile ones among them."""
    plain = st.text(CHARACTERS, min_size=min_length, max_size=max_length)
    if max_length is not None and max_length < 1:
        return plain
    return plain | hostile_texts(max_length=max_length).filter(lambda text: len(text) >= min_length)
