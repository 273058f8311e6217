"""Deals and their types, sound and hostile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from pytest_dealsnap.config import Config
from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.deals.types import DealTypes
from pytest_dealsnap.errors import ConfigError, did_you_mean
from pytest_dealsnap.testing.row_strategy import Draw
from pytest_dealsnap.testing.texts import HOSTILE_TEXTS, texts

__all__ = [
    "BLANKS",
    "DEFAULT_TYPES",
    "NAME_LENGTH",
    "UNKNOWN_WORDS",
    "deal_names",
    "deal_types",
    "deals",
    "misspelt_types",
    "stored_deal_types",
    "types_of",
]

DEFAULT_TYPES = DealTypes(("acquisition", "carveout", "divestiture"), "acquisition", {})
NAME_LENGTH = 255
UNKNOWN_WORDS = ("merger", "joint venture", "unknown", "null", "none", "0", "*")
BLANKS = ("", " ", "\t", "\u00a0")
# Letters of other scripts that look like the Latin ones.
_LOOK_ALIKES = str.maketrans({"a": "\u0430", "c": "\u0441", "e": "\u0435", "i": "\u0456", "o": "\u043e", "s": "\u0455"})


def deal_types(*, types: Sequence[str] = DEFAULT_TYPES.valid) -> st.SearchStrategy[str]:
    """The valid deal types; they shrink to the first."""
    if not types:
        raise ConfigError("deal_types() needs at least one type")
    return st.sampled_from(list(types))


def stored_deal_types(
    *,
    types: Sequence[str] = DEFAULT_TYPES.valid,
    aliases: Mapping[str, str] | Sequence[str] = (),
    nullable: bool = True,
    max_length: int | None = NAME_LENGTH,
) -> st.SearchStrategy[str | None]:
    """What a column of deal types may hold before anybody cleaned it up; it shrinks to the first valid type.

    Valid types, *aliases*, NULL (unless not *nullable*), blanks, and hostile ones: other case, padding, look-alike
    letters, words that are no type, markup, control characters, and a text of *max_length*.
    """
    longest = "x" * (max_length if max_length is not None else 1_000)
    hostile = [*misspelt_types([*types, *aliases]), *HOSTILE_TEXTS, longest]
    valid = {*types, *aliases}
    hostile = [text for text in hostile if text not in valid and (max_length is None or len(text) <= max_length)]
    options: list[st.SearchStrategy[str | None]] = [st.sampled_from(list(types))]
    if aliases:
        options.append(st.sampled_from(list(aliases)))
    if nullable:
        options.append(st.none())
    options += [st.sampled_from(BLANKS), st.sampled_from(hostile), texts(max_length=max_length)]
    return st.one_of(options)


def misspelt_types(names: Sequence[str]) -> list[str]:
    """Return what is none of the types *names*, but near to one, or a word that is no type."""
    near = [spelt for name in names for spelt in _misspelt(name)]
    return [spelt for spelt in dict.fromkeys([*UNKNOWN_WORDS, *near]) if spelt not in names]


def _misspelt(name: str) -> tuple[str, ...]:
    half = len(name) // 2
    return (
        name.upper(),
        name.title(),
        name.swapcase(),
        f"{name} ",
        f" {name}",
        f"{name}\n",
        f"{name}s",
        f"{name[:half]}-{name[half:]}",
        f"{name[:half]}_{name[half:]}",
        name[:-1],
        name.translate(_LOOK_ALIKES),
        f"{name[:half]}\u200b{name[half:]}",
    )


def deal_names(*, max_length: int = NAME_LENGTH) -> st.SearchStrategy[str]:
    """Names of deals: plain ones, markup, quotes, control characters, emoji, and one as long as may be."""
    return st.just("Deal") | texts(max_length=max_length)


def deals(
    *,
    types: Sequence[str] | None = None,
    aliases: Mapping[str, str] | None = None,
    default_type: str | None = None,
    ids: st.SearchStrategy[Any] | None = None,
    names: st.SearchStrategy[str | None] | None = None,
    stored_types: st.SearchStrategy[str | None] | None = None,
    fields: Mapping[str, Any] | st.SearchStrategy[Mapping[str, Any]] | None = None,
    config: Config | None = None,
) -> st.SearchStrategy[Deal]:
    """Deals of every type, as a reasoner, a rule or a fixture sees them.

    Most have a valid stored type; some hold NULL, a blank, an alias or what nobody meant, and count as what
    that counts as. *fields* are a deal's other columns: strategies or values by name (such as
    ``{"inventory": st.lists(items())}``), or a strategy of whole mappings such as :func:`rows`. Names and types
    come from *config*'s columns, the plan's by default. What *fields* says of id, name or type is what the deal has.

    Raises :class:`ConfigError` for a default or an alias that is no valid type.
    """
    known = types_of(types, aliases, default_type, config)
    chosen = stored_types
    if chosen is None:
        chosen = _mostly_valid(known)
    columns = _columns(config)
    parts = {
        columns["id"]: ids if ids is not None else st.integers(1, 10_000),
        columns["name"]: names if names is not None else deal_names(),
        columns["type"]: chosen,
    }
    others = fields if isinstance(fields, st.SearchStrategy) else _fixed(fields or {})

    @st.composite
    def deal(draw: Draw) -> Deal:
        more = draw(others)
        row = {key: more[key] if key in more else draw(strategy) for key, strategy in parts.items()}
        stored = row[columns["type"]]
        stored = None if stored is None else str(getattr(stored, "value", stored))
        return Deal(row[columns["id"]], row[columns["name"]], known.effective(stored), stored, {**row, **more})

    return deal()


def _mostly_valid(known: DealTypes) -> st.SearchStrategy[str | None]:
    """Stored types of which two in three are valid, so that every type is met often.

    A plain ``|`` would give each kind of hostile types the weight of the valid ones.
    """
    valid = deal_types(types=known.valid)
    hostile = stored_deal_types(types=known.valid, aliases=list(known.aliases))

    @st.composite
    def stored(draw: Draw) -> str | None:
        found: str | None = draw(valid if draw(st.integers(0, 2)) < 2 else hostile)
        return found

    return stored()


def types_of(
    types: Sequence[str] | None,
    aliases: Mapping[str, str] | None,
    default_type: str | None,
    config: Config | None,
) -> DealTypes:
    """Return the deal types that were asked for, else those of *config*, else the plan's."""
    base = DealTypes.of(config.deals) if config is not None else DEFAULT_TYPES
    valid = tuple(types) if types is not None else tuple(base.valid)
    default = default_type if default_type is not None else base.default if base.default in valid else valid[0]
    targets = base.aliases if aliases is None and types is None else aliases or {}
    for name in (default, *targets.values()):
        if name not in valid:
            raise ConfigError(f"{name!r} is no valid deal type.{did_you_mean(name, valid)} Valid: {', '.join(valid)}")
    return DealTypes(valid, default, dict(targets))


def _columns(config: Config | None) -> dict[str, str]:
    if config is None:
        return {"id": "id", "name": "name", "type": "deal_type"}
    return {"id": config.deals.id, "name": config.deals.name or "name", "type": config.deals.type or "deal_type"}


def _fixed(fields: Mapping[str, Any]) -> st.SearchStrategy[Mapping[str, Any]]:
    return st.fixed_dictionaries(
        {name: value if isinstance(value, st.SearchStrategy) else st.just(value) for name, value in fields.items()}
    )
