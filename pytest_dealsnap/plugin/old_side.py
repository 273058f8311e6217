"""The process of the old code: a capture by the settings of the user's own checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_dealsnap.config import Config
from pytest_dealsnap.config_reading import load_config, reasoner_in
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.rehearsal.old_orders import Orders

__all__ = ["old_settings", "orders_of"]

_ORDERS = pytest.StashKey[Orders]()


def orders_of(config: pytest.Config) -> Orders | None:
    """Return the orders of the process; ``None`` for any process but that of old code."""
    path = config.getoption("dealsnap_old_side")
    if path is None:
        return None
    if _ORDERS not in config.stash:
        config.stash[_ORDERS] = Orders.read(Path(path))
    return config.stash[_ORDERS]


def old_settings(config: pytest.Config, orders: Orders) -> Config:
    """Return the settings by which the old code reasons.

    They are those of the user's checkout: deals, metrics and limits are the same on both sides. The reasoner is the
    one that the old code's own configuration names, unless flag or environment name it for both. Nothing is judged
    here, so that no rule's code has to be there.

    Args:
        config: Pytest's configuration in the old checkout.
        orders: What the process was told.

    Raises:
        ConfigError: The old configuration cannot be read.
    """
    home = Path(orders.root)
    settings = load_config(home, flags=orders.flags, environ=os.environ, cwd=Path(orders.cwd))
    own, place = reasoner_in(config.rootpath), settings.place("reasoner")
    places = dict(settings.places)
    reasoner = settings.reasoner
    if own is not None and not place.startswith(("--", "DEALSNAP_")):
        reasoner, places["reasoner"] = own[0], f"{own[1]} of {orders.words}"
    return replace(
        settings,
        root=config.rootpath,
        reasoner=reasoner,
        snapshots=Path(orders.answers),
        places=places,
        calls=replace(settings.calls, store=str(home / settings.calls.store)),
        rules={},
        matrix_rules={},
        portfolio={},
    )
