"""A run whose deals begin in a random order, and that ends once its verdict is decided."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_dealsnap.judging.bounds import sure
from pytest_dealsnap.model.looked import Looked
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.pipeline.seeded_order import OrderSettings, SeededOrder
from pytest_dealsnap.plugin.items import DealItem
from pytest_dealsnap.rehearsal.owners import mark
from pytest_dealsnap.text import plural

if TYPE_CHECKING:
    from pytest_dealsnap.plugin.run import Run

__all__ = ["check_order", "close_order", "looked_at", "open_order", "second_look"]


def open_order(run: Run) -> SeededOrder:
    """Return the order of *run*, in the process that plans it."""
    plan, config = run.plan, run.config
    gates = config.deals.missing == "fail"
    kinds = Counter(entry.kind for entry in plan.entries)
    folder = Path(tempfile.mkdtemp(prefix="dealsnap-order-"))
    mark(folder)  # where the run is killed, dealsnap clean finds it
    settings = OrderSettings(
        file=folder / "order.jsonl",
        seed=plan.seed or 0,
        population=plan.ordered,
        certain=kinds["missing"] * gates + kinds["lost"],
        corrupt=bool(kinds["missing"] and gates),
        stops=plan.until_decided,
        thresholds=config.verdict,
    )
    return SeededOrder(settings)


def close_order(order: SeededOrder) -> None:
    """Remove what the processes of the run shared."""
    shutil.rmtree(order.settings.file.parent, ignore_errors=True)


def check_order(run: Run, items: Sequence[pytest.Item]) -> None:
    """Refuse another order than the plan's: bounds would be false.

    Raises :class:`pytest.UsageError` where another plugin or ``--ff`` put the deals in an order of its own.
    """
    if not run.plan.until_decided:
        return
    places = {entry.ref.id: place for place, entry in enumerate(run.plan.entries)}
    asked = [places[item.entry.ref.id] for item in items if isinstance(item, DealItem)]
    if asked != sorted(asked):
        raise pytest.UsageError(
            "--dealsnap-until decided needs its own random order of the deals, and something put them in another one: "
            "leave out --ff, --nf, --sw and plugins that order tests (-p no:randomly)"
        )


def looked_at(order: SeededOrder) -> Looked:
    """Return what was seen of the order, and whether that ended the run."""
    return replace(order.looked(), decided=order.decided)


def second_look(earlier: Mapping[str, int] | None, confidence: float) -> str:
    """Return that a sample is not the first one, where an *earlier* one by another seed found affected deals."""
    if earlier is None:
        return ""
    found = f"{earlier['affected']:,} of {plural(earlier['judged'], 'deal')} affected"
    return (
        f"this is a second look: the sample by --dealsnap-seed {earlier['seed']} found {found}. A bound holds "
        f"{sure(confidence)} for one look, not for the best of several"
    )
