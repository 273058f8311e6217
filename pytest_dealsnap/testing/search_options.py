"""What every invariant takes, and how it is searched for a deal that breaks it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from pytest_dealsnap.config import Config
from pytest_dealsnap.testing.invariant_runner import Broken, Held, hold
from pytest_dealsnap.testing.reasoner_pair import Rules, settings_for
from pytest_dealsnap.testing.search import Deals

__all__ = ["Options", "Reasoner", "search_for"]

Reasoner = Callable[..., Any]
MAX_EXAMPLES = 100


class Options(TypedDict, total=False):
    """What every invariant takes by keyword: see :mod:`pytest_dealsnap.testing.invariants`."""

    deals: Deals | None
    max_examples: int
    seed: int
    drop: Sequence[str]
    config: Config | Path | None


def search_for(
    invariant: Callable[..., None],
    reasoner: Reasoner,
    breaks: Callable[[Held, Any], Broken | None],
    options: Options,
    given: Mapping[str, Any] | None = None,
    *,
    rules: Rules | None = None,
    compares: bool = True,
) -> None:
    """Search for a deal that *breaks* an *invariant*; *given* are the arguments of its own."""
    __tracebackhide__ = True
    name, drop, config = invariant.__name__, options.get("drop", ()), options.get("config")
    usual = {key: one.default for key, one in inspect.signature(invariant).parameters.items()}
    unusual = {key: value for key, value in (given or {}).items() if value != usual.get(key)}
    hold(
        name,
        reasoner,
        breaks,
        deals=options.get("deals"),
        settings=settings_for(config, place=f"{name}()", rules=rules or {}, drop=drop),
        options={**unusual, "drop": drop or None, "config": config},
        max_examples=options.get("max_examples", MAX_EXAMPLES),
        seed=options.get("seed", 0),
        compares=compares,
    )
