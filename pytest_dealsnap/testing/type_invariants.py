"""Invariants of the deal types: see :mod:`pytest_dealsnap.testing.invariants`, of which these are part."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any, Unpack

from hypothesis import strategies as st

from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.deals.types import DealTypes
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.testing.deals import BLANKS, NAME_LENGTH, UNKNOWN_WORDS, misspelt_types, types_of
from pytest_dealsnap.testing.deals import deals as any_deals
from pytest_dealsnap.testing.given_deal import as_deal
from pytest_dealsnap.testing.invariant_runner import Broken, Held, need_type, omitting_type, with_raw_type
from pytest_dealsnap.testing.reasoner_pair import settings_for
from pytest_dealsnap.testing.search import Deals, simplest
from pytest_dealsnap.testing.search_options import Options, Reasoner, search_for
from pytest_dealsnap.testing.texts import texts

__all__ = [
    "assert_aliases_equal_targets",
    "assert_flag_off_ignores_type",
    "assert_invalid_types_refused",
    "assert_omitted_type_is_default",
]


def assert_omitted_type_is_default(reasoner: Reasoner, **options: Unpack[Options]) -> None:
    """A call without a deal type is one of an acquisition: callers from before the types still work."""
    __tracebackhide__ = True
    need_type("assert_omitted_type_is_default", reasoner)
    without = omitting_type(reasoner)

    def breaks(held: Held, deal: Deal) -> Broken | None:
        default, column = held.types.default, held.columns.type
        typed = deal.as_type(default, column=column)
        fields = {**deal.fields, column: None} if column in deal.fields else deal.fields
        untyped = replace(deal, deal_type=default, stored_type=None, fields=fields)
        sides = (f"the type {default}", "no type")
        return held.differ(typed, sides, held.reason(typed), held.reason(untyped, without))

    search_for(assert_omitted_type_is_default, reasoner, breaks, options)


def assert_flag_off_ignores_type(
    reasoner: Reasoner,
    *,
    flag: str | Callable[[], AbstractContextManager[Any]] = "DEAL_TYPE_AWARENESS",
    off: str = "false",
    **options: Unpack[Options],
) -> None:
    """With the flag off, the output is the same under every type.

    *flag* is an environment variable, which holds *off* meanwhile and must be read when the reasoner runs; or a
    callable that returns a context manager in which the flag is off.
    """
    __tracebackhide__ = True
    need_type("assert_flag_off_ignores_type", reasoner)

    def breaks(held: Held, deal: Deal) -> Broken | None:
        column = held.columns.type
        with _environment(flag, off) if isinstance(flag, str) else flag():
            plain = held.reason(deal.as_type(held.types.default, column=column))
            for name in held.types.valid:
                typed = deal.as_type(name, column=column)
                sides = (held.types.default, f"{name} (flag off)")
                broken = held.differ(typed, sides, plain, held.reason(typed))
                if broken is not None:
                    return broken
        return None

    given = {"flag": flag, "off": off} if isinstance(flag, str) else {}
    search_for(assert_flag_off_ignores_type, reasoner, breaks, options, given)


@contextmanager
def _environment(variable: str, value: str) -> Iterator[None]:
    before = os.environ.get(variable)
    os.environ[variable] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[variable]
        else:
            os.environ[variable] = before


def assert_aliases_equal_targets(
    reasoner: Reasoner, *, aliases: Mapping[str, str] | None = None, **options: Unpack[Options]
) -> None:
    """Another spelling of a type gives what the type itself gives.

    *aliases* maps spellings to types, by default those of the configuration. A reasoner that takes ``deal_type`` is
    called with the spelling; one that takes the deal finds it in the type's column.
    """
    __tracebackhide__ = True
    need_type("assert_aliases_equal_targets", reasoner)
    settings = settings_for(options.get("config"), place="assert_aliases_equal_targets()")
    known = types_of(None, aliases, None, settings).aliases
    if not known:
        raise ConfigError("assert_aliases_equal_targets() needs aliases={spelling: type}, or deals.aliases in config")

    def breaks(held: Held, deal: Deal) -> Broken | None:
        for alias, target in known.items():
            typed = deal.as_type(target, column=held.columns.type)
            spelt = with_raw_type(deal, held, alias, effective=target)
            broken = held.differ(typed, (target, f"alias {alias}"), held.reason(typed), held.reason(spelt))
            if broken is not None:
                return broken
        return None

    search_for(assert_aliases_equal_targets, reasoner, breaks, options, {"aliases": dict(known)})


def assert_invalid_types_refused(
    reasoner: Reasoner,
    *,
    invalid: Iterable[str] | st.SearchStrategy[Any] | None = None,
    aliases: Mapping[str, str] | None = None,
    error: type[BaseException] = Exception,
    **options: Unpack[Options],
) -> None:
    """A deal type that is none is refused by an *error*, and never taken for another.

    *invalid* are such types: by default other case, padding, look-alike letters, unknown words, blanks.
    """
    __tracebackhide__ = True
    need_type("assert_invalid_types_refused", reasoner)
    settings = settings_for(options.get("config"), place="assert_invalid_types_refused()")
    known = types_of(None, aliases, None, settings)
    names = _names_of(error)

    def breaks(held: Held, deal: Deal) -> Broken | None:
        spelt = deal.stored_type
        failure = held.reason(deal).failure
        if spelt is None or known.recognizes(spelt) or (failure is not None and failure.type in names):
            return None
        what = f"raised {failure}, which is no {error.__name__}" if failure else "was taken for one"
        return Broken(f"{spelt!r} is no deal type and {what}; valid are {', '.join(known.valid)}")

    def typed(item: Any, spelt: Any) -> Any:
        deal = as_deal(item, settings.deals)
        return deal.as_type(str(spelt), column=settings.deals.type) if isinstance(deal, Deal) else deal

    shown = {"aliases": dict(aliases) if aliases else None, "error": None if error is Exception else error}
    given = options.get("deals")
    deals = any_deals(config=settings) if given is None else given
    if not isinstance(deals, st.SearchStrategy):
        deals = [as_deal(item, settings.deals) for item in deals]
    for some in _of_invalid_types(deals, invalid, known, typed):
        some_options: Options = {**options, "deals": some}
        search_for(assert_invalid_types_refused, reasoner, breaks, some_options, shown, compares=False)


def _of_invalid_types(
    deals: Deals,
    invalid: Iterable[str] | st.SearchStrategy[Any] | None,
    known: DealTypes,
    typed: Callable[[Any, Any], Any],
) -> Iterator[Deals]:
    """Yield deals of types that are none: the simplest one with each spelling that is known, then any with any."""
    if isinstance(invalid, st.SearchStrategy):
        yield st.builds(typed, deals if isinstance(deals, st.SearchStrategy) else st.sampled_from([*deals]), invalid)
        return
    spellings = [*misspelt_types([*known.valid, *known.aliases]), *BLANKS] if invalid is None else list(invalid)
    if isinstance(deals, st.SearchStrategy):
        plain = simplest(deals)
        yield [typed(plain, spelt) for spelt in spellings]
        words: st.SearchStrategy[str] = st.sampled_from(spellings)
        yield st.builds(typed, deals, words | texts(max_length=NAME_LENGTH) if invalid is None else words)
        return
    few = [*UNKNOWN_WORDS, ""] if invalid is None else spellings
    yield [
        one
        for place, deal in enumerate(deals)
        for one in _each_invalid(deal, few if place else spellings, known, typed)
    ]


def _each_invalid(
    deal: Any, spellings: Sequence[str], known: DealTypes, typed: Callable[[Any, Any], Any]
) -> Sequence[Any]:
    """Return a deal of an invalid type as it is, another under each of *spellings*."""
    stored = getattr(deal, "stored_type", None)
    return [deal] if stored is not None and not known.recognizes(stored) else [typed(deal, s) for s in spellings]


def _names_of(error: type[BaseException]) -> set[str]:
    """Return the names of *error* and of all that derive from it, by which failures are told."""
    return {error.__name__}.union(*map(_names_of, error.__subclasses__()))
