"""Which tests a run has: the deals, chosen by node id where any is given, before the tests of the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import pytest

from pytest_dealsnap.plugin.items import NODE_PREFIX, DealItem, Deals, DealsRoot
from pytest_dealsnap.plugin.run import Run

__all__ = ["announce_outputs", "chosen", "collect_deals", "reasoned_twice", "take_deal_arguments"]


def take_deal_arguments(config: pytest.Config) -> set[str]:
    """Take the deals' node ids out of the arguments; without any path left, only deals are collected."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args = []
        return set()
    named = {argument for argument in config.args if argument.startswith(NODE_PREFIX)}
    config.args = [argument for argument in config.args if argument not in named]
    return named


def collect_deals(session: pytest.Session, run: Run, items: list[pytest.Item]) -> list[pytest.Item]:
    """Collect the deals below the root folder's node, so that its ``conftest.py`` serves them."""
    path = session.config.rootpath / "deals"
    for item in items:
        for node in item.iter_parents():
            if isinstance(node, pytest.Directory) and node.path == session.config.rootpath:
                return list(session.genitems(Deals.from_parent(node, path=path, name="deals", nodeid="deals", run=run)))
    root = DealsRoot.from_parent(session, path=session.config.rootpath, nodeid=".")
    session.ihook.pytest_make_collect_report(collector=root)
    return list(session.genitems(Deals.from_parent(root, path=path, name="deals", nodeid="deals", run=run)))


def chosen(items: list[pytest.Item], nodeids: set[str], paths: Sequence[str]) -> list[pytest.Item]:
    """Return those of the deals' *items* that *nodeids* name; without any, all of them.

    Where all *paths* that are left name single tests, as a click in an editor does, no deal is asked for.

    Raises :class:`pytest.UsageError` for a name that no deal has.
    """
    if not nodeids:
        return [] if paths and all("::" in path for path in paths) else items
    found = [item for item in items if item.nodeid in nodeids]
    unknown = nodeids - {item.nodeid for item in found}
    if unknown:
        raise pytest.UsageError(f"not found: {sorted(unknown)[0]} (no such deal in this run)")
    return found


def reasoned_twice(items: Sequence[pytest.Item], run: Run) -> frozenset[str]:
    """Return the deals that a capture reasons twice: the first few, and none where calls cost something.

    Every worker of xdist has the same items, and so chooses the same deals.
    """
    config, calls = run.config, run.config.calls
    paid = calls.cost or config.replay.cost or calls.budget is not None or run.replay is not None
    if run.mode != "capture" or run.is_old or paid or not config.capture.check:
        return frozenset()
    deals = (item.entry.ref for item in items if isinstance(item, DealItem))
    return frozenset(ref.id for ref in islice(deals, config.capture.check))


def announce_outputs(items: Sequence[pytest.Item], run: Run) -> None:
    """Count who will ask for an output, so that it is kept just as long; nobody does where only deals run."""
    if all(isinstance(item, DealItem) for item in items):
        return
    for item in items:
        if isinstance(item, DealItem):
            for key in run.output_keys(item.entry):
                run.calls.outputs.want(key)
        elif isinstance(item, pytest.Function) and "deal_output" in item.fixturenames:
            callspec = getattr(item, "callspec", None)
            if callspec is not None and "deal" in callspec.params:
                entry = callspec.params["deal"]
                run.calls.outputs.want(getattr(entry, "output_key", entry.ref.id))
