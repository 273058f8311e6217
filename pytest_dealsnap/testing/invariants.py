"""Invariants of the rollout plan, ready to use: each is one line in a test.

::

    def test_repeatable():
        assert_repeatable(run_reasoning_phase, deals=my_deals())

Every one takes the reasoner, called as the gate calls it, and these keywords:

- ``deals``: a strategy, or an iterable of deals or records; :func:`deals` by default.
- ``max_examples`` and ``seed``.
- ``drop``: volatile paths of the output.
- ``config``: a :class:`Config` or a project's folder, for types, aliases, columns, and what it drops.

Every one raises :class:`AssertionError` with what broke, the smallest deal, and a test that is ready to be pasted.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any, Unpack

from pytest_dealsnap.config import MetricSpec
from pytest_dealsnap.deals.deal import Deal
from pytest_dealsnap.judging.metrics import Metric, compile_metrics
from pytest_dealsnap.judging.values import exact, is_number, is_present
from pytest_dealsnap.reporting.wording import show_value
from pytest_dealsnap.testing.invariant_runner import Broken, Held, listed, with_field
from pytest_dealsnap.testing.reasoner_pair import Rules
from pytest_dealsnap.testing.search_options import Options, Reasoner, search_for
from pytest_dealsnap.text import printable

__all__ = [
    "assert_cost_monotone",
    "assert_no_consolidation_outside_acquisitions",
    "assert_no_tsa_outside_carveouts",
    "assert_order_irrelevant",
    "assert_repeatable",
]

ITEMS_TRIED = 8


def assert_repeatable(reasoner: Reasoner, **options: Unpack[Options]) -> None:
    """The same deal gives the same output each time."""
    __tracebackhide__ = True

    def breaks(held: Held, deal: Deal) -> Broken | None:
        return held.differ(deal, ("the first run", "the second run"), held.reason(deal), held.reason(deal))

    search_for(assert_repeatable, reasoner, breaks, options)


def assert_no_tsa_outside_carveouts(
    reasoner: Reasoner,
    *,
    path: str = "cost_estimate.tsa_costs",
    types: Collection[str] = ("carveout",),
    **options: Unpack[Options],
) -> None:
    """Only deals of *types* have a transition service cost: elsewhere *path* is absent, null, 0 or empty."""
    __tracebackhide__ = True
    metric = _metric("tsa", path)

    def breaks(held: Held, deal: Deal) -> Broken | None:
        for variant in held.variants(deal):
            value = held.value(held.reason(variant), metric)
            if variant.deal_type not in types and is_present(value) and value not in (0, "", [], {}):
                return Broken(f"{path} is {_shown(value)} for the type {_outside(variant, types)}")
        return None

    search_for(assert_no_tsa_outside_carveouts, reasoner, breaks, options, {"path": path, "types": tuple(types)})


def assert_no_consolidation_outside_acquisitions(
    reasoner: Reasoner,
    *,
    path: str = "synergies[].type",
    kinds: Collection[str] = ("consolidation",),
    types: Collection[str] = ("acquisition",),
    **options: Unpack[Options],
) -> None:
    """Only deals of *types* have synergies of *kinds*: elsewhere *path* has none of them."""
    __tracebackhide__ = True
    metric = _metric("synergies", path)

    def breaks(held: Held, deal: Deal) -> Broken | None:
        for variant in held.variants(deal):
            value = held.value(held.reason(variant), metric)
            found = [kind for kind in (value if isinstance(value, list) else [value]) if kind in kinds]
            if variant.deal_type not in types and found:
                return Broken(f"{path} has {_shown(found[0])} for the type {_outside(variant, types)}")
        return None

    given = {"path": path, "kinds": tuple(kinds), "types": tuple(types)}
    search_for(assert_no_consolidation_outside_acquisitions, reasoner, breaks, options, given)


def assert_cost_monotone(
    reasoner: Reasoner,
    *,
    inventory: str = "inventory",
    path: str = "cost_estimate.total_cost",
    **options: Unpack[Options],
) -> None:
    """No item of the inventory makes a deal cheaper: without it, *path* is what it was or less.

    *inventory* is the field of the deal that holds the items as a list.
    """
    __tracebackhide__ = True
    metric = _metric("cost", path)

    def breaks(held: Held, deal: Deal) -> Broken | None:
        items = listed(deal, inventory)
        for variant in held.variants(deal):
            whole = held.reason(variant)
            for position in range(min(len(items), ITEMS_TRIED)):
                rest = [item for place, item in enumerate(items) if place != position]
                less = held.reason(with_field(variant, inventory, rest))
                broken = _dearer(
                    held, variant, path, (held.value(less, metric), held.value(whole, metric)), whole, less
                )
                if broken is not None:
                    return replace(broken, sentence=f"{broken.sentence} (item {position} of {inventory})")
        return None

    search_for(assert_cost_monotone, reasoner, breaks, options, {"inventory": inventory, "path": path})


def _dearer(held: Held, deal: Deal, path: str, costs: tuple[Any, Any], whole: Any, less: Any) -> Broken | None:
    """Return that one item more makes the deal cheaper, or takes its cost away."""
    before, after = costs
    if whole.failure is not None and less.failure is None:
        return Broken(f"with one item more the reasoner fails: {whole.failure} ({deal.deal_type})")
    if is_present(before) and not is_present(after) and whole.failure is None:
        return Broken(f"with one item more {path} is lost ({deal.deal_type})")
    if is_number(before) and is_number(after) and exact(after) < exact(before):
        return Broken(f"with one item more {path} falls from {_shown(before)} to {_shown(after)} ({deal.deal_type})")
    return None


def assert_order_irrelevant(
    reasoner: Reasoner, *, inventory: str = "inventory", rules: Rules | None = None, **options: Unpack[Options]
) -> None:
    """The order of the inventory does not matter: reversed and rotated, it gives the same output.

    *rules* loosen that where lists follow the inventory, as in ``{"items": "same items"}`` with a metric of that name.
    """
    __tracebackhide__ = True

    def breaks(held: Held, deal: Deal) -> Broken | None:
        items = list(listed(deal, inventory))
        if len(items) < 2:
            return None
        first = held.reason(deal)
        for name, order in (("reversed", items[::-1]), ("rotated", [*items[1:], items[0]])):
            other = held.reason(with_field(deal, inventory, order))
            broken = held.differ(deal, ("the order given", f"the order {name}"), first, other)
            if broken is not None:
                return broken
        return None

    search_for(
        assert_order_irrelevant, reasoner, breaks, options, {"inventory": inventory, "rules": rules}, rules=rules
    )


def _metric(name: str, path: str) -> Metric:
    return compile_metrics([MetricSpec(name, path, place="path")])[0]


def _shown(value: Any) -> str:
    return show_value(value, 60)


def _outside(deal: Deal, types: Collection[str]) -> str:
    return f"{printable(deal.deal_type)}, allowed: only for {', '.join(sorted(types))}"
