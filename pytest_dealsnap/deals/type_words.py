"""Which deal type a stored word probably means: what ``dealsnap init`` suggests for types and aliases."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["TypeSuggestion", "means", "suggest_types", "usable_as_type"]

# As the field calls them; compared without case, blanks, hyphens and underscores.
_WORDS: Mapping[str, Sequence[str]] = {
    "acquisition": ("acquisition", "acquisitions", "acq", "bolton", "platform"),
    "carveout": ("carveout", "carveouts", "spinoff", "spinout"),
    "divestiture": ("divestiture", "divestitures", "divestment", "sale", "disposal", "selloff"),
}
_MEANING = {word: deal_type for deal_type, words in _WORDS.items() for word in words}
# More distinct values than this are not types but something else.
MOST_TYPES = 12


@dataclass(frozen=True, slots=True)
class TypeSuggestion:
    """What the stored words suggest.

    ``aliases`` are other spellings that are in use; ``slips`` look like typing errors of a type (case,
    blanks at an end), ``unknown`` like no type. Both of these count as the default until a person says
    otherwise, as the backfill of such a value would make it.
    """

    types: tuple[str, ...]
    default_type: str
    aliases: Mapping[str, str] = field(default_factory=dict)
    slips: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


def means(stored: str) -> str | None:
    """Return the deal type that *stored* is a known word for.

    >>> means("Carve-Out "), means("merger")
    ('carveout', None)
    """
    return _MEANING.get(re.sub(r"[\W_]+", "", stored.casefold()))


def suggest_types(stored: Mapping[str, int], *, constrained: bool = False) -> TypeSuggestion:
    """Return what *stored*, each word with its number of rows, suggests.

    *constrained*: the database itself refuses any other word, so that every stored one is a type.
    """
    words = [word for word in stored if word.strip()]
    known = {word: meant for word in words if (meant := means(word)) is not None}
    strangers = [word for word in words if word not in known]
    usable = [word for word in strangers if usable_as_type(word)]
    if not known and usable and len(usable) <= MOST_TYPES:
        default = max(usable, key=lambda word: (stored[word], word))
        return TypeSuggestion(tuple(usable), default, unknown=tuple(w for w in strangers if w not in usable))
    types = tuple(_WORDS)
    if constrained and len(types) + len(usable) <= MOST_TYPES:
        types += tuple(word for word in usable if word not in types)
    slips = {word: meant for word, meant in known.items() if word not in types and _is_slip(word, stored)}
    aliases = {word: meant for word, meant in known.items() if word not in types and word not in slips}
    unknown = tuple(word for word in strangers if word not in types)
    return TypeSuggestion(types, "acquisition", aliases, slips, unknown)


def usable_as_type(word: str) -> bool:
    """Whether the configuration takes *word* as a deal type: it becomes a pytest marker."""
    return bool(word.strip()) and word.isprintable() and not word.startswith("_") and not re.search(r"[\[*:(]", word)


def _is_slip(word: str, stored: Mapping[str, int]) -> bool:
    """Whether *word* differs from a better spelling that is stored too; a blank at an end always is one."""
    return word != word.strip() or any(other != word and other == word.casefold() for other in stored)
