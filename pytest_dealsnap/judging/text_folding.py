"""Two long texts, cut where they are alike: every difference stays, and what is left out is counted.

The texts are aligned as a whole, word by word, so that a reader never takes a text for gone that only moved on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz.distance import LCSseq

__all__ = ["LONGEST_PAIR", "folded"]

# Texts up to this length are kept whole.
WHOLE = 12_000
# So much of a stretch that is alike is kept on each side of a difference.
CONTEXT = 400
# After folding, a text that differs nearly everywhere is cut here; the mark says how much is missing.
LONGEST_PAIR = 60_000
# Comparing takes words times words; beyond this product, the texts are aligned by lines and sentences.
MOST_CELLS = 400_000_000

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_SENTENCES = re.compile(r"[^.!?\n]*(?:[.!?]+\s*|\n+|$)")


def folded(old: str, new: str) -> tuple[str, str]:
    """Return both texts, with long stretches that are alike replaced by how many characters they have.

    >>> one, other = folded("a " * 9000 + "old", "a " * 9000 + "new")
    >>> one[:40], one[-7:], other[-7:]
    ('[… 17,600 characters alike …]a a a a a a', 'a a old', 'a a new')
    """
    if max(len(old), len(new)) <= WHOLE:
        return old, new
    start = _alike(old, new)
    end = _alike(old[start:][::-1], new[start:][::-1])
    ours, theirs = [_fold(old[:start], first=True)], [_fold(new[:start], first=True)]
    for same, before, after in _stretches(old[start : len(old) - end], new[start : len(new) - end]):
        ours.append(_fold(before) if same else before)
        theirs.append(_fold(after) if same else after)
    if end:
        ours.append(_fold(old[-end:], last=True))
        theirs.append(ours[-1])
    return _cut("".join(ours)), _cut("".join(theirs))


def _alike(one: str, other: str) -> int:
    """Return how many characters both texts begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _stretches(old: str, new: str) -> list[tuple[bool, str, str]]:
    """Return what is alike and what is not, in order, as ``(alike, old text, new text)``."""
    ours, theirs = _WORDS.findall(old), _WORDS.findall(new)
    if len(ours) * len(theirs) > MOST_CELLS:
        ours, theirs = _SENTENCES.findall(old), _SENTENCES.findall(new)
    if len(ours) * len(theirs) > MOST_CELLS:  # no sentences: a mass of symbols, whose ends were aligned already
        return [(False, old, new)]
    moves = LCSseq.opcodes(_numbered(ours, theirs, ours), _numbered(ours, theirs, theirs))
    return [
        (
            move.tag == "equal",
            "".join(ours[move.src_start : move.src_end]),
            "".join(theirs[move.dest_start : move.dest_end]),
        )
        for move in moves
    ]


def _numbered(ours: Sequence[str], theirs: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Return *wanted* as numbers, the same one for the same word of both texts."""
    numbers = {word: number for number, word in enumerate(dict.fromkeys((*ours, *theirs)))}
    return [numbers[word] for word in wanted]


def _fold(text: str, *, first: bool = False, last: bool = False) -> str:
    """Return a stretch that is alike with its middle replaced; the first one needs no beginning, the last no end."""
    before, after = 0 if first else CONTEXT, 0 if last else CONTEXT
    left_out = len(text) - before - after
    if left_out <= CONTEXT:
        return text
    return f"{text[:before]}[… {left_out:,} characters alike …]{text[len(text) - after :]}"


def _cut(text: str) -> str:
    if len(text) <= LONGEST_PAIR:
        return text
    return f"{text[:LONGEST_PAIR]}[… {len(text) - LONGEST_PAIR:,} more characters not shown …]"
