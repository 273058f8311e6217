"""Looking for the smallest deal with which something is wrong: the same one in every run."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Generic, TypeVar

from hypothesis import Phase, configuration, find, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky, NoSuchExample, Unsatisfiable

__all__ = ["Deals", "Found", "fresh", "search", "simplest"]

T = TypeVar("T")
Deals = st.SearchStrategy[Any] | Iterable[Any]
PROFILE = settings(database=None, deadline=None, phases=(Phase.generate, Phase.shrink), print_blob=False)
# A deal of fewer characters is small enough; else one of half its size is searched for, so often, in so many deals.
READABLE = 2_000
MORE_SEARCHES, SMALLER_EXAMPLES = 3, 300


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """The smallest deal that was found, and what is wrong with it; ``steady`` if it is so every time."""

    deal: Any
    problem: T
    tried: int
    steady: bool = True


@dataclass(frozen=True, slots=True, repr=False)
class _Drawn:
    """A deal as Hypothesis sees it: it prints what failed, which takes long and warns where the deal is large."""

    deal: Any

    def __repr__(self) -> str:
        return "a deal"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Stand in for what Hypothesis knows of how the deal was made."""
        printer.text(repr(self))


def search(
    deals: Deals, wrong: Callable[[Any], T | None], *, max_examples: int, seed: int
) -> tuple[Found[T] | None, int]:
    """Return the smallest of *deals* for which *wrong* returns a problem, or ``None``; and how many were tried.

    *deals* is a strategy, of which up to *max_examples* are drawn from *seed* and shrunk, or an iterable, of which
    all are tried. Nothing is written to disk.
    """
    if isinstance(deals, st.SearchStrategy):
        return _drawn(deals, wrong, max_examples=max_examples, seed=seed)
    found, tried = [], 0
    for deal in deals:
        tried += 1
        problem = wrong(deal)
        if problem is not None:
            found.append((deal, problem))
    if not found:
        return None, tried
    deal, problem = min(found, key=lambda pair: _size(pair[0]))
    return Found(deal, problem, tried), tried


def simplest(deals: st.SearchStrategy[T]) -> T:
    """Return the simplest deal that there is."""
    found, _ = _once(deals, lambda deal: True, max_examples=1, seed=0)
    if found is None:
        raise Unsatisfiable(f"no deal can be drawn from {deals!r}")
    return found.deal  # type: ignore[no-any-return]  # what was drawn


def _drawn(
    deals: st.SearchStrategy[Any], wrong: Callable[[Any], T | None], *, max_examples: int, seed: int
) -> tuple[Found[T] | None, int]:
    """Search once; and again, among smaller deals only, while what is found is too large to be read.

    Shrinking makes a deal smaller step by step, and ends where one step alone shows the problem no more: with a
    hundred cheap items, say, where one dear item would do.
    """
    found, tried = _once(deals, wrong, max_examples=max_examples, seed=seed)
    for turn in range(1, 1 + MORE_SEARCHES):
        if found is None or not found.steady or (size := _size(found.deal)[0]) < READABLE:
            break
        examples = min(max_examples, SMALLER_EXAMPLES)
        smaller, more = _once(deals, _below(size // 2, wrong), max_examples=examples, seed=seed + turn)
        tried += more
        found = smaller if smaller is not None and smaller.steady else found
    return (None if found is None else replace(found, tried=tried)), tried


def _below(size: int, wrong: Callable[[Any], T | None]) -> Callable[[Any], T | None]:
    """Return *wrong* for deals of less than *size* characters; none of the others is."""
    return lambda deal: wrong(deal) if _size(deal)[0] < size else None


def _once(
    deals: st.SearchStrategy[Any], wrong: Callable[[Any], T | None], *, max_examples: int, seed: int
) -> tuple[Found[T] | None, int]:
    """Draw deals until one is wrong, and shrink it."""
    tried = 0
    last: list[tuple[Any, T]] = []

    def is_wrong(drawn: _Drawn) -> bool:
        nonlocal tried
        tried += 1
        problem = wrong(drawn.deal)
        if problem is not None:
            last[:] = [(drawn.deal, problem)]
        return problem is not None

    try:
        with _storing_nothing():
            smallest = find(
                deals.map(_Drawn),
                is_wrong,
                settings=settings(PROFILE, max_examples=max_examples),
                random=Random(seed),  # noqa: S311  # no secret
            ).deal
    except NoSuchExample:
        return None, tried
    except Flaky:
        deal, problem = last[0]
        return Found(deal, problem, tried, steady=False), tried
    again = wrong(smallest)
    deal, problem = (smallest, again) if again is not None else last[0]
    return Found(deal, problem, tried, steady=again is not None), tried


@contextmanager
def _storing_nothing() -> Iterator[None]:
    """Let Hypothesis keep its tables elsewhere: no ``.hypothesis`` is left where there was none."""
    if Path(".hypothesis").is_dir():  # made by the user's own tests; its tables save a second
        yield
        return
    before = vars(configuration).get("__hypothesis_home_directory")
    with tempfile.TemporaryDirectory(prefix="dealsnap-", ignore_cleanup_errors=True) as folder:
        configuration.set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(before)


def fresh(deal: T) -> T:
    """Return a copy of *deal* that a reasoner may change; what cannot be copied is passed on as it is."""
    try:
        return copy.deepcopy(deal)
    except Exception:  # a copy is a courtesy: sessions, locks and the like have none
        return deal


def _size(deal: Any) -> tuple[int, str]:
    fields = getattr(deal, "fields", None)
    text = repr(dict(fields)) if isinstance(fields, Mapping) else ""
    return (len(repr(deal)) + len(text), repr(deal))
